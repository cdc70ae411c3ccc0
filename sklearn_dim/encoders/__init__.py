"""Encoders: a batch in, local features and code out (`Encoded`); for graphs, patch vectors."""

from sklearn_dim.encoders._base import Encoded, Standardized
from sklearn_dim.encoders._gin import GIN
from sklearn_dim.encoders._graphs import GCN, check_graph_encoder
from sklearn_dim.encoders._images import ConvEncoder, image_encoder, published_encoder
from sklearn_dim.encoders._make import check_encoder, make_encoder
from sklearn_dim.encoders._tables import TableEncoder

__all__ = [
    "GCN",
    "GIN",
    "ConvEncoder",
    "Encoded",
    "Standardized",
    "TableEncoder",
    "check_encoder",
    "check_graph_encoder",
    "image_encoder",
    "make_encoder",
    "published_encoder",
]
