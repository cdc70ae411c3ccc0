"""Objectives: a bound and critics wired to what an encoder says of a batch."""

from sklearn_dim.objectives._columns import ColumnInformation
from sklearn_dim.objectives._coordinates import Coordinates
from sklearn_dim.objectives._deep_infomax import DeepInfoMax
from sklearn_dim.objectives._graph_summary import GraphSummary
from sklearn_dim.objectives._masked import MaskedInformation
from sklearn_dim.objectives._node_summary import NodeSummary
from sklearn_dim.objectives._pairs import PairInformation, Valued
from sklearn_dim.objectives._prior import PRIORS, AdversarialPrior
from sklearn_dim.objectives._readout import READOUTS, readout
from sklearn_dim.objectives._shortfall import shortfall
from sklearn_dim.objectives._total_correlation import TotalCorrelation

__all__ = [
    "PRIORS",
    "READOUTS",
    "AdversarialPrior",
    "ColumnInformation",
    "Coordinates",
    "DeepInfoMax",
    "GraphSummary",
    "MaskedInformation",
    "NodeSummary",
    "PairInformation",
    "TotalCorrelation",
    "Valued",
    "readout",
    "shortfall",
]
