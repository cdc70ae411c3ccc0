"""Sets of labelled graphs: three files, and random ones of which it is known where their labels lie."""

import os
import pathlib
from functools import partial

import networkx as nx
import numpy as np
from scipy import sparse

from sklearn_dim import Graph
from sklearn_dim.datasets import load_graph_file


def load(name):
    """Return a file's graphs and labels, from the data folder."""
    folder = os.environ.get("SKLEARN_DIM_DATA")
    path = pathlib.Path(folder or "") / "graphs" / f"{name}.txt"
    if not folder or not path.exists():
        raise SystemExit(
            f"{path} is not there. Let the environment variable SKLEARN_DIM_DATA name a folder that holds "
            f"graphs/{name}.txt, in the format of load_graph_file."
        )
    bunch = load_graph_file(path)
    return [Graph(X, adjacency) for X, adjacency in bunch.data], bunch.target


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


def attributes(n_graphs=240, seed=1):
    """Nodes in a plane, joined where near: two of their four numbers are like their neighbours', or like others'."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 2
    graphs = []
    for label in y:
        n = int(rng.integers(15, 40))
        places = rng.random((n, 2))
        near = np.square(places[:, None] - places).sum(2) < 0.08
        near &= ~np.eye(n, dtype=bool)
        X = rng.normal(size=(n, 4))
        given = X[:, :2] if label else rng.permutation(X[:, :2])
        X[:, :2] = 0.8 * X[:, :2] + 0.8 * (near / np.maximum(near.sum(1), 1)[:, None]) @ given
        graphs.append(Graph(X, near))
    return graphs, y


def communities(n_graphs=300, seed=1):
    """Graphs of two, three or five communities with the same mean degree; all nodes alike."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 3
    graphs = []
    for label in y:
        n, k = int(rng.integers(30, 70)), (2, 3, 5)[label]
        community = rng.integers(k, size=n)
        odds = np.where(community[:, None] == community, 0.8 * k + 0.2, 0.2)
        graphs.append(Graph(np.ones((n, 1)), random_graph(rng, n, degree=6, odds=odds / odds.mean())))
    return graphs, y


def weights(n_graphs=240, seed=1):
    """Random weighted graphs: the heavy edges join the same nodes, or any."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 2
    graphs = []
    for label in y:
        n = int(rng.integers(15, 40))
        start, end = random_graph(rng, n, degree=5).nonzero()
        strength = rng.random(n)
        order = np.argsort(strength[start] + strength[end] if label else rng.random(len(start)))
        weight = np.sort(rng.exponential(size=len(start)))
        edges = sparse.csr_matrix((weight, (start[order], end[order])), shape=(n, n))
        graphs.append(Graph(rng.normal(size=(n, 2)), edges))
    return graphs, y


def sizes(n_graphs=240, seed=1):
    """Graphs of 5 to 500 nodes, random or grown by preferential attachment; features are noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 2
    graphs = []
    for label in y:
        n, random_state = int(np.exp(rng.uniform(np.log(5), np.log(500)))), int(rng.integers(2**31))
        grown = nx.barabasi_albert_graph(n, 2, seed=random_state)
        graph = grown if label else nx.gnm_random_graph(n, grown.number_of_edges(), seed=random_state)
        graphs.append(Graph(rng.normal(size=(n, 3)), nx.to_scipy_sparse_array(graph)))
    return graphs, y


def tags(n_graphs=300, seed=1):
    """Nodes of thirty tags, most of them rare; the sum of two tags decides how often they are joined."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_graphs) % 3
    odds_of_tag = 1 / np.arange(1, 31)
    graphs = []
    for label in y:
        n = int(rng.integers(15, 40))
        tag = rng.choice(30, size=n, p=odds_of_tag / odds_of_tag.sum())
        odds = np.where((tag[:, None] + tag) % 3 == label, 2.2, 0.6)
        graphs.append(Graph(np.eye(30)[tag], random_graph(rng, n, degree=3.5, odds=odds)))
    return graphs, y


RANDOM = structure, features, both, attributes, communities, weights, sizes, tags
TASKS = {name: partial(load, name) for name in ("MUTAG", "PTC", "ENZYMES")} | {each.__name__: each for each in RANDOM}
