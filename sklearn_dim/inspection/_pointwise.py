"""The pointwise mutual information of rows."""

import numpy as np

from sklearn_dim.inspection._shared import BLUE, GREY, RED, axes_for, check_kind
from sklearn_dim.mine import MutualInfoEstimator

KINDS = ("histogram", "scatter")


class PointwiseInformationDisplay:
    """log p(x, y)/p(x)p(y) of rows, in nats: their histogram, or a map of x against y.

    Make one by `from_estimator` or `from_values`. The mean of the pointwise information is the mutual information; a
    row below zero is a pair that is rarer than it would be if x and y were independent.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Pointwise mutual information in nats.
    x, y : ndarray of shape (n_samples,), default=None
        Coordinates for the scatter.
    estimate : float, default=None
        An estimate in nats to mark beside the mean of the rows.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : BarContainer or None
        Of the histogram.
    mean_line_, estimate_line_ : Line2D or None
        Of the histogram.
    points_ : PathCollection or None
        Of the scatter, coloured by nats.
    colorbar_ : Colorbar or None
        Of the scatter.

    Examples
    --------
    >>> from sklearn_dim import MutualInfoEstimator
    >>> from sklearn_dim.datasets import make_gaussian_pair
    >>> from sklearn_dim.inspection import PointwiseInformationDisplay
    >>> x, y = make_gaussian_pair(600, random_state=0)
    >>> mi = MutualInfoEstimator(random_state=0).fit(x[:500], y[:500])
    >>> display = PointwiseInformationDisplay.from_estimator(mi, x[500:], y[500:])
    >>> display.values.shape
    (100,)
    """

    def __init__(self, values, *, x=None, y=None, estimate=None):
        self.values = values
        self.x = x
        self.y = y
        self.estimate = estimate

    @classmethod
    def from_estimator(cls, estimator, X, y, given=None, *, kind="histogram", ax=None):
        """Draw what a fitted estimator says of rows.

        Parameters
        ----------
        estimator : MutualInfoEstimator
            Fitted; its ``mutual_info_`` is marked too.
        X, y, given : as in `MutualInfoEstimator.pointwise`
            Best rows that were not used in fit: of those its critics know too much.
        kind : {"histogram", "scatter"}, default="histogram"
            "scatter" is for X and y of one column of numbers.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        PointwiseInformationDisplay

        Raises
        ------
        TypeError
            If estimator is no MutualInfoEstimator.
        NotFittedError
            If it is not fitted.
        ValueError
            If kind is another word, or a scatter is asked for of more columns than one.
        ImportError
            If matplotlib is not installed.
        """
        check_kind(estimator, MutualInfoEstimator, cls)
        values = estimator.pointwise(X, y, given)
        return cls.from_values(values, X, y, estimate=estimator.mutual_info_, kind=kind, ax=ax)

    @classmethod
    def from_values(cls, values, X=None, y=None, *, estimate=None, kind="histogram", ax=None):
        """Draw pointwise information from any source.

        Parameters
        ----------
        values : array-like of shape (n_samples,)
            In nats.
        X, y : array-like of shape (n_samples,) or (n_samples, 1), default=None
            Needed by the scatter only.
        estimate : float, default=None
            An estimate in nats to mark.
        kind, ax : as in `from_estimator`

        Returns
        -------
        PointwiseInformationDisplay

        Raises
        ------
        ValueError
            If kind is another word, or X or y are not one column each where a scatter is asked for.
        ImportError
            If matplotlib is not installed.
        """
        if kind not in KINDS:
            raise ValueError(f'kind={kind!r} is unknown; give "histogram" or "scatter".')
        values = np.asarray(values, dtype=float).ravel()
        sides = {"x": _column(X, "X"), "y": _column(y, "y")} if kind == "scatter" else {}
        return cls(values, **sides, estimate=estimate).plot(kind=kind, ax=ax)

    def plot(self, *, kind="histogram", ax=None):
        """Draw on ``ax``, or on a new figure; return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        self.bars_ = self.mean_line_ = self.estimate_line_ = self.points_ = self.colorbar_ = None
        draw = self._scatter if kind == "scatter" else self._histogram
        draw()
        return self

    def _histogram(self):
        bins = int(np.clip(np.sqrt(len(self.values)), 10, 60))
        self.bars_ = self.ax_.hist(self.values, bins=bins, color=BLUE, alpha=0.7)[2]
        mean = self.values.mean()
        self.mean_line_ = self.ax_.axvline(mean, color=RED, label=f"mean of the rows, {mean:.2f} nats")
        if self.estimate is not None:
            look = {"color": "black", "linestyle": "--", "label": f"estimate of the fit, {self.estimate:.2f} nats"}
            self.estimate_line_ = self.ax_.axvline(self.estimate, **look)
        self.ax_.axvline(0, color=GREY, linewidth=0.8)
        self.ax_.set(xlabel="pointwise mutual information, nats", ylabel="rows")
        self.ax_.margins(y=0.25)  # room for the legend
        self.ax_.legend(loc="upper left")

    def _scatter(self):
        reach = np.quantile(np.abs(self.values), 0.99)  # a few rows far from the others would bleach all
        look = {"cmap": "coolwarm", "vmin": -reach, "vmax": reach, "s": 12}
        self.points_ = self.ax_.scatter(self.x, self.y, c=self.values, **look)
        label = "pointwise mutual information, nats"
        self.colorbar_ = self.figure_.colorbar(self.points_, ax=self.ax_, label=label, extend="both")
        self.ax_.set(xlabel="x", ylabel="y", title=f"mean of the rows: {self.values.mean():.2f} nats")


def _column(values, name):
    """Return the one column of an X or a y as numbers."""
    table = np.asarray(values)
    if values is None or table.dtype.kind not in "biuf" or table.ndim > 2 or (table.ndim == 2 and table.shape[1] != 1):
        got = "None" if values is None else f"an array of shape {table.shape} and dtype {table.dtype}"
        raise ValueError(
            f'kind="scatter" draws one column of numbers against another; {name} is {got}. Use kind="histogram".'
        )
    return table.ravel()
