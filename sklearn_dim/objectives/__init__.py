"""Objectives: what a net trains. A bound and critics, wired to what an encoder makes of a batch."""

from sklearn_dim.objectives._base import Information, Objective, Tables
from sklearn_dim.objectives._columns import ColumnEvaluation, ColumnInformation
from sklearn_dim.objectives._coordinates import Coordinates
from sklearn_dim.objectives._deep_infomax import DeepInfoMax
from sklearn_dim.objectives._graph_summary import GraphSummary
from sklearn_dim.objectives._masked import MaskedInformation
from sklearn_dim.objectives._node_summary import NodeSummary
from sklearn_dim.objectives._node_views import NodeViews
from sklearn_dim.objectives._pairs import Evaluation, PairInformation, bias_correction
from sklearn_dim.objectives._prior import PRIORS, AdversarialPrior
from sklearn_dim.objectives._readout import READOUTS, readout
from sklearn_dim.objectives._total_correlation import TotalCorrelation

# For users; what else is imported above is for the estimators.
__all__ = ["AdversarialPrior", "DeepInfoMax", "Objective"]
