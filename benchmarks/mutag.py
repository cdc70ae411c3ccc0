"""Whole-graph embeddings: MUTAG and three random sets, 10-fold cross-validation of an SVM.

python benchmarks/mutag.py               # half an hour; or the names of some sets, and --seeds 2
"""

import argparse
import warnings
from functools import partial

import numpy as np
from _graph_tasks import TASKS
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_dim import GraphInfomaxTransformer

FROZEN = 1e-30  # a step size with which nothing is learned, but BatchNorm takes in its statistics
PUBLISHED = "InfoGraph as published, MUTAG: 89.0 ± 1.1"


def svm():
    """Return the published evaluation's classifier: an SVM whose C is chosen by an inner cross-validation."""
    return GridSearchCV(SVC(), {"C": 10.0 ** np.arange(-3, 4)}, cv=5)


def folds(seed):
    """Return ten folds, others for each seed."""
    return StratifiedKFold(10, shuffle=True, random_state=seed)


def degrees(graphs):
    """Return each graph's histogram of degrees."""
    counts = [np.bincount(np.diff(graph.adjacency.indptr)) for graph in graphs]
    width = max(map(len, counts))
    return np.array([np.pad(count, (0, width - len(count))) for count in counts])


def feature_sums(graphs):
    """Return each graph's sums of features: of MUTAG, its histogram of node tags."""
    return np.array([graph.features.sum(0) for graph in graphs])


def both_histograms(graphs):
    """Return both side by side."""
    return np.hstack([degrees(graphs), feature_sums(graphs)])


def embedded(graphs, seed, **parameters):
    """Return the embedding by a transformer fitted on all graphs, which sees no label."""
    return GraphInfomaxTransformer(random_state=seed, **parameters).fit_transform(graphs)


EMBEDDINGS = {
    "degrees": lambda graphs, seed: degrees(graphs),
    "sums of features": lambda graphs, seed: feature_sums(graphs),
    "degrees and sums": lambda graphs, seed: both_histograms(graphs),
    "untrained GIN": partial(embedded, learning_rate_init=FROZEN),
    "GraphInfomax": embedded,
    "GraphInfomax, InfoNCE": partial(embedded, mi_estimator="infonce"),
}


def report(task, name, accuracies):
    """Print mean and spread over seeds, as in the paper."""
    print(f"{task:10s} {name:28s} {100 * np.mean(accuracies):5.1f} ± {100 * np.std(accuracies):.1f}", flush=True)


def strict(graphs, y, seed):
    """Return the accuracy of a pipeline, whose transformer is fitted on the training folds only."""
    model = make_pipeline(GraphInfomaxTransformer(random_state=seed), svm())
    return cross_val_score(model, graphs, y, cv=folds(seed)).mean()


def main(tasks, seeds):
    """Print a line for each set of graphs and embedding."""
    print(f"accuracy of an SVM in %, mean ± sd over {seeds} seeds of ten folds each; {PUBLISHED}")
    for task in tasks:
        graphs, y = TASKS[task]()
        for name, embed in EMBEDDINGS.items():
            scores = [cross_val_score(svm(), embed(graphs, seed), y, cv=folds(seed)).mean() for seed in range(seeds)]
            report(task, name, scores)
        report(task, "GraphInfomax, training folds", [strict(graphs, y, seed) for seed in range(seeds)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(TASKS), help=f"of {', '.join(TASKS)}; all by default")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    main(arguments.tasks, arguments.seeds)
