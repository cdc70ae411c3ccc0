"""Many fits of random valid settings on random data: nothing is left behind, and every fit ends in finite numbers."""

import gc
import os
import pathlib
import threading
import warnings

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator
from sklearn_dim.bounds import BOUNDS

PROC = pathlib.Path("/proc/self")
pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="memory and open files are read from /proc")


def graph(random):
    n = int(random.integers(12, 60))
    edges = sparse.random_array((n, n), density=0.15, random_state=random)
    return Graph(random.normal(size=(n, 4)), edges + edges.T)


def draw(random):
    """Return an estimator with random settings, and random rows for it."""
    common = {"max_iter": int(random.integers(1, 4)), "device": "cpu", "random_state": int(random.integers(2**31))}
    bound = str(random.choice(list(BOUNDS)))
    n, width = int(random.integers(12, 80)), int(random.integers(2, 9))
    kind = random.integers(6)
    representation = str(random.choice(["auto", "code"]))
    if kind == 0:
        X = random.normal(size=(n, width)) * 10.0 ** random.integers(-9, 9) + random.integers(-9, 9)
        early = {"early_stopping": bool(random.integers(2)), "validation_fraction": 0.3}
        return DIMTransformer(3, mi_estimator=bound, representation=representation, **early, **common), [X]
    if kind == 1:
        X = random.normal(size=(n, int(random.integers(1, 4)), 32))
        return DIMTransformer(3, mi_estimator=bound, representation=representation, **common), [X]
    if kind == 2:
        X = random.integers(0, 255, size=(12, 3, 16, 16)).astype(np.uint8)
        return DIMTransformer(3, mi_estimator=bound, representation=representation, **common), [X]
    if kind == 3:
        return DGITransformer(8, representation=representation, **common), [graph(random)]
    if kind == 4:
        graphs = [graph(random) for _ in range(int(random.integers(2, 9)))]
        return GraphInfomaxTransformer(8, mi_estimator=bound, representation=representation, **common), [graphs]
    X = random.normal(size=(max(n, 20), width))
    return MutualInfoEstimator(bound, cv=2, **common), [X, X[:, 0] + random.normal(size=len(X))]


def left_behind():
    """Return what a fit must not change: threads, open files, random streams, modes."""
    return {
        "threads": threading.active_count(),
        "files": len(os.listdir(PROC / "fd")),
        "torch's stream": torch.get_rng_state().tolist(),
        "NumPy's stream": np.random.get_state()[1].tolist(),
        "torch's threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "NumPy's errors": np.geterr(),
        "warnings": list(warnings.filters),
    }


def megabytes():
    gc.collect()
    return int((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


# The longest takes about ten minutes of CPU time.
@pytest.mark.parametrize("fits", [16, *(pytest.param(n, marks=pytest.mark.slow) for n in (300, 2000))])
def test_fits_leave_nothing_behind(fits, record_property):
    record_property("tries", fits)
    random = np.random.default_rng(fits)
    memory = []
    for i in range(fits):
        estimator, rows = draw(random)
        before = left_behind()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(*rows)
        codes = estimator.transform(rows[0]) if hasattr(estimator, "transform") else estimator.pointwise(*rows)
        assert np.isfinite(codes).all(), estimator
        assert left_behind() == before, estimator
        if i >= fits // 4:  # by then all code is loaded
            memory.append(megabytes())
    early, late = (np.median(part) for part in np.array_split(memory, 4)[::3])
    record_property("memory", f"{early:.0f} to {late:.0f} MB")
    assert late - early < 100, f"from {early:.0f} to {late:.0f} MB in {fits} fits"
