"""The information score: its closed form, what does not change it, and choosing by it without labels."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.random_projection import GaussianRandomProjection

from sklearn_dim import DIMTransformer
from sklearn_dim.metrics import information_score, make_information_scorer


def gaussian_rows(n=4000, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4)) @ np.diag([1.0, 2.0, 3.0, 0.1])


def hashed(X):
    """A code that has nothing to do with rows: noise seeded by them."""
    return np.random.default_rng(abs(int(1e6 * np.sum(X))) % 2**32).normal(size=(len(X), 8))


same = FunctionTransformer()


@pytest.mark.parametrize("noise", [0.3, 0.5, 1.0])
def test_linear_codes_of_gaussian_rows_have_a_closed_form(noise):
    # I(x; x + noise·ε) is ½ log(1 + 1/noise²) a column; at a precision of 0.001 of a variance of 1.
    own = noise**2 / (1 + noise**2)
    truth = 4 * 0.5 * np.log((1 + 1e-3) / (own + 1e-3))
    # log of a variance from n rows has a standard error of √(2/n); noise is measured from three times as many.
    error = 0.5 * np.sqrt(4 * (2 / 4000 + 2 / 12000))
    assert abs(information_score(same, gaussian_rows(), noise=noise) - truth) < 4 * error


def test_components_that_repeat_add_nothing():
    X = gaussian_rows()
    twice = FunctionTransformer(lambda X: np.c_[X[:, :2], X[:, :2]])
    once = information_score(FunctionTransformer(lambda X: X[:, :2]), X)
    assert information_score(twice, X) == pytest.approx(once, abs=0.01)


def test_a_code_that_forgets_rows_scores_nothing():
    assert abs(information_score(FunctionTransformer(hashed), gaussian_rows())) < 0.05
    assert information_score(FunctionTransformer(np.zeros_like), gaussian_rows()) == 0.0


def test_scale_and_shift_of_rows_and_codes_do_not_matter():
    X = gaussian_rows(500)
    score = information_score(same, X)
    assert information_score(same, 5 * X - 2) == pytest.approx(score, rel=1e-6)
    assert information_score(FunctionTransformer(lambda X: X * [1, -2, 3, 40] + 9), X) == pytest.approx(score, rel=1e-6)


def test_it_falls_with_noise_and_is_nothing_less_without_limit():
    scores = [information_score(same, gaussian_rows(500), noise=noise) for noise in (0.0, 0.1, 1.0, 100.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(4 * 0.5 * np.log(1001), rel=0.01)  # the most that the precision allows
    assert scores[-1] < 0.05


def test_it_ranks_representations_as_a_probe_does():
    X, y = load_digits(return_X_y=True)
    train, test = slice(0, None, 2), slice(1, None, 2)
    codes = [PCA(k, random_state=0) for k in (2, 5, 10, 16)]
    codes += [GaussianRandomProjection(k, random_state=0) for k in (2, 5, 10, 16)]
    codes += [DIMTransformer(8, max_iter=1, image_shape=(1, 8, 8), random_state=0)]
    scores, accuracies = [], []
    for code in codes:
        code.fit(X[train])
        scores.append(information_score(code, X[test]))
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        accuracies.append(probe.fit(code.transform(X[train]), y[train]).score(code.transform(X[test]), y[test]))
    assert spearmanr(scores, accuracies)[0] > 0.7


def test_a_search_without_labels_chooses_by_it():
    X, _ = load_wine(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), PCA(random_state=0))
    grid = {"pca": [PCA(1), GaussianRandomProjection(2, random_state=0), PCA(8)]}
    search = GridSearchCV(pipeline, grid, scoring=make_information_scorer(), n_jobs=2, cv=2).fit(X)
    assert search.best_params_["pca"].n_components == 8
    alone = GridSearchCV(pipeline, grid, scoring=make_information_scorer(), cv=2).fit(X)
    assert (search.cv_results_["mean_test_score"] == alone.cv_results_["mean_test_score"]).all()


def test_a_search_prefers_the_trained_network():
    X, _ = load_digits(return_X_y=True)
    dim = DIMTransformer(16, image_shape=(1, 8, 8), random_state=0)
    grid = {"learning_rate_init": [1e-7, 3e-3], "max_iter": [4]}
    search = GridSearchCV(dim, grid, scoring=make_information_scorer(), cv=2).fit(X[:400])
    assert search.best_params_["learning_rate_init"] == 3e-3


def test_images_frames_sparse_rows_and_missing_values_are_taken():
    X = gaussian_rows(200)
    frame = pd.DataFrame(X, columns=list("abcd"))
    score = information_score(PCA(2, random_state=0).fit(X), X)
    assert information_score(PCA(2, random_state=0).fit(frame), frame) == pytest.approx(score)
    assert information_score(PCA(2, random_state=0).fit(X), sparse.csr_matrix(X)) == pytest.approx(score)
    images = X.reshape(200, 1, 2, 2)
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    assert information_score(flat, images) == pytest.approx(information_score(same, X))
    assert information_score(flat, (10 * images).astype(np.int32)) > 1
    assert information_score(KMeans(3, random_state=0).fit(X), X) > 1
    X[::7, 1] = np.nan
    assert np.isfinite(information_score(make_pipeline(SimpleImputer(), PCA(2)).fit(X), X))


def test_the_scorer_pickles_and_repeats():
    X = gaussian_rows(100)
    scorer = pickle.loads(pickle.dumps(make_information_scorer(noise=0.4, random_state=3)))
    assert scorer(same, X) == scorer(same, X, None) == information_score(same, X, noise=0.4, random_state=3)
    assert scorer(same, X) != information_score(same, X, noise=0.4, random_state=4)


def test_errors_say_what_to_do():
    X = gaussian_rows(50)
    with pytest.raises(TypeError, match=r"LogisticRegression\(\) has no method transform: .*pipeline\[:-1\]"):
        information_score(LogisticRegression(), X)
    with pytest.raises(ValueError, match=r"'noise' parameter .* Got -1"):
        make_information_scorer(noise=-1)
    with pytest.raises(ValueError, match=r"'n_views' parameter .* \[2, inf\). Got 1"):
        information_score(same, X, n_views=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nois'"):
        make_information_scorer(nois=1)
    with pytest.raises(ValueError, match=r"dtype object.*Encode the other columns first"):
        information_score(same, pd.DataFrame({"a": ["x", "y"]}))
    with pytest.raises(ValueError, match=r"shape \(1, 4\); expected at least two rows"):
        information_score(same, X[:1])
