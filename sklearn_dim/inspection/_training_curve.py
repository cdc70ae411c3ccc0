"""The losses and the held-out information of a fit, epoch by epoch."""

import numpy as np
import pandas as pd

from sklearn_dim.estimator import InfomaxEstimator
from sklearn_dim.inspection._shared import BLUE, ORANGE, axes_for, check_kind

LOSSES = {"train_loss": ("training loss", "-"), "valid_loss": ("validation loss", "--")}
INFORMATION = "valid_mutual_info"


class TrainingCurveDisplay:
    """Losses, and where rows were held out their information, against epochs.

    Make one by `from_estimator` or `from_history`. Where several nets were trained, as the folds of
    `MutualInfoEstimator` are, each has a thin line, and a bold one is their mean over the epochs that all of them ran.

    Parameters
    ----------
    history : DataFrame
        A row an epoch, as ``estimator.history_``: "epoch", "train_loss", and where there were validation rows
        "valid_loss" and "valid_mutual_info", in nats.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses.
    information_ax_ : matplotlib Axes or None
        Axes on the right for nats; None without validation rows.
    figure_ : matplotlib Figure
    legend_ : Legend
    lines_ : dict of str to list of Line2D
        For each column drawn the bold line, then where there are several nets a line for each.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim import DIMTransformer
    >>> from sklearn_dim.inspection import TrainingCurveDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> dim = DIMTransformer(2, max_iter=3, random_state=0).fit(X)
    >>> TrainingCurveDisplay.from_estimator(dim).lines_["train_loss"][0].get_xdata().tolist()
    [1, 2, 3]
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : DIMTransformer, DGITransformer, GraphInfomaxTransformer or MutualInfoEstimator
            Fitted.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        TypeError
            If it is another kind of object.
        NotFittedError
            If it is not fitted.
        ImportError
            If matplotlib is not installed.
        """
        check_kind(estimator, InfomaxEstimator, cls)
        return cls.from_history(estimator.history_, ax=ax)

    @classmethod
    def from_history(cls, history, *, ax=None):
        """Draw a history that was kept.

        Parameters
        ----------
        history : DataFrame
            As ``estimator.history_``.
        ax : as in `from_estimator`

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        ValueError
            If the columns "epoch" and "train_loss" are not there.
        ImportError
            If matplotlib is not installed.
        """
        missing = {"epoch", "train_loss"} - set(history)
        if missing:
            raise ValueError(f"history has no column {sorted(missing)}; give the history_ of a fitted estimator.")
        return cls(history).plot(ax=ax)

    def plot(self, ax=None):
        """Draw on ``ax``, or on a new figure; return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        self.information_ax_, self.lines_ = None, {}
        for column, (label, style) in LOSSES.items():
            if column in self.history:
                self.lines_[column] = self._draw(self.ax_, column, label=label, color=BLUE, linestyle=style)
        self.ax_.set(xlabel="epoch", ylabel="loss")
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        if INFORMATION in self.history:
            self.information_ax_ = self.ax_.twinx()
            look = {"label": "validation information", "color": ORANGE, "linestyle": "-"}
            self.lines_[INFORMATION] = self._draw(self.information_ax_, INFORMATION, **look)
            self.information_ax_.set_ylabel("information of the validation rows, nats", color=ORANGE)
            self.ax_.yaxis.label.set_color(BLUE)
        self._draw_legend()
        return self

    def _draw_legend(self):
        """Name the bold lines below the label of the horizontal axis: the curves leave no corner free."""
        from matplotlib.transforms import offset_copy

        place = {
            "loc": "upper center",
            "bbox_to_anchor": (0.5, 0),
            "bbox_transform": offset_copy(self.ax_.transAxes, self.figure_, y=-34, units="points"),
        }
        handles = [lines[0] for lines in self.lines_.values()]
        self.legend_ = self.ax_.legend(handles=handles, ncols=2, frameon=False, **place)

    def _draw(self, ax, column, **look):
        """Draw a column's bold line, and a thin one a net where there are several."""
        table = self._runs(column)
        (bold,) = ax.plot(table.index.to_numpy(), table.mean(axis=1, skipna=False).to_numpy(), linewidth=2, **look)
        if table.shape[1] == 1:
            return [bold]
        thin = {**look, "linewidth": 0.8, "alpha": 0.4, "label": "_net"}
        return [bold, *(ax.plot(run.index.to_numpy(), run.to_numpy(), **thin)[0] for _, run in table.items())]

    def _runs(self, column) -> pd.DataFrame:
        """Return a column of the history as a table with a row an epoch and a column a net."""
        net = np.cumsum(self.history["epoch"].diff().to_numpy() <= 0)  # epochs start anew with every net
        return self.history.assign(net=net).pivot(index="epoch", columns="net", values=column)
