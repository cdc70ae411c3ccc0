"""What tests share: data with a known answer, and the folder of real data."""

import os
import pathlib
import threading

import numpy as np
import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # without it scikit-learn skips one of its checks
os.environ.setdefault("MPLBACKEND", "Agg")  # pictures are looked at, not shown
if "SKLEARN_DIM_GPU" not in os.environ:  # bits are those of the CPU, on machines with a GPU too; see tests/gpu
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """A thread that is no daemon and outlives its test would keep the interpreter from ending.

    Executors end theirs themselves when the interpreter does.
    """
    before = set(threading.enumerate())
    yield
    new = set(threading.enumerate()) - before
    left = [thread for thread in new if not thread.daemon and "Executor" not in thread.name]
    assert not left, f"the test leaves threads that nothing ends: {left}"


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real data, named by SKLEARN_DIM_DATA."""
    folder = os.environ.get("SKLEARN_DIM_DATA")
    if not folder:
        pytest.skip("SKLEARN_DIM_DATA is not set: tests on real data (Cora, CIFAR-10, …) are skipped")
    return pathlib.Path(folder)


@pytest.fixture
def gaussian_pair():
    """Return a function (d, mi, n, seed) → x, y, jointly Gaussian, d columns each, mi nats in all."""

    def make(d, mi, n=2000, seed=0):
        rho = np.sqrt(1 - np.exp(-2 * mi / d))
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, d))
        return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, d))

    return make
