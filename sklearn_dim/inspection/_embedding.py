"""The embedding of a transformer in two dimensions."""

import re
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.inspection._shared import BESIDE, BLUE, COLORS, axes_for, keywords

MARKERS = "os^Dv"
MAX_CLASSES = len(COLORS) * len(MARKERS)
MAX_INTEGER_CLASSES = 20  # a y with more distinct integers is taken for amounts, not classes
MAX_LEGEND_ROWS = 16  # in one column of the legend, so that it is no higher than the axes


class EmbeddingDisplay:
    """Embeddings as points in two dimensions, coloured by y.

    Create one with `from_estimator` or `from_codes`. An embedding with more than two columns is projected by PCA, and
    the labels of the axes then say which fraction of the variance they show; or by another ``projection``, such as
    `sklearn.manifold.TSNE`.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
    y : ndarray of shape (n_samples,), default=None
        Classes, which are explained by a legend, or amounts, which are explained by a colour bar.
    labels : tuple of two str, default=("component 0", "component 1")
        The labels of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : list of PathCollection
        The points: one collection per class in sorted order, or a single one.
    legend_ : Legend or None
        The legend of the classes.
    colorbar_ : Colorbar or None
        The colour bar of the amounts.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_dim import DIMTransformer
    >>> from sklearn_dim.inspection import EmbeddingDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> dim = DIMTransformer(4, max_iter=5, random_state=0).fit(X)
    >>> display = EmbeddingDisplay.from_estimator(dim, X, y)
    >>> len(display.points_)
    3
    """

    ax_: Any
    figure_: Any
    points_: list[Any]
    legend_: Any
    colorbar_: Any

    def __init__(
        self,
        points: np.ndarray,
        *,
        y: np.ndarray | None = None,
        labels: tuple[str, ...] = ("component 0", "component 1"),
    ):
        self.points = points
        self.y = y
        self.labels = labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        components: tuple[int, int] | None = None,
        projection: Any = None,
        scatter_kw: dict | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the embedding of X by a fitted transformer.

        Parameters
        ----------
        estimator : transformer, or Pipeline of transformers
            Any fitted object with a method ``transform``.
        X : as in ``estimator.transform``
            For example rows, images, sequences, a `Graph` or a list of Graphs.
        y : array-like of shape (n_samples,) or None, default=None
            Determines the colours. Fractions, or more than 20 distinct integers, are amounts with a colour bar; all
            other values are classes with a legend.
        components : tuple of two int or None, default=None
            The columns of the embedding to draw. None draws an embedding of two columns as it is, and otherwise the
            first two principal components.
        projection : transformer or None, default=None
            Maps the embedding to two columns by its ``fit_transform``, instead of PCA: for example
            ``TSNE(random_state=0)``, which separates groups better and distorts distances between them.
        scatter_kw : dict or None, default=None
            Keywords for `matplotlib.axes.Axes.scatter`, which replace the display's own, such as ``{"s": 5}``.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None creates a new figure.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        TypeError
            If estimator has no ``transform``, or projection no ``fit_transform``.
        NotFittedError
            If it is not fitted.
        ValueError
            If the embedding has fewer than two columns; if y has another length, missing values or more than 50
            classes; if ``components`` are not two columns of the embedding, or are given with a ``projection``; or if
            that does not return two columns.
        ImportError
            If matplotlib is not installed.
        """
        if not hasattr(estimator, "transform"):  # any transformer of scikit-learn's kind: they share no base class
            raise TypeError(
                f"EmbeddingDisplay draws the output of a transformer, but {estimator!r} has no method transform. If it "
                "is a Pipeline that ends in a predictor, pass the part before that, pipeline[:-1]."
            )
        check_is_fitted(estimator)
        options = {"components": components, "projection": projection, "scatter_kw": scatter_kw, "ax": ax}
        return cls.from_codes(estimator.transform(X), y, **options)

    @classmethod
    def from_codes(
        cls,
        codes: Any,
        y: Any = None,
        *,
        components: tuple[int, int] | None = None,
        projection: Any = None,
        scatter_kw: dict | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw an embedding that was computed before.

        Parameters
        ----------
        codes : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_components)
            The embedding.
        y, components, projection, scatter_kw, ax : as in `from_estimator`

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        TypeError, ValueError, ImportError
            As in `from_estimator`.
        """
        codes = codes.toarray() if issparse(codes) else np.asarray(codes)
        y = None if y is None else np.asarray(y).ravel()
        if codes.ndim != 2 or codes.shape[1] < 2:
            raise ValueError(
                f"the embedding has shape {codes.shape}, but a plot needs at least two columns. Use n_components=2 or "
                "more."
            )
        if y is not None and len(y) != len(codes):
            raise ValueError(f"y has {len(y)} values for {len(codes)} rows. Pass one value per row, or y=None.")
        if y is not None and pd.isna(y).any():
            raise ValueError(f"y has {pd.isna(y).sum()} missing values. Fill them, drop these rows, or omit y.")
        points, labels = _plane(codes, components) if projection is None else _projected(codes, components, projection)
        return cls(points, y=y, labels=labels).plot(ax=ax, scatter_kw=scatter_kw)

    def plot(self, ax: Any = None, *, scatter_kw: dict | None = None) -> Self:
        """Draw on ``ax``, or on a new figure if it is None, and return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        self.legend_ = self.colorbar_ = None
        size = float(np.clip(20_000 / len(self.points), 4, 30))  # smaller where points would cover each other
        look = {"s": size, "alpha": 0.8, "linewidths": 0, **keywords("scatter_kw", scatter_kw)}
        if self.y is None:
            self.points_ = [self.ax_.scatter(*self.points.T, **{"color": BLUE, **look})]
        elif _is_amount(self.y):
            self.points_ = [self.ax_.scatter(*self.points.T, **{"c": self.y, "cmap": "viridis", **look})]
            self.colorbar_ = self.figure_.colorbar(self.points_[0], ax=self.ax_, label="y")
        else:
            self._draw_classes(look)
        self.ax_.set(xlabel=self.labels[0], ylabel=self.labels[1])
        return self

    def _draw_classes(self, look: dict[str, Any]) -> None:
        """Draw each class: the first ten with different colours, the next ten with these and another marker, …"""
        classes, which = np.unique(np.asarray(self.y), return_inverse=True)
        if len(classes) > MAX_CLASSES:
            raise ValueError(
                f"y has {len(classes)} classes; at most {MAX_CLASSES} can be told apart. Merge some, or omit y."
            )
        self.points_ = []
        order = sorted(range(len(classes)), key=lambda label: () if _is_number(classes) else _in_order(classes[label]))
        for number, label in enumerate(order):
            name = classes[label]
            round_, color = divmod(number, len(COLORS))
            style = {"color": COLORS[color], "marker": MARKERS[round_], "label": str(name)}
            self.points_.append(self.ax_.scatter(*self.points[which == label].T, **{**style, **look}))
        self.legend_ = self.ax_.legend(ncols=1 + len(classes) // MAX_LEGEND_ROWS, **BESIDE)
        for handle in self.legend_.legend_handles:
            handle.set(sizes=[30], alpha=1)


def _is_number(y: np.ndarray) -> bool:
    return y.dtype.kind in "biuf"


def _in_order(name: Any) -> tuple:
    """Return a key by which numbers in text are sorted as numbers: "class 9" before "class 10"."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", str(name)) if part
    )


def _projected(
    codes: np.ndarray, components: tuple[int, int] | None, projection: Any
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the two columns that a transformer makes of the embedding, and their labels."""
    name = type(projection).__name__
    if not hasattr(projection, "fit_transform"):  # any transformer of scikit-learn's kind: they share no base class
        raise TypeError(f"projection={projection!r} has no method fit_transform. Pass a transformer, such as TSNE().")
    if components is not None:
        raise ValueError(f"components={components} and projection={projection!r} exclude each other. Pass one of them.")
    points = np.asarray(clone(projection, safe=False).fit_transform(codes))
    if points.shape != (len(codes), 2):
        raise ValueError(f"projection={projection!r} returned shape {points.shape}; two columns can be drawn.")
    return points, (f"{name} 1", f"{name} 2")


def _is_amount(y: np.ndarray) -> bool:
    """Return whether y is drawn as amounts, with a colour bar, rather than as classes."""
    if not _is_number(y):
        return False
    return type_of_target(y) == "continuous" or len(np.unique(y)) > MAX_INTEGER_CLASSES


def _plane(codes: np.ndarray, components: tuple[int, int] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the two columns to draw, (n_samples, 2), and their labels."""
    if components is None and codes.shape[1] > 2:
        pca = PCA(2, random_state=0)
        points = pca.fit_transform(codes)
        fractions = pca.explained_variance_ratio_
        return points, tuple(
            f"principal component {i + 1}, {fraction:.0%} of the variance" for i, fraction in enumerate(fractions)
        )
    columns = (0, 1) if components is None else components
    two = isinstance(columns, Sequence | np.ndarray) and len(columns) == 2
    if not two or not all(isinstance(column, Integral) and 0 <= column < codes.shape[1] for column in columns):
        raise ValueError(f"components={columns} must be two columns of an embedding that has {codes.shape[1]}.")
    return codes[:, list(columns)], tuple(f"component {column}" for column in columns)
