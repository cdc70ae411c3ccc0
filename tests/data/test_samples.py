"""Samples as they come: channels first or last, in memory, in a file, in a torch Dataset."""

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from sklearn_dim import DIMTransformer
from sklearn_dim.data import moments, read_samples


def checked(X, **options):
    return read_samples(X, "DIMTransformer", **options).X


def images(*shape, dtype=np.float32):
    return np.random.default_rng(0).integers(0, 255, size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_channels_are_found_first_or_last(dtype):
    X = images(5, 3, 9, 12, dtype=dtype)
    last = np.moveaxis(X, 1, 3)
    np.testing.assert_array_equal(checked(X), X)
    np.testing.assert_array_equal(checked(last), X)
    assert checked(last).dtype == dtype
    # Both ends look like channels: first, unless it is said.
    narrow = images(5, 3, 9, 4)
    assert checked(narrow).shape == (5, 3, 9, 4)
    assert checked(narrow, channels="last").shape == (5, 4, 3, 9)
    assert checked(last, channels="first").shape == (5, 9, 12, 3)


def test_flat_rows_are_images_in_the_order_that_is_said():
    X = images(5, 3, 8, 10)
    np.testing.assert_array_equal(checked(X.reshape(5, -1), image_shape=(3, 8, 10)), X)
    flat_last = np.moveaxis(X, 1, 3).reshape(5, -1)
    np.testing.assert_array_equal(checked(flat_last, image_shape=(3, 8, 10), channels="last"), X)
    np.testing.assert_array_equal(checked(np.moveaxis(X, 1, 3), image_shape=(3, 8, 10)), X)


class Pairs(Dataset):
    """Images with labels, channels last, as loaders give them."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return np.moveaxis(self.X[index], 0, 2), index % 2


class Stream(IterableDataset):
    def __iter__(self):
        return iter([])


@pytest.mark.parametrize("X", [images(40, 3, 8, 8), images(40, 3, 8, 8, dtype=np.uint8)], ids=["float", "uint8"])
def test_a_dataset_is_worth_its_array(X):
    settings = {"n_components": 4, "max_iter": 1, "random_state": 0}
    by_array = DIMTransformer(**settings).fit(X)
    for dataset in (Pairs(X), TensorDataset(torch.from_numpy(X))):
        by_dataset = DIMTransformer(**settings).fit(dataset)
        np.testing.assert_allclose(by_dataset.transform(dataset), by_array.transform(X), atol=1e-5)
        np.testing.assert_allclose(by_dataset.transform(X), by_array.transform(X), atol=1e-5)
    assert by_dataset.score(dataset) == pytest.approx(by_array.score(X), abs=1e-4)


def test_bad_datasets_are_named():
    with pytest.raises(TypeError, match=r"Stream has no length .* Give a torch Dataset with __len__"):
        checked(Stream())
    X = images(10, 3, 8, 8)
    X[7] = np.nan
    dim = DIMTransformer(4, max_iter=1)
    with pytest.raises(ValueError, match="item 7 of the dataset contains NaN"):
        dim.fit(TensorDataset(torch.from_numpy(X)))
    assert not dim.__sklearn_is_fitted__()
    fitted = DIMTransformer(4, max_iter=1, random_state=0).fit(X[:6])
    with pytest.raises(ValueError, match=r"samples of shape \(3, 9, 9\), but DIMTransformer was fitted"):
        fitted.transform(TensorDataset(torch.zeros(4, 3, 9, 9)))


def test_a_file_is_read_as_it_is_needed(tmp_path):
    X = images(40, 8, 8, 3, dtype=np.uint8)
    np.save(tmp_path / "X.npy", X)
    settings = {"n_components": 4, "max_iter": 1, "random_state": 0}
    expected = DIMTransformer(**settings).fit(X).transform(X)
    for mode in ("r", "c"):
        mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
        np.testing.assert_array_equal(DIMTransformer(**settings).fit(mapped).transform(mapped), expected)


def test_moments_of_chunks_are_those_of_all(monkeypatch):
    X = images(50, 3, 8, 8, dtype=np.uint8)
    X[:, 1] = 7
    expected = X.mean((0, 2, 3)), np.where(X.std((0, 2, 3)) == 0, 1.0, X.std((0, 2, 3)))
    monkeypatch.setattr("sklearn_dim.data._samples.MAX_NUMBERS", 7 * 192)
    for X_like in (X, X.astype(np.float64)):
        np.testing.assert_allclose(moments(X_like), expected)
        np.testing.assert_allclose(moments(X_like, np.arange(50)[::-1]), expected)
