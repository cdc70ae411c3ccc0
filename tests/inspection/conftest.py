"""Small fits that the tests of the displays share."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklearn_dim import DIMTransformer, MutualInfoEstimator
from sklearn_dim.datasets import make_gaussian_pair


@pytest.fixture(scope="package")
def pair():
    return make_gaussian_pair(120, random_state=0)


@pytest.fixture(scope="package")
def mi(pair):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return MutualInfoEstimator(cv=3, max_iter=4, random_state=0).fit(*pair)


@pytest.fixture(scope="package")
def rows():
    return np.random.default_rng(0).normal(size=(80, 5))


@pytest.fixture(scope="package")
def dim(rows):
    return DIMTransformer(4, max_iter=3, early_stopping=True, random_state=0).fit(rows)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")
