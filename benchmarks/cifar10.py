"""Deep InfoMax on CIFAR-10, as in the paper: `python benchmarks/cifar10.py [accuracy] [speed] [bounds]`.

accuracy: what each encoder learns without labels in the same time, evaluated at three of its layers by the paper's MLP
of 200 units and by a linear SVM. The time counts training only: CPU seconds of the process on a CPU, seconds on CUDA.
speed: images per second and peak memory of the published networks, in plain torch and in DIMTransformer.
bounds: whether every bound trains the published networks without NaN (`--epochs 20 --limit 5000`).

Images are read from the folder that SKLEARN_DIM_DATA names (cifar10_jpeg.npz), with Pillow. A look in half a minute:
`--limit 500 --budget-seconds 5`.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np
import pandas as pd
import torch
from _cifar10 import LAYERS, Budget, clock, features, load_cifar10, probe
from _published import PublishedTraining
from sklearn.decomposition import PCA

from sklearn_dim import DIMTransformer
from sklearn_dim.bounds import BOUNDS

PUBLISHED = ("jsd", "infonce")  # the bounds that the plain version has
ROWS = ("ours", "one_view", "published", "random", "pca")


def accuracy(options):
    """Train each row for the same time, print it as soon as it is there, and at last the table."""
    (train, y_train), (test, y_test) = images(options)
    print(f"{len(train)} training images, {len(test)} test images, {options.budget_seconds:g} s a row\n", flush=True)
    table = {}
    for name, encode in rows(options):
        layers_train, layers_test, notes = encode(train, test)
        record = {}
        for layer in (layer for layer in LAYERS if layer in layers_train):
            scores = probe(layers_train.pop(layer), y_train, layers_test.pop(layer), y_test, layer,
                           device=options.device, seed=options.seed)  # fmt: skip
            record |= {(layer, probe): f"{score:.1f}" for probe, score in scores.items()}
        table[name] = record | {("training", note): f"{value:.4g}" for note, value in notes.items()}
        print(name, *(f"{' '.join(column)} {value}" for column, value in table[name].items()), sep="; ", flush=True)
    frame = pd.DataFrame(table).T.fillna("")
    frame.columns = pd.MultiIndex.from_tuples(frame.columns)
    print(f"\nCIFAR-10, accuracy in %\n{frame.to_string()}\n", flush=True)


def images(options):
    """Return training and test images with labels; with --choose both are training images after the first 10 000."""
    if options.choose:
        n = options.limit or 10_000
        X, y = load_cifar10("train", limit=n + 5000, start=10_000)
        return (X[:n], y[:n]), (X[n:], y[n:])
    few = options.limit is not None and options.limit < 5000
    return load_cifar10("train", options.limit), load_cifar10("test", options.limit if few else None)


def rows(options):
    """Yield name and (train, test) → layers of both and notes."""
    for bound in options.bounds:
        if "ours" in options.rows:
            yield f"DIMTransformer(), {bound}", lambda *X, b=bound: ours(*X, options, mi_estimator=b)
        if "one_view" in options.rows:
            yield (
                f"DIMTransformer(augmentation=None), {bound}",
                lambda *X, b=bound: ours(*X, options, mi_estimator=b, augmentation=None),
            )
        if "published" in options.rows and bound in PUBLISHED:
            yield f"published DIM(L), plain torch, {bound}", lambda *X, b=bound: published(*X, options, b)
    if "random" in options.rows:
        yield "published encoder, random weights", lambda *X: random_encoder(*X, options)
    if "pca" in options.rows:
        yield "PCA(64)", lambda *X: pca(*X)


def ours(train, test, options, **arguments):
    """Fit with default arguments until the time is over."""
    budget = Budget(options.budget_seconds, options.device)
    dim = DIMTransformer(
        max_iter=options.epochs, callbacks=[budget], device=options.device, random_state=options.seed, **arguments
    ).fit(train)
    budget = next(callback for _, callback in dim.net_.callbacks_ if isinstance(callback, Budget))
    encoder, per_epoch = dim.net_.module_.encoder, -(-len(train) // dim.batch_size)
    layers = [features(encoder, X, options.device) for X in (train, test)]
    return *layers, {"epochs": budget.steps_ / per_epoch, "seconds": budget.spent_}


def published(train, test, options, measure):
    """Train the published configuration until the time is over."""
    training = PublishedTraining(measure, options.seed, options.device)
    X, steps, start = torch.as_tensor(train).to(options.device), 0, clock(options.device)
    spent = 0.0
    for _ in range(options.epochs):
        for _ in training.epoch(X):
            steps, spent = steps + 1, clock(options.device) - start
            if spent > options.budget_seconds:
                break
        if spent > options.budget_seconds:
            break
    layers = [features(training.model.encoder, X, options.device, scaled) for X in (train, test)]
    return *layers, {"epochs": steps / (len(train) // 64), "seconds": spent}


def random_encoder(train, test, options):
    """The published encoder with its first weights; BatchNorm knows the images' statistics."""
    encoder = PublishedTraining("jsd", options.seed, options.device).model.encoder
    with torch.no_grad():
        for batch in torch.as_tensor(train[:6400]).split(64):
            encoder(scaled(batch.to(options.device)))
    layers = [features(encoder, X, options.device, scaled) for X in (train, test)]
    return *layers, {"epochs": 0, "seconds": 0}


def scaled(x):
    """Return uint8 images in [-1, 1], as published."""
    return x.float() / 127.5 - 1


def pca(train, test):
    """Return the first 64 principal components of the pixels."""
    model = PCA(64, random_state=0).fit(train.reshape(len(train), -1).astype(np.float32))
    layers = ({"code": model.transform(X.reshape(len(X), -1)).astype(np.float32)} for X in (train, test))
    return *layers, {"epochs": 0, "seconds": 0}


def speed(options):
    """Images a second, turn by turn so that the machine's drift cancels, and peak memory at a batch of 256.

    "ours" trains in bfloat16 where the device computes in it, as by default; "float32" never does.
    """
    kinds = ("plain", "float32", "ours")
    runs = {(kind, bound): [] for bound in PUBLISHED for kind in kinds}
    for _ in range(options.rounds):
        for kind, bound in runs:
            runs[kind, bound] += apart(kind, bound, 64, options.steps, options)["seconds"]
    for bound in PUBLISHED:
        rate = {kind: 64 / np.median(runs[kind, bound]) for kind in kinds}
        print(f"{bound}, batch 64, images a second: {against_plain(rate)}", flush=True)
    peak = {kind: apart(kind, "infonce", 256, 2, options)["peak_mb"] for kind in kinds}
    print(f"infonce, batch 256, peak MiB: {against_plain(peak)}\n")


def against_plain(figures):
    """Return the figures of all kinds as text, with their ratio to the plain version's."""
    ratios = (f"{kind} {figure:.1f} ({figure / figures['plain']:.2f} of plain)" for kind, figure in figures.items())
    return ", ".join(ratios)


def bounds(options):
    """Train the published networks by every bound of the registry, with some locations of 256 images per step."""
    X, _ = load_cifar10("train", options.limit)
    for bound in BOUNDS if options.bounds == ["jsd"] else options.bounds:
        dim = DIMTransformer.published(
            mi_estimator=bound, max_iter=options.epochs, n_locations=options.n_locations, batch_size=256,
            device=options.device, random_state=options.seed,
        ).fit(X)  # fmt: skip
        losses = dim.history_["train_local_loss"]
        finite = np.isfinite(losses).all() and np.isfinite(dim.transform(X[:500])).all()
        print(f"{bound}: {len(losses)} epochs, finite: {finite}, loss {losses.iloc[0]:.4f} to {losses.iloc[-1]:.4f}, "
              f"{dim.mutual_info_:.3f} nats", flush=True)  # fmt: skip


def apart(kind, bound, batch_size, steps, options):
    """Return what _cifar10_speed.py measures in a process of its own."""
    script = pathlib.Path(__file__).with_name("_cifar10_speed.py")
    arguments = [kind, bound, batch_size, steps, options.device, options.threads]
    command = [sys.executable, "-W", "ignore", str(script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{kind!r} with {bound!r} ended with exit status {done.returncode}.")
    return json.loads(done.stdout.splitlines()[-1])


PARTS = {"accuracy": accuracy, "speed": speed, "bounds": bounds}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["accuracy"], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--epochs", type=int, default=1000, help="the most, where the time is not over before")
    parser.add_argument("--limit", type=int, help="so many training images; all by default")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--budget-seconds", type=float, default=1200)
    parser.add_argument("--bounds", nargs="+", default=["jsd"])
    parser.add_argument("--rows", nargs="+", default=ROWS, choices=ROWS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--choose", action="store_true", help="train and test on training images after the first 10000")
    parser.add_argument("--n-locations", type=int, default=1, help="bounds: locations of an image in a step")
    parser.add_argument("--steps", type=int, default=10, help="speed: steps timed a round")
    parser.add_argument("--rounds", type=int, default=2, help="speed: rounds")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for part in options.parts:
        PARTS[part](options)
