"""Training: skorch's loop over batches that already lie on the device."""

# "as" marks what the other rooms use but users need not.
from sklearn_dim.training._batches import Batches as Batches
from sklearn_dim.training._batches import RowBatches as RowBatches
from sklearn_dim.training._batches import drawn_once as drawn_once
from sklearn_dim.training._checkpoint import ResumableCheckpoint
from sklearn_dim.training._device import numpy_weights as numpy_weights
from sklearn_dim.training._device import resolve_device as resolve_device
from sklearn_dim.training._device import resolve_precision as resolve_precision
from sklearn_dim.training._device import seeded as seeded
from sklearn_dim.training._device import set_seed as set_seed
from sklearn_dim.training._limits import LimitedTensors as LimitedTensors
from sklearn_dim.training._modes import own_modes as own_modes
from sklearn_dim.training._net import InformationNet
from sklearn_dim.training._parallel import data_parallel
from sklearn_dim.training._weights import AverageWeights as AverageWeights
from sklearn_dim.training._weights import BestWeights as BestWeights
from sklearn_dim.training._weights import BestWeightsEach as BestWeightsEach

__all__ = ["InformationNet", "ResumableCheckpoint", "data_parallel"]
