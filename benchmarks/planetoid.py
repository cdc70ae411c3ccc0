"""Deep Graph Infomax beside its peers: `python benchmarks/planetoid.py [part ...]`, all parts by default.

Parts: random (eight graphs, random splits, beside what needs no training), accuracy (standard splits, and the paper's
setting), others (graphs of other kinds), speed (CPU time of an epoch and of a fit, and memory), large (a graph of
200 000 nodes). Graphs are read from the folder that SKLEARN_DIM_DATA names. --quick shows that everything runs;
its figures mean nothing.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # read when torch is loaded

import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import torch
from _graphs import NAMES, PLAIN, PygInfomax, has_pyg, load, load_optimizers, reference_classifier, tenth, torch_csr
from _other_graphs import OTHERS, SPLITS, neighbor_matrix, random_split
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils.extmath import randomized_svd

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.graphs import normalized_adjacency

PUBLISHED = {"cora": "82.3 ± 0.6", "citeseer": "71.8 ± 0.7"}  # Veličković et al. 2019
EVALUATIONS = {"as it comes, C=1": (False, 1), "as it comes, C=100": (False, 100), "unit rows, C=1": (True, 1)}


def accuracy(options):
    """Linear classifiers on frozen vectors; LogisticRegression, and on the standard splits the paper's classifier."""
    for name in options.graphs:
        graph, y, split = load(name)
        records = []
        for seed in range(options.seeds):
            train, test = split(seed)
            for method in methods(name, seed, options.no_pyg):
                for label, H, seconds in method(graph, seed, options.quick):
                    scores = probe(H, y, train, test, paper=name in PUBLISHED)
                    records.append({"method": label, **scores, "fit, CPU s": seconds})
        published = f"; published, by the reference classifier: {PUBLISHED[name]}" if name in PUBLISHED else ""
        show(f"{name}: accuracy in %, mean ± sd of seeds{published}", mean_and_sd(records))


def methods(name, seed, no_pyg):
    """Return what is run: once what does not depend on a seed, and PyG where it takes an hour."""
    chosen = [defaults, paper, untrained, random_encoder]
    if has_pyg() and not no_pyg and (seed == 0 or name in PUBLISHED):
        chosen.append(pyg)
    if seed == 0 or name not in PUBLISHED:  # whose split does not depend on a seed
        chosen.append(propagated)
    return chosen


def defaults(graph, seed, quick):
    """Fit with default arguments."""
    model, seconds = fitted(graph, seed, quick)
    yield "DGITransformer()", model.transform(graph), seconds


def paper(graph, seed, quick):
    """Fit as published; its vectors as they are given out, and as they are in the network."""
    model, seconds = fitted(graph, seed, quick, DGITransformer.published)
    yield "the paper's setting", model.transform(graph), seconds
    X, A = torch.as_tensor(unit_sum(graph).toarray()), torch_csr(normalized_adjacency(graph.adjacency))
    yield "the paper's setting, H", model.net_.module_.encoder(X, A).detach().numpy(), seconds


def untrained(graph, seed, quick):
    """Fit with a step that changes nothing: what the output's propagation and scale do without training."""
    model, seconds = fitted(graph, seed, quick, max_iter=1, learning_rate_init=1e-30)
    yield "DGITransformer(), untrained", model.transform(graph), seconds


def pyg(graph, seed, quick):
    """Train torch_geometric's class as its example does."""
    start = time.process_time()
    peer = PygInfomax(graph, seed)
    for _ in range(3 if quick else 300):
        peer.epoch()
    yield "PyG DeepGraphInfomax", peer.embedding(), time.process_time() - start


def random_encoder(graph, seed, quick):
    """The paper's encoder with its first weights."""
    limit = np.sqrt(6 / (graph.shape[1] + 512))
    W = np.random.default_rng(seed).uniform(-limit, limit, size=(graph.shape[1], 512)).astype(np.float32)
    H = normalized_adjacency(graph.adjacency) @ (unit_sum(graph) @ W)
    yield "random encoder", np.where(H > 0, H, 0.25 * H), 0.0


def propagated(graph, seed, quick):
    """Features averaged over two steps."""
    A = normalized_adjacency(graph.adjacency)
    yield "Â²X, no training", A @ (A @ graph.features), 0.0
    yield "Â²X of rows of unit sum", A @ (A @ unit_sum(graph)), 0.0


def fitted(graph, seed, quick, make=DGITransformer, **arguments):
    """Return a fitted estimator and the CPU seconds it took."""
    start = time.process_time()
    arguments |= {"max_iter": 3} if quick else {}
    model = make(**arguments, device="cpu", random_state=seed).fit(graph)
    return model, time.process_time() - start


def at_random(options):
    """Eight graphs, a tenth of the nodes for training: ours, untrained, and what needs no training.

    Three of them have edges that mostly join different classes.
    """
    records = []
    for name in (*NAMES, *PLAIN):
        graph, y, _ = load(name)
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            train, test = tenth(y, seed)
            for label, H, seconds in unsupervised(graph, seed, options.quick):
                scores = probe(H, y, train, test, paper=False)
                records.append({"graph": name, "method": label, **scores, "CPU s": seconds})
            H = [each[1] for each in smoothed_blocks(graph)]
            records.append({"graph": name, "method": "depth chosen", **by_depth(H, y, train, test), "CPU s": np.nan})
        of_graph = [
            {key: value for key, value in row.items() if key != "graph"} for row in records if row["graph"] == name
        ]
        show(f"{name}: accuracy in %, mean ± sd of seeds", mean_and_sd(of_graph))
    table = pd.DataFrame(records).groupby(["method", "graph"], sort=False).mean().unstack("graph")
    for label in (*EVALUATIONS, "CPU s"):
        means = table[label].assign(mean=table[label].mean(axis=1))
        show(f"{label}, means over seeds", means.map("{:.1f}".format))


def unsupervised(graph, seed, quick):
    """Yield the rows of `at_random`: a name, vectors, and CPU seconds of fit and transform."""
    for label, arguments in {"": {}, ", untrained": {"max_iter": 1, "learning_rate_init": 1e-30}}.items():
        start = time.process_time()
        model, _ = fitted(graph, seed, quick, **arguments)
        yield f"DGITransformer(){label}", model.transform(graph), time.process_time() - start
    start = time.process_time()
    blocks = [block for block, _ in smoothed_blocks(graph)]
    seconds = time.process_time() - start
    yield "[X, ÂX, Â²X]", side_by_side(blocks), seconds
    yield "[X, ÂX, Â²X], unit rows", side_by_side([normalize(block) for block in blocks]), seconds


def smoothed_blocks(graph, depth=2):
    """Yield X, ÂX, …, each on its leading 256 singular vectors, as it is and as one of several blocks."""
    A, X = normalized_adjacency(graph.adjacency), graph.features
    for _ in range(depth + 1):
        left, size, _ = randomized_svd(X, 256, n_iter=2, random_state=0)
        yield left * size, side_by_side([left * size])
        X = A @ X


def side_by_side(blocks, length=2.5):
    """Return blocks side by side, centered, all of one root mean square length, the whole of ``length``."""
    centered = [block - block.mean(0) for block in blocks]
    lengths = [np.sqrt((block**2).sum(1).mean() * len(blocks)) / length for block in centered]
    return np.hstack([block / size for block, size in zip(centered, lengths, strict=True)])


def by_depth(blocks, y, train, test):
    """Return accuracies with as many of the blocks as cross-validation of the training rows prefers."""
    scores = {}
    for label, (unit_rows, C) in EVALUATIONS.items():
        trials = []
        for depth in range(1, len(blocks) + 1):
            rows = np.hstack(blocks[:depth]) / depth**0.5
            rows = normalize(rows) if unit_rows else rows
            model = LogisticRegression(C=C, max_iter=1000)
            held_out = cross_val_score(model, rows[train], y[train], cv=KFold(3, shuffle=True, random_state=0)).mean()
            trials.append((held_out, 100 * model.fit(rows[train], y[train]).score(rows[test], y[test])))
        scores[label] = max(trials)[1]
    return scores


def unit_sum(graph):
    """Return features whose rows sum to 1, as in the paper."""
    return normalize(graph.features, norm="l1")


def probe(H, y, train, test, *, paper):
    """Return accuracies in % by evaluation; the paper's classifier only if asked for."""
    scores = {}
    for label, (unit_rows, C) in EVALUATIONS.items():
        rows = normalize(H) if unit_rows else H
        classifier = LogisticRegression(C=C, max_iter=1000).fit(rows[train], y[train])
        scores[label] = 100 * classifier.score(rows[test], y[test])
    if paper:
        H = H.toarray() if sparse.issparse(H) else H
        scores["reference classifier"] = 100 * reference_classifier(H, y, train, test)
    return scores


def mean_and_sd(records):
    """Return a table of text, one row per method, from one record per method and seed."""
    runs = pd.DataFrame(records).groupby("method", sort=False)
    mean, sd = runs.mean(), runs.std()
    table = mean.map("{:.1f}".format) + sd.map(lambda value: "" if np.isnan(value) else f" ± {value:.1f}")
    return table.assign(seeds=runs.size())


def speed(options):
    """CPU time of an epoch and peak memory, turn by turn so that the machine's drift cancels; a whole fit on Cora."""
    kinds = ["ours", "floor", "own floor", *(["PyG"] if has_pyg() else [])]
    rounds, epochs = (1, dict.fromkeys(kinds, 2)) if options.quick else (3, dict.fromkeys(kinds, 20) | {"PyG": 3})
    for name in options.graphs:
        taken = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind in kinds:
                taken[kind].append(apart(kind, name, epochs[kind]))
        table = pd.DataFrame({kind: times(runs) for kind, runs in taken.items()}).T
        show(f"{name}, an epoch at 512 components on one core", table.map("{:.1f}".format))
        ms, mb = table["median ms"], table["peak MB"]
        print(f"ours / floor: {ms['ours'] / ms['floor']:.2f}; ours / own floor: {ms['ours'] / ms['own floor']:.2f}")
        if "PyG" in kinds:
            print(f"PyG / ours: {ms['PyG'] / ms['ours']:.1f}; memory, ours / PyG: {mb['ours'] / mb['PyG']:.2f}")
        print(flush=True)
    whole_fit("cora", kinds, 3 if options.quick else 0)


def times(runs):
    """Return the figures of one row from several processes."""
    ms = np.concatenate([run["result"] for run in runs])
    return {"median ms": np.median(ms), "least ms": ms.min(), "peak MB": np.median([run["mb"] for run in runs])}


def whole_fit(name, kinds, epochs):
    """Default arguments until they stop, beside torch_geometric's example."""
    taken = {kind: apart(f"{kind} whole", name, epochs)["result"] for kind in kinds if "floor" not in kind}
    print(f"{name}, a whole fit:", *(f"{kind} {s:.1f} CPU s, {n} epochs;" for kind, (s, n) in taken.items()), end=" ")
    print(f"ratio {taken['PyG'][0] / taken['ours'][0]:.1f}\n" if "PyG" in taken else "\n", flush=True)


def others(options):
    """Graphs of other kinds, on random splits: where the defaults were chosen, and where they win or lose."""
    for name, read in OTHERS.items():
        X, y, pool, n_train = read()
        records = []
        for seed in range(options.seeds):
            splits = [random_split(y, pool, n_train, 100 * seed + i) for i in range(SPLITS)]
            for label, H in other_methods(X, seed, options.quick):
                scores = pd.DataFrame([probe(H, y, *split, paper=False) for split in splits]).mean()
                records.append({"method": label, **scores})
        show(f"{name}: accuracy in %, mean ± sd of seeds, {SPLITS} splits each", mean_and_sd(records))


def other_methods(X, seed, quick):
    """Yield defaults, the paper's setting, and Â²X of raw or standardised, and of unit-sum rows."""
    yield "DGITransformer()", fitted(X, seed, quick)[0].transform(X)
    yield "the paper's setting", fitted(X, seed, quick, DGITransformer.published)[0].transform(X)
    graph = X if isinstance(X, Graph) else Graph(X, neighbor_matrix(X), directed=True)
    A = normalized_adjacency(graph.adjacency)
    bag = sparse.issparse(graph.features)
    rows = graph.features if bag else StandardScaler().fit_transform(graph.features)
    yield "Â²X, no training", A @ (A @ rows)
    if bag:
        yield "Â²X of rows of unit sum", A @ (A @ unit_sum(graph))
    if not isinstance(X, Graph):
        yield "standardised rows", rows


def large(options):
    """Communities of a large graph by k-means, default arguments."""
    n, epochs = (5000, 3) if options.quick else (200_000, 0)
    run = apart("large", n, epochs)
    result = run["result"]
    show(
        f"{n} nodes, {result['edges']} edges: adjusted Rand index of k-means",
        pd.Series(result["found"]).map("{:.3f}".format),
    )
    print(
        f"fit {result['seconds']:.0f} CPU s; peak memory {result['fit_mb']:.0f} MB until the fit ended, "
        f"{run['mb']:.0f} MB until k-means ended\n"
    )


def apart(kind, subject, epochs):
    """Return what _epochs.py measures in a process of its own."""
    script = pathlib.Path(__file__).with_name("_epochs.py")
    command = [sys.executable, "-W", "ignore", str(script), kind, str(subject), str(epochs)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{kind!r} of {subject} ended with exit status {done.returncode}.")
    return json.loads(done.stdout.splitlines()[-1])


def show(title, table):
    """Print a table."""
    print(f"{title}\n{table.to_string()}\n", flush=True)


PARTS = {"random": at_random, "accuracy": accuracy, "others": others, "speed": speed, "large": large}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="part", help=", ".join(PARTS))
    parser.add_argument("--graphs", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0, help="of the random splits")
    parser.add_argument("--no-pyg", action="store_true", help="accuracy without torch_geometric's class")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    load_optimizers()
    if not has_pyg():
        print("torch_geometric is not installed, so its rows are missing: pip install 'sklearn-dim[graph]'\n")
    for part in options.parts:
        PARTS[part](options)
