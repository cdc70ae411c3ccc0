"""Graphs of other kinds: random splits of the citation graphs, block models, neighbour graphs of tables."""

from functools import partial

import numpy as np
from _graphs import load
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from sklearn_dim import Graph
from sklearn_dim.datasets import make_community_graph
from sklearn_dim.graphs import NeighborGraph

SPLITS = 4  # of each seed


def citation(name):
    """Return a citation graph without the standard test nodes among the labelled ones; 20 a class are for training."""
    graph, y, split = load(name)
    _, test = split(0)
    described = np.asarray(graph.features.sum(1)).ravel() > 0
    return graph, y, np.setdiff1d(np.flatnonzero(described), test), 20


def blocks(*, degree, mixing, words=None, noise=None, n_communities=5):
    """Return a block model of 1500 nodes; a fraction ``words`` of its words tells the community, or 64 columns do."""
    X, adjacency, y = make_community_graph(
        1500, 64, n_communities=n_communities, degree=degree, mixing=mixing, noise=noise or 1.0, random_state=0
    )
    features = X.astype(np.float32) if words is None else word_counts(y, words)
    return Graph(features, adjacency), y, np.arange(1500), 20


def word_counts(topics, fraction, vocabulary=600, length=15):
    """Return bags of words: each is of 60 of the node's topic with probability ``fraction``, else a common one."""
    rng = np.random.default_rng(0)
    common = rng.permutation(1 / np.arange(1, vocabulary + 1) ** 0.7)
    own = np.array([rng.choice(vocabulary, 60, replace=False) for _ in range(topics.max() + 1)])
    shape = len(topics), length
    chosen = np.where(
        rng.random(shape) < fraction,
        np.take_along_axis(own[topics], rng.integers(60, size=shape), 1),
        rng.choice(vocabulary, shape, p=common / common.sum()),
    )
    counts = sparse.csr_matrix((np.ones(chosen.size), (np.repeat(np.arange(len(topics)), length), chosen.ravel())))
    counts.resize(len(topics), vocabulary)
    return (counts > 0).astype(np.float32)


def table(read):
    """Return rows, their neighbour graph, and a tenth for training."""
    X, y = read(return_X_y=True)
    return X, y, np.arange(len(y)), len(y) // 10


OTHERS = {
    "cora, random splits": partial(citation, "cora"),
    "citeseer, random splits": partial(citation, "citeseer"),
    "words, half the edges inside": partial(blocks, degree=4, mixing=0.5, words=0.35),
    "faint words, strong communities": partial(blocks, degree=8, mixing=0.25, words=0.05, n_communities=6),
    "faint columns": partial(blocks, degree=6, mixing=0.3, noise=8.0),
    "clear columns, few edges inside": partial(blocks, degree=8, mixing=0.65, noise=3.6),
    "digits": partial(table, load_digits),
    "breast cancer": partial(table, load_breast_cancer),
    "wine": partial(table, load_wine),
}


def neighbor_matrix(X):
    """Return the adjacency that DGITransformer gives plain rows."""
    return NeighborGraph(10).fit(X).adjacency_


def random_split(y, pool, n_train, seed):
    """Return training and test rows: ``n_train`` a class if that is few, else in all."""
    pool = np.random.default_rng(seed).permutation(pool)
    if n_train == 20:
        train = np.concatenate([pool[y[pool] == label][:n_train] for label in np.unique(y)])
    else:
        _, first = np.unique(y[pool], return_index=True)  # of each class at least one
        train = np.union1d(pool[:n_train], pool[first])
    return train, np.setdiff1d(pool, train)
