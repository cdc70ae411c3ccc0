"""The citation graphs of Yang et al. (ICML 2016), with their standard split."""

import collections
import http.client
import io
import os
import pathlib
import pickle
import urllib.request
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from sklearn_dim._arguments import FLAG, checked
from sklearn_dim.files import digest, replaced

URL = "https://github.com/kimiyoung/planetoid/raw/master/data/"
FILES = ("tx", "allx", "y", "ty", "ally", "graph", "test.index")
SHA256 = {
    "cora": {
        "tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
        "allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
        "y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
        "ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
        "ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
        "graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
        "test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
    },
    "citeseer": {
        "tx": "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21",
        "allx": "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668",
        "y": "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924",
        "ty": "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce",
        "ally": "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95",
        "graph": "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7",
        "test.index": "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4",
    },
}


@checked(download_if_missing=FLAG)
def fetch_planetoid(
    name: str = "cora", *, data_home: str | os.PathLike | None = None, download_if_missing: bool = True
) -> Bunch:
    """Load a citation graph, Cora or Citeseer, and download it if it is missing.

    Nodes are papers, features are their words, edges are citations. The files are pickles, so a file is read only if
    it has the known SHA-256, and only by an unpickler that can make nothing but arrays and lists. A download is kept
    only if it has the known SHA-256, too.

    Parameters
    ----------
    name : {"cora", "citeseer"}, default="cora"
    data_home : str or path-like, default=None
        The cache, by default scikit-learn's; the files are in its folder ``planetoid``.
    download_if_missing : bool, default=True
        Whether to download files that are missing; else an OSError is raised.

    Returns
    -------
    Bunch
        ``data`` (CSR, float32), ``adjacency`` (CSR), ``target``, and the standard split as row numbers: ``train``
        (20 per class), ``validation`` (500) and ``test`` (1000).

    Raises
    ------
    ValueError
        If the name is unknown, or a file is not the known one.
    TypeError
        If ``data_home`` is no path, or ``download_if_missing`` is neither True nor False.
    OSError
        If a file is missing and cannot be downloaded.

    Examples
    --------
    >>> from sklearn_dim import Graph
    >>> from sklearn_dim.datasets import fetch_planetoid
    >>> cora = fetch_planetoid("cora")  # doctest: +SKIP
    >>> Graph(cora.data, cora.adjacency)  # doctest: +SKIP
    Graph(2708 nodes, 5278 edges, 1433 features)
    """
    if not isinstance(name, str) or name not in SHA256:
        raise ValueError(f"name={name!r} is not a known citation graph; use one of {sorted(SHA256)}.")
    if not isinstance(data_home, str | os.PathLike | None):
        raise TypeError(f"data_home={data_home!r} must be the path of a folder, or None for scikit-learn's.")
    folder = pathlib.Path(get_data_home(data_home)) / "planetoid"
    tx, allx, y, ty, ally, graph, test = (_read(folder, name, file, download_if_missing) for file in FILES)
    test = np.array(test.split(), dtype=int)
    n = test.max() + 1
    # Test papers come last, in the order of test.index. Numbers missing there are papers without words and class.
    features = sparse.lil_matrix((n, allx.shape[1]), dtype=np.float32)
    labels = np.zeros((n, ally.shape[1]))
    features[: allx.shape[0]], labels[: len(ally)] = allx, ally
    features[test], labels[test] = tx, ty
    ends = np.array([(paper, cited) for paper, others in graph.items() for cited in others if paper != cited]).T
    adjacency = sparse.csr_matrix((np.ones(ends.shape[1], dtype=np.float32), ends), shape=(n, n))
    return Bunch(
        data=features.tocsr(),
        adjacency=(adjacency.maximum(adjacency.T) > 0).astype(np.float32),
        target=labels.argmax(1),
        train=np.arange(len(y)),
        validation=np.arange(len(y), len(y) + 500),
        test=np.sort(test),
    )


def _read(folder: pathlib.Path, name: str, file: str, download_if_missing: bool) -> Any:
    """Return the content of one file, a text or an unpickled array."""
    path = folder / f"ind.{name}.{file}"
    if path.exists():
        content = path.read_bytes()
        _check(content, SHA256[name][file], f"{path} is damaged, or not the known file. Delete it")
    elif download_if_missing:
        content = _download(path)
        _check(content, SHA256[name][file], f"{URL + path.name} was damaged in transit, or changed. Nothing was kept")
        _store(content, path)
    else:
        raise OSError(f"{path} is missing and download_if_missing=False. Allow the download, or put the file there.")
    return content.decode() if file == "test.index" else ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()


def _check(content: bytes, sha256: str, complaint: str) -> None:
    if digest(content).hex() != sha256:
        raise ValueError(f"{complaint}; retry. (Its {len(content)} bytes have another SHA-256 and were not unpickled.)")


def _download(path: pathlib.Path) -> bytes:
    """Return the content of a file from the collection."""
    try:
        with urllib.request.urlopen(URL + path.name, timeout=60) as response:
            return response.read()
    except (OSError, http.client.HTTPException) as error:  # no network, or the connection was lost
        raise OSError(
            f"{URL + path.name} could not be downloaded ({error}). Without a network, copy the files ind.*.* of "
            f"the collection to {path.parent}, or name the folder above with data_home."
        ) from error


def _store(content: bytes, path: pathlib.Path) -> None:
    """Write a file that appears whole or not at all, even if another process writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as file:
        file.write(content)


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickles of NumPy arrays, CSR matrices and lists, and refuses those that name anything else."""

    KNOWN: ClassVar[dict] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("scipy.sparse.csr", "csr_matrix"): sparse.csr_matrix,
        ("collections", "defaultdict"): collections.defaultdict,
        ("__builtin__", "list"): list,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return a known class or function, else raise an UnpicklingError."""
        try:
            return self.KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}, which is not an array") from None
