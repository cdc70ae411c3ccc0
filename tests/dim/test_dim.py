"""DIMTransformer as its users meet it."""

import pickle
import shutil
import subprocess
import sys
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import expit
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from torch import nn

from sklearn_dim import DIMTransformer
from sklearn_dim.bounds import BOUNDS, Smile
from sklearn_dim.datasets import load_nudged_digits
from sklearn_dim.encoders import BagEncoder, TableEncoder
from sklearn_dim.metrics import neural_dependency_measure

IMAGES = (1, 8, 8)


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


def quick(**parameters):
    return DIMTransformer(
        **{"n_components": 8, "max_iter": 2, "representation": "code", "random_state": 0, **parameters}
    )


def pipeline(**parameters):
    return Pipeline([("dim", quick(**parameters)), ("clf", LogisticRegression())])


# What it learns


def test_defaults_beat_raw_pixels_on_nudged_digits():
    X, y = load_nudged_digits()
    some = np.random.default_rng(0).permutation(len(X))
    train, few, test = some[:3000], some[:100], some[3000:5000]
    dim = DIMTransformer(image_shape=IMAGES, max_iter=4, random_state=0).fit(X[train])

    def accuracy(features):
        return LogisticRegression(max_iter=300).fit(features(X[few]), y[few]).score(features(X[test]), y[test])

    # Two binomial proportions on 2000 images: their difference has a standard error under 0.016.
    assert accuracy(dim.transform) > accuracy(np.asarray) + 4 * 0.016


@pytest.mark.parametrize("mi_estimator", [*BOUNDS, Smile(tau=2.0)], ids=str)
def test_every_bound_trains_on_images_and_tables(digits, mi_estimator):
    X = digits[0][:200]
    for image_shape in (None, IMAGES):
        dim = quick(mi_estimator=mi_estimator, image_shape=image_shape).fit(X)
        assert np.isfinite(dim.transform(X)).all()
        assert np.isfinite(dim.history_["train_loss"]).all()


@pytest.mark.parametrize("weights", [(1.0, 0.0, 1.0), (0.5, 0.1, 0.1), (0.0, 1.0, 0.0)])
def test_terms_follow_the_weights(digits, weights):
    dim = quick(global_weight=weights[0], local_weight=weights[1], prior_weight=weights[2], image_shape=IMAGES)
    history = dim.fit(digits[0][:200]).history_
    for term, weight in zip(("global", "local", "prior"), weights, strict=True):
        assert (f"train_{term}_loss" in history) == (weight > 0)


def test_the_prior_is_matched_and_components_depend_less_on_each_other(digits):
    distance, dependence = [], []
    for weight in (0.0, 1.0):
        dim = DIMTransformer(6, prior_weight=weight, representation="code", max_iter=40, random_state=0).fit(
            digits[0][:600]
        )
        codes = expit(dim.transform(digits[0][:600]) * dim.scale_ + dim.mean_)
        distance.append(np.mean([kstest(component, "uniform").statistic for component in codes.T]))
        dependence.append(neural_dependency_measure(codes, random_state=0))
    # Uniform codes would have 0.87/√600 = 0.036 in the mean.
    assert distance[1] < 0.6 * distance[0]
    assert dependence[1] < 0.8 * dependence[0]


@pytest.mark.slow  # a minute of compiling
@pytest.mark.skipif(shutil.which("g++") is None and shutil.which("clang++") is None, reason="no C++ compiler")
def test_a_compiled_encoder_learns_the_same(digits):
    plain, compiled = (quick(compile=choice, image_shape=IMAGES).fit(digits[0][:200]) for choice in (False, True))
    np.testing.assert_allclose(compiled.loss_curve_, plain.loss_curve_, atol=0.01)


def test_training_raises_information(digits):
    X = digits[0][:500]
    short, long = (quick(max_iter=n, image_shape=IMAGES, early_stopping=True).fit(X) for n in (1, 15))
    assert long.mutual_info_ > short.mutual_info_ + 0.1
    assert long.score(X) > short.score(X)


@pytest.mark.parametrize("objective", ["local", "global", "local+global"])
def test_the_papers_setting_is_one_call_away(objective):
    X = np.random.default_rng(0).normal(size=(20, 1, 28, 28)).astype(np.float32)
    dim = DIMTransformer.published(objective, n_components=8, max_iter=1, random_state=0).fit(X)
    assert dim.transform(X).shape == (20, 8)
    terms, layers = dim.net_.module_.information, repr(dim.net_.module_)
    assert set(terms) == {"local", "global"} & set(objective.split("+"))
    assert ("2048" in layers) == ("local" in terms)
    assert "in_features=1000, out_features=200" in layers
    assert dim.net_.optimizer_.param_groups[0]["betas"] == (0.5, 0.999)
    with pytest.raises(ValueError, match=r"objective='both' is not in the paper\. Use one of"):
        DIMTransformer.published("both")


def test_the_papers_tasks_are_terms_of_their_own(digits):
    dim = quick(coordinate_weight=0.5, occlusion=0.25, n_locations=3, image_shape=IMAGES, max_iter=4)
    history = dim.fit(digits[0][:200]).history_
    assert history["train_coordinates_loss"].iloc[-1] < history["train_coordinates_loss"].iloc[0]
    assert dim.transform(digits[0][:200]).shape == (200, 8)


def test_low_precision_learns_the_same_in_the_rough(digits):
    X = digits[0][:300]
    full, mixed = (quick(mixed_precision=low, max_iter=5, image_shape=IMAGES).fit(X) for low in (False, True))
    assert mixed.history_["train_loss"].iloc[-1] == pytest.approx(full.history_["train_loss"].iloc[-1], abs=0.05)
    assert (mixed.loss_curve_ != full.loss_curve_) and mixed.transform(X).dtype == X.dtype


# What it takes


def test_inputs_of_the_same_content_give_the_same_codes(digits):
    X = digits[0][:200].astype(np.float32)
    flat = quick(image_shape=IMAGES).fit(X).transform(X)
    images = quick().fit(X.reshape(-1, *IMAGES)).transform(X.reshape(-1, *IMAGES))
    integers = quick().fit(X.reshape(-1, *IMAGES).astype(np.uint8)).transform(X.reshape(-1, *IMAGES).astype(np.uint8))
    np.testing.assert_array_equal(flat, images)
    np.testing.assert_allclose(flat, integers, atol=1e-4)
    assert integers.dtype == np.float32

    table = quick().fit(X)
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    named = quick().fit(frame)
    np.testing.assert_allclose(table.transform(X), named.transform(frame), atol=1e-4)
    assert list(named.feature_names_in_) == list(frame.columns)
    assert list(named.get_feature_names_out())[:2] == ["dimtransformer0", "dimtransformer1"]


@pytest.mark.parametrize("density, kind", [(0.05, "bag"), (0.2, "table")])
def test_sparse_rows_give_what_the_same_dense_rows_give(density, kind):
    X = sparse.random(300, 40, density=density, format="csr", random_state=0)
    for parameters in ({}, {"augmentation": None}, {"augmentation": halve_values}, {"encoder": TableEncoder}):
        dim = quick(**parameters)
        if parameters.get("encoder"):
            dim.set_params(encoder=lambda shape, width: TableEncoder(*shape, width))
        dim.fit(X)
        assert dim.input_kind_ == kind and dim.transform(X).shape == (300, 8)
        np.testing.assert_allclose(dim.transform(X), dim.transform(X.toarray()), atol=1e-6)
        assert dim.score(X) == pytest.approx(dim.score(X.toarray()), abs=1e-4)


def test_wide_sparse_rows_are_never_made_dense():
    X = sparse.random(200, 50_000, density=1e-3, format="csr", random_state=0)
    whole = X.shape[0] * X.shape[1] * 4
    dim = DIMTransformer(4, max_iter=1, representation="code", random_state=0, encoder=narrow_bags)
    tracemalloc.start()
    codes = dim.fit(X).transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # What NumPy and SciPy hold; torch's part is in the encoder's test.
    assert codes.shape == (200, 4) and peak < whole / 4


def narrow_bags(shape, n_components):
    return BagEncoder(*shape, n_components, location_features=4)


def halve_values(x):
    return x / 2


def test_columns_far_from_zero_lose_nothing():
    X = np.random.default_rng(0).normal(size=(200, 6))
    far = X + 1e9
    near = quick().fit(X)
    moved = quick().fit(far)
    np.testing.assert_allclose(moved.transform(far), near.transform(X), atol=1e-3)
    assert moved.score(far) == pytest.approx(near.score(X), abs=1e-3)


@pytest.mark.parametrize("representation, width", [("code", 8), ("fc", 512), ("conv", 9 * 128)])
def test_representation(digits, representation, width):
    dim = quick(image_shape=IMAGES, representation=representation).fit(digits[0][:200])
    output = dim.transform(digits[0][:200])
    assert output.shape == (200, width) and len(dim.get_feature_names_out()) == width
    np.testing.assert_allclose(output.mean(0), 0, atol=1e-4)
    spread = output.std(0)
    assert np.allclose(spread[spread > 0], 1, atol=1e-3)


def test_a_module_is_copied_and_trained():
    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.local, self.code = nn.Linear(2, 5), nn.Linear(6, 3)

        def forward(self, x):
            return self.local(x.unflatten(1, (3, 2))), self.code(x)

    network = Halves()
    before = network.code.weight.clone()
    X = np.random.default_rng(0).normal(size=(50, 6))
    dim = DIMTransformer(3, encoder=network, max_iter=2, representation="code", random_state=0).fit(X)
    assert dim.transform(X).shape == (50, 3)
    assert torch.equal(network.code.weight, before)
    with pytest.raises(ValueError, match=r"the encoder must map \(n, 6\) to .* n_components=4 units"):
        DIMTransformer(4, encoder=network).fit(X)


# What it refuses


def with_value(value):
    X = np.ones((10, 4)) * np.arange(10)[:, None]
    X[3, 2] = value
    return X


def halve(x):
    return x[:, :2]


@pytest.mark.parametrize(
    "parameters, X, message",
    [
        ({"image_shape": (1, 2, 2)}, with_value(np.nan), "Input X contains NaN.* Fill them first: numpy.nan_to_num"),
        ({}, np.full((9, 3, 20), np.nan), "Input X contains NaN"),
        ({"encoder": "tokens"}, with_value(np.nan), "Input X contains NaN.* Fill them first"),
        ({}, pd.DataFrame(index=range(9)), r"0 feature\(s\)"),
        ({}, sparse.csr_matrix(with_value(np.nan)), "Input X contains NaN"),
        ({}, np.full((9, 3), np.nan), "Input X contains NaN, .* nothing else"),
        ({}, with_value(np.inf), "Input X contains infinity"),
        ({}, np.empty((0, 4)), r"0 sample\(s\)"),
        ({}, np.ones((1, 4)), r"1 sample\(s\)"),
        ({}, np.array([["a", "b"], ["c", "d"]]), "X holds text, but .* takes numbers .* Encode it first"),
        ({}, np.ones((9, 1, 1, 8, 8)), r"X has 5 dimensions, shape \(9, 1, 1, 8, 8\); expected rows"),
        ({}, np.ones((9, 1, 4, 4)), "smaller than 8x8, the minimum"),
        (
            {"mi_estimator": "mine"},
            with_value(0),
            "The 'mi_estimator' parameter of DIMTransformer must be .* Got 'mine'",
        ),
        ({"local_weight": -1}, with_value(0), "The 'local_weight' parameter .* Got -1"),
        ({"local_weight": 0}, with_value(0), "global_weight=0 and local_weight=0 leave nothing to maximise"),
        ({"image_shape": IMAGES}, with_value(0), r"image_shape=\(1, 8, 8\) means rows of 64 numbers, but X has 4"),
        ({"image_shape": (2, 2)}, with_value(0), r"image_shape=\(2, 2\) is not three positive integers"),
        ({"image_shape": IMAGES}, np.ones((9, 2, 8, 8)), r"but X has images of shape \(2, 8, 8\)"),
        ({"encoder": "paper"}, with_value(0), "encoder='paper' is for images"),
        ({"encoder": "paper"}, np.ones((9, 1, 9, 9)), "layouts for images of 28x28, 32x32 and 64x64"),
        ({"image_shape": (1.0, 8, 8)}, with_value(0), "is not three positive integers"),
        ({"augmentation": halve}, with_value(0), r"returned a batch of shape \(2, 2\) for one of shape \(2, 4\)"),
        ({}, with_value(1e200), "column or channel 2 of X has values too large for float32"),
        ({"device": "nowhere"}, with_value(0), "device='nowhere' cannot be used here"),
        ({"early_stopping": True, "validation_fraction": 0.95}, with_value(0), "leaves 0 rows to train on"),
    ],
)
def test_bad_input_is_named_and_nothing_is_half_fitted(parameters, X, message):
    dim = quick(**parameters)
    with pytest.raises(ValueError, match=message):
        dim.fit(X)
    assert not dim.__sklearn_is_fitted__()


def test_other_shapes_at_transform_are_refused(digits):
    images = quick().fit(np.ones((9, 1, 8, 8)) * np.arange(9)[:, None, None, None])
    with pytest.raises(ValueError, match=r"samples of shape \(1, 9, 9\), but DIMTransformer was fitted on"):
        images.transform(np.ones((9, 1, 9, 9)))
    with pytest.raises(ValueError, match="X has 63 features, but DIMTransformer is expecting 64"):
        quick().fit(digits[0][:50]).transform(digits[0][:50, :63])


def test_a_constant_column_carries_nothing_and_does_no_harm(digits):
    X = digits[0][:100].copy()
    X[:, 5] = 3.0
    codes = quick().fit(X).transform(X)
    assert np.isfinite(codes).all()


def test_divergence_is_an_error_that_says_what_to_do(digits):
    with pytest.raises(FloatingPointError, match="Lower learning_rate_init"):
        quick(learning_rate_init=1e30, mi_estimator="nwj", max_iter=5).fit(digits[0][:200])


def test_a_failed_fit_loses_nothing(digits):
    X = digits[0][:200]
    dim = quick(warm_start=True).fit(X)
    before, given = dim.transform(X), dim.get_params()
    with pytest.raises(ValueError, match="NaN"):
        dim.set_params(warm_start=False).fit(np.full((9, 3), np.nan))
    with pytest.raises(FloatingPointError):
        dim.set_params(learning_rate_init=1e30, mi_estimator="nwj", max_iter=5).fit(X)
    np.testing.assert_array_equal(dim.transform(X), before)
    dim.set_params(**given)
    dim.net_.notify = fail_after_an_epoch
    with pytest.raises(OSError, match="disk"):
        dim.fit(X)
    np.testing.assert_array_equal(dim.transform(X), before)
    del dim.net_.notify
    assert dim.fit(X).n_iter_ == 2 + 2


def fail_after_an_epoch(method, **kwargs):
    if method == "on_epoch_end":
        raise OSError("disk full")


# How it behaves in scikit-learn


def test_grid_search_gives_the_same_scores_with_two_workers(digits):
    X, y = digits[0][:600], digits[1][:600]
    grid = {"dim__mi_estimator": ["dv", "jsd", "infonce", "nwj"]}
    one, two = (GridSearchCV(pipeline(), grid, cv=2, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.best_params_ == two.best_params_
    assert cross_val_score(clone(one.best_estimator_), X, y, cv=2).min() > 0.3


def test_pickle_and_joblib_predict_the_same_in_a_fresh_process(digits, tmp_path):
    X, y = digits[0][:400], digits[1][:400]
    model = pipeline().fit(X, y)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    joblib.dump(model, tmp_path / "model.joblib")
    np.savez(tmp_path / "data.npz", X=X, codes=model[:-1].transform(X), labels=model.predict(X))
    code = """
import sys, pickle, joblib, numpy as np
data = np.load(sys.argv[1] + "/data.npz")
for model in (pickle.load(open(sys.argv[1] + "/model.pkl", "rb")), joblib.load(sys.argv[1] + "/model.joblib")):
    assert (model[:-1].transform(data["X"]) == data["codes"]).all()
    assert (model.predict(data["X"]) == data["labels"]).all()
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_random_state_decides_and_global_streams_are_left_alone(digits):
    X = digits[0][:200]
    torch.manual_seed(1)
    np.random.seed(1)
    first = quick().fit(X).transform(X)
    states = torch.rand(3), np.random.rand(3)
    torch.manual_seed(2)
    np.random.seed(1)
    np.testing.assert_array_equal(first, quick().fit(X).transform(X))
    assert (first != quick(random_state=1).fit(X).transform(X)).any()
    torch.manual_seed(1)
    np.random.seed(1)
    assert torch.equal(states[0], torch.rand(3)) and (states[1] == np.random.rand(3)).all()


def test_warm_start_and_partial_fit_go_on(digits):
    X = digits[0][:200]
    dim = quick(warm_start=True).fit(X)
    first = dim.net_
    assert dim.fit(X).net_ is first and dim.n_iter_ == 4
    dim.partial_fit(X)
    assert dim.n_iter_ == 5 and len(dim.loss_curve_) == len(dim.history_) == 5
    assert quick().fit(X).fit(X).n_iter_ == 2
    assert quick().partial_fit(X).n_iter_ == 1


def test_epochs_one_by_one_do_not_repeat_their_draws(digits):
    seen = []

    def view(x):
        seen.append(x)
        return x

    dim = DIMTransformer(8, augmentation=view, batch_size=500, random_state=0)
    for _ in range(3):
        dim.partial_fit(digits[0][:50])
    first, second, third = (batch for batch in seen[1::2] if len(batch) == 50)
    assert not torch.equal(first, second) and not torch.equal(second, third)


def test_early_stopping_keeps_the_best_epoch(digits):
    dim = quick(early_stopping=True, max_iter=60, n_iter_no_change=3, tol=0.05).fit(digits[0][:400])
    assert dim.n_iter_ < 60
    assert dim.mutual_info_ == pytest.approx(dim.history_["valid_mutual_info"].max(), abs=1e-4)


def test_output_does_not_depend_on_company(digits):
    dim = quick(image_shape=IMAGES).fit(digits[0][:200])
    together = dim.transform(digits[0][:50])
    one_by_one = np.vstack([dim.transform(digits[0][i : i + 1]) for i in range(50)])
    np.testing.assert_allclose(together, one_by_one, atol=1e-4)


def test_verbose_prints_a_line_per_epoch_and_silence_is_the_default(digits, capsys):
    quick().fit(digits[0][:100])
    assert capsys.readouterr().out == ""
    quick(verbose=1).fit(digits[0][:100])
    first, *epochs = capsys.readouterr().out.strip().splitlines()
    assert "100 rows of a table with 64 columns" in first and len(epochs) == 2
