"""DGITransformer, the face of Deep Graph Infomax."""

import copy
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklearn_dim._sklearn import NeuralEstimator, check_nodes, check_numbers
from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import CRITICS, GroupDiscrimination, make_critic
from sklearn_dim.encoders import GRAPH_ENCODERS, as_graph_encoder, check_graph_encoder
from sklearn_dim.graphs import (
    CORRUPTIONS,
    Graph,
    GraphBatch,
    NeighborBatches,
    NeighborGraph,
    SparseMatrix,
    normalized_adjacency,
    whole_graph,
)
from sklearn_dim.objectives import READOUTS, NodeSummary
from sklearn_dim.training import seeded

LARGE = 2**25  # numbers in the node vectors from which batch_size="auto" trains on batches
BATCH_SIZE = 4096  # of such batches
SPREAD = 1.5  # root mean square distance of the output from its mean: LogisticRegression(C=1) works on it as it is


class DGITransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NeuralEstimator):
    """Deep Graph Infomax: node vectors that share as much information with their graph as they can.

    A graph convolution is trained to tell the nodes of the graph from those of a corrupted twin, by their
    information with the graph's summary [1]_. X is a `Graph`, a list of them, or plain rows, which become one by
    their nearest neighbours.

    Parameters
    ----------
    n_components : int, default=512
        Width of a node vector.
    mi_estimator : str or Bound, default="jsd"
        The bound on mutual information: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    encoder : {"gcn", "sage", "sgc"}, Module or callable, default="gcn"
        The network (X, adjacency) → (n_nodes, n_components): one graph convolution (as published), two layers that
        keep a node's own features apart from its neighbours' mean [2]_, or one convolution over two hops [3]_. A
        module of one's own is given X as a dense tensor, and ``adjacency @ dense`` propagates by Â; or, if its
        ``forward`` takes ``edge_index``, as torch_geometric's layers do, the edges. A callable makes it from
        (n_features, n_components): ``partial(GraphSAGE, n_layers=3)``, or a class of layers.
    critic : str or callable, default="bilinear"
        T(summary, node): "bilinear" (as published), "separable", "concatenated", … , or a callable
        (summary_features, node_features) → module. "group" scores a node without the summary [4]_.
    corruption : str or callable, default="shuffle"
        How the twin is made. "shuffle": the rows of X change places, the edges stay (as published);
        "feature_dropout", "edge_dropout": half of the entries of X, or of the propagation matrix, are gone;
        "other_graph": of several graphs, nodes meet the summary of another. Or a function (X, adjacency) → the
        inputs of both graphs (see `sklearn_dim.graphs.CORRUPTIONS`).
    readout : {"mean", "sum", "max"}, default="mean"
        The summary: the sigmoid of the nodes' mean, sum or maximum.
    propagation : int, default=5
        Steps k of ``H + Â^k H`` at `transform`, which smooths node vectors over their neighbourhood. 0 is the
        paper's.
    inductive : bool, default=False
        Train only on the rows of a cut Graph and the edges between them, as if the others did not exist yet. By
        default all nodes are trained on, as features and edges need no labels.
    n_neighbors : int, default=10
        Neighbours of a plain row.
    max_iter : int or "auto", default="auto"
        Most epochs: 500 over a whole graph; over batches as many as make a thousand steps, but at least 10.
    batch_size : int, None or "auto", default="auto"
        Nodes of a batch; None trains on the whole graph at once. "auto" does so up to 65 536 nodes of 512 components,
        and takes batches of 4096 where there are more.
    fan_out : int or None, default=10
        Neighbours that a node of a batch draws at each hop; None takes all.
    learning_rate_init : float, default=0.001
        Adam's step size.
    early_stopping : bool, default=True
        Stop when the training loss no longer falls, and keep the best weights.
    n_iter_no_change : int, default=20
        Epochs without an improvement by ``tol`` before an early stop.
    tol : float, default=0.0
        The least improvement, in nats.
    warm_start : bool, default=False
        Go on from the weights of the last `fit`, if there are any.
    device : str, default="auto"
        "auto" is CUDA, then the CPU; or a torch device.
    callbacks : list of skorch callbacks, default=None
        Called during training, after the estimator's own.
    verbose : int, default=0
        1 prints a line an epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds weights and corruption. Global random streams are left alone.

    Attributes
    ----------
    mutual_info_ : float
        Information of the summary with the training nodes, in nats.
    history_ : DataFrame
        One row an epoch.
    loss_curve_ : list of float
        Training loss of each epoch.
    n_iter_ : int
        Epochs run.
    net_ : InformationNet
        The trained skorch net.
    mean_, scale_ : ndarray of shape (n_components,), float
        Statistics of the training nodes' unit vectors that centre the output and set its scale.
    neighbors_ : NeighborGraph or None
        For plain rows, the training graph, to which new rows attach.
    n_features_in_ : int
        Features of a node.
    feature_names_in_ : ndarray of str
        Their names, if X had any.

    References
    ----------
    .. [1] P. Veličković et al., "Deep Graph Infomax", ICLR 2019, eq. 1.
    .. [2] W. Hamilton et al., "Inductive Representation Learning on Large Graphs", NeurIPS 2017.
    .. [3] F. Wu et al., "Simplifying Graph Convolutional Networks", ICML 2019.
    .. [4] Y. Zheng et al., "Rethinking and Scaling Up Graph Contrastive Learning", NeurIPS 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_dim import DGITransformer
    >>> X, _ = load_iris(return_X_y=True)
    >>> DGITransformer(n_components=8, max_iter=5, random_state=0).fit_transform(X).shape
    (150, 8)
    """

    _parameter_constraints: ClassVar[dict] = {
        **{
            name: rule for name, rule in NeuralEstimator._parameter_constraints.items() if name != "validation_fraction"
        },
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions(set(GRAPH_ENCODERS)), callable],
        "critic": [StrOptions({*CRITICS, "group"}), callable],
        "corruption": [StrOptions({*CORRUPTIONS, "other_graph"}), callable],
        "readout": [StrOptions(set(READOUTS))],
        "propagation": [Interval(Integral, 0, None, closed="left")],
        "inductive": ["boolean"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "fan_out": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        n_components=512,
        *,
        mi_estimator="jsd",
        encoder="gcn",
        critic="bilinear",
        corruption="shuffle",
        readout="mean",
        propagation=5,
        inductive=False,
        n_neighbors=10,
        max_iter="auto",
        batch_size="auto",
        fan_out=10,
        learning_rate_init=1e-3,
        early_stopping=True,
        n_iter_no_change=20,
        tol=0.0,
        warm_start=False,
        device="auto",
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.mi_estimator = mi_estimator
        self.encoder = encoder
        self.critic = critic
        self.corruption = corruption
        self.readout = readout
        self.propagation = propagation
        self.inductive = inductive
        self.n_neighbors = n_neighbors
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.fan_out = fan_out
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, **refused):
        """Train on a graph.

        Parameters
        ----------
        X : Graph, list of Graphs, or {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Of a cut Graph all nodes are trained on, unless ``inductive``.
        y : None
            Ignored.

        Returns
        -------
        self : DGITransformer

        Raises
        ------
        ValueError
            If X has missing or infinite values, or fewer than two rows.
        TypeError
            If edges are given beside X: cross-validation would cut them by rows only. A `Graph` holds both.
        FloatingPointError
            If training diverges.
        """
        if refused:
            raise TypeError(
                f"fit takes no {', '.join(refused)}: cross-validation would cut it by rows only. Put nodes and edges "
                "into one X: Graph(X, adjacency), or Graph.from_edges(nodes, edges)."
            )
        go_on = self.warm_start and hasattr(self, "net_")
        with self._all_or_nothing(go_on):
            return self._fit(X, go_on=go_on)

    def _fit(self, X, *, go_on):
        features, adjacency, parts = self._training_graph(X, reset=not go_on)
        with seeded(self.random_state, features.shape[0] * self.n_components, self.n_iter_ if go_on else 0):
            if not go_on:
                self._start(features, parts)
            batches = self._batches(features, adjacency, parts)
            self._run(self.net_, batches, None, self._epochs(batches, steps=1000, most=500, least=10))
            self._scale_output(self._whole(features, adjacency, parts))
            self.mutual_info_ = self.net_.evaluate(batches)["mutual_info"]
        return self

    def _training_graph(self, X, *, reset):
        """Return features, adjacency and parts of all training nodes."""
        X = _as_graph(X)
        if not isinstance(X, Graph):
            X = check_numbers(self, X, reset=reset, ensure_min_samples=2)
            self.neighbors_ = NeighborGraph(self.n_neighbors).fit(X)
            return X, self.neighbors_.adjacency_, np.zeros(X.shape[0], dtype=int)
        check_nodes(self, X, reset=reset)
        X = X.induced() if self.inductive else X
        if X.features.shape[0] < 2:
            raise ValueError("a Graph needs at least two nodes, to compare one with others; got n_samples = 1.")
        self.neighbors_ = None
        return X.features, X.adjacency, _parts(X)

    def _start(self, features, parts):
        """Build the net and decide how features enter it."""
        n_parts = int(parts.max()) + 1
        if self.corruption == "other_graph" and n_parts < 2:
            raise ValueError(
                "corruption='other_graph' pairs nodes with another graph, but X is one graph. Give fit a list of "
                "Graphs, or use corruption='shuffle'."
            )
        scaler = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default")
        self._scaler = None if _is_bag(features) else scaler.fit(features)
        own = ("mi_estimator", "encoder", "critic", "corruption", "readout")
        build = partial(
            build_node_summary,
            features.shape[1],
            self.n_components,
            n_parts=n_parts,
            **{name: copy.deepcopy(getattr(self, name)) for name in own},
        )
        keep = self._keep_best("train_loss", lower_is_better=True) if self.early_stopping else None
        self.net_ = self._make_net(build, watch=[keep] if keep else [], sparse=True)
        self._n_features_out = self.n_components

    def _inputs(self, features, adjacency):
        """Return features as they enter the encoder, and the matrix that it propagates with."""
        X = normalize(features, norm="l1") if self._scaler is None else self._scaler.transform(features)
        kind = getattr(self.net_.module_.encoder, "normalization", "symmetric")
        return X, normalized_adjacency(adjacency, kind)

    @property
    def _own_network(self) -> bool:
        """Whether the encoder is a user's, which knows neither sparse X nor hops."""
        return not hasattr(self.net_.module_.encoder, "n_hops")

    def _whole(self, features, adjacency, parts, dtype=torch.float32) -> GraphBatch:
        """Return all of a graph on the device."""
        X, matrix = self._inputs(features, adjacency)
        return whole_graph(X, matrix, parts, dense=self._own_network, dtype=dtype, device=self.net_.device)

    def _batches(self, features, adjacency, parts):
        """Return what an epoch iterates over: all of the graph at once, or its nodes bit by bit."""
        n_nodes = features.shape[0]
        size = self.batch_size
        if size == "auto":
            size = BATCH_SIZE if n_nodes * self.n_components > LARGE else None
        if size is None or size >= n_nodes:
            return [(self._whole(features, adjacency, parts),)]
        hops = getattr(self.net_.module_.encoder, "n_hops", 2)
        return NeighborBatches(
            *self._inputs(features, adjacency),
            parts,
            batch_size=size,
            fan_out=[self.fan_out] * hops,
            square=self._own_network,
            dense=self._own_network,
            device=self.net_.device,
        )

    def transform(self, X):
        """Return the vectors of X's nodes.

        Parameters
        ----------
        X : Graph, list of Graphs, or rows, as in `fit`
            A Graph need not be the one trained on. Plain rows attach to the training graph, if that was made
            of plain rows.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            In X's float dtype: unit vectors, moved and scaled to zero mean and a root mean square distance of 1.5 from
            it on the training nodes. For a list, the nodes of the first Graph, then of the second, and so on.
        """
        features, adjacency, parts, rows = self._graph_of(X)
        double = features.dtype == np.float64 and self.neighbors_ is not None
        with seeded(0, features.shape[0] * self.n_components):
            graph = self._whole(features, adjacency, parts, torch.float64 if double else torch.float32)
            vectors = self._unit_vectors(graph, rows)
        vectors -= self.mean_
        vectors /= self.scale_
        return vectors.astype(features.dtype, copy=False)

    def _scale_output(self, graph):
        """Set mean and scale of the output from the training nodes."""
        vectors = self._unit_vectors(graph)
        self.mean_ = vectors.mean(0, dtype=np.float64)
        squares = np.einsum("ij,ij->i", vectors, vectors).mean(dtype=np.float64)
        spread = float(np.sqrt(max(squares - self.mean_ @ self.mean_, 0.0)))
        self.scale_ = spread / SPREAD if spread > 1e-3 else 1.0

    @torch.no_grad()
    def _unit_vectors(self, graph, rows=slice(None)):
        """Return H + Â^k H of a graph's nodes, each of unit length."""
        encoder = self.net_.module_.encoder
        if graph.X.dtype == torch.float64:
            encoder = copy.deepcopy(encoder).double()
        patches = smooth = encoder(graph.X, graph.adjacency)
        for _ in range(self.propagation):
            smooth = graph.adjacency @ smooth
        patches = patches + smooth if self.propagation else patches
        return nn.functional.normalize(patches).cpu().numpy()[rows]

    def score(self, X, y=None):
        """Return the information of the graph's summary with X's nodes, in nats: higher is better.

        The Donsker–Varadhan value of the critic's log-ratio, against one corrupted twin: a plug-in comparable
        across ``mi_estimator``.

        Parameters
        ----------
        X : as in `transform`
        y : None
            Ignored.

        Returns
        -------
        float
        """
        features, adjacency, parts, rows = self._graph_of(X)
        with seeded(0, features.shape[0] * self.n_components), torch.no_grad():
            graph = self._whole(features, adjacency, parts)
            return self.net_.module_.mutual_info((graph,), torch.as_tensor(rows)).item()

    def _graph_of(self, X):
        """Return features, adjacency, parts and the asked rows of X's graph."""
        check_is_fitted(self)
        X = _as_graph(X)
        if isinstance(X, Graph):
            check_nodes(self, X, reset=False)
            return X.features, X.adjacency, _parts(X), X.rows
        X = check_numbers(self, X, reset=False)
        if self.neighbors_ is None:
            raise ValueError(
                "DGITransformer was fitted on a Graph, but X has plain rows, which have no place in it. Pass a Graph "
                "that holds the new nodes and their edges."
            )
        features, adjacency = self.neighbors_.attach(X)
        rows = np.arange(features.shape[0] - X.shape[0], features.shape[0])
        return features, adjacency, np.zeros(features.shape[0], dtype=int), rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _as_graph(X):
    """Return a list of Graphs as one, anything else as it is."""
    return Graph.union(X) if isinstance(X, list | tuple) and X and isinstance(X[0], Graph) else X


def _parts(graph: Graph) -> np.ndarray:
    """Return the number of each node's graph."""
    return np.zeros(graph.features.shape[0], dtype=int) if graph.parts is None else graph.parts


def _is_bag(features) -> bool:
    """Whether features are like bags of words: sparse and not negative. Such rows are given unit sum, as published."""
    values = features.data if sparse.issparse(features) else features
    filled = features.nnz if sparse.issparse(features) else np.count_nonzero(features)
    return filled < 0.1 * np.prod(features.shape) and values.min(initial=0.0) >= 0


def build_node_summary(
    n_features, n_components, *, n_parts, mi_estimator, encoder, critic, corruption, readout
) -> NodeSummary:
    """Wire an objective for graphs of ``n_features`` from `DGITransformer`'s parameters."""
    if isinstance(encoder, nn.Module):
        network = copy.deepcopy(encoder)
    else:
        network = GRAPH_ENCODERS.get(encoder, encoder)(n_features, n_components)
    network = as_graph_encoder(network)
    pair = SparseMatrix(sparse.csr_matrix(np.array([[0.5, 0.5], [0.5, 0.5]])))
    network = check_graph_encoder(network, pair, n_features, n_components)
    bound = make_bound(mi_estimator)
    critic = GroupDiscrimination if critic == "group" else critic
    critic = make_critic(critic, n_components, n_components, second=bound.second_critic)
    corrupt = None if corruption == "other_graph" else CORRUPTIONS.get(corruption, corruption)
    return NodeSummary(
        network, critic, bound, corrupt, readout=readout, n_parts=n_parts, shuffles=corruption == "shuffle"
    )
