"""The fits that `gpu.py` checks: a name, and a function of a device that returns numbers."""

import pickle
from functools import partial

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
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.graphs import CORRUPTIONS
from sklearn_dim.metrics import neural_dependency_measure
from sklearn_dim.objectives import READOUTS

rng = np.random.default_rng(0)
IMAGES = (load_digits().data[:48].reshape(-1, 1, 8, 8) / 16).astype(np.float32)
LARGER = np.kron(IMAGES[:32], np.ones((4, 4), np.float32))
COLOURS = (255 * np.kron(rng.random((48, 3, 8, 8)), np.ones((2, 2)))).astype(np.uint8)
TABLE = rng.normal(size=(60, 12)).astype(np.float32)
Y = TABLE[:, 0] + TABLE[:, 1]
MIXED = TABLE + TABLE[:, :1]
BAG = sparse.random(60, 120, density=0.05, random_state=0, format="csr", dtype=np.float32)
TOKENS = rng.integers(0, 30, size=(40, 12))
SEQUENCES = TABLE[:40].reshape(40, 1, 12)


def random_graph(n, width):
    """Return a graph of which three edges in ten are there."""
    edges = sparse.random(n, n, density=0.3, random_state=n, format="coo")
    return Graph(rng.normal(size=(n, width)), sparse.csr_matrix((np.ones(edges.nnz), (edges.row, edges.col)), (n, n)))


GRAPH, GRAPHS = random_graph(40, 20), [random_graph(n, 5) for n in range(5, 13)]
WORDY = Graph(BAG[:40], GRAPH.adjacency)


class OwnEncoder(torch.nn.Module):
    """A user's encoder: four locations of three columns, and a code of 8."""

    def __init__(self):
        super().__init__()
        self.local, self.code = torch.nn.Linear(3, 16), torch.nn.Linear(64, 8)

    def forward(self, x):
        """Return locations and code of rows (n, 12)."""
        locations = self.local(x.view(-1, 4, 3)).relu()
        return locations, self.code(locations.flatten(1))


def codes(cls, X, device, **parameters):
    """Return what an estimator makes of the rows it was fitted on, and its score if it has one."""
    model = cls(**{"device": device, "max_iter": 2, "n_components": 8, "random_state": 0, **parameters}).fit(X)
    return np.append(model.transform(X), model.score(X) if hasattr(model, "score") else 0)


def dim(X, **parameters):
    """Return a case of DIMTransformer."""
    return partial(codes, DIMTransformer, X, **{"batch_size": 20, "mixed_precision": False, **parameters})


def dgi(X, **parameters):
    """Return a case of DGITransformer."""
    return partial(codes, DGITransformer, X, **parameters)


def published(device, **parameters):
    """The paper's setting for 32 × 32."""
    options = {"max_iter": 1, "random_state": 0, "mixed_precision": False, "batch_size": 16, **parameters}
    return DIMTransformer.published("local", device=device, **options).fit(LARGER).transform(LARGER[:9])


def own_encoder(device):
    """A user's encoder that is on the device already."""
    torch.manual_seed(0)
    return dim(TABLE, encoder=OwnEncoder().to(device))(device)


class OwnLayer(torch.nn.Module):
    """A user's graph encoder: a layer that is not linear."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(20, 4)

    def forward(self, X, adjacency):
        """Return the vectors of nodes."""
        return (adjacency @ self.layer(X)).relu()


def own_layer(device):
    """A user's graph encoder that is on the device already."""
    torch.manual_seed(0)
    return dgi(GRAPH, encoder=OwnLayer().to(device))(device)


def own_view(device):
    """A user's augmentation that holds a tensor on the device."""
    return dim(TABLE, augmentation=partial(torch.mul, torch.linspace(0.9, 1.1, 12, device=device)))(device)


def pickled(device):
    """What a pickle of a fit says."""
    model = DIMTransformer(8, max_iter=2, random_state=0, device=device, mixed_precision=False).fit(TABLE)
    return pickle.loads(pickle.dumps(model)).transform(TABLE)


def pairs(device, **parameters):
    """Pointwise values, score, p-value and interval of pairs."""
    options = {"cv": 2, "max_iter": 2, "batch_size": 20, "random_state": 0, **parameters}
    mi = MutualInfoEstimator(device=device, **options).fit(TABLE[:, :2], Y)
    others = [mi.score(TABLE[:, :2], Y), mi.p_value(n_permutations=19), *mi.confidence_interval()]
    return np.append(mi.pointwise(TABLE[:, :2], Y), others)


CASES = {
    "image": dim(IMAGES),
    "image in float64": dim(IMAGES.astype(float)),
    "image, bfloat16": dim(IMAGES, max_iter=1, mixed_precision=True),
    "image in colour, uint8, two views": dim(COLOURS),
    "image, resnet": dim(LARGER, encoder="resnet"),
    "image, four code vectors": dim(COLOURS, n_global_vectors=4),
    "occluded, normal prior": dim(IMAGES, occlusion=0.3, prior="normal"),
    "published": published,
    "published, global": partial(published, global_weight=1.0, local_weight=0.0),
    "table": dim(TABLE, global_weight=0.5, coordinate_weight=0.5, n_locations=3),
    "table, two critics": dim(TABLE, mi_estimator="flo", critic="gaussian"),
    "table, a torch distribution": dim(TABLE, prior=torch.distributions.Normal(0.0, 1.0)),
    "DataFrame": dim(pd.DataFrame(TABLE)),
    "bag": dim(BAG),
    "sequence": dim(SEQUENCES, early_stopping=True),
    "tokens": dim(TOKENS, encoder="tokens"),
    "own encoder on the device": own_encoder,
    "own graph encoder on the device": own_layer,
    "own augmentation on the device": own_view,
    "pickled": pickled,
    "graph": dgi(GRAPH),
    "graph of words": dgi(WORDY),
    "graph in batches": dgi(GRAPH, batch_size=20),
    "rows in float64": dgi(TABLE.astype(float)),
    "several graphs, other_graph": dgi(GRAPHS, corruption="other_graph"),
    "graphs": partial(codes, GraphInfomaxTransformer, GRAPHS, batch_size=4),
    "pairs": pairs,
    "features": lambda device: mutual_info_features(TABLE, Y, max_iter=2, random_state=0, device=device),
    "features jointly": lambda device: mutual_info_features(
        TABLE[:, :3], Y, jointly=True, max_iter=2, random_state=0, device=device
    ),
    "dependency": lambda device: neural_dependency_measure(MIXED, max_iter=2, random_state=0, device=device),
}  # fmt: skip

SURVEY = {
    **{f"table, {name}": dim(TABLE, mi_estimator=name) for name in BOUNDS},
    **{f"image, {name}": dim(IMAGES, critic=name) for name in CRITICS},
    **{f"pairs, {name}": partial(pairs, mi_estimator=name) for name in BOUNDS},
    **{f"pairs, critic {name}": partial(pairs, critic=name) for name in CRITICS},
    **{f"graph, {name}": dgi(GRAPH, encoder=name) for name in GRAPH_ENCODERS},
    **{f"graph in batches, {name}": dgi(GRAPH, encoder=name, batch_size=20) for name in GRAPH_ENCODERS},
    **{f"graph, {name}": dgi(GRAPH, corruption=name) for name in CORRUPTIONS},
    **{f"graph of words, {name}": dgi(WORDY, corruption=name) for name in CORRUPTIONS},
    **{f"graph, readout {name}": dgi(GRAPH, readout=name) for name in READOUTS},
    **{f"graph, critic {name}": dgi(GRAPH, critic=name) for name in ("separable", "concatenated", "group")},
    **{f"graphs, {name}": partial(codes, GraphInfomaxTransformer, GRAPHS, batch_size=4, encoder=name)
       for name in GRAPH_ENCODERS},
}  # fmt: skip
