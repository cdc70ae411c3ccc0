"""The losses and the validation information of each epoch of a fit."""

import itertools
from typing import Any, Self

import numpy as np
import pandas as pd

from sklearn_dim._arguments import FLAG, checked
from sklearn_dim.estimator import InfomaxEstimator
from sklearn_dim.inspection._shared import BLUE, ORANGE, axes_for, check_kind

LOSS = "train_loss"
INFORMATION = "valid_mutual_info"


class TrainingCurveDisplay:
    """The loss of each epoch, its terms if asked for, and the information of the validation rows if there are any.

    Create one with `from_estimator` or `from_history`. If several nets were trained, as for the folds of
    `MutualInfoEstimator`, each has a thin line, and a bold line shows their mean over the epochs that all of them ran.

    Parameters
    ----------
    history : DataFrame
        One row per epoch, as in ``estimator.history_``, with the columns "epoch" and "train_loss", a column such as
        "train_local_loss" for each term, and if there were validation rows also "valid_mutual_info", in nats.
    terms : bool, default=False
        Whether each term of the loss has a line of its own.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses.
    information_ax_ : matplotlib Axes or None
        The axes of the validation information, on the right; None without validation rows.
    figure_ : matplotlib Figure
    legend_ : Legend
    lines_ : dict of str to list of Line2D
        For each column of the history the bold line, followed by the thin lines if there are several nets.

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

    ax_: Any
    information_ax_: Any
    figure_: Any
    legend_: Any
    lines_: dict[str, list[Any]]

    def __init__(self, history: pd.DataFrame, *, terms: bool = False):
        self.history, self.terms = history, terms

    @classmethod
    def from_estimator(cls, estimator: InfomaxEstimator, *, terms: bool = False, ax: Any = None) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : DIMTransformer, DGITransformer, GraphInfomaxTransformer or MutualInfoEstimator
            A fitted estimator.
        terms : bool, default=False
            Whether each term of the loss has a line of its own.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None creates a new figure.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        TypeError
            If ``estimator`` is none of these.
        NotFittedError
            If it is not fitted.
        ImportError
            If matplotlib is not installed.
        """
        check_kind(estimator, InfomaxEstimator, cls)
        return cls.from_history(estimator.history_, terms=terms, ax=ax)

    @classmethod
    @checked(terms=FLAG)
    def from_history(cls, history: pd.DataFrame, *, terms: bool = False, ax: Any = None) -> Self:
        """Draw a history that was saved before.

        Parameters
        ----------
        history : DataFrame
            One row per epoch, as in ``estimator.history_``.
        terms, ax : as in `from_estimator`

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        TypeError
            If ``history`` is no DataFrame, or ``terms`` neither True nor False.
        ValueError
            If the column "epoch" or "train_loss" is missing.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(history, pd.DataFrame):
            raise TypeError(f"history={history!r} must be a DataFrame, the history_ of a fitted estimator.")
        missing = {"epoch", "train_loss"} - set(history)
        if missing:
            raise ValueError(f"history has no column {sorted(missing)}. Pass the history_ of a fitted estimator.")
        return cls(history, terms=terms).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw on ``ax``, or on a new figure if it is None, and return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        self.information_ax_, self.lines_ = None, {}
        self.lines_[LOSS] = self._draw(self.ax_, LOSS, label="training loss", color=BLUE, linestyle="-")
        for column, style in zip(self._terms(), itertools.cycle([":", "--", "-.", (0, (1, 1))])):
            label = column.removeprefix("train_").replace("_", " ")
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

    def _terms(self) -> list[str]:
        """Return the columns of the terms to draw."""
        columns = [
            name for name in self.history if name.startswith("train_") and name.endswith("_loss") and name != LOSS
        ]
        return columns if self.terms else []

    def _draw_legend(self) -> None:
        """Draw the legend of the bold lines below the axes, as the curves leave no corner free."""
        from matplotlib.transforms import offset_copy

        position: dict[str, Any] = {
            "loc": "upper center",
            "bbox_to_anchor": (0.5, 0),
            # 34 points below the axes, which leaves room for their ticks and label.
            "bbox_transform": offset_copy(self.ax_.transAxes, self.figure_, y=-34, units="points"),
        }
        handles = [lines[0] for lines in self.lines_.values()]
        self.legend_ = self.ax_.legend(handles=handles, ncols=2, frameon=False, **position)

    def _draw(self, ax: Any, column: str, **look) -> list[Any]:
        """Draw the bold line of a column, and thin ones if there are several nets; return all of them."""
        table = self._runs(column)
        (bold,) = ax.plot(table.index.to_numpy(), table.mean(axis=1, skipna=False).to_numpy(), linewidth=2, **look)
        if table.shape[1] == 1:
            return [bold]
        thin = {**look, "linewidth": 0.8, "alpha": 0.4, "label": "_net"}
        return [bold, *(ax.plot(run.index.to_numpy(), run.to_numpy(), **thin)[0] for _, run in table.items())]

    def _runs(self, column: str) -> pd.DataFrame:
        """Return a column of the history as a table with one row per epoch and one column per net."""
        net = np.cumsum(self.history["epoch"].diff().to_numpy() <= 0)  # every net starts again at epoch 1
        return self.history.assign(net=net).pivot(index="epoch", columns="net", values=column)
