"""What the displays share: axes, colours, and checks of what they are given."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.mine import MutualInfoEstimator

# Colours that people with colour-vision deficiency can distinguish: https://arxiv.org/abs/2107.02270
COLORS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
# The place of a legend to the right of the axes, where it hides nothing.
BESIDE: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False}
BLUE, ORANGE, RED, GREY = COLORS[0], COLORS[6], COLORS[2], COLORS[8]


def axes_for(ax: Any, display: Any) -> Any:
    """Return ``ax``, or if it is None the axes of a new figure. Only this imports matplotlib, which is optional."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__}.plot needs matplotlib. Install it with: pip install matplotlib"
        ) from error
    if ax is None:
        return plt.subplots(layout="constrained")[1]
    if not isinstance(ax, plt.Axes):
        raise TypeError(f"ax={ax!r} must be Axes of matplotlib, such as plt.gca(), or None for a new figure.")
    return ax


def keywords(name: str, value: Any) -> dict[str, Any]:
    """Return keywords for matplotlib, none for None; raise TypeError unless they are a dict."""
    if not isinstance(value, dict | None):
        raise TypeError(f"{name}={value!r} must be a dict of keywords for matplotlib, or None.")
    return value or {}


def numbers(name: str, values: Any, *, gaps: bool = False) -> np.ndarray:
    """Return numbers as an array; raise ValueError unless they are finite, or NaN where there may be ``gaps``."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}={values!r} must be numbers.") from error
    if not (np.isfinite(array) | (gaps & np.isnan(array))).all():
        raise ValueError(f"{name}={values!r} must be finite{' or NaN' if gaps else ''}.")
    return array


def check_kind(estimator: Any, kind: type, display: type) -> None:
    """Raise TypeError or NotFittedError unless the estimator is a fitted ``kind``."""
    if not isinstance(estimator, kind):
        accepted = "MutualInfoEstimator" if kind is MutualInfoEstimator else "one of sklearn_dim's estimators"
        raise TypeError(
            f"{display.__name__} draws {accepted}; got {estimator!r}. If it is part of a Pipeline, pass that step, for "
            "example pipeline[-1]; if it was found by a search, pass search.best_estimator_."
        )
    check_is_fitted(estimator)
