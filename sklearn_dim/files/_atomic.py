"""Files that appear whole or not at all."""

import os
import pathlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

UNFINISHED = ".part"  # the end of the name of a file that is being written
LEFTOVER_AGE = 3600.0  # seconds after which an unfinished file is one that a kill has left: no save takes an hour


@contextmanager
def replaced(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of ``path`` at the end, in one step.

    Until then it has a name of its own, which no other process or machine uses. If anything fails, it is deleted, and
    what was at ``path`` stays. A symbolic link at ``path`` is replaced, not followed.

    Raises
    ------
    OSError
        If the file cannot be written, as on a full disk: the message names ``path`` and says what to do.
    """
    path = pathlib.Path(path)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    with failures_named(path):
        try:
            with unfinished.open("xb") as file:
                yield file
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def failures_named(path: str | os.PathLike) -> Iterator[None]:
    """Raise an OSError again with a message that names ``path``, and says what to do."""
    try:
        yield
    except OSError as error:
        raise type(error)(
            error.errno,
            f"{os.fspath(path)} could not be written ({error.strerror or error}). Nothing of it was left behind, and "
            "what was there before still is. Free some space, or name another folder",
        ) from error


def forget_leftovers(folder: pathlib.Path, pattern: str) -> None:
    """Delete files that a kill has left unfinished, by a pattern of their names; young ones may still be written."""
    for file in folder.glob(pattern):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < time.time() - LEFTOVER_AGE:
                file.unlink()
