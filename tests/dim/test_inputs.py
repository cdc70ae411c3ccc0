"""Inputs as strangers give them: the same numbers as those of the plain array, or a sentence with the cure."""

import pickle
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from sklearn_dim import DGITransformer, DIMTransformer, MutualInfoEstimator
from sklearn_dim.persistence import to_torch
from sklearn_dim.views import Flip

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(30, 6))
SEQUENCES = RNG.normal(size=(30, 2, 32))
IMAGES = RNG.normal(size=(30, 3, 9, 12))
KINDS = {
    "table": TABLE,
    "table of float32": TABLE.astype(np.float32),
    "sequences": SEQUENCES,
    "images": IMAGES,
    "images, channels last": RNG.normal(size=(30, 9, 12, 3)).astype(np.float32),
    "pixels": RNG.integers(0, 255, size=(30, 1, 9, 12), dtype=np.uint8),
}
SAMPLES = list(KINDS)
WORDS = KINDS["words"] = RNG.integers(1, 9, size=(30, 12))


def quick(**parameters):
    return DIMTransformer(
        **{
            "n_components": 3,
            "max_iter": 1,
            "representation": "code",
            "mixed_precision": False,
            "random_state": 0,
            **parameters,
        }
    )


@cache
def expected(kind, **parameters):
    """Return what the plain array gives: the model, its codes and its score."""
    model = quick(**parameters).fit(KINDS[kind])
    return model, model.transform(KINDS[kind]), model.score(KINDS[kind])


def assert_worth(X, kind, **parameters):
    """Check that X, of the same numbers, gives what the plain array gives, when fitted and when transformed."""
    of_array, codes, score = expected(kind, **parameters)
    assert codes.std(0) == pytest.approx(1, abs=1e-3)
    model = quick(**parameters).fit(X)
    for each in (model.transform(X), of_array.transform(X)):
        np.testing.assert_allclose(each, codes, atol=1e-5)
    assert model.score(X) == pytest.approx(score, abs=1e-5)


# Arrays that lie otherwise in memory


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def in_a_file(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


LAYOUTS = {
    "rows backwards": lambda X: X[::-1].copy()[::-1],
    "last axis backwards": lambda X: X[..., ::-1].copy()[..., ::-1],
    "second axis backwards": lambda X: X[:, ::-1].copy()[:, ::-1],
    "Fortran": np.asfortranarray,
    "every other row": lambda X: X.repeat(2, 0)[::2],
    "axes moved": lambda X: np.moveaxis(np.moveaxis(X, 1, -1).copy(), -1, 1),
    "big-endian": lambda X: X.astype(X.dtype.newbyteorder(">")),
    "read-only": read_only,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_how_an_array_lies_in_memory_is_no_matter(kind, layout):
    X = LAYOUTS[layout](KINDS[kind])
    np.testing.assert_array_equal(X, KINDS[kind])
    assert_worth(X, kind)


@pytest.mark.parametrize("kind", ["table", "sequences", "images"])
def test_files_may_be_read_backwards(kind, tmp_path):
    axes = (slice(None, None, -1),) * 2
    assert_worth(in_a_file(KINDS[kind][axes], tmp_path)[axes], kind)


def test_frames_and_documents_may_be_read_backwards():
    assert_worth(pd.DataFrame(TABLE[::-1])[::-1], "table")
    assert_worth(WORDS[::-1].copy()[::-1], "words", encoder="tokens")


# Lists and Datasets


class Items(Dataset):
    def __init__(self, X, y=None):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, row):
        return self.X[row] if self.y is None else (self.X[row], self.y[row])


class Plain:
    """As `Items`, without torch."""

    __init__, __len__, __getitem__ = Items.__init__, Items.__len__, Items.__getitem__


@pytest.mark.parametrize("wrapped", [list, Plain, Items, TensorDataset])
@pytest.mark.parametrize("kind", SAMPLES)
def test_lists_and_datasets_are_worth_their_array(kind, wrapped):
    X = KINDS[kind]
    assert_worth(wrapped(torch.from_numpy(X) if wrapped is TensorDataset else X), kind)


def test_words_come_from_datasets_too():
    assert_worth(Plain(WORDS), "words", encoder="tokens")


@pytest.mark.parametrize("wrapped", [list, Plain, lambda X: [torch.from_numpy(x).requires_grad_() for x in X]])
def test_other_estimators_take_lists_and_datasets_too(wrapped):
    y = RNG.normal(size=30)
    network = nn.Sequential(nn.Flatten(), nn.Linear(324, 3))
    information = MutualInfoEstimator(encoder=network, cv=2, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch is worth a warning
        assert clone(information).fit(wrapped(IMAGES), y).score(wrapped(IMAGES), y) == pytest.approx(
            information.fit(IMAGES, y).score(IMAGES, y), abs=1e-6
        )
    nodes = DGITransformer(3, max_iter=1, n_neighbors=4, random_state=0)
    np.testing.assert_array_equal(
        clone(nodes).fit(wrapped(TABLE)).transform(wrapped(TABLE)), nodes.fit(TABLE).transform(TABLE)
    )


def test_a_dataset_is_cross_validated():
    y = np.arange(30) % 2
    dataset = Plain(IMAGES, y)
    scores = cross_val_score(quick(), dataset, cv=2, error_score="raise")
    np.testing.assert_allclose(scores, cross_val_score(quick(), IMAGES, cv=2), atol=1e-6)
    model = make_pipeline(quick(), LogisticRegression())
    search = GridSearchCV(model, {"dimtransformer__n_components": [2, 3]}, cv=2, error_score="raise").fit(dataset, y)
    assert search.predict(dataset).shape == (30,)


# Sequences


def test_time_first_is_warned_of():
    X = RNG.normal(size=(20, 60, 9))
    with pytest.warns(UserWarning, match=r"read as sequences of 60 channels and length 9.*X.transpose\(0, 2, 1\)") as w:
        quick().fit(X)
    assert w[0].filename == __file__
    with pytest.warns(UserWarning, match="60 channels"), pytest.raises(ValueError, match=r"X.transpose\(0, 2, 1\)"):
        quick().fit(X[..., :2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick().fit(X.transpose(0, 2, 1)).transform(X.transpose(0, 2, 1))
        quick().fit(X[:, :36])  # as many as four channels a step are not rare


def test_grey_images_without_an_axis_for_their_channel_are_warned_of():
    pixels = KINDS["pixels"][:, 0]
    with pytest.warns(UserWarning, match=r"If its samples are grey images.*X\[:, None\]"):
        assert quick().fit(pixels).input_kind_ == "sequence"
    assert quick().fit(pixels[:, None]).input_kind_ == "image"


def test_sequences_padded_with_nan_go_on_with_their_last_value():
    X = SEQUENCES.copy()
    X[::2, :, 25:] = np.nan
    with pytest.raises(ValueError, match=r"X contains NaN.*pandas.DataFrame\(x.T\).ffill\(\).T for each x"):
        quick().fit(X)
    filled = [pd.DataFrame(x.T).ffill().T for x in X]
    assert quick().fit(filled).input_shape_ == (2, 32)
    np.testing.assert_array_equal(filled[0].to_numpy()[:, 25:], X[0, :, 24:25].repeat(7, 1))


def test_dates_are_numbers_in_tables_only():
    dates = np.datetime64("2020-01-01") + np.arange(1920).reshape(30, 2, 32)
    assert quick().fit(dates[:, 0]).input_kind_ == "table"
    for X, what in ((dates, "dates"), (dates - dates[0], "durations")):
        with pytest.raises(TypeError, match=f"X holds {what}.*Pass numbers, say of seconds since the first"):
            quick().fit(X)
    quick().fit((dates - dates.min()) / np.timedelta64(1, "s"))


# Numbers that float32 has not


@pytest.mark.parametrize("far", [1e7, -1e8])
@pytest.mark.parametrize("wrapped", [np.asarray, Plain])
@pytest.mark.parametrize("kind", ["table", "sequences", "images"])
def test_values_far_from_zero_have_the_codes_of_those_near(kind, wrapped, far):
    X = KINDS[kind] + far
    near, model = quick().fit(X - far), quick().fit(wrapped(X))
    np.testing.assert_allclose(model.transform(wrapped(X)), near.transform(X - far), atol=2e-3)
    assert model.score(wrapped(X)) == pytest.approx(near.score(X - far), abs=1e-4)
    codes = to_torch(model)(torch.as_tensor(X)).detach().numpy()
    np.testing.assert_allclose(codes, model.transform(X), atol=1e-4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), model.transform(X))
    assert quick(early_stopping=True).fit(X).transform(X).std() == pytest.approx(1, abs=0.2)


def test_one_channel_may_be_far_from_zero():
    X = IMAGES.copy()
    X[:, 1] += 1e8
    near = X - np.array([0, 1e8, 0])[:, None, None]
    np.testing.assert_allclose(quick().fit(X).transform(X), quick().fit(near).transform(near), atol=2e-3)


def test_photos_far_from_zero_are_mirrored_as_those_near():
    X = RNG.normal(size=(60, 3, 9, 9))  # noise looks like its mirror image
    for far in (0, 1e8):
        assert any(isinstance(view, Flip) for view in quick().fit(X + far).net_.module_.view.steps)


@pytest.mark.parametrize("factor", [1e-35, 1e30])
@pytest.mark.parametrize("kind", ["table", "sequences"])
def test_small_and_large_units_have_the_codes_of_others(kind, factor):
    X = KINDS[kind].copy()
    expected = quick().fit(X).transform(X)
    X[:, 0] *= factor
    np.testing.assert_allclose(quick().fit(X).transform(X), expected, atol=2e-3)


@pytest.mark.parametrize("factor", [1e-40, 1e-46, 1e-300, 1e-310, 1e38, 1e200])
@pytest.mark.parametrize("kind", ["table", "sequences"])
def test_units_that_float32_has_not_are_named(kind, factor):
    X = KINDS[kind].copy()
    X[:, 1] *= factor
    size = "small" if factor < 1 else "large"
    with pytest.raises(ValueError, match=f"column or channel 1 of X has .* too {size} for float32. Rescale it"):
        quick().fit(X)
    X[:, 1] = 0
    quick().fit(X)


# Rows, names, parameters


@pytest.mark.parametrize("X", [TABLE, SEQUENCES, IMAGES, pd.DataFrame(TABLE)], ids=["table", "sequence", "image", "df"])
def test_numbers_of_any_type_may_go_on(X):
    dim = quick().partial_fit(X)
    for dtype in ("float32", "int64", "uint8", "float64"):
        dim.partial_fit((9 * abs(X)).astype(dtype))
    assert dim.n_iter_ == 5 and np.isfinite(dim.transform(X)).all()


@pytest.mark.parametrize("row", [[[1, 2.5, 3, 4, 5, 6]], [[1, 2, 3, 4, 5, 6]], [[True, 2, 3.5, 4, 5, 6]]], ids=str)
def test_a_row_alone_is_transformed_but_teaches_nothing(row):
    dim = quick().partial_fit(TABLE)
    before = dim.transform(row)
    for X in (row, np.array(row, dtype=object), pd.DataFrame(row), Plain(np.array(row, dtype=float))):
        for fit in (dim.partial_fit, dim.set_params(warm_start=True).fit):
            with pytest.raises(ValueError, match=r"n_samples = 1, but training compares samples.*several at a time"):
                fit(X)
    np.testing.assert_array_equal(dim.transform(row), before)


@pytest.mark.parametrize(
    "fit",
    [
        quick().fit,
        DGITransformer(3).fit,
        lambda X: MutualInfoEstimator().fit(X, X.to_numpy()[:, 0]),
    ],
)
def test_names_that_occur_twice_are_named(fit):
    for names in (["a", "b", "c", "a", "d", "e"], [0, 1, 2, 0, 3, 4]):
        with pytest.raises(ValueError, match=f"several columns with the name {names[0]!r}.*Rename them"):
            fit(pd.DataFrame(TABLE, columns=names))


class Network(nn.Module):
    """(locations, code) of six columns."""

    def __init__(self):
        super().__init__()
        self.local, self.code = nn.Linear(2, 5), nn.Linear(6, 3)

    def forward(self, x):
        return self.local(x.unflatten(1, (3, 2))), self.code(x)


def test_a_network_may_come_in_float64():
    network = Network()
    expected = quick(encoder=network).fit(TABLE).transform(TABLE)
    for encoder in (Network().double(), lambda shape, width: Network().double()):
        if isinstance(encoder, nn.Module):
            encoder.load_state_dict(network.state_dict())
            np.testing.assert_allclose(quick(encoder=encoder).fit(TABLE).transform(TABLE), expected, atol=1e-6)
            assert encoder.code.weight.dtype == torch.float64  # the user's own is as it was
        else:
            assert np.isfinite(quick(encoder=encoder).fit(TABLE).transform(TABLE)).all()


def test_a_view_is_tried_before_training():
    elsewhere = torch.ones(6, device="meta")
    with pytest.raises(ValueError, match=r"augmentation=.* holds tensors on another device .*\.to\(x.device\)"):
        quick(augmentation=lambda x: x + elsewhere).fit(TABLE)
    with pytest.raises(ValueError, match=r"returned a ndarray for a batch of shape \(2, 6\). Return a tensor"):
        quick(augmentation=lambda x: x.numpy() + 1).fit(TABLE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_network_and_a_view_may_be_on_the_gpu():
    shift = torch.ones(6, device="cuda")
    for device in ("cpu", "cuda"):
        network = Network().cuda()
        dim = quick(encoder=network, device=device).fit(TABLE)
        assert network.code.weight.is_cuda and np.isfinite(dim.transform(TABLE)).all()
    quick(augmentation=lambda x: x + shift, device="cuda").fit(TABLE)
