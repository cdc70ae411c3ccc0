"""Damaged and forged files of every kind: each is refused by name, or read within ten times its size.

    python tests/files/fuzz.py --minutes 20 --seed 0
    python tests/files/fuzz.py --flips 1000

A case is (kind, seed): the same seed makes the same damage. What once went wrong is in `test_fuzz.CORPUS`.
"""

import argparse
import collections
import copy
import io
import json
import pathlib
import pickle
import random
import resource
import shutil
import tempfile
import time
import tracemalloc
import warnings
from contextlib import suppress

import numpy as np
import torch

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    MutualInfoSelector,
)
from sklearn_dim.datasets import _planetoid, load_graph_file
from sklearn_dim.estimator import other_names
from sklearn_dim.files import digest, sealed, write_page
from sklearn_dim.persistence import load, save
from sklearn_dim.training import ResumableCheckpoint
from sklearn_dim.training._checkpoint import KIND, _others
from sklearn_dim.training._checkpoint_state import state_of

TIMES, SPARE = 10, 4 * 2**20  # of its size may reading a file take, and bytes that are free
NUMBERS = [0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.5, -1e308, 1e-320]
WORDS = ["", "x", "__class__", "<U9999999", "\0", "a" * 1000]
MARKED = [
    {"__array__": "mean_", "transposed": False},
    {"__float__": "nan"},
    {"__values__": ["a"], "dtype": "<U25000000", "shape": [1]},
    {"__tuple__": [10**6, 10**6]},
    {"__name__": "Adam"},
    {"__object__": "StandardScaler", "state": {}},
    {"__csr__": [1, 2, 3], "shape": [9**9, 9**9], "array": True},
]
NASTY = [None, True, *NUMBERS, *WORDS, [], {}, [[]], [1, "a"], {"a": {}}, *MARKED]

UNSIGNED = "forged", "edges", "graph file"  # kinds that have no digest, or are given a right one


class Wrong(AssertionError):
    """A file was not treated as it should be."""


# Damage.


def bits(rng, content):
    """Flip some bits, cut, repeat, or insert what strangers insert."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        if not content:
            break
        place = rng.randrange(len(content))
        action = rng.randrange(5)
        if action <= 1:
            content[place] ^= 1 << rng.randrange(8)
        elif action == 2:
            del content[place : place + rng.choice([1, 4, 100, 10**9])]
        elif action == 3:
            content[place:place] = rng.choice([b"\0" * 8, b"\xff" * 8, b"[" * 500, b"9" * 30, b"NaN", b'{"a":', b" "])
        else:
            content[place : place + 8] = rng.getrandbits(64).to_bytes(8, "little")
    return bytes(content)


def places(value, path=()):
    """Yield the path of everything within lists and dicts."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(each, (*path, key))


def edited(rng, value):
    """Replace, delete, rename or exchange something within lists and dicts."""
    value = copy.deepcopy(value)
    paths = list(places(value))
    for _ in range(rng.choice([1, 1, 1, 3])):
        with suppress(LookupError, TypeError, AttributeError):  # an earlier edit may have removed the place
            *path, last = rng.choice(paths)
            parent = value
            for key in path:
                parent = parent[key]
            action = rng.randrange(5)
            if action <= 1:
                parent[last] = copy.deepcopy(rng.choice(NASTY))
            elif action == 2:
                del parent[last]
            elif action == 3 and isinstance(parent, dict):
                parent[rng.choice(["transform", "__class__", "_doc_link_template", "fit", "x_", "0"])] = parent[last]
            else:
                *other, key = rng.choice(paths)
                source = value
                for step in other:
                    source = source[step]
                parent[last] = copy.deepcopy(source[key])
    return value


# Kinds of files: each writes good ones once, damages a copy, and reads it.


class Kind:
    """Files in a folder: ``make(folder)`` writes them, ``damage(rng, folder)`` and ``read(folder)`` do as they say."""

    def __init__(self, make):
        self.make = make

    def damage(self, rng, folder):
        path = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
        path.write_bytes(bits(rng, path.read_bytes()))


class Models(Kind):
    """Folders of `save`, whose digests are right where ``signed``."""

    def __init__(self, make, signed):
        super().__init__(make)
        self.signed = signed

    def damage(self, rng, folder):
        if not self.signed:
            return super().damage(rng, folder)
        page = json.loads((folder / "estimator.json").read_bytes())
        page.pop("digest")
        if rng.random() < 0.25:
            content = bits(rng, (folder / "arrays.safetensors").read_bytes())
            (folder / "arrays.safetensors").write_bytes(content)
            page["sha256"] = digest(content).hex()
        else:
            page["state"] = edited(rng, page["state"])
        with suppress(ValueError):
            (folder / "estimator.json").write_bytes(write_page(page))

    def read(self, folder):
        estimator = load(folder)
        if others := other_names(type(estimator), vars(estimator), strict=True):
            raise Wrong(f"has {others}")
        return pickle.dumps(estimator)


class Checkpoints(Kind):
    """Files of `ResumableCheckpoint`, whose digests are right where ``signed``."""

    def __init__(self, signed):
        super().__init__(self.write)
        self.signed = signed
        rows = np.random.default_rng(0).normal(size=(40, 5))
        parameters = {"representation": "code", "early_stopping": True, "max_iter": 2, "random_state": 0}
        self.net = DIMTransformer(2, **parameters).fit(rows).net_
        self.state = state_of(self.net, _others(self.net))

    def content(self, state):
        content = io.BytesIO()
        torch.save(state, content)
        return content.getvalue()

    def write(self, folder):
        (folder / "name.pt").write_bytes(b"".join(sealed(KIND, "name", self.content(self.state))))

    def damage(self, rng, folder):
        if not self.signed:
            return super().damage(rng, folder)
        by_bits = rng.random() < 0.5
        content = bits(rng, self.content(self.state)) if by_bits else self.content(edited(rng, self.state))
        (folder / "name.pt").write_bytes(b"".join(sealed(KIND, "name", content)))

    def read(self, folder):
        checkpoint = ResumableCheckpoint(folder)
        checkpoint.path_ = folder / "name.pt"
        before = self.net.snapshot()
        try:
            self.net.history_.clear()
            checkpoint._resume(self.net)
            return self.content(state_of(self.net, _others(self.net)))
        finally:
            self.net.restore(before)


class Graphs(Kind):
    """Folders of `Graph.save`; digests are right where ``signed``."""

    def __init__(self, signed):
        super().__init__(lambda folder: small_graph(30).save(folder))
        self.signed = signed

    def damage(self, rng, folder):
        if not self.signed or rng.random() < 0.3:
            return super().damage(rng, folder)
        page = json.loads((folder / "graph.json").read_bytes())
        page.pop("digest")
        with suppress(ValueError):
            (folder / "graph.json").write_bytes(write_page(edited(rng, page)))

    def read(self, folder):
        graph = Graph.open(folder, check=True)
        if set(vars(graph)) != set(vars(small_graph(3))):
            raise Wrong(f"has {sorted(vars(graph))}")
        parts = graph.features, graph.adjacency.toarray(), graph.rows, graph.parts
        return pickle.dumps([[np.asarray(part) for part in parts], graph.names, graph.directed, graph.structural])


class Texts(Kind):
    """Files of labelled graphs."""

    def damage(self, rng, folder):
        lines = (folder / "graphs.txt").read_text().splitlines()
        if rng.random() < 0.5:
            return super().damage(rng, folder)
        for _ in range(rng.choice([1, 3, 50])):
            words = lines[place := rng.randrange(len(lines))].split()
            words[rng.randrange(len(words))] = str(rng.choice([0, -1, 7, 999, 2**31, 2**63, 10**40, "x", "\xe9"]))
            lines[place] = " ".join(words)
        (folder / "graphs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def read(self, folder):
        graphs = load_graph_file(folder / "graphs.txt")
        return pickle.dumps([graphs.target, graphs.tags, graphs.data])


class Tables(Kind):
    """CSV files of edges."""

    def read(self, folder):
        graph = Graph.from_edges(None, folder / "edges.csv", weight="w")
        return pickle.dumps([graph.adjacency.toarray(), graph.node_names])


class Planetoid(Kind):
    """The files of a citation graph, by their known digests."""

    def read(self, folder):
        known = _planetoid.SHA256["cora"]
        _planetoid.SHA256["cora"] = self.known
        try:
            return pickle.dumps([_planetoid._read(folder, "cora", name, False) for name in _planetoid.FILES])
        finally:
            _planetoid.SHA256["cora"] = known

    def write(self, folder):
        self.known = {}
        for name in _planetoid.FILES:
            content = b"5\n6\n7\n" if name == "test.index" else pickle.dumps([[1, 2], [3]], protocol=2)
            (folder / f"ind.cora.{name}").write_bytes(content)
            self.known[name] = digest(content).hex()


def small_graph(n):
    rng = np.random.default_rng(n)
    return Graph(rng.normal(size=(n, 3)).astype(np.float32), rng.random((n, n)) < 0.3)


def write_text(folder):
    rng, lines = random.Random(0), ["20"]
    for _ in range(20):
        lines.append(f"5 {rng.randrange(2)}")
        lines += [f"{rng.randrange(4)} 2 {(node + 1) % 5} {(node - 1) % 5}" for node in range(5)]
    (folder / "graphs.txt").write_text("\n".join(lines) + "\n")


def write_table(folder):
    rows = [f"n{i},n{i * 7 % 50},{i / 10}" for i in range(1, 50)]
    (folder / "edges.csv").write_text("\n".join(["source,target,w", *rows]) + "\n")


def models():
    """Return one small fitted estimator of each class."""
    rows, few = np.random.default_rng(0).normal(size=(40, 4)), {"max_iter": 1, "random_state": 0}
    return [
        DIMTransformer(2, representation="code", **few).fit(rows),
        DIMTransformer(2, **few).fit(rows),
        DGITransformer(2, **few).fit(rows),
        DGITransformer(2, **few).fit(small_graph(20)),
        GraphInfomaxTransformer(2, **few).fit([small_graph(n) for n in range(5, 11)]),
        MutualInfoEstimator(cv=2, **few).fit(rows[:, :2], rows[:, 2]),
        MutualInfoSelector(k=2, n_permutations=9, **few).fit(rows[:, :3], rows[:, 3]),
    ]


def kinds():
    """Return the kinds of files by name."""
    planetoid = Planetoid(None)
    planetoid.make = planetoid.write
    result = {"checkpoint": Checkpoints(False), "forged checkpoint": Checkpoints(True), "planetoid": planetoid}
    result |= {"graph": Graphs(False), "forged graph": Graphs(True), "graph file": Texts(write_text)}
    result |= {"edges": Tables(write_table)}
    for number, estimator in enumerate(models()):
        make = _saver(estimator)
        name = f"{type(estimator).__name__} {number}"
        result |= {name: Models(make, False), f"forged {name}": Models(make, True)}
    return result


def _saver(estimator):
    return lambda folder: save(estimator, folder)


# Tries.


def tried(kind, folder, damage):
    """Damage the files of a folder, and read them: return "refused" or "read", with what was read, or raise Wrong."""
    damage(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = "read", kind.read(folder)
    except (ValueError, FileNotFoundError) as error:
        result = "refused", None
        if str(folder) not in str(error):
            raise Wrong(f"{type(error).__name__} without the path: {error}") from error
    except Exception as error:
        raise Wrong(f"raised a raw {type(error).__name__}: {error}") from error
    finally:
        peak = tracemalloc.get_traced_memory()[1] - before
    if peak > TIMES * size + SPARE:
        raise Wrong(f"{peak} bytes for files of {size}")
    return result


class Bench:
    """A scratch folder, and all kinds of files in it.

    Python's memory is traced from here on: to start and stop tracing for each try leaks memory.
    """

    def __init__(self, scratch):
        self.scratch, self.kinds = pathlib.Path(scratch), kinds()
        tracemalloc.start()
        for number, kind in enumerate(self.kinds.values()):
            kind.good = self.scratch / f"good{number}"
            kind.good.mkdir()
            kind.make(kind.good)
            kind.right = self.tried(kind, lambda folder: None)[1]

    def tried(self, kind, damage):
        folder = self.scratch / "tried"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kind.good, folder)
        return tried(kind, folder, damage)

    def case(self, name, seed):
        """Try one case."""
        kind = self.kinds[name]
        rng = random.Random(f"{name} {seed}")
        return self.tried(kind, lambda folder: kind.damage(rng, folder))[0]

    def flip(self, name, seed):
        """Flip one bit of a file: it is refused, or what is read is the same to the last bit."""
        kind, rng = self.kinds[name], random.Random(f"{name} {seed}")

        def one_bit(folder):
            path = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
            content = bytearray(path.read_bytes())
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            path.write_bytes(content)

        said, read = self.tried(kind, one_bit)
        if said == "read" and read != kind.right:
            raise Wrong("was read as something else")
        return said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="CPU minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flips", type=int, default=0, help="flip single bits instead, so many in all")
    asked = parser.parse_args()
    counts, wrong = collections.Counter(), []
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(scratch)
        names = [
            name for name in bench.kinds if not (asked.flips and name.startswith(("forged", "edges", "graph file")))
        ]
        before, begin, seed = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), asked.seed
        while sum(counts.values()) < asked.flips or time.process_time() - begin < 60 * asked.minutes * (
            not asked.flips
        ):
            name = names[seed % len(names)]
            try:
                said = (bench.flip if asked.flips else bench.case)(name, seed)
            except Wrong as error:
                said = "WRONG"
                wrong.append((name, seed, str(error)))
                print(f"WRONG: {name!r}, {seed}: {str(error)[:300]}", flush=True)
            counts[name, said] += 1
            seed += 1
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{'kind':32}{'refused':>10}{'read':>10}{'wrong':>10}")
    for name in names:
        print(f"{name:32}" + "".join(f"{counts[name, said]:10}" for said in ("refused", "read", "WRONG")))
    print(f"{sum(counts.values())} tries, {len(wrong)} wrong; the process grew by {grown:.0f} MB at its peak")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
