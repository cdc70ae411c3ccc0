"""Mutual information beside its peers: `python benchmarks/mutual_info.py [part ...]`, all parts by default.

Parts: tasks (the six samples, in the folder that SKLEARN_DIM_DATA names), others, staircase, as_they_come, coverage,
gaussian, robustness, speed.
as_they_come and coverage go on where they stopped with --out FILE.csv, and share their fits.
Peers named "published" were measured elsewhere, on the same samples where they are samples; all others in the same run.
"""

import argparse
import copy
import os
import pathlib
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch
from _as_they_come import PARTS as COME
from _as_they_come import parts
from _tasks import OTHERS, gaussian, staircase, student
from scipy.special import digamma
from scipy.stats import kstest
from sklearn.cross_decomposition import CCA
from sklearn.feature_selection import mutual_info_regression
from sklearn.neighbors import KDTree, NearestNeighbors
from sklearn.preprocessing import scale

from sklearn_dim import MutualInfoEstimator
from sklearn_dim.bounds import BOUNDS, make_bound
from sklearn_dim.mine._cross_fit import build_pair_information, tensors, value
from sklearn_dim.mine._estimator import AVERAGING, WEIGHT_DECAY
from sklearn_dim.training import AverageWeights, InformationNet, RowBatches

# bmi 0.1.3's defaults, mean of three seeds: MINE, InfoNCE, NWJ.
PUBLISHED = {
    "1v1-normal-0.75": (0.419, 0.395, 0.383),
    "1v1-bimodal-0.75": (0.394, 0.382, 0.378),
    "asinh-student-identity-1-1-1": (0.196, 0.204, 0.171),
    "multinormal-sparse-5-5-2-2.0": (0.936, 0.951, 0.934),
    "spiral-multinormal-sparse-5-5-2-2.0": (0.418, 0.535, 0.489),
    "multinormal-dense-25-25-0.5": (1.138, 1.080, 0.386),
}
# 20 pairs, 4000 steps of 64 fresh rows a level, separable critic 256×3 but for the first two: truth 2, 4, 6, 8, 10.
PUBLISHED_STAIRCASE = {
    "perfect critic, InfoNCE (K = 64)": (1.81, 3.07, 3.74, 4.02, 4.12),
    "perfect critic, DV, all pairs": (2.01, 4.06, 6.23, 8.58, 11.30),
    "InfoNCE": (1.64, 2.87, 3.59, 3.93, 4.06),
    "NWJ": (1.58, 2.58, 3.10, 3.46, 4.20),
    "DV": (1.72, 3.22, 4.61, 5.90, 6.85),
    "JSD-trained, SMILE τ=5": (1.69, 3.64, 5.81, 8.07, 10.48),
    "JSD-trained, mean of T": (1.73, 3.58, 5.45, 7.35, 9.33),
}


def ksg(x, y, k=10):
    """Kraskov, Stögbauer & Grassberger (2004), first estimator, columns standardised."""
    x, y = (scale(z.reshape(len(z), -1).astype(float)) for z in (x, y))
    both = NearestNeighbors(metric="chebyshev", n_neighbors=k).fit(np.hstack([x, y]))
    radius = np.nextafter(both.kneighbors()[0][:, -1], 0)
    counts = [KDTree(z, metric="chebyshev").query_radius(z, radius, count_only=True) for z in (x, y)]
    return digamma(k) + digamma(len(x)) - np.mean(digamma(counts[0]) + digamma(counts[1]))


def cca(x, y):
    """The information of a Gaussian with the sample's canonical correlations."""
    k = min(x.shape[1], y.shape[1])
    u, v = CCA(k, max_iter=2000).fit_transform(x.astype(float), y.astype(float))
    return -0.5 * sum(np.log1p(-(np.corrcoef(u[:, i], v[:, i])[0, 1] ** 2)) for i in range(k))


def fitted(x, y, **parameters):
    """Return a fitted estimator and the CPU seconds it took."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        estimator = MutualInfoEstimator(**{"random_state": 0, **parameters}).fit(x, y)
        return estimator, time.process_time() - start


def tasks():
    """Six tasks, three seeds, n = 5000."""
    if not (folder := os.environ.get("SKLEARN_DIM_DATA")):
        print("SKLEARN_DIM_DATA is not set: the six samples are skipped")
        return
    rows = []
    for name, (mine, infonce, nwj) in PUBLISHED.items():
        ours, others = [], []
        for seed in range(3):
            data = np.load(pathlib.Path(folder) / "mi" / f"{name}__seed{seed}.npz")
            x, y, truth = data["x"], data["y"], float(data["mi_true"])
            mi, seconds = fitted(x, y)
            low, high = mi.confidence_interval()
            ours.append((mi.mutual_info_, abs(mi.mutual_info_ - truth), low, high, mi.lower_bound_, seconds))
            sklearn = mutual_info_regression(x, y.ravel(), random_state=0)[0] if x.shape[1] == 1 else np.nan
            others.append((sklearn, ksg(x, y), cca(x, y)))
        estimate, error, low, high, lower, seconds = np.mean(ours, axis=0)
        interval = f"{low:.3f}–{high:.3f}"
        values = (truth, estimate, interval, error, lower, seconds, *np.mean(others, axis=0), mine, infonce, nwj)
        rows.append((name, *values))
    columns = "task,truth,plug-in,95 % (mean),|error|,lower bound,CPU s,sklearn,KSG,CCA,bmi MINE,bmi InfoNCE,bmi NWJ"
    table = show("Six tasks, n = 5000, mean of three seeds (bmi: published)", columns, rows)
    print(
        f"mean |error| but for the spiral: {table.loc[~table.index.str.startswith('spiral'), '|error|'].mean():.4f}\n"
    )


def others():
    """Tasks of this folder, which are in none of the tables above."""
    rows = []
    for name, task in OTHERS.items():
        x, y, truth = task(np.random.default_rng(11), 5000)
        mi, seconds = fitted(x, y)
        peer = ksg(x, y) if y.dtype.kind == "f" else np.nan
        rows.append((name, truth, mi.mutual_info_, mi.standard_error_, mi.lower_bound_, peer, seconds))
    columns = "task,truth,plug-in,its error,lower bound,KSG,CPU s"
    table = show("Other tasks, n = 5000, one seed", columns, rows)
    for name in ("plug-in", "KSG"):
        print(f"mean |error| of {name}: {(table[name] - table['truth']).abs().mean():.3f}")
    print()


def stairs():
    """20 pairs of columns, 2 to 10 nats."""
    levels, rows = (2, 4, 6, 8, 10), []
    for cubed in (False, True):
        estimates = []
        for truth in levels:
            x, y, _ = staircase(np.random.default_rng(0), 5000, truth, cubed=cubed)
            estimates.append(fitted(x, y)[0].estimates_)
        kind = "y mixed and cubed, " if cubed else ""
        for row, label in (("mutual_info", "plug-in"), ("infonce", "lower bound")):
            cells = [f"{e.loc[row, 'nats']:.2f} ± {e.loc[row, 'standard_error']:.2f}" for e in estimates]
            rows.append((f"{kind}default, n = 5000: {label}", *cells))
    trained = [equal_steps(truth) for truth in levels]
    for part, label in enumerate(("plug-in", "lower bound")):
        values = (f"{parts[part].mean():.2f}" for parts in trained)
        rows.append((f"network alone, 4000 steps of 64 fresh rows: {label}", *values))
    rows += [(f"published: {name}", *values) for name, values in PUBLISHED_STAIRCASE.items()]
    show("Staircase, 20×20", "critic and value,2,4,6,8,10", rows)


def equal_steps(truth, steps=4000, rows=64, held_out=8192):
    """The same network without its closed form, on fresh rows at each step, valued on rows never seen."""
    x, y, _ = staircase(np.random.default_rng(1), steps * rows + held_out, truth)
    torch.manual_seed(0)
    net = InformationNet(
        partial(build_pair_information, "separable", make_bound("dv"), x.shape[1], y.shape[1]),
        optimizer=torch.optim.AdamW,
        lr=3e-3,
        optimizer__weight_decay=WEIGHT_DECAY,
        max_epochs=1,
        callbacks=[AverageWeights(AVERAGING)],
    ).initialize()
    net.partial_fit(RowBatches(x[held_out:], y[held_out:], batch_size=rows), None)
    net.module_.eval()
    return value(net, x[:held_out].astype(np.float32), y[:held_out].astype(np.float32))


def gaussian_samples(repeats=100):
    """95 % intervals on Gaussian samples; estimate and p-value under independence."""
    rows = []
    for d, truth, n in ((1, 0.5, 1000), (5, 2.0, 1000), (1, 0.0, 1000), (5, 0.0, 1000)):
        correlations = [np.sqrt(1 - np.exp(-2 * truth / d))] * d
        fits = [
            fitted(*gaussian(np.random.default_rng(s), n, d, correlations)[:2], random_state=s)[0]
            for s in range(repeats)
        ]
        estimates = np.array([mi.mutual_info_ for mi in fits])
        held = sum(low <= truth <= high for low, high in (mi.confidence_interval() for mi in fits))
        uniform = kstest([mi.p_value() for mi in fits], "uniform").pvalue if truth == 0 else np.nan
        rows.append((f"{d}×{d}, n = {n}", truth, estimates.mean(), estimates.std(), f"{held}/{repeats}", uniform))
    show("Gaussian samples", "sample,truth,mean,sd,in the 95 % interval,KS p of p-values", rows)


def robustness(fits=200):
    """Every bound on 1 to 50 columns, light and heavy tails: nothing may fail or be infinite."""
    rng, bad = np.random.default_rng(0), []
    for i in range(fits):
        name, d, heavy = sorted(BOUNDS)[i % len(BOUNDS)], int(rng.integers(1, 51)), rng.random() < 0.5
        x, y, _ = student(rng, 300, d, 1, [0.9]) if heavy else gaussian(rng, 300, d, rng.uniform(0, 0.999, size=d))
        try:
            mi, _ = fitted(x, y, mi_estimator=name, cv=2, max_iter=5)
            ok = np.isfinite([mi.mutual_info_, mi.standard_error_, mi.lower_bound_]).all()
        except FloatingPointError:
            ok = False
        bad += [] if ok else [(name, d, heavy)]
    print(f"Robustness: {fits} fits, {len(BOUNDS)} bounds, 1 to 50 columns; not finite: {bad or 'none'}\n")


def speed(epochs=30):
    """The training loop beside a bare torch loop of the same mathematics, turn by turn."""
    rows = []
    for d in (1, 5, 25):
        x, y, _ = gaussian(np.random.default_rng(0), 5000, d, [0.5])
        net, batches = untrained(x, y)
        bare = copy.deepcopy(net.module_)
        turns = [(clock(bare_loop, bare, batches, epochs), clock(net_loop, net, batches, epochs)) for _ in range(5)]
        plain, ours = np.min(turns, axis=0) / (epochs * len(batches)) * 1e3
        rows.append((f"{d}×{d}", plain, ours, ours / plain))
    show("Training loop, batches of about 243 rows", "columns,bare ms a step,ours ms a step,ratio", rows)


def untrained(x, y):
    """Return the net of an estimator before its first step, and its batches."""
    mi, _ = fitted(x, y, max_iter=1, cv=2, device="cpu")
    net = mi.nets_[0]
    batches = RowBatches(*mi._terms[0].codes(pd.DataFrame(x), pd.DataFrame(y)), rows=np.arange(3400), batch_size=256)
    net.set_params(callbacks=[AverageWeights(AVERAGING)]).initialize()
    net.module_.critic.closed_form.fit(*tensors(net, x.astype(np.float32), y.astype(np.float32)))
    return net, batches


def net_loop(net, batches, epochs):
    """Train as the estimator does."""
    net.set_params(max_epochs=epochs)
    net.partial_fit(batches, None)


def bare_loop(module, batches, epochs):
    """Train the same module by hand."""
    x, y = batches.arrays
    rows, (parameters, module) = batches.rows, (list(module.parameters()), module.train())
    mean = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=0.1, fused=True)
    for _ in range(epochs):
        for chosen in rows[torch.randperm(len(rows))].tensor_split(len(batches)):
            optimizer.zero_grad()
            joint, marginal, _ = module.tables(x[chosen], y[chosen])
            (-module.bound.objective(joint, marginal)).backward()
            optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(mean, parameters, 0.02)


def clock(loop, *arguments):
    """Return the CPU seconds of one call."""
    start = time.process_time()
    loop(*arguments)
    return time.process_time() - start


def show(title, columns, rows):
    """Print a table and return it."""
    table = pd.DataFrame(rows, columns=columns.split(",")).set_index(columns.split(",")[0])
    print(f"{title}\n{table.to_string(float_format='{:.3f}'.format, na_rep='–')}\n", flush=True)
    return table


PARTS = {
    "tasks": tasks,
    "others": others,
    "staircase": stairs,
    "gaussian": gaussian_samples,
    "robustness": robustness,
    "speed": speed,
}

if __name__ == "__main__":
    names = [*PARTS, *COME]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=names, metavar="part", help=", ".join(names))
    parser.add_argument("--out", help="as_they_come, coverage: a csv file to keep each fit in and to go on from")
    parser.add_argument("--quick", action="store_true", help="as_they_come, coverage: ten laws, one seed, n = 1000")
    parser.add_argument("--features", action="store_true", help="as_they_come: mutual_info_features as well")
    parser.add_argument("--plot", help="coverage: a png file for the figure")
    torch.set_num_threads(1)
    options = parser.parse_args()
    runs = PARTS | parts(options)
    for part in options.parts:
        runs[part]()
