"""What the displays share: axes, colours, and the check of what they are given."""

from sklearn.utils.validation import check_is_fitted

from sklearn_dim.mine import MutualInfoEstimator

# Colours that differ for the colour-blind: https://arxiv.org/abs/2107.02270
COLORS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
BESIDE = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False}  # where a legend hides nothing
BLUE, ORANGE, RED, GREY = COLORS[0], COLORS[6], COLORS[2], COLORS[8]


def axes_for(ax, display):
    """Return axes to draw on: ``ax``, or those of a new figure; matplotlib is loaded here and not before."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f'{type(display).__name__}.plot needs matplotlib. Install it with: pip install "sklearn-dim[plot]"'
        ) from error
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def check_kind(estimator, kind, display):
    """Refuse what is not a fitted ``kind``."""
    if not isinstance(estimator, kind):
        accepted = "MutualInfoEstimator" if kind is MutualInfoEstimator else "one of sklearn_dim's estimators"
        raise TypeError(
            f"{display.__name__} draws {accepted}; got {estimator!r}. Of a Pipeline pass its step, "
            "pipeline[-1] say; of a search pass search.best_estimator_."
        )
    check_is_fitted(estimator)
