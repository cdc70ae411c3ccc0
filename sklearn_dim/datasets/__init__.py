"""Example data: loaders, and generators whose answer is known."""

from sklearn_dim.datasets._digits import load_nudged_digits
from sklearn_dim.datasets._docstrings import load_docstrings
from sklearn_dim.datasets._generators import make_community_graph, make_gaussian_pair
from sklearn_dim.datasets._graph_file import load_graph_file
from sklearn_dim.datasets._planetoid import fetch_planetoid
from sklearn_dim.datasets._sequences import make_motif_sequences, make_topic_corpus
from sklearn_dim.datasets._tables import make_grouped_features
from sklearn_dim.datasets._tissue import make_tissue

__all__ = [
    "fetch_planetoid",
    "load_docstrings",
    "load_graph_file",
    "load_nudged_digits",
    "make_community_graph",
    "make_gaussian_pair",
    "make_grouped_features",
    "make_motif_sequences",
    "make_tissue",
    "make_topic_corpus",
]
