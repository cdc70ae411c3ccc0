"""Encoders: a batch in, local features and code out (`Encoded`); for graphs, patch vectors."""

from sklearn_dim.encoders._bags import BagEncoder
from sklearn_dim.encoders._base import Encoded, Standardized
from sklearn_dim.encoders._edge_index import as_graph_encoder, check_graph_encoder
from sklearn_dim.encoders._gin import GIN
from sklearn_dim.encoders._graphs import GCN, SGC, GraphSAGE
from sklearn_dim.encoders._images import ConvEncoder, image_encoder, published_encoder
from sklearn_dim.encoders._make import Layout, check_encoder, make_encoder
from sklearn_dim.encoders._resnet import FoldedResNet
from sklearn_dim.encoders._sequences import SequenceEncoder, sequence_encoder
from sklearn_dim.encoders._tables import TableEncoder
from sklearn_dim.encoders._tokens import TokenEncoder

GRAPH_ENCODERS = {"gcn": GCN, "gin": GIN, "sage": GraphSAGE, "sgc": SGC}

__all__ = [
    "GCN",
    "GIN",
    "GRAPH_ENCODERS",
    "SGC",
    "BagEncoder",
    "ConvEncoder",
    "Encoded",
    "FoldedResNet",
    "GraphSAGE",
    "Layout",
    "SequenceEncoder",
    "Standardized",
    "TableEncoder",
    "TokenEncoder",
    "as_graph_encoder",
    "check_encoder",
    "check_graph_encoder",
    "image_encoder",
    "make_encoder",
    "published_encoder",
    "sequence_encoder",
]
