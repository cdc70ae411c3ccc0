"""The code of a transformer in the plane."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.decomposition import PCA
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.inspection._shared import BESIDE, BLUE, COLORS, axes_for

MARKERS = "os^Dv"
MOST_CLASSES = len(COLORS) * len(MARKERS)
MOST_WHOLE_NUMBERS = 20  # more distinct whole numbers are amounts, not classes


class EmbeddingDisplay:
    """Codes as points in the plane, coloured by y.

    Make one by `from_estimator` or `from_codes`. Codes wider than two columns are turned by PCA, and the axes say which
    share of the variance is seen.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
    y : ndarray of shape (n_samples,), default=None
        Classes, which get a legend, or amounts, which get a colour bar.
    labels : tuple of two str, default=("component 0", "component 1")
        Of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : list of PathCollection
        One for each class in sorted order, else one.
    legend_ : Legend or None
        Of classes.
    colorbar_ : Colorbar or None
        Of amounts.

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

    def __init__(self, points, *, y=None, labels=("component 0", "component 1")):
        self.points = points
        self.y = y
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, components=None, ax=None):
        """Draw the code that a fitted transformer gives to X.

        Parameters
        ----------
        estimator : transformer, or Pipeline of transformers
            Fitted: any object with ``transform``.
        X : as ``estimator.transform`` takes
            Rows, images, sequences, a `Graph`, a list of them.
        y : array-like of shape (n_samples,), default=None
            Colours. Floats with fractions, and more than 20 distinct whole numbers, get a colour bar; all else is
            classes with a legend.
        components : tuple of two int, default=None
            Columns of the code to draw. None draws a code of two columns as it is, and the first two principal
            components of a wider one.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        TypeError
            If estimator has no ``transform``.
        NotFittedError
            If it is not fitted.
        ValueError
            If the code has fewer than two columns, or y has another length, more than 50 classes or missing values, or
            components are not two columns of the code.
        ImportError
            If matplotlib is not installed.
        """
        if not hasattr(estimator, "transform"):  # any transformer of scikit-learn's kind: they share no base class
            raise TypeError(
                f"EmbeddingDisplay draws the code of a transformer; {estimator!r} has no method transform. Of a "
                "Pipeline that ends in a predictor pass the part before, pipeline[:-1]."
            )
        check_is_fitted(estimator)
        return cls.from_codes(estimator.transform(X), y, components=components, ax=ax)

    @classmethod
    def from_codes(cls, codes, y=None, *, components=None, ax=None):
        """Draw codes that were made already.

        Parameters
        ----------
        codes : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_components)
        y, components, ax : as in `from_estimator`

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError, ImportError
            As `from_estimator`.
        """
        codes = codes.toarray() if issparse(codes) else np.asarray(codes)
        y = None if y is None else np.asarray(y).ravel()
        if codes.ndim != 2 or codes.shape[1] < 2:
            raise ValueError(
                f"the code has shape {codes.shape}; a plane needs rows of at least two columns. Give the transformer "
                "n_components=2 or more."
            )
        if y is not None and len(y) != len(codes):
            raise ValueError(f"y has {len(y)} values for {len(codes)} rows; give one a row, or y=None.")
        if y is not None and pd.isna(y).any():
            raise ValueError(f"y has {pd.isna(y).sum()} missing values; fill them, drop these rows, or leave y out.")
        points, labels = _plane(codes, components)
        return cls(points, y=y, labels=labels).plot(ax=ax)

    def plot(self, ax=None):
        """Draw on ``ax``, or on a new figure; return the display."""
        self.ax_ = axes_for(ax, self)
        self.figure_ = self.ax_.figure
        self.legend_ = self.colorbar_ = None
        look = {"s": float(np.clip(20_000 / len(self.points), 4, 30)), "alpha": 0.8, "linewidths": 0}
        if self.y is None:
            self.points_ = [self.ax_.scatter(*self.points.T, color=BLUE, **look)]
        elif _is_amount(self.y):
            self.points_ = [self.ax_.scatter(*self.points.T, c=self.y, cmap="viridis", **look)]
            self.colorbar_ = self.figure_.colorbar(self.points_[0], ax=self.ax_, label="y")
        else:
            self._draw_classes(look)
        self.ax_.set(xlabel=self.labels[0], ylabel=self.labels[1])
        return self

    def _draw_classes(self, look):
        """Draw a collection a class: ten colours, then the same ten with other markers."""
        classes, which = np.unique(self.y, return_inverse=True)
        if len(classes) > MOST_CLASSES:
            raise ValueError(
                f"y has {len(classes)} classes; at most {MOST_CLASSES} can be told apart. Merge some, or leave y out."
            )
        self.points_ = []
        for number, name in enumerate(classes):
            round_, color = divmod(number, len(COLORS))
            place = {"color": COLORS[color], "marker": MARKERS[round_], "label": str(name)}
            self.points_.append(self.ax_.scatter(*self.points[which == number].T, **place, **look))
        self.legend_ = self.ax_.legend(ncols=1 + len(classes) // 16, **BESIDE)
        for handle in self.legend_.legend_handles:
            handle.set(sizes=[30], alpha=1)


def _is_amount(y) -> bool:
    """Whether y is drawn as an amount, with a colour bar."""
    if y.dtype.kind not in "biuf":
        return False
    return type_of_target(y) == "continuous" or len(np.unique(y)) > MOST_WHOLE_NUMBERS


def _plane(codes, components):
    """Return two columns for each row, and what they are."""
    if components is None and codes.shape[1] > 2:
        pca = PCA(2, random_state=0)
        points = pca.fit_transform(codes)
        shares = pca.explained_variance_ratio_
        return points, tuple(f"PCA {i + 1} of the code, {share:.0%} of its variance" for i, share in enumerate(shares))
    components = (0, 1) if components is None else tuple(components)
    if len(components) != 2 or not all(0 <= component < codes.shape[1] for component in components):
        raise ValueError(f"components={components} must be two columns of a code that has {codes.shape[1]}.")
    return codes[:, components], tuple(f"component {component}" for component in components)
