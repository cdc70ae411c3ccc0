"""MutualInfoSelector, as its users meet it."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sklearn_dim
from sklearn_dim import MutualInfoSelector, mutual_info_features
from sklearn_dim.bounds import DV, InfoNCE
from sklearn_dim.critics import StackedCritic
from sklearn_dim.objectives import ColumnInformation


def selector(**parameters):
    """Return a selector that is quick; p-values do not depend on training."""
    return MutualInfoSelector(**{"k": 3, "max_iter": 2, "n_permutations": 99, "random_state": 0, **parameters})


def mixed_frame(n=300):
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=n)
    frame = pd.DataFrame(
        {
            "noise": rng.normal(size=n),
            "number": kind + rng.normal(size=n),
            "text": np.array(["a", "b", "c"])[np.where(rng.random(n) < 0.3, 0, kind)],
            "id": [f"id {i}" for i in range(n)],
            "constant": "always",
            "flag": rng.random(n) < 0.2 + 0.3 * kind,
            "date": pd.Timestamp("2020-01-01") + pd.to_timedelta(5 * kind + rng.integers(10, size=n), unit="D"),
            "category": pd.Categorical(np.array(["u", "v"])[rng.integers(2, size=n)], categories=["u", "v", "unused"]),
        }
    )
    return frame, np.array(["red", "green", "blue"])[kind]


FRAME, COLOURS = mixed_frame()


@pytest.fixture(scope="module")
def fitted():
    return selector().fit(FRAME, COLOURS)


def test_columns_of_any_kind(fitted):
    assert list(fitted.get_feature_names_out()) == ["number", "text", "date"]
    assert list(fitted.get_support(indices=True)) == [1, 2, 6]
    assert fitted.n_features_in_ == 8 and list(fitted.feature_names_in_) == list(FRAME)
    scores = pd.Series(fitted.scores_, FRAME.columns)
    p_values = pd.Series(fitted.pvalues_, FRAME.columns)
    assert scores["constant"] == 0 and p_values["constant"] == 1 and not fitted.intervals_[4].any()
    assert max(p_values[["number", "text", "flag", "date"]]) < 0.02 < min(p_values[["noise", "id", "category"]])
    assert scores["id"] < 0.01  # what is seen once says nothing
    assert (fitted.intervals_[:, 0] <= fitted.scores_).all() and (fitted.scores_ <= fitted.intervals_[:, 1]).all()


@pytest.mark.parametrize("jointly", [False, True])
def test_scores_are_those_of_the_function(jointly):
    for y in (COLOURS, FRAME["number"], FRAME[["number", "text"]]):
        parameters = {"jointly": jointly, "max_iter": 3, "random_state": 0}
        found = selector(**parameters).fit(FRAME, y)
        np.testing.assert_allclose(found.scores_, mutual_info_features(FRAME, y, **parameters), atol=1e-5)
        assert np.isfinite(found.intervals_).all() and np.isfinite(found.pvalues_).all()


def test_frames_are_selected_without_conversion(fitted):
    array = fitted.transform(FRAME)
    assert array.dtype == object and array.shape == (300, 3) and array[0, 1] == FRAME["text"][0]
    assert selector(k=1).fit(FRAME.drop(columns="text"), FRAME["number"]).transform(
        FRAME.drop(columns="text")
    ).dtype == float  # fmt: skip
    frame = clone(fitted).set_output(transform="pandas").fit(FRAME, COLOURS).transform(FRAME[::-1])
    pd.testing.assert_frame_equal(frame, FRAME[["number", "text", "date"]][::-1])
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(FRAME[FRAME.columns[::-1]])
    with pytest.raises(ValueError, match="contains NaN"):
        fitted.transform(FRAME.assign(number=np.nan))
    assert fitted.transform(FRAME.assign(noise=np.nan)).shape == (300, 3)  # which is not selected


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_polars_and_pandas_in_and_out(container):
    polars = pytest.importorskip("polars")
    columns = ["noise", "number", "text", "date"]
    for X in (FRAME[columns], polars.DataFrame({name: FRAME[name].to_list() for name in columns})):
        found = selector().set_output(transform=container).fit_transform(X, COLOURS)
        assert type(found).__module__.startswith(container) and list(found.columns) == columns[1:]
        assert list(found["text"]) == list(FRAME["text"]) and found["number"].dtype in (float, polars.Float64)


def test_arrays_lists_and_sparse_matrices():
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(120, 6)) * (rng.random((120, 6)) < 0.5)
    y = dense[:, 4] > 0
    matrix = sparse.csr_matrix(dense)
    found = selector(k=2).fit(matrix, y)
    chosen = found.transform(matrix)
    assert sparse.issparse(chosen) and 4 in found.get_support(indices=True)
    np.testing.assert_array_equal(chosen.toarray(), selector(k=2).fit_transform(dense, y))
    np.testing.assert_array_equal(found.transform(dense.tolist()), chosen.toarray())
    back = found.inverse_transform(chosen).toarray()
    np.testing.assert_array_equal(back, np.where(found.get_support(), dense, 0))
    rows = [[float(a), b] for a, b in zip(FRAME["number"], FRAME["text"], strict=True)]
    assert selector(k=2).fit(rows, COLOURS).transform(rows)[0].tolist() == rows[0]


def test_names_that_are_numbers():
    X = FRAME[["noise", "number"]].set_axis([7, 9], axis=1)
    found = selector(k=1).fit(X, COLOURS)
    assert list(found.get_feature_names_out()) == ["x1"] and not hasattr(found, "feature_names_in_")


def test_ties_go_to_small_p_values_then_the_first_columns_and_k_may_change_later():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    found = selector(k=2).fit(np.hstack([np.zeros((200, 2)), x, x, x]), x[:, 0] + rng.normal(size=200))
    assert list(found.get_support(indices=True)) == [2, 3]
    assert list(found.set_params(k=4).get_support(indices=True)) == [0, 2, 3, 4]
    assert list(found.set_params(k="all", max_p_value=0.02).get_support(indices=True)) == [2, 3, 4]
    with pytest.warns(UserWarning, match="No features were selected"):
        assert found.set_params(k=0).transform(np.zeros((3, 5))).shape == (3, 0)
    with pytest.warns(UserWarning, match="k=9 is greater than n_features=2. All the features") as caught:
        assert selector(k=9).fit(x[:, [0, 0]], x[:, 0]).get_support().all()
    assert caught[0].filename == __file__


def test_of_columns_without_a_score_the_significant_ones_are_kept():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 10))
    found = selector(k=1).fit(X, 0.3 * X[:, 8] + rng.normal(size=300))
    found.scores_ = np.zeros(10)
    assert list(found.get_support(indices=True)) == [8]


def test_in_a_pipeline_and_a_grid_search(fitted):
    last = OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    assert make_pipeline(selector(k=2), *last).fit(FRAME, COLOURS).score(FRAME, COLOURS) > 0.6
    steps = make_pipeline(selector(), StandardScaler(), LogisticRegression())
    search = GridSearchCV(steps, {"mutualinfoselector__k": [1, "all"]}, cv=2)
    assert search.fit(FRAME[["noise", "number"]], COLOURS).best_score_ > 0.5
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.transform(FRAME) == fitted.transform(FRAME)).all()
    bound = pickle.loads(pickle.dumps(selector(mi_estimator=DV(ema_decay=0.5)).fit(FRAME, COLOURS)))
    assert bound.mi_estimator == DV(ema_decay=0.5)
    assert sklearn_dim.features.MutualInfoSelector is MutualInfoSelector


def independent_columns(kind, rng, n, p=200):
    """Return columns X and y that are independent of each other."""
    return {
        "numbers": lambda: (rng.normal(size=(n, p)), rng.normal(size=n)),
        "numbers and classes": lambda: (rng.normal(size=(n, p)), rng.integers(3, size=n).astype(str)),
        "text and numbers": lambda: (rng.integers(6, size=(n, p)).astype(str).astype(object), rng.normal(size=n)),
        "text and rare classes": lambda: (
            rng.integers(6, size=(n, p)).astype(str).astype(object),
            rng.choice(["a", "b", "c"], p=[0.9, 0.07, 0.03], size=n),
        ),
        "zeros and rounded": lambda: (
            np.where(rng.random((n, p)) < 0.5, 0, rng.gamma(2, size=(n, p))),
            rng.normal(size=n).round(1),
        ),
        "two columns of y": lambda: (rng.normal(size=(n, p)), rng.normal(size=(n, 2))),
    }[kind]()


@pytest.mark.parametrize("kind", ["numbers", "numbers and classes", "text and numbers", "text and rare classes",
                                  "zeros and rounded", "two columns of y"])  # fmt: skip
def test_p_values_are_uniform_without_a_dependence(kind):
    X, y = independent_columns(kind, np.random.default_rng(0), 300)
    p_values = selector(k="all", n_permutations=399, max_iter=1).fit(X, y).pvalues_
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    assert (p_values <= 0.05).mean() <= 0.1


def test_p_values_are_small_where_there_is_a_dependence():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 1))
    shapes = {"weak line": 0.2 * x, "parabola": x**2, "waves": 2 * np.sin(6 * x), "spread": np.exp(x) * x[::-1]}
    columns = np.hstack([x, *(shapes[name] + rng.normal(size=(500, 1)) * (name != "spread") for name in shapes)])
    assert selector(k="all", n_permutations=399).fit(columns, x.ravel()).pvalues_.max() <= 0.01
    copies = selector(k="all", n_permutations=399).fit(FRAME[["text", "flag"]], FRAME["text"])
    assert copies.pvalues_[0] == 1 / 400


def gaussian_columns(rng, information, n, p):
    y = rng.normal(size=n)
    share = np.exp(-2 * information)
    return np.sqrt(1 - share) * y[:, None] + np.sqrt(share) * rng.normal(size=(n, p)), y


@pytest.mark.parametrize("information, least", [(0.02, 0.9), (0.3, 0.85)])
def test_intervals_cover(information, least):
    X, y = gaussian_columns(np.random.default_rng(1), information, 500, 40)
    low, high = MutualInfoSelector(k="all", n_permutations=19, random_state=0).fit(X, y).intervals_.T
    assert ((low <= information) & (information <= high)).mean() >= least
    assert (high - low).mean() < 0.2


def test_jointly_columns_that_add_nothing_are_not_significant():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 8))
    found = MutualInfoSelector(k=2, jointly=True, random_state=0).fit(X, X[:, 2] * X[:, 7] > 0)
    assert list(found.get_support(indices=True)) == [2, 7]
    assert found.pvalues_[[2, 7]].max() < 1e-3 and (np.delete(found.pvalues_, [2, 7]) < 0.05).sum() <= 1
    assert found.intervals_[2, 0] > 0.2


@pytest.mark.parametrize("bound", [DV(), InfoNCE()], ids=str)
def test_contributions_tell_the_spread_of_the_value(bound):
    """Their mean is the value, and their spread that of the values of other rows."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = ColumnInformation(StackedCritic(2, 4, 5), bound)
    for parameter in module.parameters():
        parameter.data *= 2
    values, errors = [], []
    for _ in range(60):
        batch = torch.randn(256, 2, 4), torch.randn(256, 5)
        found = module.evaluate_columns(batch)
        torch.testing.assert_close(found.values, module.values(batch))
        torch.testing.assert_close(found.contributions.mean(1), found.values, atol=1e-5, rtol=1e-4)
        values.append(found.values)
        errors.append(found.contributions.std(1) / 16)
    assert torch.stack(values).std(0).tolist() == pytest.approx(torch.stack(errors).mean(0).tolist(), rel=0.35)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"k": -1}, "The 'k' parameter of MutualInfoSelector .* Got -1"),
        ({"k": 0.5}, "The 'k' parameter of MutualInfoSelector .* Got 0.5"),
        ({"max_p_value": 2}, "The 'max_p_value' parameter .* Got 2"),
        ({"n_permutations": 0}, "The 'n_permutations' parameter .* Got 0"),
        ({"jointly": "yes"}, "The 'jointly' parameter .* Got 'yes'"),
        ({"discrete_features": ["colour"]}, "'colour' is neither a position below 8 nor the name of a column"),
        ({"device": "nowhere"}, "device='nowhere' cannot be used here"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        selector(**parameters).fit(FRAME, COLOURS)


def test_a_fit_that_fails_changes_nothing(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        again.fit(FRAME[["number"]])
    with pytest.raises(ValueError, match=r"Input X contains NaN \(column 'text'\)"):
        again.fit(FRAME.assign(text=None), COLOURS)
    assert again.n_features_in_ == 8 and again.transform(FRAME).shape == (300, 3)


def test_few_rows_and_a_constant_target():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few = selector(k=1).fit(FRAME[["number"]][:8], COLOURS[:8])
        assert np.isfinite([few.scores_, few.pvalues_]).all()
        constant = selector().fit(FRAME, ["always"] * 300)
    assert not constant.scores_.any() and (constant.pvalues_ == 1).all() and not constant.intervals_.any()
