"""What test_parallel.py starts by torchrun: fits in two processes, whose results each writes to a file."""

import pickle
import sys

import numpy as np
import torch
from scipy import sparse
from sklearn.datasets import load_digits
from torch import nn

from sklearn_dim import DGITransformer, DIMTransformer, Graph, MutualInfoEstimator
from sklearn_dim.datasets import make_community_graph
from sklearn_dim.training import data_parallel, numpy_weights

X = load_digits().data[:100].astype(np.float32)
IMAGES = (X / 16).reshape(-1, 1, 8, 8)
Y = X[:, 20:22] + X[:, 30:32]
# Three steps each: two of 33 rows and one of 34. In bfloat16 sums depend on who adds them.
DIM = {"n_components": 8, "batch_size": 34, "max_iter": 1, "random_state": 0, "mixed_precision": False}
NODES, EDGES, _ = make_community_graph(61, 16, degree=6.0, random_state=0)
GRAPH = Graph(NODES, EDGES)
WORDS = Graph(sparse.csr_matrix(np.maximum(NODES - 4, 0)), EDGES)  # one cell in forty is filled
BAG = sparse.csr_matrix(np.where(X > 14, X, 0))  # one cell in twenty is filled
# Three batches of 20 or 21 nodes; of two hops, with three neighbours drawn in each.
DGI = {"n_components": 12, "batch_size": 21, "fan_out": 3, "max_iter": 2, "random_state": 0}
MASKED = {**DGI, "corruption": "masked_shuffle", "mi_estimator": "dv"}


class Pixels(nn.Module):
    """An encoder for MutualInfoEstimator, with BatchNorm and with weights that it does not use."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.BatchNorm1d(4))
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        return self.layers(x)


def fits():
    """Return fitted estimators by name; in one process and in two they should be the same."""
    torch.manual_seed(0)
    pair = {"cv": 2, "batch_size": 20, "max_iter": 2, "random_state": 0}
    return {
        "table": DIMTransformer(**DIM).fit(X),
        "words": DIMTransformer(**DIM).fit(BAG),
        "images": DIMTransformer(**DIM, global_weight=0.5, early_stopping=True).fit(IMAGES),
        "two critics": DIMTransformer(**DIM, mi_estimator="flo", n_locations=3).fit(X),
        "pairs": MutualInfoEstimator(**pair).fit(X[:, 20:23], Y),
        "nodes": DGITransformer(**DGI).fit(GRAPH),
        "nodes by features alone": DGITransformer(**DGI, inductive=True).fit(GRAPH),
        "nodes of words": DGITransformer(**DGI, encoder="sage").fit(WORDS),
        "nodes and a summary": DGITransformer.published(**DGI).fit(GRAPH),
        "nodes of words and a summary": DGITransformer.published(**DGI, encoder="sage").fit(WORDS),
        "nodes, edges dropped": DGITransformer.published(**DGI, encoder="sgc", corruption="edge_dropout").fit(GRAPH),
        "nodes, words masked": DGITransformer.published(**MASKED).fit(WORDS),
        "encoded pairs": MutualInfoEstimator(encoder=Pixels(), **pair).fit(IMAGES, Y),
    }


def result(estimator):
    """Return what a fit came to."""
    nets = getattr(estimator, "nets_", None) or [estimator.net_]
    return {
        "losses": estimator.history_.drop(columns="dur").to_numpy(float),
        "weights": [numpy_weights(net.module_) for net in nets],
        "mutual_info": estimator.mutual_info_,
    }


def main(folder):
    """Fit in this process, one of those that torchrun started."""
    with data_parallel(gather_negatives=True) as processes:
        found = {name: result(estimator) for name, estimator in fits().items()}
    with data_parallel():
        apart = {
            "apart": DIMTransformer(**{**DIM, "random_state": None}).fit(X),
            "apart, numbered": DIMTransformer(**DIM).fit(X),
            "apart, stopped": DIMTransformer(**{**DIM, "max_iter": 4}, early_stopping=True, n_iter_no_change=1).fit(X),
            "apart, nodes": DGITransformer(**DGI).fit(GRAPH),
            "apart, pairs": MutualInfoEstimator(cv=2, batch_size=20, max_iter=2).fit(X[:, 20:23], Y),
        }
        found |= {name: result(estimator) for name, estimator in apart.items()}
        found["refused"] = [message(DIMTransformer(batch_size=3)), message(DGITransformer(n_components=4), GRAPH)]
    with data_parallel(gather_negatives=False) as processes:
        rows = 50 + processes.process_index
        found["refused"].append(message(DIMTransformer(), X[:rows]))
    with open(f"{folder}/{processes.process_index}.pkl", "wb") as file:
        pickle.dump(found, file)


def message(estimator, X=X):
    """Return what a fit says that is refused."""
    try:
        estimator.fit(X)
    except ValueError as error:
        return str(error)


if __name__ == "__main__":
    main(sys.argv[1])
