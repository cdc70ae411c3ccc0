"""DIMTransformer on tables as they come: missing cells, categories, text, booleans and dates."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from sklearn_dim import DIMTransformer
from sklearn_dim.persistence import load, save, to_torch


def quick(**parameters):
    return DIMTransformer(
        **{"n_components": 6, "max_iter": 2, "representation": "code", "random_state": 0, **parameters}
    )


def people(n=120, seed=0, missing=0.2):
    """Return a frame with a column of each kind, a fraction of the cells missing, and classes that depend on it."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "height": rng.normal(170, 10, n),
            "children": pd.array(rng.integers(0, 5, n), dtype="Int64"),
            "town": pd.Categorical(rng.choice(["Bern", "Basel", "Genf"], n), categories=["Bern", "Basel", "Genf", "?"]),
            "job": rng.choice(["baker", "smith"], n).astype(object),
            "member": pd.array(rng.random(n) < 0.5, dtype="boolean"),
            "since": pd.Timestamp("2020-01-01", tz="Europe/Zurich") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "stay": pd.to_timedelta(rng.integers(0, 900, n), "h"),
        }
    )
    y = (frame["height"] + 10 * (frame["job"] == "smith") > 175).to_numpy().astype(int)
    for name in frame.columns:
        frame.loc[rng.random(n) < missing, name] = None
    return frame, y


def test_a_frame_goes_straight_into_a_pipeline(tmp_path):
    X, y = people()
    later = people(30, seed=1)[0].astype({"town": object}).assign(job="tailor", town="Chur")
    pipeline = Pipeline([("dim", quick(max_iter=20)), ("clf", LogisticRegression())]).fit(X, y)
    assert pipeline.score(X, y) > max(y.mean(), 1 - y.mean()) + 0.1
    expected = pipeline.predict_proba(later)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipeline)).predict_proba(later), expected)
    dim = pipeline[0]
    save(dim, tmp_path)
    loaded = load(tmp_path)
    np.testing.assert_array_equal(loaded.transform(later), dim.transform(later))
    assert loaded.partial_fit(X).n_iter_ == 21
    assert dim.n_features_in_ == 7 and dim.input_shape_ == (7,) and dim.input_kind_ == "table"
    np.testing.assert_allclose(dim.transform(later.iloc[:1]), dim.transform(later)[:1], atol=1e-9)
    assert np.isfinite(dim.score(X))
    with pytest.raises(ValueError, match=r"to_torch\(\) exports modules that take numbers, but .* Use save"):
        to_torch(dim)


def test_other_columns_are_refused_as_scikit_learn_does():
    X, _ = people()
    dim = quick(max_iter=1).fit(X)
    with pytest.raises(ValueError, match="feature names should match"):
        dim.transform(X[X.columns[::-1]])
    with pytest.raises(ValueError, match=r"feature names should match|7 features"):
        dim.transform(X.drop(columns="job"))
    with (
        pytest.warns(UserWarning, match="valid feature names"),
        pytest.raises(ValueError, match="expecting 7 features"),
    ):
        dim.transform(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="column 'height' of X holds text, but held numbers in fit"):
        dim.transform(X.assign(height="tall"))


def test_pandas_and_polars_give_the_same_codes():
    polars = pytest.importorskip("polars")
    X, _ = people()
    X = X[["height", "job", "stay"]]
    cells = {name: [None if pd.isna(value) else value for value in X[name]] for name in X}
    other = polars.DataFrame(cells)
    dim = quick().fit(X)
    np.testing.assert_allclose(quick().fit(other).transform(other), dim.transform(X), atol=1e-6)
    np.testing.assert_allclose(dim.transform(other), dim.transform(X), atol=1e-9)
    out = dim.set_output(transform="pandas").transform(X)
    assert out.index.equals(X.index) and list(out.columns) == list(dim.get_feature_names_out())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_with_missing_cells(dtype):
    X = np.random.default_rng(0).normal(size=(80, 5)).astype(dtype)
    holes = X.copy()
    holes[::4, 1] = np.nan
    dim = quick().fit(holes)
    codes = dim.transform(holes)
    assert codes.dtype == dtype and np.isfinite(codes).all()
    np.testing.assert_allclose(dim.transform(sparse.csr_matrix(X)), dim.transform(X), atol=1e-6)
    np.testing.assert_allclose(dim.fit(pd.DataFrame(holes)).transform(pd.DataFrame(holes)), codes, atol=1e-6)


def test_missing_cells_after_a_fit_without_any_are_means():
    X = np.random.default_rng(0).normal(size=(80, 4))
    X[:, 3] += 1e9  # an offset
    dim = quick().fit(X)
    holes, filled = X[:9].copy(), X[:9].copy()
    holes[2, 1] = holes[3, 3] = np.nan
    filled[2, 1], filled[3, 3] = X[:, 1].mean(), X[:, 3].mean()
    np.testing.assert_allclose(dim.transform(holes), dim.transform(filled), atol=1e-5)
    dim.partial_fit(holes)


def test_warm_starts_and_early_stopping_keep_the_columns_that_were_learnt():
    X, _ = people()
    dim = quick(warm_start=True, early_stopping=True).fit(X)
    coder = dim._coder
    dim.fit(people(seed=1, missing=0.0)[0])
    assert dim._coder is coder and dim.n_iter_ == 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dim.set_params(warm_start=False).fit(np.zeros((9, 2)) + np.arange(9)[:, None])
    assert dim._coder is None


def test_incomplete_rows_lie_near_the_whole():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(600, 3))
    X = factors @ rng.normal(size=(3, 12)) + 0.3 * rng.normal(size=(600, 12))
    holes = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    dim = DIMTransformer(8, random_state=0).fit(holes[:400])
    whole, incomplete = dim.transform(X[400:]), dim.transform(holes[400:])
    apart = np.linalg.norm(whole - incomplete, axis=1).mean()
    others = np.linalg.norm(whole - rng.permutation(whole), axis=1).mean()
    assert apart < 0.5 * others


def test_missing_cells_are_allowed_for_tables_alone():
    assert quick().__sklearn_tags__().input_tags.allow_nan
    assert not quick(image_shape=(1, 8, 8)).__sklearn_tags__().input_tags.allow_nan
    assert not quick(encoder="tokens").__sklearn_tags__().input_tags.allow_nan
