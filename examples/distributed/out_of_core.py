"""
Training from a file larger than memory
=======================================

`DIMTransformer` reads the rows of a memory map, or of a torch ``Dataset``, as training asks for them. The file here is
small, so that the example is quick; one of any size takes the same memory.
"""

import pathlib
import tempfile

import numpy as np
from torch.utils.data import Dataset

from sklearn_dim import DIMTransformer

# %%
# A file of rows
# --------------
# Ten numbers decide about the hundred of each row. The file is written in parts, none of which is large.


def write_rows(path, n_samples=20_000, n_features=100, part=5000):
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((10, n_features))
    X = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.float32, shape=(n_samples, n_features)
    )
    for start in range(0, n_samples, part):
        X[start : start + part] = rng.standard_normal(
            (part, 10)
        ) @ mixing + rng.standard_normal((part, n_features))
    X.flush()


# %%
# A memory map
# ------------
# It stands where an array would; float32, float64 and uint8 are read as they are. ``early_stopping`` and ``score`` work
# as well. The output is an array in memory.


def codes_of_a_map(path):
    X = np.load(path, mmap_mode="r")
    dim = DIMTransformer(16, max_iter=1, random_state=0).fit(X)
    return dim, dim.transform(X)


# %%
# Codes into a file
# -----------------
# Where even the output is too large, transform part after part into another map.


def codes_into_a_file(dim, source, target, part=5000):
    X = np.load(source, mmap_mode="r")
    codes = np.lib.format.open_memmap(
        target, mode="w+", dtype=X.dtype, shape=(len(X), dim.n_components)
    )
    for start in range(0, len(X), part):
        codes[start : start + part] = dim.transform(X[start : start + part])
    codes.flush()
    return codes


# %%
# A torch Dataset
# ---------------
# For anything else that can be read by number: files in a folder, rows of a database, or a map of another dtype.


class FileRows(Dataset):
    def __init__(self, path):
        self.rows = np.load(path, mmap_mode="r")

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


# %%
# Run it
# ------

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows.npy"
        write_rows(path)
        dim, codes = codes_of_a_map(path)
        print(f"from a map: {codes.shape}, {dim.mutual_info_:.2f} nats")
        in_file = codes_into_a_file(
            dim, path, pathlib.Path(folder) / "codes.npy"
        )
        print(
            f"into a file: the same codes to {np.abs(in_file - codes).max():.0e}"
        )
        by_dataset = DIMTransformer(16, max_iter=1, random_state=0).fit(
            FileRows(path)
        )
        print(f"from a Dataset: {by_dataset.mutual_info_:.2f} nats")
