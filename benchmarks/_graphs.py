"""Graphs and peers of planetoid.py."""

import importlib.util
import os
import pathlib
import sys

import numpy as np
import torch
from scipy import sparse
from torch import nn

from sklearn_dim import Graph
from sklearn_dim.datasets import fetch_planetoid

NAMES = ("cora", "citeseer", "coauthor-cs")
PLAIN = ("acm", "cora_ml", "uai", "chameleon", "squirrel")  # edges of the last three mostly join different classes


def load(name):
    """Return a graph, its labels, and a function seed → (training rows, test rows)."""
    if not (folder := os.environ.get("SKLEARN_DIM_DATA")):
        sys.exit(
            "SKLEARN_DIM_DATA is not set. Let it name a folder that holds planetoid/ind.cora.*, planetoid/ind.citeseer."
            "* (fetch_planetoid(data_home=folder) downloads them), graphs/coauthor_cs.npz (Shchur et al. 2018), and "
            f"graphs/NAME.npz of {', '.join(PLAIN)}: CSR parts adj_indices, adj_indptr, attr_…, and labels."
        )
    if name in PLAIN:
        return load_plain(pathlib.Path(folder) / "graphs" / f"{name}.npz")
    if name == "coauthor-cs":
        return load_coauthor(pathlib.Path(folder) / "graphs" / "coauthor_cs.npz")
    data = fetch_planetoid(name, data_home=folder)
    return Graph(data.data, data.adjacency), data.target, lambda seed: (data.train, data.test)


def load_coauthor(path):
    """Return the co-authors of computer science, of whom 10 % are for training, 10 % for choosing, 80 % for testing."""
    with np.load(path) as data:
        X, adjacency = (
            sparse.csr_matrix(
                (data[f"{part}_data"], data[f"{part}_indices"], data[f"{part}_indptr"]), shape=data[f"{part}_shape"]
            )
            for part in ("attr", "adj")
        )
        labels = data["labels"]

    def split(seed):
        rows, tenth = np.random.default_rng(seed).permutation(len(labels)), len(labels) // 10
        return rows[:tenth], rows[2 * tenth :]

    return Graph(X, adjacency), labels, split


def load_plain(path):
    """Return a graph with weights of 1, its labels, and `tenth` as its split."""
    with np.load(path) as data:
        X = sparse.csr_matrix((data["attr_data"], data["attr_indices"], data["attr_indptr"]), data["attr_shape"])
        ones = np.ones(len(data["adj_indices"]), dtype=np.float32)
        adjacency = sparse.csr_matrix((ones, data["adj_indices"], data["adj_indptr"]), (X.shape[0],) * 2)
        labels = data["labels"]
    return Graph(X.astype(np.float32), adjacency), labels, lambda seed: tenth(labels, seed)


def tenth(labels, seed):
    """Return a tenth of the rows for training, with at least one of each class, and all others."""
    order = np.random.default_rng(seed).permutation(len(labels))
    _, first = np.unique(labels[order], return_index=True)
    train = np.union1d(order[: len(labels) // 10], order[first])
    return train, np.setdiff1d(order, train)


def has_pyg():
    """Whether torch_geometric is there."""
    return importlib.util.find_spec("torch_geometric") is not None


def load_optimizers():
    """Load what torch loads with a process's first optimiser, so that no fit pays for it."""
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).zero_grad()


class PygInfomax:
    """torch_geometric's DeepGraphInfomax as in its example infomax_transductive.py: 512 units, raw dense features."""

    def __init__(self, graph, seed=0):
        from torch_geometric.nn import DeepGraphInfomax

        torch.manual_seed(seed)
        self.x = torch.as_tensor(graph.features.toarray() if sparse.issparse(graph.features) else graph.features)
        self.edges = torch.as_tensor(np.array(graph.adjacency.nonzero()), dtype=torch.long)
        self.model = DeepGraphInfomax(
            hidden_channels=512,
            encoder=pyg_encoder(graph.shape[1], 512),
            summary=lambda z, *args: torch.sigmoid(z.mean(dim=0)),
            corruption=lambda x, edges: (x[torch.randperm(x.shape[0])], edges),
        )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001)

    def epoch(self):
        """Train one epoch."""
        self.optimizer.zero_grad()
        self.model.loss(*self.model(self.x, self.edges)).backward()
        self.optimizer.step()

    @torch.no_grad()
    def embedding(self):
        """Return the nodes' vectors."""
        return self.model.encoder(self.x, self.edges).numpy()


def pyg_encoder(n_features, n_components):
    """Return the example's encoder: a graph convolution and a PReLU with one slope per channel."""
    from torch_geometric.nn import GCNConv

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = GCNConv(n_features, n_components, cached=True)
            self.prelu = nn.PReLU(n_components)

        def forward(self, x, edge_index):
            return self.prelu(self.conv(x, edge_index))

    return Encoder()


def reference_classifier(H, y, train, test, runs=50, steps=100):
    """Return the mean accuracy of the paper's classifier: linear softmax, Adam with step 0.01, 100 steps, 50 runs.

    The runs are trained side by side; Adam treats each weight by itself.
    """
    torch.manual_seed(0)
    H, y = torch.as_tensor(H, dtype=torch.float32), torch.as_tensor(y)
    weight, bias = torch.empty(runs, H.shape[1], int(y.max()) + 1), torch.zeros(runs, 1, int(y.max()) + 1)
    for one in weight:
        nn.init.xavier_uniform_(one)
    optimizer = torch.optim.Adam([weight.requires_grad_(), bias.requires_grad_()], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        scores = (H[train] @ weight + bias).movedim(0, -1)
        (runs * nn.functional.cross_entropy(scores, y[train, None].expand(-1, runs))).backward()
        optimizer.step()
    with torch.no_grad():
        return ((H[test] @ weight + bias).argmax(2) == y[test]).float().mean().item()


def torch_csr(matrix):
    """Return a scipy CSR matrix as torch's."""
    parts = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    return torch.sparse_csr_tensor(*parts, size=matrix.shape)
