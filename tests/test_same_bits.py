"""Seeded fits of every kind come out as they did: a rebuild inside moves no figure.

    python tests/test_same_bits.py              # prints one row per case: same bits, or by how much it differs
    python tests/test_same_bits.py dgi bound    # of the cases whose names hold one of these words
    python tests/test_same_bits.py write        # makes reference/same_bits.json of the code as it is

Only public names are used, as all others may move. The reference keeps of every array the head of its sha256, which
tells whether a bit has moved, and a few of its numbers, which tell how far.
"""

import hashlib
import importlib.util
import json
import pathlib
import pickle
import sys
import tempfile
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy
import sklearn
import torch
from scipy import sparse
from skorch.callbacks import Callback
from threadpoolctl import threadpool_limits
from torch import nn
from torch.utils.data import Dataset

import sklearn_dim
from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    bounds,
    mutual_info,
    mutual_info_features,
)
from sklearn_dim.datasets import (
    make_community_graph,
    make_gaussian_pair,
    make_grouped_features,
    make_motif_sequences,
    make_topic_corpus,
)
from sklearn_dim.encoders import GCN
from sklearn_dim.metrics import information_score, neural_dependency_measure
from sklearn_dim.persistence import load, save, to_torch
from sklearn_dim.training import ResumableCheckpoint

REFERENCE = pathlib.Path(__file__).parent / "reference" / "same_bits.json"
# Those of the day the reference was made: a bound that comes later has no figures to keep.
BOUND_NAMES = "dv", "nwj", "jsd", "infonce", "smile", "tuba", "i_alpha", "flo", "kl", "rkl", "pearson", "neyman"
BOUND_NAMES += "hellinger", "gan"
CLOSE = 1e-2  # relative: what another order of sums made of the cases on AVX2 and SSE is at most 0.9 %, but for
# bfloat16, which rounds to eight bits (20 %), and many small gradients, whose signs are Adam's first steps (6 %).
LESS_CLOSE = {"dim: mixed precision": 0.3, "dim: all terms": 0.1}
MOST_VALUES = {"codes": 6, "pointwise": 6, "nats": 6}  # first numbers kept of an array; of others only the sum

DIM = {
    "n_components": 4, "max_iter": 2, "batch_size": 32, "representation": "code", "device": "cpu",
    "mixed_precision": False, "random_state": 0,
}  # fmt: skip
DGI = {"n_components": 12, "max_iter": 3, "device": "cpu", "random_state": 0}
SUMMARY = {  # as Deep Graph Infomax was before it compared two views by default
    "n_components": 6, "mi_estimator": "jsd", "encoder": "gcn", "critic": "bilinear", "corruption": "shuffle",
    "representation": "code", "learning_rate_init": 1e-3,
}  # fmt: skip
INFOGRAPH = {
    "n_components": 12, "max_iter": 2, "batch_size": 8, "representation": "code", "device": "cpu", "random_state": 0,
}  # fmt: skip
PAIRS = {"cv": 2, "max_iter": 2, "batch_size": 64, "device": "cpu", "random_state": 0}
FEATURES = {"max_iter": 30, "device": "cpu", "random_state": 0}


# Data: each function returns rows to fit and new rows.


def halves(rows, n):
    return rows[:n], rows[n:]


def table(dtype="float64", shift=0.0):
    X = make_grouped_features(100, random_state=0)[0][:, :8]
    return halves((X + shift * np.arange(1, 9)).astype(dtype), 80)


def data_frame():
    return tuple(pd.DataFrame(rows, columns=list("abcdefgh")) for rows in table())


def counts(n=100, d=30):
    return np.random.RandomState(0).poisson(0.3, size=(n, d)).astype(np.float64)


def bag():
    return halves(sparse.csr_matrix(counts()), 80)


def sparse_table():
    signs = np.random.RandomState(1).choice([-1.0, 1.0], size=(100, 30))
    return halves(sparse.csr_matrix(counts() * signs), 80)


def sequences():
    return halves(make_motif_sequences(60, 2, 32, random_state=0)[0], 45)


def images(size=8, channels=1, n=60):
    rough = np.random.RandomState(0).normal(size=(n, channels, size, size))
    return halves(rough.cumsum(2).cumsum(3), 3 * n // 4)


def flat_images():
    return tuple(rows.reshape(len(rows), -1) for rows in images())


def colour_pictures():
    return tuple((40 * rows % 256).astype(np.uint8).transpose(0, 2, 3, 1) for rows in images(16, 3))


def tokens():
    return halves(make_topic_corpus(60, 100, length=(10, 20), random_state=0)[0], 45)


class Rows(Dataset):
    """A table as a torch Dataset."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.rows[row]


def dataset():
    return tuple(Rows(rows) for rows in table("float32"))


def memory_map(folder):
    np.save(pathlib.Path(folder) / "rows.npy", np.concatenate(table()))
    return halves(np.load(pathlib.Path(folder) / "rows.npy", mmap_mode="r"), 80)


def graph(seed=0, n=60, d=16, degree=5.0, words=False):
    X, adjacency, _ = make_community_graph(n, d, degree=degree, random_state=seed)
    return Graph(sparse.csr_matrix(np.maximum(X, 0).round()) if words else X, adjacency)


def graph_pair(**options):
    return graph(**options), graph(seed=1, **options)


def small_graphs(d=5, kind="numbers"):
    """Return two lists of graphs of 12 to 16 nodes, with features that are numbers, constant, or named."""
    graphs = [graph(seed, 12 + seed % 5, d, degree=2.5) for seed in range(24)]
    if kind == "constant":
        graphs = [Graph(np.ones((one.shape[0], 1)), one.adjacency) for one in graphs]
    if kind == "named":
        graphs = [Graph(pd.DataFrame(one.features, columns=list("vwxyz")), one.adjacency) for one in graphs]
    return halves(graphs, 18)


def pairs(d=1, e=1, n=140):
    x, y = make_gaussian_pair(n, max(d, e), mutual_info=1.0, random_state=0)
    return halves(x[:, :d], n - 40), halves(y[:, :e], n - 40)


def known_columns():
    noise = np.random.RandomState(1).normal(size=(140, 1))
    return halves(noise + np.concatenate(pairs(3)[0])[:, :1], 100)


def curved_pairs():
    """Return pairs that the closed form for Gaussians says nothing of, so that training decides."""
    x, noise = np.random.RandomState(0).normal(size=(2, 260, 1))
    return halves(x, 200), halves(x**2 + 0.3 * noise, 200)


def text_pairs(n=140):
    (x, new_x), (y, new_y) = pairs(2, n=n)
    named = [pd.DataFrame({"a": rows[:, 0], "b": np.where(rows[:, 0] > 1, "high", "low")}) for rows in (x, new_x)]
    return tuple(named), tuple(np.where(rows[:, 0] > 0, "yes", "no") for rows in (y, new_y))


def image_pairs():
    rows = images(n=140)
    return tuple(part.astype(np.float32) for part in rows), tuple(part.mean((2, 3)) for part in rows)


# Networks of one's own.


class OwnEncoder(nn.Module):
    """Columns → (locations, code)."""

    def __init__(self, shape, n_components):
        super().__init__()
        self.first, self.last = nn.Linear(shape[0], 12), nn.Linear(12, n_components)

    def forward(self, x):
        hidden = torch.relu(self.first(x))
        return hidden.unflatten(1, (3, 4)), self.last(hidden)


class OwnCritic(nn.Module):
    """Minus a distance in a learnt plane."""

    def __init__(self, a_features, b_features):
        super().__init__()
        self.a, self.b = nn.Linear(a_features, 3), nn.Linear(b_features, 3)

    def forward(self, a, b):
        return -(self.a(a).unsqueeze(-2) - self.b(b).unsqueeze(-3)).square().sum(-1)


class OwnGraphEncoder(nn.Module):
    """A node beside its neighbours' mean."""

    def __init__(self, n_features, width):
        super().__init__()
        self.own, self.others = nn.Linear(n_features, width), nn.Linear(n_features, width)

    def forward(self, X, adjacency):
        return torch.relu(self.own(X) + adjacency @ self.others(X))


class EdgeEncoder(nn.Module):
    """A layer of torch_geometric, and what keeps it from being linear."""

    def __init__(self, layer, n_features, width):
        super().__init__()
        self.layer = layer(n_features, width)

    def forward(self, x, edge_index):
        return torch.relu(self.layer(x, edge_index))


def seeded(make, *sizes):
    """Return a module whose first weights are always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make(*sizes)


# What is kept of a fit.


def trained(model, X, *y, fits=1, method="fit", **known):
    for _ in range(fits):
        getattr(model, method)(X, *y, **known)
    return model


def of_training(model):
    return {
        "mutual_info": model.mutual_info_,
        "loss_curve": np.array(model.loss_curve_),
        "history": model.history_.drop(columns="dur"),
    }


def of_transformer(model, X, new):
    return {
        "codes": model.transform(X),
        "new": model.transform(new),
        "mean": model.mean_,
        "scale": model.scale_,
        "score": model.score(new),
        **of_training(model),
    }


def transformer(make, rows, *, fits=1, method="fit", **parameters):
    X, new = rows()
    return of_transformer(trained(make(**parameters), X, fits=fits, method=method), X, new)


def dim(rows=table, make=DIMTransformer, **parameters):
    return transformer(make, rows, **{**DIM, **parameters})


def dim_of_a_file(**parameters):
    with tempfile.TemporaryDirectory() as folder:
        return dim(partial(memory_map, folder), **parameters)


def dgi(rows=graph_pair, make=DGITransformer, **parameters):
    return transformer(make, rows, **{**DGI, **parameters})


def dgi_of_torch_geometric(**parameters):
    from torch_geometric.nn import GCNConv

    own = {"encoder": seeded(EdgeEncoder, GCNConv, 16, 12), "n_components": 12}
    return dgi(**{**SUMMARY, **own, **parameters})


def infograph(rows=small_graphs, **parameters):
    return transformer(GraphInfomaxTransformer, rows, **{**INFOGRAPH, **parameters})


def of_pairs(model, new, new_y, **known):
    interval = model.confidence_interval(), model.confidence_interval(new, new_y, **known)
    result = {
        "pointwise": model.pointwise(new, new_y, **known),
        "score": model.score(new, new_y, **known),
        "standard_error": model.standard_error_,
        "low": interval[0][0],
        "new_high": interval[1][1],
        **of_training(model),
    }
    if not known:
        result["lower_bound"] = model.lower_bound_
        result["p_value"] = model.p_value(n_permutations=19)
        result["new_p_value"] = model.p_value(new, new_y, n_permutations=19)
    return result


def information(rows=pairs, given=None, **parameters):
    (X, new), (y, new_y) = rows()
    known = [{}, {}] if given is None else [{"given": part} for part in given()]
    model = trained(MutualInfoEstimator(**{**PAIRS, **parameters}), X, y, **known[0])
    return of_pairs(model, new, new_y, **known[1])


def features(rows=text_pairs, **parameters):
    (X, _), (y, _) = rows(n=300)
    return {"nats": mutual_info_features(X, y, **{**FEATURES, **parameters})}


def nats(function, *rows, **parameters):
    return {"nats": function(*rows, random_state=0, **parameters)}


def score_of_information():
    X, new = table()
    return nats(information_score, DIMTransformer(**DIM).fit(X), new)


def copied(copy, make=DIMTransformer, **parameters):
    """Return what a fit's copy says, and whether it is what the fit says."""
    if make is DIMTransformer:
        X, new = table()
        model = DIMTransformer(**DIM, **parameters).fit(X)
        first, second = (of_transformer(each, X, new) for each in (model, copy(model)))
    else:
        (X, new), (y, new_y) = pairs()
        model = MutualInfoEstimator(**PAIRS, **parameters).fit(X, y)
        first, second = (of_pairs(each, new, new_y) for each in (model, copy(model)))
    return {
        **{name: second[name] for name in ("codes", "pointwise", "mutual_info") if name in second},
        "as_the_first": float(entry_of(first) == entry_of(second)),
    }


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        save(model, folder)
        return load(folder)


def as_module(rows=table, **parameters):
    X, new = rows("float32") if rows is table else rows()
    module = to_torch(DIMTransformer(**{**DIM, **parameters}).fit(X))
    with torch.no_grad():
        return {"codes": module(torch.as_tensor(new)).numpy()}


class Interrupt(Callback):
    """Fails in an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise InterruptedError


def resumed(model):
    """Return a fit like the model's, on the same rows, that was interrupted in its second epoch."""
    X, *y = (table()[0],) if isinstance(model, DIMTransformer) else (part[0] for part in pairs())
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = ResumableCheckpoint(folder)
        again = type(model)(**{**model.get_params(), "callbacks": [checkpoint, Interrupt(2)]})
        with pytest.raises(InterruptedError):
            again.fit(X, *y)
        return again.set_params(callbacks=[checkpoint]).fit(X, *y)


# The cases: a name → a function without arguments that returns numbers, arrays and a history by name.


def dim_cases():
    yield from {
        "table": {},
        "table float32": {"rows": partial(table, "float32")},
        "data frame": {"rows": data_frame},
        "far from zero": {"rows": partial(table, shift=1e6)},
        "bag": {"rows": bag},
        "sparse table": {"rows": sparse_table},
        "sequences": {"rows": sequences},
        "sequences conv": {"rows": sequences, "representation": "conv"},
        "grey images": {"rows": flat_images, "image_shape": (1, 8, 8)},
        "grey images fc": {"rows": flat_images, "image_shape": (1, 8, 8), "representation": "fc"},
        "grey images conv": {"rows": flat_images, "image_shape": (1, 8, 8), "representation": "conv"},
        "colour uint8": {"rows": colour_pictures},
        "no augmentation": {"rows": images, "augmentation": None},
        "tokens": {"rows": tokens, "encoder": "tokens"},
        "dataset": {"rows": dataset},
        "early stopping": {"early_stopping": True, "max_iter": 3, "validation_fraction": 0.2},
        "warm start": {"warm_start": True, "fits": 2},
        "partial fit": {"method": "partial_fit", "fits": 2},
        "all terms": {
            "rows": images, "global_weight": 0.5, "coordinate_weight": 0.5, "occlusion": 0.3, "n_locations": 3,
        },
        "four global vectors": {"rows": images, "n_global_vectors": 4, "n_components": 8, "global_weight": 1.0},
        "normal prior": {"prior": "normal", "prior_weight": 1.0},
        "no prior": {"prior_weight": 0},
        "published local": {"rows": partial(images, 32, 3, 32), "make": partial(DIMTransformer.published, "local")},
        "published global": {"rows": partial(images, 32, 3, 32), "make": partial(DIMTransformer.published, "global")},
        "mixed precision": {"rows": images, "mixed_precision": True},
        "resnet": {"rows": partial(images, 16, 3, 40), "encoder": "resnet"},
        "own encoder": {"encoder": seeded(OwnEncoder, (8,), 4)},
        "own encoder, made": {"encoder": OwnEncoder, "representation": "conv"},
        "own critic": {"critic": OwnCritic, "global_critic": OwnCritic, "global_weight": 0.5},
        **{f"critic {name}": {"critic": name} for name in ("concatenated", "bilinear", "encode_and_dot", "gaussian")},
    }.items()  # fmt: skip
    yield from ((f"bound {name}", {"mi_estimator": name}) for name in BOUND_NAMES)
    yield from bound_objects()


def bound_objects():
    yield "DV with memory", {"mi_estimator": bounds.DV(ema_decay=0.9)}
    yield "TUBA object", {"mi_estimator": bounds.TUBA(), "max_iter": 3}
    yield "IAlpha of 0.3", {"mi_estimator": bounds.IAlpha(alpha=0.3)}
    yield from ((f"FLO {critic}", {"mi_estimator": "flo", "critic": critic}) for critic in ("concatenated", "gaussian"))


def dgi_cases():
    plain = partial(table)
    words = partial(graph_pair, words=True)
    own = {"encoder": seeded(OwnGraphEncoder, 16, 12), "n_components": 12}
    cases = {
        "words": {"rows": words},
        "numbers": {},
        "gcn of two": {"rows": words, "encoder": partial(GCN, n_layers=2)},
        **{name: {"rows": words, "encoder": name} for name in ("sage", "sgc", "gin")},
        "sage of numbers": {"encoder": "sage"},
        "batches": {"rows": words, "batch_size": 20, "fan_out": 3},
        "batches of numbers": {"batch_size": 20},
        "plain rows": {"rows": plain},
        "other graph": {"rows": small_graphs, "corruption": "other_graph", "n_components": 7},
        **{name: {"corruption": name} for name in ("masked_shuffle", "feature_dropout", "edge_dropout")},
        **{f"words {name}": {"rows": words, "corruption": name} for name in ("masked_shuffle", "edge_dropout")},
        **{f"critic {name}": {"critic": name} for name in ("group", "separable")},
        **{f"bound {name}": {"mi_estimator": name} for name in ("dv", "flo", "tuba", "infonce")},
        "paper": {"rows": words, "readout": "max", "n_components": 12},
        "own encoder": own,
        "own encoder, batches": {**own, "batch_size": 20},
        "no early stopping": {"early_stopping": False},
        "warm start": {"warm_start": True, "fits": 2},
        "summary, blocks": {"rows": words, "representation": "auto"},
    }
    yield from ((name, {**SUMMARY, **options}) for name, options in cases.items())
    yield "published", {"rows": words, "make": DGITransformer.published}
    yield from {
        "default": {},
        "default words": {"rows": words},
        "default, positions": {"rows": partial(graph_pair, n=200, degree=20.0)},
        "default, float64 rows": {"rows": plain},
        "default, list": {"rows": small_graphs},
        "default, batches": {"rows": words, "batch_size": 20, "fan_out": 3},
        "default, warm start": {"warm_start": True, "fits": 2},
        "default, code": {"representation": "code"},
        "default, sage": {"encoder": "sage", "rows": words},
        "default, jsd": {"mi_estimator": "jsd", "critic": "separable"},
    }.items()


def infograph_cases():
    return {
        "default": {},
        "early stopping": {"early_stopping": True, "max_iter": 3, "validation_fraction": 0.3},
        **{f"bound {name}": {"mi_estimator": name} for name in ("flo", "tuba")},
        "gcn": {"encoder": "gcn"},
        "constant features": {"rows": partial(small_graphs, kind="constant")},
        "named features": {"rows": partial(small_graphs, kind="named")},
        "warm start": {"warm_start": True, "fits": 2},
    }.items()


def pair_cases():
    yield from {
        "1 x 1": {},
        "3 x 2": {"rows": partial(pairs, 3, 2)},
        "three folds": {"rows": partial(pairs, 3, 2), "cv": 3},
        "given": {"rows": partial(pairs, 3, 2), "given": known_columns},
        "text": {"rows": text_pairs},
        "encoder": {"rows": image_pairs, "encoder": nn.Sequential(nn.Flatten(), seeded(nn.Linear, 64, 3))},
        **{f"critic {name}": {"critic": name} for name in ("separable", "concatenated")},
    }.items()
    curved = {"rows": curved_pairs, "max_iter": 4}
    yield from ((f"bound {name}", {"mi_estimator": name, **curved}) for name in BOUND_NAMES)
    yield from ((name, {**options, **curved}) for name, options in bound_objects() if name != "FLO gaussian")


def other_cases():
    yield "features", features
    yield from ((f"features {name}", partial(features, mi_estimator=name)) for name in ("tuba", "flo", "i_alpha"))
    yield "features of numbers", partial(features, partial(pairs, 3))
    yield "features jointly", partial(features, partial(pairs, 3), jointly=True)
    yield "features jointly, text", partial(features, jointly=True)
    yield "dependency", lambda: nats(neural_dependency_measure, table()[0][:, :3], max_iter=2, cv=2, device="cpu")
    yield "information score", score_of_information
    yield "mutual_info", lambda: nats(mutual_info, *(part[0] for part in pairs(2)), max_iter=2, cv=2, device="cpu")
    yield "as a module", as_module
    yield "as a module, images", partial(as_module, images)
    for name, make in {"dim": DIMTransformer, "pairs": MutualInfoEstimator}.items():
        yield f"pickled {name}", partial(copied, pickled, make)
        yield f"saved {name}", partial(copied, saved, make)
        yield f"resumed {name}", partial(copied, resumed, make)


def all_cases():
    kinds = {dim: dim_cases(), dgi: dgi_cases(), infograph: infograph_cases(), information: pair_cases()}
    for function, cases in kinds.items():
        for name, options in cases:
            yield f"{function.__name__}: {name}", partial(function, **options)
    yield "dim: memory map", dim_of_a_file
    yield "dgi: torch_geometric", dgi_of_torch_geometric
    yield "dgi: torch_geometric, batches", partial(dgi_of_torch_geometric, batch_size=20)
    yield from ((f"other: {name}", case) for name, case in other_cases())


CASES = dict(all_cases())
NEEDS = {"torch_geometric": "torch_geometric", "saved": "safetensors"}  # a word of a case's name → a package


def lacks(name):
    """Return a package that a case needs and is not there, or None."""
    needs = (package for word, package in NEEDS.items() if word in name)
    return next((package for package in needs if importlib.util.find_spec(package) is None), None)


# What is kept of a case, and how two of them compare.


def digest(array):
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()[:10]


def number(value):
    """Return a number of an array in nine digits, which tell float32 apart."""
    return float(f"{value:.9g}")


def kept(name, array):
    """Return the digest of an array, its first numbers, and the sum of their magnitudes."""
    first = array.ravel()[: MOST_VALUES.get(name, 0)]
    return [digest(array), *map(number, first), number(np.abs(array).sum(dtype=float))]


def entry_of(result):
    """Return what the reference keeps of a case: scalars as they are, the rest by a digest and some numbers."""
    result = dict(result)
    entry = {}
    if (history := result.pop("history", None)) is not None:
        # The digest does not depend on what columns are called, nor on their order.
        columns = sorted(history[name].to_numpy(float).tobytes() for name in history)
        last = history.select_dtypes("floating").iloc[-1]
        entry["history"] = [digest(np.frombuffer(b"".join(columns)))]
        entry |= {f"last {name}": number(value) for name, value in last.items()}
    for name, value in result.items():
        entry[name] = kept(name, value) if isinstance(value, np.ndarray) else float(value)
    return entry


def measured(name):
    """Return the entry of a case as the code makes it now."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return entry_of(CASES[name]())


def bits(entry):
    """Return what must be equal if no bit has moved: digests, and scalars in full, but for columns' names."""
    exact = {name: value[0] if isinstance(value, list) else repr(value) for name, value in entry.items()}
    return {name: value for name, value in exact.items() if not name.startswith("last ")}


def gaps(now, then):
    """Return for each name that both entries hold the largest absolute difference, and the largest relative one.

    Relative is to the largest of the array's first numbers, and for the sum to the sum; a thousandth is let go.
    """
    return {name: gap(now[name], then[name]) for name in then if name in now and name != "history"}


def gap(new, old):
    """Return the absolute and the relative difference of what is kept of an array, or of two scalars."""
    new, old = (np.array(value[1:] if isinstance(value, list) else [value]) for value in (new, old))
    if new.shape != old.shape:
        return np.inf, np.inf
    differ = np.abs(new - old)
    size = np.abs(np.append(np.full(len(old) - 1, np.abs(old[:-1]).max(initial=0)), old[-1]))
    return differ.max(), (np.maximum(differ - 1e-3, 0) / np.maximum(size, 1e-9)).max()


def compare(now, then):
    """Return a verdict on two entries, the largest absolute difference of the numbers kept, and its name."""
    largest, where = max(((absolute, name) for name, (absolute, _) in gaps(now, then).items()), default=(np.nan, ""))
    if bits(now) == bits(then):
        return "same bits" if now.keys() == then.keys() else "same bits, columns renamed", 0.0, ""
    changed = now.keys() != then.keys() or np.isinf(largest)
    return "changed" if changed else "differs", float(largest), where


def are_close(now, then, close):
    """Whether the numbers of two entries agree, as far as another order of sums lets them."""
    return all(relative <= close for _, relative in gaps(now, then).values())


def environment():
    """Return what decides the bits beside the code: versions, the processor's abilities, and how some sums come out."""
    rng = np.random.RandomState(0)
    a, b = (torch.as_tensor(rng.normal(size=(67, 67)).astype(np.float32)) for _ in range(2))
    with threadpool_limits(1):
        results = [a @ b, a.exp().sum(0), torch.conv2d(a.view(1, 1, 67, 67), b[:3, :9].view(3, 1, 3, 3)).sum((2, 3))]
        results.append(torch.as_tensor(a.numpy().astype(float) @ b.numpy().astype(float)))
    return {
        **{module.__name__: module.__version__ for module in (torch, np, scipy, sklearn)},
        "capability": torch.backends.cpu.get_cpu_capability(),
        "sums": digest(np.concatenate([result.numpy().astype(float).ravel() for result in results])),
    }


def read():
    return json.loads(REFERENCE.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_bits(name):
    """In the reference's environment digests are equal; in others, which add in another order, numbers agree to 1 %.

    That is of the largest of an array's first numbers, and of the sum; a thousandth is let go, and `LESS_CLOSE` says
    where the sum's order matters more. Columns of the history may be called otherwise: a warning says so.
    """
    if package := lacks(name):
        pytest.skip(f"needs {package}")
    reference = read()
    now, then = measured(name), reference["cases"][name]
    verdict, gap, where = compare(now, then)
    if verdict.endswith("renamed"):
        warnings.warn(f"{name}: columns of history_ were renamed", stacklevel=1)
    if environment() == reference["environment"]:
        assert verdict.startswith("same bits"), f"{verdict}: {where} by {gap}"
    else:
        assert verdict != "changed" and are_close(now, then, LESS_CLOSE.get(name, CLOSE)), (where, gap)


def write():
    """Make the reference, one line per case."""
    entries = {}
    for name in CASES:
        entries[name] = measured(name)
        print(name, flush=True)
    lines = [f'"{name}":{json.dumps(entry, separators=(",", ":"))}' for name, entry in entries.items()]
    head = json.dumps(environment())
    REFERENCE.parent.mkdir(exist_ok=True)
    REFERENCE.write_text(f'{{"environment":{head},"cases":{{\n' + ",\n".join(lines) + "\n}}\n")


def report(words):
    """Print one row per case; return how many have moved."""
    reference, moved = read(), 0
    here = environment()
    there = "that" if here == reference["environment"] else "NOT that"
    print(f"{sklearn_dim.__file__}\nenvironment: {there} of the reference: {here}")
    print("| case | verdict | largest difference | of | s |\n|---|---|---|---|---|")
    for name in CASES:
        if lacks(name) or (words and not any(word in name for word in words)):
            continue
        start = time.perf_counter()
        verdict, gap, where = "no reference", np.nan, ""
        if name in reference["cases"]:
            try:
                verdict, gap, where = compare(measured(name), reference["cases"][name])
            except Exception as error:  # a case that fails is a row as well
                verdict = f"raises {type(error).__name__}: {error}"
        moved += not verdict.startswith("same bits")
        print(f"| {name} | {verdict} | {gap:.3g} | {where} | {time.perf_counter() - start:.1f} |", flush=True)
    print(f"{moved} moved")
    return moved


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    else:
        sys.exit(bool(report(sys.argv[1:])))
