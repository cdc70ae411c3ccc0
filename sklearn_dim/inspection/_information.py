"""Estimates of mutual information with confidence intervals, against the true value or side by side."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from sklearn_dim._arguments import checked
from sklearn_dim.inspection._shared import BESIDE, BLUE, GREY, ORANGE, axes_for, check_kind, keywords, numbers
from sklearn_dim.mine import MutualInfoEstimator

TRUTH: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "label": "truth"}


class InformationDisplay:
    """Estimates in nats with their confidence intervals and lower bounds.

    Create one with `from_estimators` or `from_estimates`. Estimates are bars from zero, one below the other; or if each
    has a true value of its own, points above the true values.

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
    bars_ : BarContainer or None
        The bars; None if each estimate has a true value of its own.
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
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['dv', 'nwj']
    """

    ax_: Any
    figure_: Any
    legend_: Any
    bars_: Any
    errorbar_: Any
    lower_bounds_: Any
    truth_line_: Any

    def __init__(self, estimates: pd.DataFrame, *, truth: np.ndarray | None = None, level: float = 0.95):
        self.estimates = estimates
        self.truth = truth
        self.level = level

    @classmethod
    @checked(level="(0, 1)")
    def from_estimators(
        cls, estimators: Any, *, truth: Any = None, level: float = 0.95, errorbar_kw: dict | None = None, ax: Any = None
    ) -> Self:
        """Draw the estimates of fitted estimators.

        Parameters
        ----------
        estimators : dict of str to MutualInfoEstimator, or list of MutualInfoEstimator
            Fitted estimators. The keys of a dict are their names; in a list they are named by their positions.
        truth : float, array-like of shape (n_estimators,) or None, default=None
            The true information in nats: one value for all, or one for each.
        level : float in (0, 1), default=0.95
            The confidence level of the intervals.
        errorbar_kw : dict or None, default=None
            Keywords for `matplotlib.axes.Axes.errorbar`, which replace the display's own.
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
        if isinstance(estimators, str) or not isinstance(estimators, Iterable):
            raise TypeError(f"estimators={estimators!r} must be a dict or list of fitted MutualInfoEstimators.")
        named = dict(estimators if isinstance(estimators, dict) else enumerate(estimators))
        if not named:
            raise ValueError("estimators is empty: pass at least one estimate, a fitted MutualInfoEstimator.")
        for estimator in named.values():
            check_kind(estimator, MutualInfoEstimator, cls)
        estimates = [estimator.mutual_info_ for estimator in named.values()]
        ends = np.array([estimator.confidence_interval(level=level) for estimator in named.values()]).reshape(-1, 2)
        # There is no lower bound of a conditional information.
        lower_bounds = [vars(estimator).get("lower_bound_", np.nan) for estimator in named.values()]
        options = {"names": list(named), "truth": truth, "level": level, "errorbar_kw": errorbar_kw, "ax": ax}
        return cls.from_estimates(estimates, *ends.T, lower_bounds=lower_bounds, **options)

    @classmethod
    @checked(level="(0, 1)")
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
        errorbar_kw: dict | None = None,
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
        truth, level, errorbar_kw, ax : as in `from_estimators`

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
        given = {"estimates": estimates, "low": low, "high": high}
        columns = {name: np.atleast_1d(numbers(name, values)) for name, values in given.items()}
        if lower_bounds is not None:
            columns["lower_bounds"] = np.atleast_1d(numbers("lower_bounds", lower_bounds, gaps=True))
        if isinstance(names, str) or not isinstance(names, Iterable | None):
            raise TypeError(f"names={names!r} must be a list of str, or None.")
        index = list(range(len(columns["estimates"])) if names is None else names)
        lengths = {"names": len(index)} | {name: len(column) for name, column in columns.items()}
        truth = None if truth is None else numbers("truth", truth)
        if truth is not None and truth.ndim:
            lengths["truth"] = len(truth)
        if len(set(lengths.values())) > 1 or not index:
            raise ValueError(
                f"expected at least one estimate, and arguments of the same length; got the lengths {lengths}."
            )
        table = pd.DataFrame(columns, index=[str(name) for name in index])
        table = table.rename(columns={"estimates": "estimate", "lower_bounds": "lower_bound"})
        return cls(table, truth=truth, level=level).plot(ax=ax, errorbar_kw=errorbar_kw)

    def plot(self, ax: Any = None, *, errorbar_kw: dict | None = None) -> Self:
        """Draw on ``ax``, or on a new figure if it is None, and return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        table = self.estimates
        lengths = np.maximum([table["estimate"] - table["low"], table["high"] - table["estimate"]], 0)
        look: dict[str, Any] = {"fmt": "o", "color": BLUE, "capsize": 4}
        look |= {"label": f"estimate, {100 * self.level:g} % interval", **keywords("errorbar_kw", errorbar_kw)}
        self.bars_ = self.truth_line_ = self.lower_bounds_ = None
        below: dict[str, Any] = {"marker": "v", "color": ORANGE, "s": 30, "zorder": 3, "label": "lower bound (InfoNCE)"}
        has_bounds = "lower_bound" in table and table["lower_bound"].notna().any()
        if self.truth is not None and self.truth.ndim:
            self._draw_true_values(self.truth)
            self.errorbar_ = self.ax_.errorbar(self.truth, table["estimate"], yerr=lengths, **look)
            if has_bounds:
                self.lower_bounds_ = self.ax_.scatter(self.truth, table["lower_bound"], **below)
        else:
            rows = self._draw_bars(look["color"])
            self.errorbar_ = self.ax_.errorbar(table["estimate"], rows, xerr=lengths, **look)
            if has_bounds:
                self.lower_bounds_ = self.ax_.scatter(table["lower_bound"], rows, **{**below, "marker": "<"})
        self.legend_ = self.ax_.legend(**BESIDE)
        return self

    def _draw_true_values(self, truth: np.ndarray) -> None:
        """Draw the line on which right estimates lie."""
        ends = [truth.min(), truth.max()]
        (self.truth_line_,) = self.ax_.plot(ends, ends, **TRUTH)
        self.ax_.set(xlabel="true information, nats", ylabel="mutual information, nats")

    def _draw_bars(self, color: Any) -> np.ndarray:
        """Draw a bar for each estimate, the first on top, and the true value if given; return their heights."""
        rows = np.arange(len(self.estimates))
        self.bars_ = self.ax_.barh(rows, self.estimates["estimate"], height=0.6, color=color, alpha=0.25)
        if self.truth is not None:
            self.truth_line_ = self.ax_.axvline(float(self.truth), **TRUTH)
        self.ax_.set_yticks(rows, self.estimates.index)
        self.ax_.set_ylim(len(rows) - 0.5, -0.5)
        self.ax_.set_xlabel("mutual information, nats")
        return rows
