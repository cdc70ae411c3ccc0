"""A fit that fails anywhere leaves the estimator as it was, and the process too."""

import linecache
import pathlib
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch

import sklearn_dim
from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    MutualInfoSelector,
    mutual_info_features,
)
from sklearn_dim.metrics import neural_dependency_measure
from sklearn_dim.training._turns import TURNS

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import test_same_bits as same_bits

sys.path.pop(0)
PACKAGE = str(pathlib.Path(sklearn_dim.__file__).parent)
TABLE = same_bits.table()[0]
GRAPH = same_bits.graph(words=True)
GRAPHS = same_bits.small_graphs()[0]
PAIRS = [side[0] for side in same_bits.pairs(2, 1)]
WARM = {"warm_start": True}


@dataclass
class Kind:
    """How an estimator is made, fitted, and asked for its numbers."""

    make: Callable
    rows: list
    numbers: Callable


KINDS = {
    "dim": Kind(
        partial(DIMTransformer, **same_bits.DIM, **WARM, mi_estimator="tuba", early_stopping=True),
        [TABLE],
        lambda dim: dim.transform(TABLE),
    ),
    "dgi": Kind(partial(DGITransformer, **same_bits.DGI, **WARM), [GRAPH], lambda dgi: dgi.transform(GRAPH)),
    "infograph": Kind(
        partial(GraphInfomaxTransformer, **same_bits.INFOGRAPH, **WARM),
        [GRAPHS],
        lambda infograph: infograph.transform(GRAPHS),
    ),
    "information": Kind(
        partial(MutualInfoEstimator, **same_bits.PAIRS), PAIRS, lambda information: information.pointwise(*PAIRS)
    ),
    "selector": Kind(
        partial(MutualInfoSelector, 1, n_permutations=19, max_iter=2, device="cpu", random_state=0),
        PAIRS,
        lambda selector: selector.scores_,
    ),
}


class Injected(Exception):
    """What no code of the package catches."""


def injected():
    raise Injected


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def lines_of(call, fail_at=None, fail=injected):
    """Call, and return the number of lines of the package that were run; in ``fail_at``, it fails."""
    n = 0

    def trace(frame, event, arg):
        nonlocal n
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and not is_over(frame):
            n += 1
            if n == fail_at:
                sys.settrace(None)
                fail()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return n


def is_over(frame):
    """Whether the fit has ended already, or what it has set is being restored: nothing can be saved there."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return (
        "return self" in line or frame.f_code.co_name in ("alone", "set_random_states") or "set_random_states" in line
    )


def state_of(estimator):
    """Return all that a file would hold, and what only lives in memory: weights, optimizer."""
    live = estimator.net_.snapshot() if "net_" in vars(estimator) else {}
    tensors = {part: live.get(part) for part in ("weights", "optimizer")}
    return pickle.dumps(estimator.__getstate__()), repr(tensors)


def of_the_process():
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), torch.get_num_threads(), TURNS.worker


def fail_somewhere(estimator, kind, points, n):
    """Let fits of ``n`` lines fail at some of them."""
    for point in np.unique(np.linspace(1, n * 0.99, points).astype(int)):
        before, process = state_of(estimator), of_the_process()
        with pytest.raises(Injected):
            lines_of(lambda: estimator.fit(*kind.rows), fail_at=int(point))
        assert state_of(estimator) == before
        assert of_the_process() == process


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fitted", [False, True], ids=["new", "fitted"])
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("points", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_a_fit_that_fails_anywhere_leaves_all_as_it_was(name, fitted, points, record_property):
    record_property("tries", points)
    kind = KINDS[name]
    kind.make().fit(*kind.rows)  # fills caches
    estimator, other, counted = (kind.make() for _ in range(3))
    if fitted:
        for one in (estimator, other, counted):
            one.fit(*kind.rows)
    fail_somewhere(estimator, kind, points, lines_of(lambda: counted.fit(*kind.rows)))
    for one in (estimator, other):  # a warm start goes on as if nothing had been
        one.fit(*kind.rows)
    np.testing.assert_array_equal(kind.numbers(estimator), kind.numbers(other))


QUICK = {"max_iter": 2, "device": "cpu", "random_state": 0}
SEVERAL_NETS = {
    "information": KINDS["information"].make,
    "selector": KINDS["selector"].make,
    "joint selector": partial(MutualInfoSelector, 1, jointly=True, n_permutations=9, **QUICK),
}
FUNCTIONS = {
    "features": lambda: mutual_info_features(*PAIRS, **QUICK),
    "dependency": lambda: neural_dependency_measure(PAIRS[0], cv=2, **QUICK),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("points", [8, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [*SEVERAL_NETS, *FUNCTIONS])
def test_ctrl_c_in_one_net_of_several_is_passed_on(name, points, record_property):
    """Anywhere: in a fold, between two, while a permutation is drawn."""
    record_property("tries", points)
    estimator = SEVERAL_NETS[name]() if name in SEVERAL_NETS else None
    call = FUNCTIONS.get(name) or partial(SEVERAL_NETS[name]().fit, *PAIRS)
    call()  # fills caches
    n = lines_of(call)
    before, process = vars(estimator).copy() if estimator else None, of_the_process()
    for point in np.unique(np.linspace(1, n * 0.99, points).astype(int)):
        with pytest.raises(KeyboardInterrupt):
            lines_of(FUNCTIONS.get(name) or partial(estimator.fit, *PAIRS), int(point), ctrl_c)
        assert estimator is None or vars(estimator) == before
        assert of_the_process() == process
