"""Encoders: networks that map a batch to local features and a code (`Encoded`), or a graph to node embeddings."""

from sklearn_dim.encoders._axes import block_scales, even_rotation, leading_axes, varies
from sklearn_dim.encoders._bags import BagEncoder
from sklearn_dim.encoders._base import (
    Encoded,
    Encoder,
    Layout,
    SampleEncoder,
    Standardized,
    UserEncoder,
    as_encoder,
    check_encoder,
)
from sklearn_dim.encoders._fixed import FixedFeatures, PlainModule
from sklearn_dim.encoders._gin import GIN
from sklearn_dim.encoders._graph_base import (
    EdgeIndexEncoder,
    GraphEncoder,
    UserGraphEncoder,
    as_graph_encoder,
    check_graph_encoder,
)
from sklearn_dim.encoders._graphs import GCN, SGC, GraphSAGE, TwoLayerGCN
from sklearn_dim.encoders._images import ConvEncoder, image_encoder, published_encoder
from sklearn_dim.encoders._kernel_map import KernelMap
from sklearn_dim.encoders._kernels import DilatedKernels
from sklearn_dim.encoders._patches import PatchEncoder, WhitenedPatches
from sklearn_dim.encoders._resnet import FoldedResNet
from sklearn_dim.encoders._sequences import SequenceEncoder, sequence_encoder
from sklearn_dim.encoders._tables import TableEncoder
from sklearn_dim.encoders._tokens import TokenEncoder
from sklearn_dim.encoders._word_axes import WordAxes

GRAPH_ENCODERS: dict[str, type[GraphEncoder]] = {"gcn": GCN, "gin": GIN, "sage": GraphSAGE, "sgc": SGC}

# For users; what else is imported above is for the estimators and the objectives.
__all__ = [
    "GCN",
    "GIN",
    "GRAPH_ENCODERS",
    "SGC",
    "BagEncoder",
    "ConvEncoder",
    "DilatedKernels",
    "Encoded",
    "Encoder",
    "FixedFeatures",
    "FoldedResNet",
    "GraphEncoder",
    "GraphSAGE",
    "KernelMap",
    "PatchEncoder",
    "SequenceEncoder",
    "Standardized",
    "TableEncoder",
    "TokenEncoder",
    "TwoLayerGCN",
    "WhitenedPatches",
    "image_encoder",
    "published_encoder",
    "sequence_encoder",
]
