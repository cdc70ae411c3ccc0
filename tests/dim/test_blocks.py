"""``representation="auto"``: the code, the layers and features without training, side by side."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_dim import DIMTransformer
from sklearn_dim.datasets import make_motif_sequences
from sklearn_dim.dim._blocks import RECIPES, Blocks, pooled
from sklearn_dim.encoders import even_rotation, leading_axes
from sklearn_dim.persistence import load, save


def quick(**parameters):
    return DIMTransformer(**{"n_components": 6, "max_iter": 1, "random_state": 0, **parameters})


def samples():
    rng = np.random.default_rng(0)
    bag = sparse.random(60, 300, 0.05, format="csr", random_state=0)
    return {
        "table": (rng.normal(size=(60, 7)), {}),
        "sequence": (make_motif_sequences(60, 2, 40, random_state=0)[0], {}),
        "image": (load_digits().images[:60, None], {}),
        "bag": (bag, {}),
        "tokens": (rng.integers(0, 30, (60, 12)), {"encoder": "tokens"}),
    }


@pytest.fixture(scope="module", params=list(samples()))
def fitted(request):
    X, parameters = samples()[request.param]
    return request.param, quick(**parameters).fit(X), X


def columns(dim, X):
    """Return the output as a frame, and its blocks by name."""
    output = pd.DataFrame(dim.transform(X), columns=dim.get_feature_names_out())
    return output, output.T.groupby(lambda name: name.split("_")[1].rstrip("0123456789")).groups


def test_blocks_have_their_lengths_and_are_centred(fitted):
    kind, dim, X = fitted
    output, blocks = columns(dim, X)
    lengths = RECIPES[kind].lengths
    assert output.columns[0] == "dimtransformer_code0" and len(blocks["code"]) == 6
    assert set(blocks) == set(lengths)
    np.testing.assert_allclose(output.mean(), 0, atol=1e-5)
    for name, own in blocks.items():
        assert output[own].var(ddof=0).sum() == pytest.approx(lengths[name] ** 2, rel=1e-3), name
    np.testing.assert_allclose(output[blocks["code"]].var(ddof=0), lengths["code"] ** 2 / 6, rtol=1e-3)


def test_all_columns_of_a_block_have_the_same_variance(fitted):
    kind, dim, X = fitted
    output, blocks = columns(dim, X)
    for name in blocks.keys() - ({"code"} if RECIPES[kind].reduced else {"code", "input"}):
        variances = output[blocks[name]].var()
        np.testing.assert_allclose(variances, variances.mean(), rtol=1e-3)


def test_the_code_is_that_of_representation_code(fitted):
    _, dim, X = fitted
    output, blocks = columns(dim, X)
    alone = clone(dim).set_params(representation="code").fit(X).transform(X)
    np.testing.assert_allclose(StandardScaler().fit_transform(output[blocks["code"]]), alone, atol=2e-3)


def test_a_row_does_not_depend_on_its_company(fitted):
    _, dim, X = fitted
    together = dim.transform(X)
    alone = np.concatenate([dim.transform(X[row : row + 1]) for row in range(5)])
    np.testing.assert_allclose(alone, together[:5], atol=2e-4)


def test_copies_and_files_give_the_same_numbers(fitted, tmp_path):
    _, dim, X = fitted
    expected = dim.transform(X)
    save(dim, tmp_path)
    for copy in (pickle.loads(pickle.dumps(dim)), load(tmp_path)):
        np.testing.assert_array_equal(copy.transform(X), expected)
        np.testing.assert_array_equal(copy.partial_fit(X).transform(X).shape, expected.shape)


def test_the_width_stays_when_training_goes_on(fitted):
    _, dim, X = fitted
    dim = pickle.loads(pickle.dumps(dim))
    width = dim.transform(X).shape[1]
    for few in (X[:5], X[:40], X):
        dim.partial_fit(few)
        assert dim.transform(X).shape[1] == len(dim.get_feature_names_out()) == width
        assert np.isfinite(dim.transform(X)).all()


def test_float32_gives_nearly_the_numbers_of_float64():
    X, _ = samples()["table"]
    expected = quick().fit(X).transform(X)
    np.testing.assert_allclose(quick().fit(X.astype(np.float32)).transform(X.astype(np.float32)), expected, atol=5e-3)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_few_rows(n):
    X = np.random.default_rng(0).normal(size=(n, 5))
    output = quick().fit(X).transform(X)
    assert len(output) == n and np.isfinite(output).all()


@pytest.mark.parametrize("X", [np.ones((20, 4)), np.ones((20, 2, 16)), np.ones((20, 1, 8, 8))])
def test_constants_become_zeros(X):
    dim = quick().fit(X)
    np.testing.assert_allclose(dim.transform(X), 0, atol=1e-6)


def test_rows_that_lie_far_away_stay_finite():
    X = np.random.default_rng(0).normal(size=(50, 4))
    assert np.isfinite(quick().fit(X).transform(1e6 * X)).all()


class OwnEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.locations, self.code = nn.Linear(7, 15), nn.Linear(15, 6)

    def forward(self, x):
        hidden = torch.relu(self.locations(x))
        return hidden.unflatten(1, (3, 5)), self.code(hidden)


def test_an_encoder_of_ones_own_has_all_blocks():
    X, _ = samples()["table"]
    _, blocks = columns(quick(encoder=OwnEncoder()).fit(X), X)
    assert set(blocks) == {"code", "layers", "input"}


def test_a_search_over_representations():
    X, y = load_digits(return_X_y=True)
    pipeline = Pipeline([("dim", quick()), ("clf", LogisticRegression())])
    grid = {"dim__representation": ["auto", "code"], "dim__mi_estimator": ["jsd", "infonce"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X[:200], y[:200])
    assert search.best_params_["dim__representation"] == "auto"
    assert search.best_score_ > 0.8


@pytest.mark.parametrize("name", ["bag", "image"])
def test_the_code_alone_again_after_the_blocks(name):
    X, _ = samples()[name]
    dim = quick(warm_start=True).fit(X)
    assert dim.transform(X).shape[1] > 6
    assert dim.set_params(representation="code").fit(X).transform(X).shape == (60, 6)
    assert dim.set_params(representation="auto").fit(X).transform(X).shape[1] > 6


def test_a_warm_start_takes_a_new_representation():
    X, _ = samples()["table"]
    dim = quick(warm_start=True, representation="code").fit(X)
    assert list(dim.get_feature_names_out()) == [f"dimtransformer{i}" for i in range(6)]
    output, blocks = columns(dim.set_params(representation="auto").fit(X), X)
    assert len(output.columns) > 6 and len(blocks["code"]) == 6


def test_pooled_layers():
    layer = torch.tensor([[[[-1.0, 0.0], [3.0, 6.0]]]])
    np.testing.assert_allclose(pooled(layer), [[2.0, 6.0, 0.5]])
    assert pooled(layer.flatten(1)).shape == (1, 4)


def distances(rows):
    return np.linalg.norm(rows[:, None] - rows, axis=2)


@pytest.mark.parametrize("standardized", [True, False])
def test_leading_axes_keep_the_distances_of_principal_components(standardized):
    X = np.random.default_rng(0).normal(size=(40, 5)) @ np.diag([1, 10, 0.1, 0, 5]) + 3
    rows = StandardScaler().fit_transform(X) if standardized else X
    mean, axes = leading_axes(X, n_axes=2, standardized=standardized)
    assert axes.shape == (5, 2)
    got = (X - mean) @ axes
    np.testing.assert_allclose(distances(got), distances(PCA(2).fit_transform(rows)), atol=1e-9)
    np.testing.assert_allclose(got.var(0), got.var(0).mean())


def test_negligible_axes_are_left_out():
    X = np.random.default_rng(0).normal(size=(40, 3)) @ np.diag([1, 1e-4, 0])
    assert leading_axes(X, standardized=False)[1].shape == (3, 1)
    assert leading_axes(X)[1].shape == (3, 2)


@pytest.mark.parametrize(
    "variances", [[1.0], [3.0, 1.0], [5.0, 5.0, 5.0], [1e6, 1.0, 1e-6, 0.0], np.geomspace(1, 1e-5, 256)]
)
def test_an_even_rotation_is_orthogonal_and_makes_variances_equal(variances):
    variances = np.asarray(variances)
    rotation = even_rotation(variances)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(len(variances)), atol=1e-9)
    np.testing.assert_allclose(np.diag(rotation.T @ np.diag(variances) @ rotation), variances.mean(), rtol=1e-9)


def test_a_scaler_behind_the_output_does_no_harm():
    X, y = load_digits(return_X_y=True)
    output = quick(max_iter=5).fit_transform(X[:600])
    scaled = StandardScaler().fit_transform(output)
    scores = [LogisticRegression(max_iter=500).fit(Z[:60], y[:60]).score(Z[60:], y[60:600]) for Z in (output, scaled)]
    assert scores[1] > scores[0] - 0.04


def test_scales_of_blocks():
    X = np.random.default_rng(0).normal(size=(100, 6)) * [1, 2, 0, 1, 3, 0]
    blocks = Blocks("table")
    blocks.widths = {"code": 3, "layers": 2, "input": 1}
    mean, scale = blocks.mean_and_scale(X)
    variances = ((X - mean) / scale).var(0)
    lengths = RECIPES["table"].lengths
    np.testing.assert_allclose(variances[:3], lengths["code"] ** 2 * np.array([0.5, 0.5, 0]))
    assert variances[3:5].sum() == pytest.approx(lengths["layers"] ** 2)
    assert variances[5] == 0 and variances[4] / variances[3] == pytest.approx(X.var(0)[4] / X.var(0)[3])
