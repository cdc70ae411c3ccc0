"""Whole fits that `gpu.py` times: Deep Graph Infomax on three graphs, and the information of very many pairs."""

import time
import warnings
from functools import cache

import numpy as np
import torch
from _gpu_steps import is_cuda, peak_mib
from _graphs import load
from sklearn.linear_model import LogisticRegression

from sklearn_dim import DGITransformer, MutualInfoEstimator

graph_of = cache(load)


def graph_row(name, device, make=DGITransformer, **arguments):
    """Return a row: an epoch's milliseconds, the fit's seconds, and a linear classifier's accuracy on the vectors."""
    graph, y, split = graph_of(name)
    train, test = split(0)
    model, seconds, peak = timed(make(device=device, random_state=0, **arguments).fit, graph, device=device)
    start = time.perf_counter()
    H = model.transform(graph)
    spent = time.perf_counter() - start
    if make == DGITransformer.published:  # the paper's vectors are short
        H = H / np.linalg.norm(H, axis=1, keepdims=True)
    classifier = LogisticRegression(max_iter=1000).fit(H[train], y[train])
    return {
        "ms an epoch": round(1000 * np.median(model.history_["dur"][1:]), 2),
        "epochs": model.n_iter_,
        "fit, s": round(seconds, 2),
        "transform, s": round(spent, 2),
        "accuracy, %": round(100 * classifier.score(H[test], y[test]), 1),
        "peak MiB": round(peak, 1),
    }


def pairs_row(n_rows, device, columns=5, correlation=0.6, **arguments):
    """Return a row: the information of so many correlated pairs, its truth, and the times of fit and step."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_rows, columns), dtype=np.float32)
    y = correlation * x + np.sqrt(1 - correlation**2) * rng.standard_normal((n_rows, columns), dtype=np.float32)
    y = y.astype(np.float32)
    mi = MutualInfoEstimator(device=device, random_state=0, **arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a fold's single epoch was its last
        mi, seconds, peak = timed(mi.fit, x, y, device=device)
    train = round(n_rows * (1 - 1 / mi.cv) * (1 - mi.validation_fraction))
    steps = len(mi.history_) * -(-train // mi.batch_size)
    return {
        "nats": round(mi.mutual_info_, 4),
        "truth": round(-0.5 * columns * np.log1p(-(correlation**2)), 4),
        "fit, s": round(seconds, 1),
        "of it epochs, s": round(mi.history_["dur"].sum(), 1),
        "steps": steps,
        "ms a step": round(1000 * mi.history_["dur"].sum() / steps, 3),
        "peak MiB": round(peak, 1),
    }


def timed(fit, *data, device):
    """Return what ``fit`` returned, its seconds and the peak of the device's memory."""
    if is_cuda(device):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    result = fit(*data)
    if is_cuda(device):
        torch.cuda.synchronize()
    return result, time.perf_counter() - start, peak_mib(device)
