"""The methods of rivals.py by kind: functions of a seed that return a transformer to fit."""

import functools
import importlib.util

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import RandomTreesEmbedding
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, OneHotEncoder, StandardScaler

from sklearn_dim import DIMTransformer

UNTRAINED = {"learning_rate_init": 1e-30, "max_iter": 1}  # nothing is learnt, but BatchNorm takes in its statistics


def ours(seed, **parameters):
    """Return our transformer."""
    return DIMTransformer(random_state=seed, device="cpu", **parameters)


OURS = {
    "untrained": functools.partial(ours, **UNTRAINED),
    "DIMTransformer()": ours,
    "the code alone": functools.partial(ours, representation="code"),
}


class Flat(TransformerMixin, BaseEstimator):
    """Samples as flat rows, scaled."""

    def fit(self, X, y=None):
        self.scaler_ = StandardScaler().fit(X.reshape(len(X), -1))
        return self

    def transform(self, X):
        return self.scaler_.transform(X.reshape(len(X), -1))


class Pca(TransformerMixin, BaseEstimator):
    """Principal axes in their natural scale; PCA with as many components as there can be."""

    def __init__(self, width):
        self.width = width

    def fit(self, X, y=None):
        self.pca_ = PCA(min(self.width, *X.shape), random_state=0).fit(X)
        return self

    def transform(self, X):
        return self.pca_.transform(X)


class FromAeon(TransformerMixin, BaseEstimator):
    """A transformer of aeon's, for series of nine values or more."""

    def __init__(self, name, seed):
        self.name, self.seed = name, seed

    def fit(self, X, y=None):
        if self.name == "MiniRocket":
            from aeon.transformations.collection.convolution_based import MiniRocket

            self.transformer_ = MiniRocket(random_state=self.seed)
        else:
            from aeon.transformations.collection.feature_based import Catch22

            self.transformer_ = Catch22(replace_nans=True)
        self.transformer_.fit(self._long(X))
        return self

    def transform(self, X):
        return np.asarray(self.transformer_.transform(self._long(X)))

    @staticmethod
    def _long(X):
        return np.pad(X, ((0, 0), (0, 0), (0, max(0, 9 - X.shape[2]))))


class Patches(TransformerMixin, BaseEstimator):
    """Whitened patches, random or k-means: triangle activation, quadrants (Coates, Lee & Ng, AISTATS 2011)."""

    def __init__(self, seed, n=400, means=False):
        self.seed, self.n, self.means = seed, n, means

    def fit(self, X, y=None):
        self.side_ = 6 if X.shape[2] >= 16 else 3
        rng = np.random.default_rng(self.seed)
        patches = self._patches(torch.as_tensor(X[rng.integers(len(X), size=1000)]).float()).numpy()
        patches = self._normalised(torch.as_tensor(patches[rng.permutation(len(patches))[:50_000]]))
        self.mean_ = patches.mean(0)
        values, vectors = torch.linalg.eigh((patches - self.mean_).T @ (patches - self.mean_) / len(patches))
        self.whiten_ = (vectors * (values + 0.1).rsqrt()) @ vectors.T
        white = ((patches - self.mean_) @ self.whiten_).numpy()
        centres = white[: self.n]
        if self.means:
            centres = MiniBatchKMeans(self.n, n_init=1, random_state=self.seed).fit(white).cluster_centers_
        self.centres_ = torch.as_tensor(centres)
        return self

    def transform(self, X):
        return np.concatenate(
            [self._pooled(torch.as_tensor(part).float()) for part in np.array_split(X, 1 + len(X) // 100)]
        )

    def _patches(self, x):
        return torch.nn.functional.unfold(x, self.side_).transpose(1, 2).flatten(0, 1)

    @staticmethod
    def _normalised(patches):
        patches = patches - patches.mean(1, keepdim=True)
        return patches / (patches.square().mean(1, keepdim=True) + 10.0).sqrt()

    def _pooled(self, x):
        white = (self._normalised(self._patches(x)) - self.mean_) @ self.whiten_
        distance = torch.cdist(white, self.centres_)
        active = (distance.mean(1, keepdim=True) - distance).clamp(min=0)
        side = x.shape[2] - self.side_ + 1
        maps = active.view(len(x), side, x.shape[3] - self.side_ + 1, -1).permute(0, 3, 1, 2)
        return torch.nn.functional.adaptive_avg_pool2d(maps, 2).flatten(1).numpy()


class Hog(TransformerMixin, BaseEstimator):
    """Histograms of oriented gradients."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        from skimage.feature import hog

        cell = 8 if X.shape[2] >= 16 else 4
        options = {"pixels_per_cell": (cell, cell), "cells_per_block": (2, 2), "channel_axis": 2}
        return np.stack([hog(image.transpose(1, 2, 0), **options) for image in X])


def columns(seed):
    """Return what people write for a table: imputed, scaled, one-hot."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    classes = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (classes, make_column_selector(dtype_exclude="number")),
    )


class Small(TransformerMixin, BaseEstimator):
    """A transformer whose size is limited by the number of rows."""

    def __init__(self, make, n):
        self.make, self.n = make, n

    def fit(self, X, y=None):
        self.transformer_ = self.make(min(self.n, len(X) // 2)).fit(X)
        return self

    def transform(self, X):
        return self.transformer_.transform(X)


def lengthened(rows):
    """Return rows ten times as long."""
    return 10 * rows


def svd(seed, n, last):
    """Return latent semantic analysis."""
    return make_pipeline(TfidfVectorizer(), TruncatedSVD(n, random_state=seed), last)


METHODS = {
    "sequences": {
        "raw": lambda seed: Flat(),
        "PCA(64)": lambda seed: make_pipeline(Flat(), Pca(64)),
        "Catch22": lambda seed: FromAeon("Catch22", seed),
        "MiniRocket": lambda seed: FromAeon("MiniRocket", seed),
        **OURS,
    },
    "images": {
        "raw": lambda seed: Flat(),
        "PCA(64)": lambda seed: make_pipeline(Flat(), Pca(64)),
        "HOG": lambda seed: Hog(),
        "400 random patches": lambda seed: Patches(seed),
        "the same, scaled": lambda seed: make_pipeline(Patches(seed), StandardScaler()),
        "400 k-means patches": lambda seed: Patches(seed, means=True),
        **OURS,
    },
    "documents": {
        "TF-IDF": lambda seed: TfidfVectorizer(),
        "SVD(64), scaled": lambda seed: svd(seed, 64, StandardScaler()),
        "SVD(300), rows of length 10": lambda seed: make_pipeline(
            svd(seed, 300, Normalizer()), FunctionTransformer(lengthened)
        ),
        **OURS,
        "encoder='tokens'": functools.partial(ours, encoder="tokens"),
    },
    "tables": {
        "imputed, one-hot, scaled": columns,
        "Nystroem(300), scaled": lambda seed: make_pipeline(
            columns(seed), Small(lambda n: Nystroem(n_components=n, random_state=seed), 300), StandardScaler()
        ),
        "100 k-means distances, scaled": lambda seed: make_pipeline(
            columns(seed), Small(lambda n: KMeans(n, n_init=1, random_state=seed), 100), StandardScaler()
        ),
        "random trees": lambda seed: make_pipeline(columns(seed), RandomTreesEmbedding(100, random_state=seed)),
        **OURS,
    },
}
NEEDS = {"HOG": "skimage", "MiniRocket": "aeon", "Catch22": "aeon"}


def missing_methods():
    """Return the names of the methods whose package is not installed."""
    return [name for name, package in NEEDS.items() if importlib.util.find_spec(package) is None]
