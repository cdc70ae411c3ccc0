"""Fits of every kind, each a function of the device that returns the numbers to compare."""

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.datasets import load_digits

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    mutual_info_features,
)
from sklearn_dim.bounds import BOUNDS
from sklearn_dim.critics import CRITICS
from sklearn_dim.graphs import CORRUPTIONS
from sklearn_dim.metrics import neural_dependency_measure
from sklearn_dim.views import Compose, Flip, Noise, ResizedCrop

rng = np.random.default_rng(0)
DIGITS = load_digits().data[:48].reshape(-1, 1, 8, 8) / 16
IMAGES = DIGITS.astype(np.float32)
COLOURS = np.repeat(IMAGES, 3, axis=1) * np.array([1, 0.5, 2], np.float32)[:, None, None]
LARGE = np.kron(IMAGES[:32], np.ones((4, 4), np.float32))
TABLE = rng.normal(size=(60, 12)).astype(np.float32)
FRAME = pd.DataFrame(TABLE, columns=list("abcdefghijkl")).assign(group=np.where(TABLE[:, 0] > 0, "a", "b"))
FRAME.iloc[::7, 3] = np.nan
BAG = sparse.random(60, 120, density=0.05, random_state=0, format="csr", dtype=np.float32)
SIGNED = sparse.random(60, 40, density=0.3, random_state=0, format="csr") * -1.0
WORDS = rng.integers(0, 30, size=(40, 12))
TEXTS = [" ".join("abcdefghijklmnopqrstuvwxyz0123"[word] * 3 for word in row) for row in WORDS]
SEQUENCES = TABLE[:40].reshape(20, 2, 12).repeat(2, 0)
Y = TABLE[:, 0] + TABLE[:, 1]


def graph(n, width, seed=0):
    draws = np.random.default_rng(seed)
    edges = sparse.random(n, n, density=0.3, random_state=n, format="coo")
    ones = sparse.csr_matrix((np.ones(edges.nnz), (edges.row, edges.col)), (n, n))
    return Graph(draws.normal(size=(n, width)), ones)


GRAPH, GRAPHS = graph(40, 20), [graph(n, 5, n) for n in range(5, 13)]
WORDY = Graph(sparse.random(40, 60, density=0.08, random_state=1, format="csr"), GRAPH.adjacency)


def codes(cls, X, **parameters):
    options = {"max_iter": 2, "n_components": 8, "random_state": 0, **parameters}

    def fit_and_transform(device):
        model = cls(device=device, **options).fit(X)
        return np.append(np.ravel(model.transform(X)), model.score(X))

    return fit_and_transform


def dim(X, **parameters):
    return codes(DIMTransformer, X, **{"batch_size": 20, "mixed_precision": False, **parameters})


def published(which):
    def fit_and_transform(device):
        model = DIMTransformer.published(
            which, max_iter=1, random_state=0, device=device, mixed_precision=False, batch_size=16
        )
        return np.ravel(model.fit(LARGE).transform(LARGE[:9]))

    return fit_and_transform


def dgi(X=GRAPH, **parameters):
    return codes(DGITransformer, X, **parameters)


def summary(X=GRAPH, **parameters):
    """Deep Graph Infomax as published, or changed."""
    options = {"mi_estimator": "jsd", "encoder": "gcn", "critic": "bilinear", "corruption": "shuffle"}
    return dgi(X, **{**options, "representation": "code", **parameters})


def graphs(**parameters):
    return codes(GraphInfomaxTransformer, GRAPHS, **{"batch_size": 4, **parameters})


def pairs(x=TABLE[:, :2], y=Y, **parameters):
    options = {"cv": 2, "max_iter": 2, "batch_size": 20, "random_state": 0, **parameters}

    def estimate(device):
        model = MutualInfoEstimator(device=device, **options).fit(x, y)
        return np.append(model.pointwise(x, y), [model.mutual_info_, model.p_value(n_permutations=9)])

    return estimate


def features(**parameters):
    return lambda device: mutual_info_features(TABLE[:, :3], Y, max_iter=3, random_state=0, device=device, **parameters)


def dependency(device):
    return np.array([neural_dependency_measure(TABLE, max_iter=2, random_state=0, device=device)])


# One of each kind, for every run of the suite.
FEW = {
    "image": dim(IMAGES),
    "table": dim(TABLE),
    "frame with gaps": dim(FRAME),
    "bag": dim(BAG),
    "tokens": dim(WORDS, encoder="tokens"),
    "documents": dim(TEXTS, encoder="tokens"),
    "sequence": dim(SEQUENCES, early_stopping=True),
    "published, local": published("local"),
    "graph": dgi(),
    "graph, summary": summary(),
    "graph in batches": dgi(batch_size=20),
    "rows": dgi(TABLE.astype(float)),
    "graphs": graphs(),
    "pairs": pairs(),
    "features": features(),
    "features jointly": features(jointly=True),
    "dependency": dependency,
}


class OwnCritic(torch.nn.Module):
    """Minus a distance in a learnt plane."""

    def __init__(self, a_features, b_features):
        super().__init__()
        self.a, self.b = torch.nn.Linear(a_features, 3), torch.nn.Linear(b_features, 3)

    def forward(self, a, b):
        return -(self.a(a).unsqueeze(-2) - self.b(b).unsqueeze(-3)).square().sum(-1)


class OwnEncoder(torch.nn.Module):
    """Columns → (locations, code)."""

    def __init__(self, shape, n_components):
        super().__init__()
        self.first, self.last = torch.nn.Linear(shape[0], 12), torch.nn.Linear(12, n_components)

    def forward(self, x):
        hidden = torch.relu(self.first(x))
        return hidden.unflatten(1, (3, 4)), self.last(hidden)


class EdgeEncoder(torch.nn.Module):
    """A module as torch_geometric's: a sum over the sources of a node's edges, with or without their weights."""

    def __init__(self, n_features, width):
        super().__init__()
        self.linear = torch.nn.Linear(n_features, width)

    def forward(self, x, edge_index):
        h = self.linear(x)
        return torch.tanh(h.index_add(0, edge_index[1], h[edge_index[0]]))


class WeightedEdgeEncoder(EdgeEncoder):
    def forward(self, x, edge_index, edge_weight):
        h = self.linear(x)
        return torch.tanh(h.index_add(0, edge_index[1], edge_weight[:, None] * h[edge_index[0]]))


class Rows(torch.utils.data.Dataset):
    """A table as a Dataset, which stays on the host."""

    def __len__(self):
        return len(TABLE)

    def __getitem__(self, row):
        return TABLE[row]


def layered(X, layer, **parameters):
    return dim(X, representation=layer, **parameters)


LAPLACE = torch.distributions.Laplace(0.0, 1.0)
CORRELATED = torch.distributions.MultivariateNormal(torch.zeros(8), torch.eye(8) + 0.5)
FAR = TABLE.astype(float) + 1e7

# What a user can ask for besides, a choice at a time.
MANY = {
    "image in float64": dim(DIGITS),
    "image in bytes, channels last": dim((255 * COLOURS / COLOURS.max()).astype(np.uint8).transpose(0, 2, 3, 1)),
    "image, odd side": dim(np.pad(IMAGES, ((0, 0), (0, 0), (0, 1), (0, 1)))),
    "image, no views": dim(IMAGES, augmentation=None),
    "image, global term": dim(IMAGES, global_weight=0.5, global_critic="concatenated"),
    "image, all terms": dim(COLOURS, global_weight=0.5, coordinate_weight=0.5, occlusion=0.3, n_locations=3),
    "image, four vectors": dim(IMAGES, n_global_vectors=4, representation="code"),
    "image, resnet": dim(np.kron(IMAGES, np.ones((2, 2), np.float32)), encoder="resnet", representation="code"),
    "image, ResizedCrop": dim(IMAGES, augmentation=Compose([ResizedCrop(), Flip(), Noise()])),
    "image, layers": layered(IMAGES, "fc"),
    "image, locations": layered(IMAGES, "conv"),
    "published, global": published("global"),
    "published, both": published("local+global"),
    "table, normal prior": dim(TABLE, prior="normal"),
    "table, Laplace prior": dim(TABLE, prior=LAPLACE),
    "table, correlated prior": dim(TABLE, prior=CORRELATED),
    "table, occluded": dim(TABLE, occlusion=0.3),
    "table, coordinates": dim(TABLE, coordinate_weight=0.5, n_locations=3),
    "table, own encoder": dim(TABLE, encoder=OwnEncoder, representation="code"),
    "table, own critic": dim(TABLE, critic=OwnCritic),
    "table far from zero": dim(FAR),
    "table in float64": dim(TABLE.astype(float)),
    "table, early stopping": dim(TABLE, early_stopping=True),
    "sparse table": dim(SIGNED),
    "Dataset": dim(Rows()),
    "bag, occluded": dim(BAG, occlusion=0.3),
    "tokens, occluded": dim(WORDS, encoder="tokens", occlusion=0.3),
    "documents as bags": dim(TEXTS),
    "sequence, odd length": dim(np.tile(SEQUENCES, 2)[:, :, :21]),
    "sequence in float64": dim(SEQUENCES.astype(float), coordinate_weight=0.5),
    "sequence, long": dim(np.tile(SEQUENCES, 12)),
    "graph of words": dgi(WORDY),
    "graph, SAGE": dgi(encoder="sage"),
    "graph, SGC": dgi(encoder="sgc"),
    "graph, GIN": dgi(encoder="gin"),
    "graph, edges": dgi(encoder=EdgeEncoder),
    "graph, weighted edges": dgi(encoder=WeightedEdgeEncoder),
    "graph of words in batches": dgi(WORDY, batch_size=20),
    "summary of words": summary(WORDY),
    "summary in batches": summary(batch_size=20),
    "summary, SAGE in batches": summary(encoder="sage", batch_size=20),
    "summary, edges in batches": summary(encoder=WeightedEdgeEncoder, batch_size=20),
    "summary of several": summary(GRAPHS),
    "graphs, code": graphs(representation="code"),
    "graphs, early stopping": graphs(early_stopping=True),
    "graphs, edges": graphs(encoder=EdgeEncoder),
    "pairs, early stopping by groups": pairs(batch_size=16),
    "pairs of classes": pairs(y=np.where(Y > 0, "a", "b")),
    "pairs of text": pairs(FRAME[["a", "group"]]),
    "pairs, encoder": pairs(IMAGES, IMAGES.mean((1, 2, 3)), encoder=torch.nn.Flatten(), critic="separable"),
    "features of classes": lambda device: mutual_info_features(
        FRAME.drop(columns="d"), np.where(Y > 0, "a", "b"), max_iter=3, random_state=0, device=device
    ),
    **{f"table, {bound}": dim(TABLE, mi_estimator=bound) for bound in BOUNDS},
    **{f"graph, {bound}": dgi(mi_estimator=bound) for bound in BOUNDS},
    **{f"summary, {bound}": summary(mi_estimator=bound) for bound in BOUNDS},
    **{f"graphs, {bound}": graphs(mi_estimator=bound) for bound in BOUNDS},
    **{f"pairs, {bound}": pairs(mi_estimator=bound) for bound in BOUNDS},
    **{f"features, {bound}": features(mi_estimator=bound) for bound in BOUNDS},
    **{f"table, {critic}": dim(TABLE, critic=critic) for critic in CRITICS},
    **{f"graph, {critic}": dgi(critic=critic) for critic in ["separable", "bilinear", "gaussian", "group"]},
    **{f"summary, {critic}": summary(GRAPHS, critic=critic) for critic in [*CRITICS, "group"]},
    **{f"graphs, {critic}": graphs(critic=critic) for critic in CRITICS},
    **{f"pairs, {critic}": pairs(critic=critic) for critic in [*CRITICS, "student"]},
    **{f"summary, {corruption}": summary(corruption=corruption) for corruption in CORRUPTIONS},
    **{f"summary of words, {corruption}": summary(WORDY, corruption=corruption) for corruption in CORRUPTIONS},
    "summary, edges left out": summary(encoder=WeightedEdgeEncoder, corruption="edge_dropout"),
    "summary, other graph": summary(GRAPHS, corruption="other_graph"),
    **{f"summary, {readout}": summary(GRAPHS, readout=readout) for readout in ("mean", "sum", "max")},
    **{f"graphs, {readout}": graphs(readout=readout) for readout in ("mean", "sum", "max")},
    **{f"graphs, {encoder}": graphs(encoder=encoder) for encoder in ("gcn", "gin", "sage", "sgc")},
}
