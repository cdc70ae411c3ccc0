"""Saves fitted estimators to files that run no code when loaded, and exports them as plain torch modules."""

from sklearn_dim.persistence._files import load, save
from sklearn_dim.persistence._torch import to_torch

__all__ = ["load", "save", "to_torch"]
