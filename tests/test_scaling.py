"""More than one process, more rows than memory."""

import pathlib
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_dim import DIMTransformer
from sklearn_dim.data import take_rows
from sklearn_dim.training import RowBatches, seeded


def quick(**parameters):
    return DIMTransformer(**{"n_components": 4, "max_iter": 1, "random_state": 0, **parameters})


def search_scores(n_jobs=None):
    X, y = load_digits(return_X_y=True)
    pipeline = Pipeline([("dim", quick()), ("clf", LogisticRegression())])
    grid = {"dim__mi_estimator": ["jsd", "infonce"]}
    found = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs).fit(X[:400], y[:400]).cv_results_
    return np.array([found["split0_test_score"], found["split1_test_score"]])


@pytest.mark.slow
def test_dask_loky_and_one_process_give_the_same_scores():
    distributed = pytest.importorskip("dask.distributed")
    expected = search_scores(n_jobs=1)
    assert np.ptp(expected) > 0
    np.testing.assert_array_equal(search_scores(n_jobs=2), expected)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        with joblib.parallel_config("dask"):
            np.testing.assert_array_equal(search_scores(), expected)
        X, dim = load_digits(return_X_y=True)[0], quick().fit(load_digits().data)
        blocks = by_blocks(dim, X)
        np.testing.assert_array_equal(client.compute(blocks).result(), dim.transform(X))


@pytest.mark.slow
def test_ray_gives_the_same_scores():
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        with joblib.parallel_config("ray", n_jobs=-1):
            found = search_scores()
    finally:
        ray.shutdown()
    np.testing.assert_array_equal(found, search_scores(n_jobs=1))


def by_blocks(dim, X, rows=500):
    da = pytest.importorskip("dask.array")
    blocks = da.from_array(X, chunks=(rows, X.shape[1]))
    return blocks.map_blocks(dim.transform, dtype=X.dtype, chunks=(blocks.chunks[0], (dim.n_components,)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blocks_of_a_dask_array_are_transformed_as_the_whole(dtype):
    X = load_digits().data.astype(dtype)
    dim = quick().fit(X)
    codes = by_blocks(dim, X).compute(scheduler="threads", num_workers=4)
    assert codes.dtype == dtype
    np.testing.assert_allclose(codes, dim.transform(X), rtol=0, atol=1e-12 if dtype == np.float64 else 1e-5)


def test_fits_in_threads_do_not_disturb_each_other():
    X = load_digits().data[:300]
    expected = [quick(random_state=seed).fit(X).mutual_info_ for seed in range(4)]
    fits = joblib.Parallel(4, backend="threading")(joblib.delayed(quick(random_state=seed).fit)(X) for seed in range(4))
    assert [dim.mutual_info_ for dim in fits] == expected


def test_seeded_may_be_nested():
    with seeded(0), seeded(0):
        pass


# Files

PEAK = """
import pathlib, sys
import numpy as np, torch
from torch import nn
from sklearn_dim import DIMTransformer

class Means(nn.Module):
    def __init__(self, shape, n_components):
        super().__init__()
        self.code = nn.Linear(16, n_components)
    def forward(self, x):
        x = x.unflatten(2, (4, -1)).mean(3).flatten(1)
        return x.unflatten(1, (4, 4)), self.code(x)

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

def run(X):
    options = {"encoder": Means, "augmentation": None, "representation": "code", "max_iter": 1, "random_state": 0}
    DIMTransformer(4, **options).fit(X).transform(X)

X = np.load(sys.argv[1], mmap_mode="r")
run(np.array(X[:300]))
before = peak()
run(X)
print(peak() - before)
"""


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_file_does_not_stay_in_memory(tmp_path):
    X = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(3000, 4, 4096))
    X[:] = np.random.default_rng(0).standard_normal((3000, 4, 1), dtype=np.float32)
    X.flush()
    child = [sys.executable, "-W", "ignore", "-c", PEAK, str(tmp_path / "X.npy")]
    growth = float(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert X.nbytes / 2**20 > 187 and growth < 125


@pytest.fixture
def no_file_is_small(monkeypatch):
    monkeypatch.setattr("sklearn_dim.data._samples.KEPT_FILE", 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_file_is_worth_its_array(tmp_path, no_file_is_small, dtype, mode):
    X = (load_digits().data[:300] * 10).astype(dtype)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    from_file, from_memory = quick().fit(mapped), quick().fit(X)
    np.testing.assert_array_equal(from_file.transform(mapped), from_memory.transform(X))
    assert from_file.score(mapped) == from_memory.score(X)


def test_any_rows_of_a_file_may_be_picked(tmp_path, no_file_is_small):
    X = np.arange(2000.0).reshape(1000, 2)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    order = np.random.default_rng(0).permutation(1000)
    for rows in (order, order[:128], order[:129], order[:0], slice(3, 700, 2)):
        np.testing.assert_array_equal(take_rows(mapped, rows), X[rows])


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_changes_of_a_map_are_not_lost(tmp_path, no_file_is_small, mode):
    np.save(tmp_path / "X.npy", np.zeros((10, 3), np.float32))
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    mapped[:] = 7
    for (rows,) in RowBatches(mapped, batch_size=4):
        assert (rows == 7).all()
    assert (mapped == 7).all()


def test_columns_of_a_file_that_are_far_from_zero_lose_nothing(tmp_path, no_file_is_small):
    X = np.random.default_rng(0).normal(size=(200, 6)) + 1e9
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    from_file, from_memory = quick().fit(mapped), quick().fit(X)
    np.testing.assert_array_equal(from_file.transform(mapped), from_memory.transform(X))


@pytest.mark.parametrize(
    "value, message",
    [(np.nan, r"Input X contains NaN\. DIMTransformer .* memory maps\. Fill them"), (np.inf, "contains infinity")],
)
def test_missing_and_infinite_values_of_a_file_are_refused(tmp_path, value, message):
    X = np.zeros((50, 4), np.float32)
    X[40, 2] = value
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(ValueError, match=message):
        quick().fit(np.load(tmp_path / "X.npy", mmap_mode="r"))
