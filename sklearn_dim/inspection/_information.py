"""Estimates of mutual information with confidence intervals, against the true value or side by side."""

from typing import Any, Self

import numpy as np
import pandas as pd

from sklearn_dim.inspection._shared import BESIDE, BLUE, GREY, ORANGE, axes_for, check_kind
from sklearn_dim.mine import MutualInfoEstimator


class InformationDisplay:
    """Estimates in nats with their confidence intervals and lower bounds.

    Create one with `from_estimators` or `from_estimates`. If each estimate has a true value of its own, the horizontal
    axis shows the true values; else it shows the names.

    Parameters
    ----------
    estimates : DataFrame
        One row per estimate, with its name as index and the columns "estimate", "low", "high" and optionally
        "lower_bound", all in nats.
    truth : float, ndarray of shape (n_estimates,) or None, default=None
        The true values, in nats.
    level : float, default=0.95
        The confidence level of the intervals, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    legend_ : Legend
    errorbar_ : ErrorbarContainer
        The estimates and their intervals.
    lower_bounds_ : PathCollection or None
        The lower bounds, if there are any.
    truth_line_ : Line2D or None
        The true value or values, if they were given.

    Examples
    --------
    >>> from sklearn_dim.inspection import InformationDisplay
    >>> display = InformationDisplay.from_estimates(
    ...     [0.9, 1.1], [0.8, 1.0], [1.0, 1.2], names=["dv", "nwj"], truth=1.0
    ... )
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['dv', 'nwj']
    """

    ax_: Any
    figure_: Any
    legend_: Any
    errorbar_: Any
    lower_bounds_: Any
    truth_line_: Any

    def __init__(self, estimates: pd.DataFrame, *, truth: np.ndarray | None = None, level: float = 0.95):
        self.estimates = estimates
        self.truth = truth
        self.level = level

    @classmethod
    def from_estimators(cls, estimators: Any, *, truth: Any = None, level: float = 0.95, ax: Any = None) -> Self:
        """Draw the estimates of fitted estimators.

        Parameters
        ----------
        estimators : dict of str to MutualInfoEstimator, or list of MutualInfoEstimator
            Fitted estimators. The keys of a dict are their names; in a list they are named by their positions.
        truth : float, array-like of shape (n_estimators,) or None, default=None
            The true information in nats: one value for all, or one for each.
        level : float in (0, 1), default=0.95
            The confidence level of the intervals.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None creates a new figure.

        Returns
        -------
        InformationDisplay

        Raises
        ------
        TypeError
            If one of them is not a MutualInfoEstimator.
        NotFittedError
            If one of them is not fitted.
        ValueError
            If there are none, if ``truth`` has another length, or if ``level`` is not between 0 and 1.
        ImportError
            If matplotlib is not installed.
        """
        named = dict(estimators if isinstance(estimators, dict) else enumerate(estimators))
        for estimator in named.values():
            check_kind(estimator, MutualInfoEstimator, cls)
        estimates = [estimator.mutual_info_ for estimator in named.values()]
        ends = np.array([estimator.confidence_interval(level=level) for estimator in named.values()]).reshape(-1, 2)
        # There is no lower bound of a conditional information.
        lower_bounds = [vars(estimator).get("lower_bound_", np.nan) for estimator in named.values()]
        options = {"names": list(named), "truth": truth, "level": level, "ax": ax}
        return cls.from_estimates(estimates, *ends.T, lower_bounds=lower_bounds, **options)

    @classmethod
    def from_estimates(
        cls,
        estimates: Any,
        low: Any,
        high: Any,
        *,
        lower_bounds: Any = None,
        names: list[str] | None = None,
        truth: Any = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> Self:
        """Draw estimates from any source.

        Parameters
        ----------
        estimates, low, high : array-like of shape (n_estimates,)
            The estimates and the ends of their intervals, in nats.
        lower_bounds : array-like of shape (n_estimates,) or None, default=None
            Lower bounds in nats; NaN for an estimate that has none.
        names : list of str or None, default=None
            The names of the estimates; None numbers them from 0.
        truth, level, ax : as in `from_estimators`

        Returns
        -------
        InformationDisplay

        Raises
        ------
        ValueError
            If there are no estimates, or the arguments differ in length.
        ImportError
            If matplotlib is not installed.
        """
        index = list(range(len(estimates)) if names is None else names)
        columns = {"estimate": estimates, "low": low, "high": high}
        if lower_bounds is not None:
            columns["lower_bound"] = lower_bounds
        lengths = {name: len(column) for name, column in {"names": index, **columns}.items()}
        truth = None if truth is None else np.asarray(truth, dtype=float)
        if truth is not None and truth.ndim:
            lengths["truth"] = len(truth)
        if len(set(lengths.values())) > 1 or not len(estimates):
            raise ValueError(
                f"expected at least one estimate, and arguments of the same length; got the lengths {lengths}."
            )
        columns = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
        return cls(pd.DataFrame(columns, index=[str(name) for name in index]), truth=truth, level=level).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw on ``ax``, or on a new figure if it is None, and return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        table = self.estimates
        positions = self._draw_truth()
        lengths = np.maximum([table["estimate"] - table["low"], table["high"] - table["estimate"]], 0)
        look: dict[str, Any] = {
            "fmt": "o",
            "color": BLUE,
            "capsize": 4,
            "label": f"estimate, {100 * self.level:g} % interval",
        }
        self.errorbar_ = self.ax_.errorbar(positions, table["estimate"], yerr=lengths, **look)
        self.lower_bounds_ = None
        if "lower_bound" in table and table["lower_bound"].notna().any():
            look = {"marker": "v", "color": ORANGE, "s": 30, "zorder": 3, "label": "lower bound (InfoNCE)"}
            self.lower_bounds_ = self.ax_.scatter(positions, table["lower_bound"], **look)
        self.ax_.set_ylabel("mutual information, nats")
        self.legend_ = self.ax_.legend(**BESIDE)
        return self

    def _draw_truth(self) -> np.ndarray:
        """Set up the horizontal axis, draw the true values if given, and return the estimates' horizontal positions."""
        look: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "label": "truth"}
        self.truth_line_ = None
        if self.truth is not None and self.truth.ndim:
            ends = [self.truth.min(), self.truth.max()]
            (self.truth_line_,) = self.ax_.plot(ends, ends, **look)
            self.ax_.set_xlabel("true information, nats")
            return self.truth
        if self.truth is not None:
            self.truth_line_ = self.ax_.axhline(float(self.truth), **look)
        positions = np.arange(len(self.estimates))
        crowded = sum(len(name) for name in self.estimates.index) > 50  # letters that fit side by side
        self.ax_.set_xticks(positions, self.estimates.index, **({"rotation": 45, "ha": "right"} if crowded else {}))
        self.ax_.set_xlim(-0.5, len(positions) - 0.5)
        return positions
