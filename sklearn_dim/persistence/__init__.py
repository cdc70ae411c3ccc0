"""Fitted estimators as files that run no code when they are read, and as modules of plain torch."""

from sklearn_dim.persistence._files import load, save
from sklearn_dim.persistence._torch import to_torch

__all__ = ["load", "save", "to_torch"]
