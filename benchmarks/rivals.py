"""DIMTransformer beside what people would pick: `python benchmarks/rivals.py [kind ...]`.

Kinds: sequences, images, documents, tables; all by default. For each seed, 30 % of the samples are the test (CIFAR-10:
2000 images), the others train all methods without labels, with default arguments. Behind them stands
LogisticRegression() as it is, with 10 % of the labels (three draws) and with all of them; "ridge" is
RidgeClassifierCV behind a scaler, which MiniRocket is made for, "5-NN" the five nearest neighbours, and "ARI" the
adjusted Rand index of k-means, with as many clusters as classes. One thread; the seconds are CPU time of fit and
transform. "untrained" is our output with the weights that training begins with.

Tasks and rivals whose data or package are not at hand are left out, and named. `pip install --no-deps aeon` and `pip
install numba deprecated` give series and MiniRocket, SKLEARN_DIM_DATA names the folder of tables and images.
"""

import os

os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}  # read by what is imported

import argparse
import json
import pathlib
import time
import warnings

import numpy as np
import pandas as pd
from _rival_methods import METHODS, missing_methods
from _rival_tasks import missing_tasks, tasks
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

KINDS = "sequences", "images", "documents", "tables"
DRAWS = 3  # of few labels
COLUMNS = "10 %", "all", "ridge, 10 %", "ridge, all", "5-NN", "ARI", "CPU s"


def split(task, y, seed):
    """Return the rows of training and test, and those that have labels where few have them."""
    if task == "nudged digits":  # no copy of a digit of the test is among the others
        digits = train_test_split(np.arange(len(y) // 5), test_size=0.3, stratify=y[::5], random_state=seed)
        train, test = ((5 * rows[:, None] + np.arange(5)).ravel() for rows in digits)
    else:
        n_test = 2000 if task.startswith("CIFAR") else 0.3
        train, test = train_test_split(np.arange(len(y)), test_size=n_test, stratify=y, random_state=seed)
    size = max(0.1, 1.01 * len(np.unique(y)) / len(train))
    few = [
        train_test_split(train, train_size=size, stratify=y[train], random_state=DRAWS * seed + draw)[0]
        for draw in range(DRAWS)
    ]
    return train, test, few


def accuracies(make, X, y, few, train, test):
    """Return the accuracy in % with few labels, and with all."""
    scores = [make().fit(X[rows], y[rows]).score(X[test], y[test]) for rows in (*few, train)]
    return 100 * np.mean(scores[:-1]), 100 * scores[-1]


def ridge():
    """Return the classifier that MiniRocket is made for."""
    return make_pipeline(StandardScaler(with_mean=True), RidgeClassifierCV(np.logspace(-3, 3, 10)))


def judged(method, X, y, seed, rows):
    """Return a row of the table."""
    train, test, few = rows
    start = time.process_time()
    fitted = method(seed).fit(take(X, train))
    features = fitted.transform(X)
    seconds = time.process_time() - start
    features = features.toarray() if hasattr(features, "toarray") else np.asarray(features, dtype=np.float64)
    linear = accuracies(lambda: LogisticRegression(max_iter=1000), features, y, few, train, test)
    least_squares = accuracies(ridge, features, y, few, train, test)
    nearest = 100 * KNeighborsClassifier().fit(features[train], y[train]).score(features[test], y[test])
    clusters = KMeans(len(np.unique(y)), n_init=5, random_state=seed).fit_predict(features[train])
    return dict(
        zip(COLUMNS, [*linear, *least_squares, nearest, adjusted_rand_score(y[train], clusters), seconds], strict=True)
    )


def take(X, rows):
    """Return rows of an array, a frame or a list."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    return [X[row] for row in rows] if isinstance(X, list) else X[rows]


def results(kinds, seeds, only, method_only, share):
    """Yield a dict for each kind, task, seed and method."""
    plan = [(kind, task, seed) for kind in kinds for task in tasks(kind) for seed in seeds if only in (None, task)]
    for kind, task, seed in plan[share[0] :: share[1]]:
        X, y = tasks(kind)[task]()
        rows = split(task, y, seed)
        for name, method in METHODS[kind].items():
            if name not in missing_methods() and method_only in (None, name):
                yield {"kind": kind, "task": task, "seed": seed, "method": name, **judged(method, X, y, seed, rows)}


def tables(found):
    """Yield the means of a kind by method, and then each task."""
    for kind, part in found.groupby("kind", sort=False):
        part = part.drop(columns="kind")
        order = list(dict.fromkeys(part["method"]))
        by_task = part.drop(columns="seed").groupby(["task", "method"], sort=False).mean()
        yield f"{kind}, mean of {part['task'].nunique()} tasks", by_task.groupby("method").mean().loc[order]
        for task in dict.fromkeys(part["task"]):
            yield f"{kind}: {task}", by_task.loc[task].reindex(order)


def written(found):
    """Write the means of each kind by method to rivals.csv, of which the documentation draws a picture."""
    means = {table_title.split(",")[0]: table for table_title, table in tables(found) if ", mean of" in table_title}
    table = pd.concat(means, names=["kind", "method"]).round(2)
    table.to_csv(pathlib.Path(__file__).with_suffix(".csv"))


def printed(title, table):
    """Print a table as Markdown."""
    print(f"\n| {title} | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    for name, row in table.iterrows():
        cells = [f"{row[column]:.2f}" if column == "ARI" else f"{row[column]:.1f}" for column in COLUMNS]
        print(f"| {name} | {' | '.join(cells)} |")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=KINDS, metavar="kind", help=", ".join(KINDS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", help="one task, by its name")
    parser.add_argument("--method", help="one method, by its name")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="the I-th of N parts")
    parser.add_argument("--out", help="a file to which each row is appended, as a line of JSON")
    parser.add_argument("--read", nargs="+", help="such files, to print their tables and measure nothing")
    parser.add_argument("--csv", action="store_true", help="write the means to rivals.csv beside this file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = []
    if options.read:
        found = [json.loads(line) for name in options.read for line in pathlib.Path(name).read_text().splitlines()]
    else:
        for row in results(options.kinds, range(options.seeds), options.only, options.method, options.share):
            found.append(row)
            if options.out:
                with open(options.out, "a") as file:
                    file.write(json.dumps(row) + "\n")
    for title, table in tables(pd.DataFrame(found)):
        printed(title, table)
    if options.csv:
        written(pd.DataFrame(found))
    print("\nNot at hand:", ", ".join([*missing_tasks(options.kinds), *missing_methods()]) or "nothing")


if __name__ == "__main__":
    main()
