"""The same numbers in another form have the same answer: other dtypes, layouts and containers, other orders, copies.

Forms are drawn by hypothesis over all estimators and functions at once; `-m slow` draws many more.
"""

import copy
import functools
import pathlib
import pickle
import sys
import tempfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    MutualInfoSelector,
    mutual_info,
    mutual_info_features,
)
from sklearn_dim.metrics import information_score, neural_dependency_measure

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import test_same_bits as same_bits

sys.path.pop(0)
pytestmark = pytest.mark.filterwarnings("ignore")
FOLDER = tempfile.TemporaryDirectory()
QUICK = {"max_iter": 2, "device": "cpu", "random_state": 0}
# Adam's first steps are the signs of gradients; of those that are zero but for rounding errors, too. Small steps keep
# the last bit of a number from becoming a step.
STEADY = {**QUICK, "learning_rate_init": 1e-6}
N = 60


def whole_numbers():
    """Return X (60, 5) and y (60,) of whole numbers that every dtype below holds."""
    normal = np.random.default_rng(0).normal(size=(N, 6))
    X = normal[:, :5] + normal[:, :1]
    y = normal[:, 0] + 0.5 * normal[:, 5]
    return np.clip(np.round(15 * X), -60, 60), np.clip(np.round(15 * y), -60, 60)


X, Y = whole_numbers()
RING = sparse.csr_array(sum(np.roll(np.eye(N), shift, 0) for shift in (1, -1, 5, -5)))
EDGES = [same_bits.graph(seed, 12, 5, degree=2.5).adjacency for seed in range(5)]

# Forms: a dtype, then a layout of memory, then a container.


def memory_map(rows):
    path = tempfile.mktemp(".npy", dir=FOLDER.name)
    np.save(path, rows)
    return np.load(path, mmap_mode="r")


def strided(rows):
    room = np.zeros([3 * n for n in rows.shape], rows.dtype)
    every = tuple(slice(1, None, 3) for _ in rows.shape)
    room[every] = rows
    return room[every]


def reversed_rows(rows):
    return rows[::-1].copy()[::-1]


def unaligned(rows):
    room = np.zeros(rows.nbytes + 1, np.uint8)[1:].view(rows.dtype).reshape(rows.shape)
    room[...] = rows
    return room


def read_only(rows):
    rows = rows.copy()
    rows.setflags(write=False)
    return rows


class OwnArray(np.ndarray):
    """An array of a class of its own."""


def tensor(rows):
    return torch.tensor(np.ascontiguousarray(rows).astype(rows.dtype.newbyteorder("=")))


DTYPES = ["float64", "float32", "float16", ">f8", ">f4", "longdouble", "int8", "int16", ">i4", "int64", "object"]
LAYOUTS = {
    "plain": lambda rows: rows,
    "fortran": np.asfortranarray,
    "strided": strided,
    "reversed": reversed_rows,
    "unaligned": unaligned,
    "read-only": read_only,
    "memory map": memory_map,
}
CONTAINERS = {
    "array": lambda rows: rows,
    "list": lambda rows: rows.tolist(),
    "list of rows": list,
    "own array": lambda rows: rows.view(OwnArray),
    "masked array": np.ma.masked_array,
    "pandas": pd.DataFrame,
    "pandas, named rows": lambda rows: pd.DataFrame(rows, index=[f"row {i}" for i in range(len(rows))]),
    "pandas, nullable": lambda rows: pd.DataFrame(rows.astype(float)).astype("Float64"),
    "pandas, arrow": lambda rows: pd.DataFrame(rows.astype(float)).astype("double[pyarrow]"),
    "polars": lambda rows: pl.DataFrame(np.ascontiguousarray(rows.astype(float))),
    "pyarrow": lambda rows: pa.table({f"c{j}": rows[:, j].astype(float) for j in range(rows.shape[1])}),
    "torch": tensor,
    "torch, with gradients": lambda rows: torch.tensor(rows.astype(float), requires_grad=True),
    "torch, bfloat16": lambda rows: torch.tensor(rows.astype(float)).bfloat16(),
}
SPARSE = {
    **{name: getattr(sparse, name) for name in ("csr_array", "csc_array", "coo_array", "lil_array", "csr_matrix")},
    "csr, no order": lambda rows: without_order(sparse.csr_array(rows)),
    "csr, zeros kept": lambda rows: with_zeros(rows),
}


def without_order(matrix):
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        matrix.indices[start:stop] = matrix.indices[start:stop][::-1].copy()
        matrix.data[start:stop] = matrix.data[start:stop][::-1].copy()
    matrix.has_sorted_indices = False
    return matrix


def with_zeros(rows):
    kept = rows.ravel(), np.tile(np.arange(rows.shape[1]), len(rows)), np.arange(0, rows.size + 1, rows.shape[1])
    return sparse.csr_array(kept, shape=rows.shape)


def formed(rows, dtype, layout, container):
    if dtype == "object" and layout in ("unaligned", "memory map"):
        layout = "plain"  # pointers cannot be
    if container == "torch" or container in SPARSE:
        dtype = {"longdouble": "float64", "float16": "float32", "object": "float32"}.get(dtype, dtype).strip(">")
    if dtype == "longdouble" and container in ("pandas", "pandas, named rows"):
        dtype = "float64"
    return {**CONTAINERS, **SPARSE}[container](LAYOUTS[layout](rows.astype(dtype)))


# What is asked of each estimator and function: its numbers by name.


def of_samples(make):
    def answer(X, y):
        model = make().fit(X)
        return {"codes": model.transform(X), "score": model.score(X), "nats": model.mutual_info_}

    return answer


def of_nodes(X, y):
    graph = Graph(X, RING)
    return of_samples(lambda: DGITransformer(8, **STEADY))(graph, None)


def of_graphs(X, y):
    X = Graph(X, RING).features
    graphs = [Graph(X[start : start + 12], edges) for start, edges in zip(range(0, N, 12), EDGES, strict=True)]
    return of_samples(lambda: GraphInfomaxTransformer(8, batch_size=5, **STEADY))(graphs, None)


def of_pairs(X, y):
    model = MutualInfoEstimator(cv=2, **QUICK).fit(X, y)
    return {
        "nats": model.mutual_info_,
        "interval": model.confidence_interval(X, y),
        "pointwise": model.pointwise(X, y),
        "p": model.p_value(n_permutations=19),
    }


def of_selector(X, y):
    model = MutualInfoSelector(2, n_permutations=19, **QUICK).fit(X, y)
    selected = model.transform(X)
    selected = selected.toarray() if sparse.issparse(selected) else np.asarray(selected, dtype=float)
    return {"nats": model.scores_, "p": model.pvalues_, "selected": selected}


def of_information_score(X, y):
    return {"nats": information_score(fitted_dim(), X)}


@functools.cache
def fitted_dim():
    return DIMTransformer(3, **QUICK).fit(globals()["X"])


ANSWERS = {
    "dim": of_samples(lambda: DIMTransformer(3, batch_size=32, **STEADY)),
    "dgi": of_samples(lambda: DGITransformer(8, n_neighbors=4, **STEADY)),
    "nodes": of_nodes,
    "graphs": of_graphs,
    "pairs": of_pairs,
    "mutual_info": lambda X, y: {"nats": mutual_info(X, y, cv=2, **QUICK)},
    "features": lambda X, y: {"nats": mutual_info_features(X, y, **QUICK)},
    "selector": of_selector,
    "dependency": lambda X, y: {"nats": neural_dependency_measure(X, cv=2, **QUICK)},
    "information": of_information_score,
}
REFUSED = {("dependency", container) for container in SPARSE} | {
    ("information", "object"),  # it adds noise to numbers
}
# Sparse features are not centred, so that they stay sparse: the answer is another than of dense ones.
OWN_SPARSE_ANSWER = {"dgi", "nodes", "graphs"}
# Noise of float16 rows is rounded to float16. A node with no features left in a view has a code of almost 0, whose
# direction is made of rounding errors.
TOLERANCE = {"information": 2e-3, "nodes": 5e-3}


@functools.cache
def expected(name, is_sparse=False):
    return ANSWERS[name](sparse.csr_array(X) if is_sparse else X, Y)


def assert_same(got, then, tolerance):
    for key, value in then.items():
        a, b = (np.asarray(part, dtype=float) for part in (got[key], value))
        assert a.shape == b.shape, key
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1), err_msg=key)


def check_form(name, dtype, layout, container, y_container):
    rows = formed(X, dtype, layout, container)
    targets = CONTAINERS[y_container](LAYOUTS[layout](Y.astype("f8")[:, None]))
    if (name, container) in REFUSED or ((name, dtype) in REFUSED and container in OF_OBJECTS):
        with pytest.raises((ValueError, TypeError), match=r"X holds values|'codes' parameter"):
            ANSWERS[name](rows, targets)
        return
    is_sparse = container in SPARSE and name in OWN_SPARSE_ANSWER
    assert_same(ANSWERS[name](rows, targets), expected(name, is_sparse), TOLERANCE.get(name, 1e-4))


OF_OBJECTS = {"array", "list of rows", "own array", "masked array", "pandas", "pandas, named rows"}
forms = {
    "name": st.sampled_from(list(ANSWERS)),
    "dtype": st.sampled_from(DTYPES),
    "layout": st.sampled_from(list(LAYOUTS)),
    "container": st.sampled_from([*CONTAINERS, *SPARSE]),
    "y_container": st.sampled_from(list(CONTAINERS)),
}
phases = [Phase.explicit, Phase.generate]  # forms are small as they are
options = {
    "phases": phases,
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=120, **options)
@given(**forms)
def test_forms(record_property, name, dtype, layout, container, y_container):
    record_property("tries", 1)
    check_form(name, dtype, layout, container, y_container)


@pytest.mark.slow
@settings(max_examples=1500, **options)
@given(**forms)
def test_many_forms(record_property, name, dtype, layout, container, y_container):
    record_property("tries", 1)
    check_form(name, dtype, layout, container, y_container)


# Rows in other orders, some of them, one at a time; copies.


def rings(rows):
    """Return nodes as a Graph whose edges follow them: nodes i and j of RING, wherever they stand."""
    return Graph(X[rows], RING[rows][:, rows])


def tables(rows):
    return X[rows]


def pixels(rows):
    return np.repeat(np.repeat(X[rows][:, None, :, None], 2, 2), 10, 3)


def series(rows):
    return np.repeat(X[rows][:, :2, None], 12, 2) * np.sin(np.arange(12))


def words(rows):
    return np.abs(X[rows]).astype(int) + 1


def bags(rows):
    return sparse.csr_array(np.maximum(X[rows], 0))


def frames(rows):
    return pd.DataFrame({"a": X[rows, 0], "b": np.where(X[rows, 1] > 0, "high", "low"), "c": X[rows, 2]})


def many_graphs(rows):
    return [Graph(np.roll(X[:12], row, 0), EDGES[row % 5]) for row in rows]


DIM = functools.partial(DIMTransformer, 3, batch_size=64, **QUICK)
TRANSFORMERS = {  # what makes the transformer, and rows by their numbers
    "table": (DIM, tables),
    "frame": (DIM, frames),
    "images": (DIM, pixels),
    "sequences": (DIM, series),
    "words": (functools.partial(DIM, encoder="tokens"), words),
    "bags": (DIM, bags),
    "neighbours": (functools.partial(DGITransformer, 8, n_neighbors=4, **QUICK), tables),
    "nodes": (functools.partial(DGITransformer, 8, **QUICK), rings),
    "graphs": (functools.partial(GraphInfomaxTransformer, 8, batch_size=64, **QUICK), many_graphs),
}
COPIES = {"pickle": lambda model: pickle.loads(pickle.dumps(model)), "deepcopy": copy.deepcopy}


@functools.cache
def fitted(name):
    make, rows_of = TRANSFORMERS[name]
    every = np.arange(N)
    model = make().fit(rows_of(every))
    return model, model.transform(rows_of(every)), model.score(rows_of(every))


def check_rows(name, rows, copied):
    rows_of = TRANSFORMERS[name][1]
    model, codes, score = fitted(name)
    model = COPIES[copied](model) if copied else model
    rows = np.array(rows) if name != "nodes" else np.random.default_rng(len(rows)).permutation(N)
    tolerance = 2e-4 * np.abs(codes).max()
    np.testing.assert_allclose(model.transform(rows_of(rows)), codes[rows], rtol=0, atol=tolerance)
    drawn = name in ("nodes", "neighbours")  # whose score compares two views, drawn by the numbers of nodes
    if len(rows) == N == len(set(rows)) and not drawn:  # all pairs of rows are compared, in whatever order
        assert abs(model.score(rows_of(rows)) - score) < 1e-4


some_rows = st.one_of(
    st.lists(st.integers(0, N - 1), min_size=1, max_size=N),
    st.permutations(range(N)),
    st.integers(0, N - 1).map(lambda i: [i]),
)
selections = {
    "name": st.sampled_from(list(TRANSFORMERS)),
    "rows": some_rows,
    "copied": st.sampled_from([None, *COPIES]),
}


@settings(max_examples=150, **options)
@given(**selections)
def test_rows(record_property, name, rows, copied):
    record_property("tries", 1)
    check_rows(name, rows, copied)


@pytest.mark.slow
@settings(max_examples=1500, **options)
@given(**selections)
def test_many_rows(record_property, name, rows, copied):
    record_property("tries", 1)
    check_rows(name, rows, copied)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_clones_of_fitted_estimators_fit_to_the_same_bits(name):
    model, codes, _ = fitted(name)
    every = TRANSFORMERS[name][1](np.arange(N))
    for copied in COPIES.values():
        np.testing.assert_array_equal(clone(copied(model)).fit(every).transform(every), codes)


@settings(max_examples=10, **options)
@given(seed=st.integers(0, 10**6))
def test_information_does_not_depend_on_the_order_of_rows(record_property, seed):
    record_property("tries", 1)
    rows = np.random.default_rng(seed).permutation(N)
    assert mutual_info(X[rows], Y[rows], cv=2, **QUICK) == pytest.approx(expected("mutual_info")["nats"], abs=1e-5)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in ("information", "graphs")])
def test_units_do_not_matter(name):
    """Information does not, and features are standardised; powers of two keep every bit of a number."""
    for unit in (2.0**-40, 2.0**40):
        got = ANSWERS[name](X * unit, Y * (1 if name in ("dim", "dgi") else unit))
        assert_same({**got, "selected": 0}, {**expected(name), "selected": 0}, 1e-4)


@pytest.mark.parametrize("name", ["dim", "dgi", "nodes", "graphs"])
@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_values_that_float32_does_not_hold_are_refused(name, unit):
    with pytest.raises(ValueError, match=r"too (large|small) for float32. Rescale it"):
        ANSWERS[name](X * unit, Y)


@pytest.mark.parametrize("name", ["images", "sequences", "neighbours", "nodes", "graphs"])
@pytest.mark.parametrize("method", ["transform", "score"])
def test_rows_that_make_no_finite_numbers_are_refused(name, method, monkeypatch):
    model, _, _ = fitted(name)
    monkeypatch.setitem(globals(), "X", X * 1e300)
    with pytest.raises(ValueError, match=r"too far from those|infinity"):
        getattr(model, method)(TRANSFORMERS[name][1](np.arange(N)))
        if name == "neighbours":  # whose codes are those of training rows
            raise ValueError("infinity")
