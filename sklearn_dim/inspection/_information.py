"""Estimates of mutual information with their intervals, against the truth or beside one another."""

import numpy as np
import pandas as pd

from sklearn_dim.inspection._shared import BESIDE, BLUE, GREY, ORANGE, axes_for, check_kind
from sklearn_dim.mine import MutualInfoEstimator


class InformationDisplay:
    """Estimates in nats with their confidence intervals and lower bounds.

    Make one by `from_estimators` or `from_estimates`. With a truth for each estimate the horizontal axis is the
    truth; without, or with one truth for all, it has a place for each name.

    Parameters
    ----------
    estimates : DataFrame
        A row an estimate, named by the index, with columns "estimate", "low" and "high", and "lower_bound" if there
        are any, all in nats.
    truth : float or ndarray of shape (n_estimates,), default=None
        What is to be estimated, in nats.
    level : float, default=0.95
        Of the intervals, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    legend_ : Legend
    errorbar_ : ErrorbarContainer
        Estimates and intervals.
    lower_bounds_ : PathCollection or None
    truth_line_ : Line2D or None

    Examples
    --------
    >>> from sklearn_dim.inspection import InformationDisplay
    >>> display = InformationDisplay.from_estimates([0.9, 1.1], [0.8, 1.0], [1.0, 1.2], names=["dv", "nwj"], truth=1.0)
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['dv', 'nwj']
    """

    def __init__(self, estimates, *, truth=None, level=0.95):
        self.estimates = estimates
        self.truth = truth
        self.level = level

    @classmethod
    def from_estimators(cls, estimators, *, truth=None, level=0.95, ax=None):
        """Draw the estimates of fitted estimators.

        Parameters
        ----------
        estimators : dict of str to MutualInfoEstimator, or list of MutualInfoEstimator
            Fitted. The names of a dict are written below the estimates; those of a list are its numbers.
        truth : float or array-like of shape (n_estimators,), default=None
            The true information in nats, one for all or one for each.
        level : float in (0, 1), default=0.95
            Of the intervals.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        InformationDisplay

        Raises
        ------
        TypeError
            If one of them is no MutualInfoEstimator.
        NotFittedError
            If one of them is not fitted.
        ValueError
            If there are none, or truth has another length, or level is not between 0 and 1.
        ImportError
            If matplotlib is not installed.
        """
        named = dict(estimators if isinstance(estimators, dict) else enumerate(estimators))
        for estimator in named.values():
            check_kind(estimator, MutualInfoEstimator, cls)
        estimates = [estimator.mutual_info_ for estimator in named.values()]
        ends = np.array([estimator.confidence_interval(level=level) for estimator in named.values()]).reshape(-1, 2)
        # A conditional information has none.
        lower_bounds = [vars(estimator).get("lower_bound_", np.nan) for estimator in named.values()]
        options = {"names": list(named), "truth": truth, "level": level, "ax": ax}
        return cls.from_estimates(estimates, *ends.T, lower_bounds=lower_bounds, **options)

    @classmethod
    def from_estimates(
        cls, estimates, low, high, *, lower_bounds=None, names=None, truth=None, level=0.95, ax=None
    ):  # fmt: skip
        """Draw estimates from any source.

        Parameters
        ----------
        estimates, low, high : array-like of shape (n_estimates,)
            The estimates and the ends of their intervals, in nats.
        lower_bounds : array-like of shape (n_estimates,), default=None
            In nats; NaN where there is none.
        names : list of str, default=None
            None is their numbers.
        truth, level, ax : as in `from_estimators`

        Returns
        -------
        InformationDisplay

        Raises
        ------
        ValueError
            If there are no estimates, or lengths differ.
        ImportError
            If matplotlib is not installed.
        """
        names = range(len(estimates)) if names is None else names
        columns = {"estimate": estimates, "low": low, "high": high}
        if lower_bounds is not None:
            columns["lower_bound"] = lower_bounds
        lengths = {name: len(column) for name, column in {"names": names, **columns}.items()}
        truth = None if truth is None else np.asarray(truth, dtype=float)
        if truth is not None and truth.ndim:
            lengths["truth"] = len(truth)
        if len(set(lengths.values())) > 1 or not len(estimates):
            raise ValueError(f"expected at least one estimate, and as many of each; got {lengths}.")
        columns = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
        return cls(pd.DataFrame(columns, index=[str(name) for name in names]), truth=truth, level=level).plot(ax=ax)

    def plot(self, ax=None):
        """Draw on ``ax``, or on a new figure; return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        table = self.estimates
        places = self._draw_truth()
        reach = [table["estimate"] - table["low"], table["high"] - table["estimate"]]
        look = {"fmt": "o", "color": BLUE, "capsize": 4, "label": f"estimate, {100 * self.level:g} % interval"}
        self.errorbar_ = self.ax_.errorbar(places, table["estimate"], yerr=np.maximum(reach, 0), **look)
        self.lower_bounds_ = None
        if "lower_bound" in table and table["lower_bound"].notna().any():
            look = {"marker": "v", "color": ORANGE, "s": 30, "zorder": 3, "label": "lower bound (InfoNCE)"}
            self.lower_bounds_ = self.ax_.scatter(places, table["lower_bound"], **look)
        self.ax_.set_ylabel("mutual information, nats")
        self.legend_ = self.ax_.legend(**BESIDE)
        return self

    def _draw_truth(self):
        """Draw the truth where there is one, set up the horizontal axis, and return the places on it."""
        look = {"color": GREY, "linewidth": 1.2, "label": "truth"}
        self.truth_line_ = None
        if self.truth is not None and self.truth.ndim:
            ends = [self.truth.min(), self.truth.max()]
            (self.truth_line_,) = self.ax_.plot(ends, ends, **look)
            self.ax_.set_xlabel("truth, nats")
            return self.truth
        if self.truth is not None:
            self.truth_line_ = self.ax_.axhline(float(self.truth), **look)
        places = np.arange(len(self.estimates))
        crowded = sum(len(name) for name in self.estimates.index) > 50
        self.ax_.set_xticks(places, self.estimates.index, **({"rotation": 45, "ha": "right"} if crowded else {}))
        self.ax_.set_xlim(-0.5, len(places) - 0.5)
        return places
