"""Sets of labelled graphs: MUTAG, and random ones whose labels are known to lie in structure, features, or both."""

import os
import pathlib

import networkx as nx
import numpy as np
from scipy import sparse

from sklearn_dim import Graph
from sklearn_dim.datasets import load_graph_file


def load_mutag():
    """Return MUTAG's graphs and labels, from the data folder."""
    folder = os.environ.get("SKLEARN_DIM_DATA")
    path = pathlib.Path(folder or "") / "graphs" / "MUTAG.txt"
    if not folder or not path.exists():
        raise SystemExit(
            f"{path} is not there. Let the environment variable SKLEARN_DIM_DATA name a folder that holds "
            "graphs/MUTAG.txt, in the format of load_graph_file."
        )
    mutag = load_graph_file(path)
    return [Graph(X, adjacency) for X, adjacency in mutag.data], mutag.target


def random_graph(rng, n, degree=4.0, odds=None):
    """Return an adjacency of n nodes in which a pair is joined with a probability proportional to its ``odds``."""
    probability = degree / n * (np.ones((n, n)) if odds is None else odds)
    return sparse.csr_matrix(np.triu(rng.random((n, n)) < probability, 1), dtype=float)


def structure(n_graphs=200, seed=0):
    """Graphs of many triangles, against such whose edges were swapped, which keeps all degrees; all nodes alike."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 2
    graphs = []
    for label in y:
        n = int(rng.integers(15, 40))
        graph = nx.powerlaw_cluster_graph(n, 2, 0.9, seed=int(rng.integers(2**31)))
        if label:
            nx.double_edge_swap(graph, nswap=5 * n, max_tries=5000, seed=int(rng.integers(2**31)))
        graphs.append(Graph(np.ones((n, 1)), nx.to_scipy_sparse_array(graph)))
    return graphs, y


def features(n_graphs=200, seed=0):
    """Random graphs of three kinds, which differ a little in their nodes' mean."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 3
    centres = 0.2 * rng.normal(size=(3, 8))
    sizes = rng.integers(10, 40, size=n_graphs)
    return [
        Graph(centres[label] + rng.normal(size=(n, 8)), random_graph(rng, n)) for n, label in zip(sizes, y, strict=True)
    ], y


def both(n_graphs=200, seed=0):
    """Random graphs of two colours: neighbours are a little more often of one colour, or a little less often."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 2
    graphs = []
    for label in y:
        n = rng.integers(15, 40)
        colour = rng.integers(2, size=n)
        same = colour[:, None] == colour[None, :]
        odds = np.where(same == (label == 0), 1.35, 0.65)
        graphs.append(Graph(np.eye(2)[colour], random_graph(rng, n, odds=odds)))
    return graphs, y


TASKS = {"MUTAG": load_mutag, "structure": structure, "features": features, "both": both}
