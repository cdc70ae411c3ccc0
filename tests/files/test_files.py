"""Files that appear whole, digests, and JSON that cannot unfold in memory."""

import os
import subprocess
import sys
import tracemalloc

import pytest

from sklearn_dim.files import UNFINISHED, read_json, replaced, sealed, unsealed, write_json


def test_a_file_is_replaced_at_the_end_only(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replaced(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        (unfinished,) = set(tmp_path.iterdir()) - {path}
        assert unfinished.name.startswith("file.") and unfinished.name.endswith(UNFINISHED)
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["file"]


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replaced(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_names_differ_and_links_are_not_followed(tmp_path):
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious")
    (tmp_path / "file").symlink_to(target)
    with replaced(tmp_path / "file") as one, replaced(tmp_path / "file") as other:
        assert one.name != other.name
        one.write(b"one")
        other.write(b"other")
    assert target.read_bytes() == b"precious" and not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"one"  # which was closed last


FULL_DISK = """
import os, resource, signal, sys
from sklearn_dim.files import replaced
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with replaced(sys.argv[1]) as file:
        file.write(bytes(5000))
except OSError as error:
    print(error.errno, error, os.listdir(os.path.dirname(sys.argv[1])))
"""


def test_a_disk_that_is_full_is_named_and_keeps_nothing(tmp_path):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "file")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{tmp_path / 'file'} could not be written (File too large). Nothing" in said and said.endswith("[]\n")


def test_sealed_content_is_that_of_its_kind_and_name():
    written = b"".join(sealed("thing 1", "name", b"content"))
    assert unsealed("thing 1", "name", written) == b"content"
    for kind, name, changed in (
        ("thing 2", "name", written),
        ("thing 1", "other", written),
        ("thing 1", "name", written[:-1]),
        ("thing 1", "name", b""),
        *(("thing 1", "name", flipped(written, bit)) for bit in range(8 * len(written))),
    ):
        with pytest.raises(ValueError, match=r"does not begin with 'sklearn-dim thing|its digest is not"):
            unsealed(kind, name, changed)


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_json_is_what_other_languages_read():
    value = {"a": [1, 2.5, None, True, '[{,:\\"é'], "b": {"c": []}}
    assert read_json(write_json(value)) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json([float("nan")])


def test_long_pages_of_ours_are_far_from_the_limit(monkeypatch):
    monkeypatch.setattr("sklearn_dim.files._json.FREE_COST", 0)
    rows = [{"epoch": i, "train_loss": i / 7, "dur": 0.1} for i in range(500)]
    frame = {name: [row[name] for row in rows] for name in rows[0]}
    page = {"state": {"net_": {"state": {"history": rows}}, "history_": {"__frame__": frame, "index": [*range(500)]}}}
    few = {"state": {"discrete_features": [True] * 500, "cv": [i % 10 for i in range(500)]}}
    for each in (page, few):
        assert read_json(write_json(each)) == each


BOMBS = {
    "items": b"[" + b"1," * 100_000 + b"1]",
    "lists": b"[" + b"[]," * 100_000 + b"1]",
    "dicts": b"[" + b'{"a":1},' * 30_000 + b"1]",
    "keys": b"{" + b",".join(b'"%d":1' % i for i in range(30_000)) + b"}",
    "words": b"[" + b'"ab",' * 60_000 + b"1]",
    "deep": b"[" * 200_000,
    "deep dicts": b'{"a":' * 200_000,
    "escapes": b'"' + b"\\n" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_text_that_would_unfold_is_refused(name, monkeypatch):
    monkeypatch.setattr("sklearn_dim.files._json.FREE_COST", 0)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"far more memory|nested more than|Unterminated"):
        read_json(BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(BOMBS[name])


@pytest.mark.parametrize("text", [b"[NaN]", b"[-Infinity]", b'{"a": 1, "a": 2}', b"\xff", b"", b"[1", b"1" * 5000])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        read_json(text)
