"""The pointwise mutual information of rows."""

from typing import Any, Self

import numpy as np

from sklearn_dim._arguments import checked
from sklearn_dim.inspection._shared import BLUE, GREY, RED, axes_for, check_kind, numbers
from sklearn_dim.mine import MutualInfoEstimator

KINDS = ("histogram", "scatter")


class PointwiseInformationDisplay:
    """The pointwise information log p(x, y)/p(x)p(y) of rows, in nats: a histogram, or a scatter plot of x and y.

    Create one with `from_estimator` or `from_values`. The mean of the pointwise information is the mutual information.
    It is negative for a row whose pair of x and y is rarer than it would be if they were independent.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Pointwise mutual information in nats.
    x, y : ndarray of shape (n_samples,), default=None
        The coordinates of the scatter plot.
    estimate : float or None, default=None
        An estimate in nats, marked in the histogram beside the mean of the rows.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : BarContainer or None
        The bars of the histogram.
    mean_line_, estimate_line_ : Line2D or None
        The mean of the rows and the estimate, in the histogram.
    points_ : PathCollection or None
        The points of the scatter plot, coloured by their pointwise information.
    colorbar_ : Colorbar or None
        The colour bar of the scatter plot.

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

    ax_: Any
    figure_: Any
    bars_: Any
    mean_line_: Any
    estimate_line_: Any
    points_: Any
    colorbar_: Any

    def __init__(
        self,
        values: np.ndarray,
        *,
        x: np.ndarray | None = None,
        y: np.ndarray | None = None,
        estimate: float | None = None,
    ):
        self.values = values
        self.x = x
        self.y = y
        self.estimate = estimate

    @classmethod
    def from_estimator(
        cls,
        estimator: MutualInfoEstimator,
        X: Any,
        y: Any,
        given: Any = None,
        *,
        kind: str = "histogram",
        ax: Any = None,
    ) -> Self:
        """Draw the pointwise information of rows, as a fitted estimator computes it.

        Parameters
        ----------
        estimator : MutualInfoEstimator
            A fitted estimator; the histogram also marks its ``mutual_info_``.
        X, y, given : as in `MutualInfoEstimator.pointwise`
            Preferably rows that it was not fitted on, as its critics overestimate the information of those.
        kind : {"histogram", "scatter"}, default="histogram"
            "scatter" needs an X and a y of one column of numbers each.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None creates a new figure.

        Returns
        -------
        PointwiseInformationDisplay

        Raises
        ------
        TypeError
            If ``estimator`` is not a MutualInfoEstimator.
        NotFittedError
            If it is not fitted.
        ValueError
            If ``kind`` is unknown, or "scatter" is used with more than one column.
        ImportError
            If matplotlib is not installed.
        """
        check_kind(estimator, MutualInfoEstimator, cls)
        values = estimator.pointwise(X, y, given)
        return cls.from_values(values, X, y, estimate=estimator.mutual_info_, kind=kind, ax=ax)

    @classmethod
    @checked(estimate="(-inf, inf)")
    def from_values(
        cls,
        values: Any,
        X: Any = None,
        y: Any = None,
        *,
        estimate: float | None = None,
        kind: str = "histogram",
        ax: Any = None,
    ) -> Self:
        """Draw pointwise information from any source.

        Parameters
        ----------
        values : array-like of shape (n_samples,)
            The pointwise information in nats.
        X, y : array-like of shape (n_samples,) or (n_samples, 1), default=None
            Needed only for a scatter plot.
        estimate : float or None, default=None
            An estimate in nats, to mark in the histogram.
        kind, ax : as in `from_estimator`

        Returns
        -------
        PointwiseInformationDisplay

        Raises
        ------
        ValueError
            If ``kind`` is unknown, or "scatter" is used and X or y is not a single column of numbers.
        ImportError
            If matplotlib is not installed.
        """
        _check_kind_of_plot(kind)
        values = numbers("values", values).ravel()
        if not len(values):
            raise ValueError("values is empty: there are no rows to draw.")
        sides = {"x": _column(X, "X"), "y": _column(y, "y")} if kind == "scatter" else {}
        return cls(values, **sides, estimate=estimate).plot(kind=kind, ax=ax)

    def plot(self, *, kind: str = "histogram", ax: Any = None) -> Self:
        """Draw on ``ax``, or on a new figure if it is None, and return the display."""
        _check_kind_of_plot(kind)
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        self.bars_ = self.mean_line_ = self.estimate_line_ = self.points_ = self.colorbar_ = None
        draw = self._scatter if kind == "scatter" else self._histogram
        draw()
        return self

    def _histogram(self) -> None:
        bins = int(np.clip(np.sqrt(len(self.values)), 10, 60))
        self.bars_ = self.ax_.hist(self.values, bins=bins, color=BLUE, alpha=0.7)[2]
        mean = self.values.mean()
        self.mean_line_ = self.ax_.axvline(mean, color=RED, label=f"mean of the rows, {mean:.2f} nats")
        if self.estimate is not None:
            look = {
                "color": "black",
                "linestyle": "--",
                "label": f"estimate of the estimator, {self.estimate:.2f} nats",
            }
            self.estimate_line_ = self.ax_.axvline(self.estimate, **look)
        self.ax_.axvline(0, color=GREY, linewidth=0.8)
        self.ax_.set(xlabel="pointwise mutual information, nats", ylabel="rows")
        self.ax_.margins(y=0.25)  # room for the legend
        self.ax_.legend(loc="upper left")

    def _scatter(self) -> None:
        limit = np.quantile(np.abs(self.values), 0.99)  # not the maximum, as one outlier would make all others pale
        look = {"cmap": "coolwarm", "vmin": -limit, "vmax": limit, "s": 12}
        self.points_ = self.ax_.scatter(self.x, self.y, c=self.values, **look)
        label = "pointwise mutual information, nats"
        self.colorbar_ = self.figure_.colorbar(self.points_, ax=self.ax_, label=label, extend="both")
        self.ax_.set(xlabel="x", ylabel="y", title=f"mean of the rows: {self.values.mean():.2f} nats")


def _check_kind_of_plot(kind: Any) -> None:
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f'kind={kind!r} is unknown. Use "histogram" or "scatter".')


def _column(values: Any, name: str) -> np.ndarray:
    """Return X or y as a single column of numbers, (n_samples,)."""
    table = np.asarray(values)
    if values is None or table.dtype.kind not in "biuf" or table.ndim > 2 or (table.ndim == 2 and table.shape[1] != 1):
        got = "None" if values is None else f"an array of shape {table.shape} and dtype {table.dtype}"
        raise ValueError(
            f'kind="scatter" draws one column of numbers against another, but {name} is {got}. Use kind="histogram".'
        )
    return table.ravel()
