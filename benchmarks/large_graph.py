"""A graph larger than one would like in memory: `python benchmarks/large_graph.py [--nodes 2000000]` prints a table.

A block model (ten communities, 70 % of the edges inside, 64 columns with three times their noise, ten edges per node)
is drawn chunk by chunk and written to a temporary directory. A process of its own opens it as memory maps, fits
DGITransformer(n_components=64) and transforms all nodes; k-means looks for the communities. Resident memory is what
the process holds (own) and pages of the files, which the system may drop at any time.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time
from threading import Event, Thread

import numpy as np
from memory import peak, sample_until

N_COMMUNITIES, N_FEATURES, EDGES_PER_NODE, INSIDE, NOISE = 10, 64, 10, 0.7, 3.0
CHUNK = 2**18  # nodes, or edges, that are drawn at a time


def main():
    """Write the graph, measure in another process, print one row for each step."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--nodes", type=int, default=2_000_000)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--batch-size", default="auto", help="of small graphs, which are else trained on as a whole")
    options.add_argument("--child", help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.child:
        return measure(options)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", __file__, "--child", folder, *sys.argv[1:]]
        print(f"{options.nodes} nodes, {EDGES_PER_NODE * options.nodes} edges drawn, {options.threads} threads")
        print("| step | wall s | CPU s | peak so far, MB | own at most, MB | |\n|---|---|---|---|---|---|", flush=True)
        step("write", lambda: write(folder, options.nodes), lambda graph: f"{size_of(folder):.0f} MB on disk")
        subprocess.run(command, check=True)


def write(folder, n_nodes):
    """Write the graph in chunks; the community of node i is y[i], drawn as in `communities`."""
    from sklearn_dim import Graph

    y = communities(n_nodes)
    members = np.argsort(y, kind="stable")
    starts = np.searchsorted(y[members], np.arange(N_COMMUNITIES + 1))

    def features():
        rng = np.random.default_rng(1)
        centers = rng.standard_normal((N_COMMUNITIES, N_FEATURES), dtype=np.float32)
        for first in range(0, n_nodes, CHUNK):
            part = y[first : first + CHUNK]
            yield centers[part] + NOISE * rng.standard_normal((len(part), N_FEATURES), dtype=np.float32)

    def edges():
        rng = np.random.default_rng(2)
        for first in range(0, EDGES_PER_NODE * n_nodes, CHUNK):
            n = min(CHUNK, EDGES_PER_NODE * n_nodes - first)
            source = rng.integers(n_nodes, size=n)
            away = (rng.random(n) >= INSIDE) * rng.integers(1, N_COMMUNITIES, size=n)
            block = (y[source] + away) % N_COMMUNITIES
            place = starts[block] + (rng.random(n) * (starts[block + 1] - starts[block])).astype(np.int64)
            yield source, members[place]

    return Graph.write(folder, features=features(), edges=edges(), n_nodes=n_nodes)


def communities(n_nodes):
    """Return the community of each node."""
    return np.random.default_rng(0).permutation(np.arange(n_nodes) % N_COMMUNITIES)


def size_of(folder):
    """Return the megabytes of a directory."""
    return sum(path.stat().st_size for path in pathlib.Path(folder).iterdir()) / 2**20


def measure(options):
    """Print one row each for opening, fit, transform and k-means."""
    import torch

    from sklearn_dim import DGITransformer, Graph
    from sklearn_dim.graphs import PropagationMatrix

    torch.set_num_threads(options.threads)
    graph = step("open", lambda: Graph.open(options.child), lambda graph: f"{graph.adjacency.nnz // 2} edges")
    matrix = step("normalise", lambda: PropagationMatrix(graph.adjacency), lambda matrix: "sums of rows")
    step("sample", lambda: sampled(graph, matrix), lambda n: f"neighbourhoods of {n} nodes, in batches of 4096")
    step("multiply", lambda: matrix @ torch.ones(len(graph), 8), lambda product: "Â with 8 columns")
    size = options.batch_size if options.batch_size == "auto" else int(options.batch_size)
    model = DGITransformer(n_components=64, batch_size=size, device="cpu", random_state=0)
    step("fit", lambda: model.fit(graph), lambda model: f"{model.n_iter_} epochs, {model.mutual_info_:.2f} nats")
    codes = step("transform", lambda: model.transform(graph), lambda codes: f"{codes.shape} {codes.dtype}")
    step("k-means", lambda: agreement(codes, communities(len(graph))), lambda found: f"adjusted Rand index {found:.3f}")


def sampled(graph, matrix, n_batches=100):
    """Draw and read batches as training does, and return how many nodes they are of."""
    from sklearn_dim.graphs import NeighborBatches

    batches = NeighborBatches(graph.features, matrix, graph.parts, batch_size=4096, fan_out=[10])
    return sum(batch.n_nodes for _, (batch,) in zip(range(n_batches), batches, strict=False))


def agreement(codes, y):
    """Return the adjusted Rand index of k-means with the truth."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import adjusted_rand_score

    found = MiniBatchKMeans(N_COMMUNITIES, batch_size=4096, n_init=5, random_state=0).fit_predict(codes)
    return adjusted_rand_score(y, found)


def step(name, work, said):
    """Do some work, print a row of what it took, and return what it returns."""
    wall, cpu, samples, done = time.perf_counter(), time.process_time(), [], Event()
    watch = Thread(target=sample_until, args=(done, samples), daemon=True)
    watch.start()
    result = work()
    done.set()
    watch.join()
    cells = time.perf_counter() - wall, time.process_time() - cpu, peak(samples), max(own for _, own in samples)
    seconds, megabytes = cells[:2], cells[2:]
    row = [name, *(f"{cell:.1f}" for cell in seconds), *(f"{cell:.0f}" for cell in megabytes), said(result)]
    print(f"| {' | '.join(row)} |", flush=True)
    return result


if __name__ == "__main__":
    main()
