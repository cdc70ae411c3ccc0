"""save and load: same numbers, no code, and sentences for what is wrong."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from sklearn_dim import DIMTransformer
from sklearn_dim.bounds import DV
from sklearn_dim.files import write_page
from sklearn_dim.persistence import load, save

from .conftest import KINDS

safetensors = pytest.importorskip("safetensors.numpy")


@pytest.mark.parametrize("name", KINDS)
def test_an_estimator_comes_back_with_the_same_answers(fitted, name, tmp_path):
    estimator, X, answer = fitted(name)
    save(estimator, tmp_path / "new" / "folder")
    again = load(tmp_path / "new" / "folder")
    assert type(again) is type(estimator) and again.get_params() == estimator.get_params()
    np.testing.assert_array_equal(answer(again, X), answer(estimator, X))
    pd.testing.assert_frame_equal(again.history_, estimator.history_)
    assert vars(again).keys() == vars(estimator).keys()


def test_what_is_loaded_trains_on_and_is_saved_again(fitted, tmp_path):
    estimator, X, _ = fitted("table")
    save(estimator, tmp_path)
    again = load(tmp_path).partial_fit(X)
    save(again, tmp_path)
    assert load(tmp_path).n_iter_ == 2


def test_parameters_of_ours_come_back(tmp_path):
    unfitted = DIMTransformer(np.int64(3), mi_estimator=DV(ema_decay=0.5), image_shape=(1, 8, 8))
    save(unfitted, tmp_path)
    assert load(tmp_path).get_params() == unfitted.get_params()
    assert isinstance(load(tmp_path).image_shape, tuple)


def test_other_programs_find_the_weights_by_name(fitted, tmp_path):
    estimator = fitted("table").estimator
    save(estimator, tmp_path)
    arrays = safetensors.load_file(tmp_path / "arrays.safetensors")
    np.testing.assert_array_equal(arrays["mean_"], estimator.mean_)
    weights = {name for name in arrays if name.startswith("net_.state.weights.encoder.")}
    assert len(weights) == len(estimator.net_.module_.encoder.state_dict())
    assert json.loads((tmp_path / "estimator.json").read_text())["state"]["n_components"] == 4


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"encoder": nn.Linear(5, 4)}, "encoder contains a Linear, which is not data"),
        ({"augmentation": np.sin}, "augmentation contains a ufunc"),
        ({"callbacks": [object()]}, "callbacks contains a object"),
        ({"random_state": np.random.RandomState(0)}, "random_state contains a RandomState"),
    ],
)
def test_an_object_of_ones_own_is_refused_before_anything_is_written(parameters, sentence, tmp_path):
    with pytest.raises(TypeError, match=sentence):
        save(DIMTransformer(4, **parameters), tmp_path / "model")
    assert not (tmp_path / "model").exists()


class Subclass(DIMTransformer):
    """An estimator that load() could not name."""


@pytest.mark.parametrize("other", [make_pipeline(DIMTransformer(), LogisticRegression()), Subclass()])
def test_another_class_is_refused(other, tmp_path):
    with pytest.raises(TypeError, match=f"estimator is a {type(other).__name__}"):
        save(other, tmp_path / "model")


def edited(folder, **changes):
    about = json.loads((folder / "estimator.json").read_text())
    (folder / "estimator.json").write_bytes(write_page({**without_digest(about), **changes}))


def without_digest(about):
    return {key: value for key, value in about.items() if key != "digest"}


def without_weights(folder):
    state = json.loads((folder / "estimator.json").read_text())["state"]
    del state["net_"]["state"]["weights"]
    edited(folder, state=state)


def of_the_future(folder):
    state = json.loads((folder / "estimator.json").read_text())["state"]
    edited(folder, state={**state, "_sklearn_dim_version": "9.1", "_sklearn_dim_format": 99})


@pytest.mark.parametrize(
    ("spoil", "error", "sentence"),
    [
        (lambda folder: (folder / "estimator.json").unlink(), FileNotFoundError, "json does not exist. Give load"),
        (lambda folder: (folder / "arrays.safetensors").unlink(), FileNotFoundError, "safetensors does not exist"),
        (lambda folder: (folder / "estimator.json").write_text("{"), ValueError, "json is not as save.. wrote it"),
        (lambda folder: (folder / "estimator.json").write_text("[]"), ValueError, "json is not as save.. wrote it"),
        (lambda folder: (folder / "estimator.json").write_bytes(b"\xff"), ValueError, "json is not as save.. wrote it"),
        (
            lambda folder: (folder / "arrays.safetensors").write_bytes(b"x"),
            ValueError,
            "is damaged, or belongs to another",
        ),
        (lambda folder: edited(folder, **{"class": "os.system"}), ValueError, "names the class 'os.system'"),
        (lambda folder: edited(folder, **{"class": ["x"]}), ValueError, "wrote it .TypeError: class or state"),
        (lambda folder: edited(folder, state=[]), ValueError, "is not as save.. wrote it"),
        (without_weights, ValueError, r"is not as save.. wrote it .arrays.safetensors has other arrays"),
        (of_the_future, ValueError, r"saved by sklearn-dim 9\.1 in format 99"),
    ],
)
def test_files_that_are_missing_or_damaged_get_a_sentence(fitted, spoil, error, sentence, tmp_path):
    save(fitted("table").estimator, tmp_path)
    spoil(tmp_path)
    with pytest.raises(error, match=sentence):
        load(tmp_path)


def test_a_path_to_nothing_gets_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist\. Give load\(\) a folder that save\(\) wrote"):
        load(tmp_path / "nothing")
