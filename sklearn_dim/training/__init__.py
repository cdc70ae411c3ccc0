"""Training: skorch's loop over batches that already lie on the device."""

from sklearn_dim.training._average import AverageWeights
from sklearn_dim.training._batches import RowBatches, file_of, sparse_tensor, take_rows
from sklearn_dim.training._callbacks import KeepBest, KeepBestEach
from sklearn_dim.training._checkpoint import ResumableCheckpoint
from sklearn_dim.training._device import numpy_weights, resolve_device, resolve_precision, seeded
from sklearn_dim.training._net import InformationNet
from sklearn_dim.training._parallel import data_parallel

__all__ = [
    "AverageWeights",
    "InformationNet",
    "KeepBest",
    "KeepBestEach",
    "ResumableCheckpoint",
    "RowBatches",
    "data_parallel",
    "file_of",
    "numpy_weights",
    "resolve_device",
    "resolve_precision",
    "seeded",
    "sparse_tensor",
    "take_rows",
]
