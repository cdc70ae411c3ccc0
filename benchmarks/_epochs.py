"""One measurement of planetoid.py in a process of its own: `_epochs.py NAME [arguments]` prints a line of JSON.

A process of its own has a peak of memory of its own.
"""

import json
import pathlib
import resource
import sys
import time

import numpy as np
import torch
from _graphs import PygInfomax, load, load_optimizers, torch_csr
from scipy import sparse
from skorch.callbacks import Callback

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.datasets import make_community_graph
from sklearn_dim.graphs import SparseMatrix, as_matrix, normalized_adjacency
from sklearn_dim.objectives._fused import COLUMNS, _times, _transpose_times

WARM_UP = 2  # epochs


class CpuClock(Callback):
    """Records the process's CPU seconds at the end of each epoch."""

    def on_epoch_end(self, net, **kwargs):
        """Look at the clock."""
        net.history.record("cpu", time.process_time())


def ours(name, epochs):
    """Return milliseconds of epochs of DGITransformer, everything between two of them included."""
    graph, *_ = load(name)
    model = DGITransformer.published(
        max_iter=WARM_UP + epochs, callbacks=[CpuClock()], device="cpu", random_state=0
    )  # the peer's objective and 512 components
    return milliseconds(model.fit(graph).history_["cpu"])


def pyg(name, epochs):
    """Return milliseconds of epochs of torch_geometric's class."""
    graph, *_ = load(name)
    peer = PygInfomax(graph)
    return milliseconds(timed(peer.epoch, epochs))


def floor(name, epochs):
    """Return milliseconds of an epoch's products alone, with outputs allocated once.

    X W; Â P of the graph and of its corruption; the transposes of these two; Xᵀ G, by the faster of two routines.
    """
    graph, *_ = load(name)
    X, A = graph.features, torch_csr(normalized_adjacency(graph.adjacency))
    n, p = X.shape
    W, P, Q, Y, Z = (torch.randn(rows, 512) for rows in (p, n, n, n, n))
    sparsely = sparse.issparse(X) and X.nnz < 0.1 * n * p
    left = torch_csr(X) if sparsely else torch.as_tensor(X.toarray() if sparse.issparse(X) else X)
    right = torch_csr(X.T.tocsr()) if sparsely else left.T

    def backward_by_torch():
        multiply(right, P, W)

    def backward_by_scipy():
        X.T @ P.numpy()

    def products(backward):
        multiply(left, W, P)
        for inner, outer in ((P, Y), (P, Z), (Y, P), (Z, Q)):
            multiply(A, inner, outer)
        backward()

    ways = (backward_by_torch, backward_by_scipy) if sparsely else (backward_by_torch,)
    return min((milliseconds(timed(lambda way=way: products(way), epochs)) for way in ways), key=np.median)


def own_floor(name, epochs):
    """Return milliseconds of the same products as the fast path computes them, which is faster on most processors.

    By FBGEMM where it is there, for some columns at a time, and the graph with its corruption at once.
    """
    graph, *_ = load(name)
    X, A = as_matrix(graph.features), SparseMatrix(normalized_adjacency(graph.adjacency))
    n, p = X.shape
    both, W = A.above_shuffled(torch.randperm(n)), torch.randn(p, 512)

    def products():
        for columns in W.split(COLUMNS, 1):
            _transpose_times(X, both.transpose_times(both.times(_times(X, columns))))

    return milliseconds(timed(products, epochs))


def multiply(A, B, out):
    """Write A B to ``out``."""
    torch.addmm(out, A, B, beta=0, out=out)


def timed(step, epochs):
    """Return the CPU clock before and after each epoch."""
    clock = [time.process_time()]
    for _ in range(WARM_UP + epochs):
        step()
        clock.append(time.process_time())
    return clock[1:]


def milliseconds(clock):
    """Return the milliseconds of each epoch after the warm-up."""
    return (1e3 * np.diff(clock)[WARM_UP - 1 :]).tolist()


def ours_whole(name, epochs):
    """Return CPU seconds and epochs of a fit with default arguments, at most so many epochs."""
    graph, *_ = load(name)
    start = time.process_time()
    model = DGITransformer(device="cpu", random_state=0, **({"max_iter": epochs} if epochs else {})).fit(graph)
    return [time.process_time() - start, model.n_iter_]


def pyg_whole(name, epochs):
    """Return CPU seconds and epochs of torch_geometric's example."""
    graph, *_ = load(name)
    start = time.process_time()
    peer = PygInfomax(graph)
    for _ in range(epochs or 300):
        peer.epoch()
    return [time.process_time() - start, epochs or 300]


def large(n_nodes, epochs):
    """Return how well k-means finds the communities of a large graph in features and vectors, and what it took."""
    X, adjacency, y = make_community_graph(n_nodes, n_communities=10, degree=20, mixing=0.3, noise=3.0, random_state=0)
    graph, A = Graph(X.astype(np.float32), adjacency), normalized_adjacency(adjacency)
    untrained = {"raw features": agreement(graph.features, y), "Â²X": agreement(A @ (A @ graph.features), y)}
    start = time.process_time()
    model = DGITransformer(device="cpu", random_state=0, **({"max_iter": epochs} if epochs else {})).fit(graph)
    seconds, fit_mb = time.process_time() - start, peak_memory()
    found = {**untrained, "DGITransformer()": agreement(model.transform(graph), y)}
    return {"edges": adjacency.nnz // 2, "found": found, "seconds": seconds, "fit_mb": fit_mb}


def agreement(features, y):
    """Return the adjusted Rand index of k-means with the truth."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    return adjusted_rand_score(y, KMeans(y.max() + 1, n_init=5, random_state=0).fit_predict(features))


def peak_memory():
    """Return the most megabytes this process has held."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # getrusage would count the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


MEASUREMENTS = {
    "ours": ours,
    "PyG": pyg,
    "floor": floor,
    "own floor": own_floor,
    "ours whole": ours_whole,
    "PyG whole": pyg_whole,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    load_optimizers()
    what, subject, epochs = sys.argv[1:]
    result = large(int(subject), int(epochs)) if what == "large" else MEASUREMENTS[what](subject, int(epochs))
    print(json.dumps({"result": result, "mb": peak_memory()}))
