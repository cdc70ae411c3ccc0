"""What a file holds, in 32 bytes: a flipped bit, a cut and a stretch of zeros all give another digest."""

import hashlib

Content = bytes | memoryview

DIGEST_SIZE = 32


def digest(*contents: Content) -> bytes:
    """Return the SHA-256 of the contents, one after the other."""
    state = hashlib.sha256()
    for content in contents:
        state.update(content)
    return state.digest()


def sealed(kind: str, name: str, content: Content) -> list[Content]:
    """Return what to write for ``content``: a line with ``kind``, a digest of name and content, the content."""
    return [_head(kind), digest(name.encode(), content), content]


def unsealed(kind: str, name: str, written: Content) -> memoryview:
    """Return the content of what `sealed` returned.

    Raises
    ------
    ValueError
        If it is of another kind, was changed, or belongs to a file of another name.
    """
    view, head = memoryview(written), _head(kind)
    start = len(head) + DIGEST_SIZE
    if bytes(view[: len(head)]) != head:
        raise ValueError(f"it does not begin with {head.decode().rstrip()!r}")
    if digest(name.encode(), view[start:]) != view[len(head) : start]:
        raise ValueError("its digest is not that of its content under this name")
    return view[start:]


def _head(kind: str) -> bytes:
    return f"sklearn-dim {kind}\n".encode()
