"""Warnings that point to the line of the caller's code, however deep in the package they arise."""

import contextlib
import importlib.util
import os
import sys
import warnings

# What lies between the caller and the package: its own files, scikit-learn's wrappers and searches, contexts.
_FOLDERS = [importlib.util.find_spec(name) for name in ("sklearn_dim", "sklearn", "joblib", "torch")]
_SKIPPED = (contextlib.__file__, *(os.path.join(os.path.dirname(spec.origin or ""), "") for spec in _FOLDERS if spec))


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of something that the caller of the package did."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_SKIPPED):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level + 1)
