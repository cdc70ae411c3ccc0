"""Arrays in files: appended to while their length is unknown, and opened as memory maps of a known shape."""

import mmap
import pathlib
from typing import Any

import numpy as np

MAX_HEADER = 10_000  # bytes, numpy's own limit
SHORT = 2**31  # what is numbered by less fits int32


def in_file(array: Any) -> bool:
    """Return whether an array is a memory map of a file, or a part of one."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


class GrowingFile:
    """A .npy file to which rows are appended; its header says how many there are once it is closed.

    Parameters
    ----------
    path : path-like
    dtype : dtype
    row_shape : tuple of int, default=()
        Shape of one row.
    """

    def __init__(self, path: Any, dtype: Any, row_shape: tuple[int, ...] = ()):
        self.dtype, self.row_shape, self.length = np.dtype(dtype), tuple(row_shape), 0
        self.file = open(path, "wb")  # noqa: SIM115  # closed by the context
        self.data_at = self._write_header()

    def __enter__(self) -> "GrowingFile":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.seek(0)
        header = self._write_header()
        self.file.close()
        if header != self.data_at:  # NumPy leaves room for a longer shape
            raise RuntimeError("the header of a .npy file grew with its array; please report this.")

    def append(self, rows: np.ndarray) -> None:
        """Append rows (n, *row_shape)."""
        np.ascontiguousarray(rows, dtype=self.dtype).tofile(self.file)
        self.length += len(rows)

    def _write_header(self) -> int:
        """Write the header and return where it ends."""
        shape = (self.length, *self.row_shape)
        description = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, description)
        return self.file.tell()


def described(array: np.ndarray) -> dict[str, Any]:
    """Return the shape and dtype of an array as JSON holds them."""
    return {"shape": list(array.shape), "dtype": array.dtype.str}


def _check_header(path: pathlib.Path) -> None:
    """Raise ValueError if a .npy file announces a header that it cannot have: numpy would allocate room for it."""
    with path.open("rb") as file:
        start = file.read(12)
    length = int.from_bytes(start[8:10] if start[6:7] == b"\x01" else start[8:12], "little")
    if not start.startswith(b"\x93NUMPY") or length > MAX_HEADER:
        raise ValueError("it does not begin as such a file")


def open_array(path: pathlib.Path, description: Any) -> np.ndarray:
    """Return a file's array as a read-only memory map.

    Raises
    ------
    ValueError
        If it is missing, is no plain array, is cut off, or has another shape or dtype than ``description`` says.
    """
    try:
        _check_header(path)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path.name} is missing, cut off or no .npy file ({error}).") from error
    if not isinstance(array, np.ndarray) or array.dtype.hasobject or described(array) != description:
        found = described(array) if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{path.name} holds {found}, but the graph was written with {description}.")
    return array


class GrowingCsr:
    """The three files of a CSR matrix, ``{name}_data.npy``, …, to which blocks of rows are appended.

    Columns are int32 where that suffices for them and for the number of entries, else int64.

    Parameters
    ----------
    folder : path
    name : str
    dtype : dtype
        Of the values.
    n_rows, n_columns : int
    """

    def __init__(self, folder: pathlib.Path, name: str, dtype: Any, n_rows: int, n_columns: int):
        self.paths = {part: folder / f"{name}_{part}.npy" for part in ("data", "indices", "indptr")}
        self.number = np.int32 if n_columns < SHORT else np.int64
        self.indptr, self.n_rows = np.zeros(n_rows + 1, dtype=np.int64), 0
        self.data = GrowingFile(self.paths["data"], dtype)
        self.indices = GrowingFile(self.paths["indices"], self.number)

    def __enter__(self) -> "GrowingCsr":
        return self

    def append(self, lengths: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Append rows, given the number of entries of each, and the columns and values of all of these."""
        rows = self.indptr[self.n_rows + 1 : self.n_rows + len(lengths) + 1]
        rows[:] = self.data.length + np.cumsum(lengths)[: len(rows)]  # too many rows are counted, then refused
        self.n_rows += len(lengths)
        self.data.append(values)
        self.indices.append(columns)

    def __exit__(self, *error: object) -> None:
        self.data.__exit__()
        self.indices.__exit__()
        if self.data.length >= SHORT and self.number == np.int32:  # columns and pointers have one dtype
            self._widen()
        np.save(self.paths["indptr"], self.indptr.astype(self.number), allow_pickle=False)

    def _widen(self) -> None:
        path, self.number = self.paths["indices"], np.int64
        narrow = path.rename(path.with_suffix(".narrow"))
        columns = np.load(narrow, mmap_mode="r", allow_pickle=False)
        with GrowingFile(path, np.int64) as file:
            for first in range(0, len(columns), 2**24):
                file.append(columns[first : first + 2**24])
        narrow.unlink()
