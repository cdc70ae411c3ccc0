"""Samples one by one: lists, Datasets, Pillow images, and what of them is an array."""

from collections import UserList

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from sklearn_dim.data import collected, read_samples

IMAGES = np.random.default_rng(0).integers(0, 255, size=(6, 9, 12, 3), dtype=np.uint8)
ROWS = np.arange(12.0).reshape(4, 3)


class Plain:
    """Samples by number, and no more than a map-style Dataset has to do."""

    def __init__(self, samples, label=None):
        self.samples, self.label, self.read = samples, label, []

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        if type(index) is not int or not 0 <= index < len(self):
            raise RuntimeError(f"asked for item {index!r}")
        self.read.append(index)
        return self.samples[index] if self.label is None else (self.samples[index], self.label)


class Several(Plain):
    """Reads items together, as a DataLoader's workers do."""

    def __getitem__(self, index):
        raise RuntimeError("one by one")

    def __getitems__(self, rows):
        return [self.samples[row] for row in rows]


class Endless:
    def __getitem__(self, index):
        return np.zeros((3, 8, 8))


class NoLength(Dataset):
    def __getitem__(self, index):
        return np.zeros((3, 8, 8))


class Stream(IterableDataset):
    def __iter__(self):
        return iter(IMAGES)


def pillow(images):
    image = pytest.importorskip("PIL.Image")
    return [image.fromarray(pixels) for pixels in images]


def objects(samples):
    array = np.empty(len(samples), dtype=object)
    array[:] = list(samples)
    return array


LISTS = {
    "list": list,
    "tuple": tuple,
    "numbers in lists": np.ndarray.tolist,
    "array of objects": objects,
    "Series": lambda X: pd.Series(list(X)),
    "tensors": lambda X: [torch.from_numpy(x) for x in X],
    "tensors with gradients": lambda X: [torch.from_numpy(x).float().requires_grad_() for x in X],
    "items (sample,)": lambda X: [(x,) for x in X],
    "items (sample, label)": lambda X: [(x, 1) for x in X],
    "items of a TensorDataset": lambda X: list(TensorDataset(torch.from_numpy(X), torch.arange(len(X)))),
    "tensor": torch.from_numpy,
    "tensor of 16 bits": lambda X: torch.from_numpy(X).bfloat16(),
    "Pillow": pillow,
}


@pytest.mark.parametrize("given", LISTS)
def test_a_list_is_worth_its_array(given):
    X = LISTS[given](IMAGES)
    np.testing.assert_array_equal(collected(X), IMAGES)
    for channels in ("auto", "last"):
        np.testing.assert_array_equal(read_samples(X, "", channels=channels).X, np.moveaxis(IMAGES, 3, 1))
    wide = np.repeat(IMAGES, 4, axis=3)  # 12 channels, which nothing shows
    if given != "Pillow":
        assert read_samples(LISTS[given](wide), "", channels="last").shape == (6, 12, 9, 12)
        assert read_samples(LISTS[given](wide), "", channels="first").shape == (6, 9, 12, 12)


def test_kinds_of_pixels_are_kept():
    assert collected(list(IMAGES)).dtype == np.uint8
    assert collected(list(IMAGES.astype(np.float32))).dtype == np.float32
    grey = collected(pillow(IMAGES[..., 0]))
    np.testing.assert_array_equal(grey, IMAGES[..., :1])
    assert read_samples(grey, "").kind == "image"


def test_channels_in_a_tuple_are_channels():
    sequences = np.random.default_rng(0).normal(size=(5, 2, 9))
    for X in ([tuple(x) for x in sequences], [list(x) for x in sequences], sequences.tolist()):
        np.testing.assert_array_equal(read_samples(X, "").X, sequences)


NO_SAMPLES = [ROWS, ROWS.tolist(), ["a", "b"], [["a", 1], ["b", 2]], objects(["a", None]), pd.Series(["a", "b"])]
NO_SAMPLES += [pd.DataFrame(ROWS), sparse.csr_matrix(ROWS), sparse.dok_matrix(ROWS), "text", 3, None]


@pytest.mark.parametrize("X", NO_SAMPLES, ids=lambda X: type(X).__name__)
def test_all_else_is_left_as_it_is(X):
    assert collected(X) is X


@pytest.mark.parametrize("kind", [Plain, Several, UserList])
def test_a_dataset_need_not_be_torchs(kind):
    rows = collected(kind(list(IMAGES)))
    np.testing.assert_array_equal(rows[:], IMAGES)
    np.testing.assert_array_equal(rows[np.array([4, 1])], IMAGES[[4, 1]])
    assert rows.shape == IMAGES.shape and rows.dtype == np.uint8


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int32", "float16", "bool"])
def test_a_dataset_has_the_dtype_of_its_array(dtype):
    X = IMAGES.astype(dtype)
    assert collected(Plain(X))[:].dtype == collected(Plain(X)).dtype == read_samples(X, "").dtype
    np.testing.assert_array_equal(collected(Plain(X))[:], X)


DATASETS = [Plain(ROWS), Plain(ROWS, "label"), Plain(ROWS.tolist()), Plain([tuple(row) for row in ROWS])]
DATASETS += [Plain(ROWS.tolist(), 3), Plain([[row, 3] for row in ROWS]), Plain(torch.from_numpy(ROWS), 3)]


@pytest.mark.parametrize("samples", DATASETS)
def test_an_item_is_a_sample_or_begins_with_one(samples):
    np.testing.assert_array_equal(collected(samples)[:], ROWS)


def test_items_are_read_when_they_are_asked_for():
    dataset = Plain(IMAGES)
    rows = collected(dataset)
    assert dataset.read == [0]
    assert rows[np.array([5, 2])].shape[0] == 2 and dataset.read == [0, 5, 2]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (Endless(), "X is a Endless, which has no length.*Pass list"),
        (iter(IMAGES), "has no length.*Pass list"),
        ({1, 2}, "X is a set, which cannot be indexed.*Pass list"),
        (NoLength(), "NoLength has no length .* Give a torch Dataset with __len__"),
        (Stream(), "Stream has no length .* Give a torch Dataset with __len__"),
        (DataLoader(TensorDataset(torch.from_numpy(IMAGES))), "X is a DataLoader.* loader.dataset.*__getitems__"),
        ({"a": [1, 2]}, "X is a dict.*DataFrame"),
        (Plain([{"image": IMAGES[0]}]), "item 0 of the dataset is a dict; expected an array of numbers, or a tuple"),
        (Plain(["a", "b"]), "item 0 of the dataset is a str of <U1; expected an array of numbers"),
        ([sparse.csr_matrix(ROWS)] * 2, "sparse.vstack"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_picked_from_is_refused_at_once(X, message):
    with pytest.raises(TypeError, match=message):
        collected(X)


def of_lengths(axis):
    x = np.random.default_rng(0).normal(size=(12, 12, 12)[: axis + 1] if axis else 12)
    return [np.take(x, range(size), axis) for size in (10, 12)]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (of_lengths(0), r"X\[1\] has shape \(12,\), but X\[0\] has \(10,\)\. Rows must have one length.*numpy.pad"),
        (of_lengths(1), r"X\[1\] has shape \(12, 12\), but X\[0\] has \(12, 10\).*one length: .*numpy.pad.*edge"),
        ([IMAGES[0], IMAGES[1, :8]], r"X\[1\] has shape \(8, 12, 3\), but X\[0\] has .* one size.*image.resize"),
        ([IMAGES[0], IMAGES[1, :, :, :1]], "the same channels, with Pillow image.convert"),
        ([IMAGES[0], IMAGES[1, :, :, 0]], "the same axes"),
        ([[1.0, 2.0], [1.0]], r"X\[1\] has shape \(1,\), but X\[0\] has \(2,\)"),
        (objects(of_lengths(1)), r"X\[1\] has shape"),
        (Plain(of_lengths(1)), "item 1 of the dataset has shape .* but item 0 of the dataset has"),
    ],
)
def test_samples_of_other_shapes_are_named_with_the_cure(X, message):
    with pytest.raises(ValueError, match=message):
        rows = collected(X)
        rows[:]


def test_the_cures_cure():
    short, full = of_lengths(1)
    padded = np.pad(short, [(0, 0), (0, 12 - short.shape[1])], mode="edge")
    assert collected([padded, full]).shape == (2, 12, 12)
    image = pillow(IMAGES)[0]
    assert collected([image.resize((10, 8)), image.resize((10, 8))]).shape == (2, 8, 10, 3)
    assert collected([image.convert("L").convert("RGB"), image]).shape == (2, 9, 12, 3)


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_numbers_of_colours_are_no_colours(mode):
    with pytest.raises(ValueError, match=f"Pillow image of mode '{mode}'.*convert"):
        collected([image.convert(mode) for image in pillow(IMAGES)])
