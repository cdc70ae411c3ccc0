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

from sklearn_dim._node_columns import (
    KEPT_OF_INPUT,
    KEPT_OF_LEARNT,
    centre_and_spread,
    input_axes,
    input_columns,
    is_bag,
    n_input_columns,
    smoothed,
)
from sklearn_dim._node_objective import build_node_summary
from sklearn_dim._nodes import nodes_to_encode, training_nodes
from sklearn_dim._sklearn import NeuralEstimator
from sklearn_dim.critics import CRITICS
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.graphs import (
    CORRUPTIONS,
    GraphBatch,
    NeighborBatches,
    NeighborGraph,
    SparseMatrix,
    normalized_adjacency,
    whole_graph,
)
from sklearn_dim.objectives import READOUTS
from sklearn_dim.training import seeded

LARGE = 2**25  # numbers in the node vectors from which batch_size="auto" trains on batches
BATCH_SIZE = 4096  # of such batches
SPREAD = 2.0  # root mean square distance of the output from its mean: LogisticRegression(C=1) works on it as it is


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
    encoder : {"gcn", "sage", "sgc", "gin"}, Module or callable, default="gcn"
        The network (X, adjacency) → node vectors: one graph convolution (as published), two layers that keep a
        node's own features apart from its neighbours' mean [2]_, one convolution over two hops [3]_, or three layers
        of neighbours' sums (see `GraphInfomaxTransformer`). A module of one's own is as wide as n_components less the
        columns of ``input_share``; it is given X as a dense tensor, and ``adjacency @ dense`` propagates by Â, or, if
        ``forward`` takes ``edge_index``, as in torch_geometric, the edges. It must not be linear, as a lone layer is:
        its means of graph and twin would be equal. A callable makes it from (n_features, width), say
        ``partial(GCN, n_layers=2)``.
    critic : str or callable, default="bilinear"
        T(summary, node): "bilinear" (as published), "separable", "concatenated", … , or a callable
        (summary_features, node_features) → module. "group" scores a node without the summary [4]_.
    corruption : str or callable, default="shuffle"
        How the twin is made. "shuffle": the rows of X change places, the edges stay (as published); "masked_shuffle":
        so they do, while half of the columns are hidden from both graphs; "feature_dropout", "edge_dropout": half of
        the entries of X, or of the propagation matrix, are gone; "other_graph": of several graphs, nodes meet the
        summary of another. Or a function (X, adjacency) → the inputs of both graphs (`sklearn_dim.graphs.CORRUPTIONS`).
    readout : {"mean", "sum", "max"}, default="mean"
        The summary: the sigmoid of the nodes' mean, sum or maximum.
    propagation : int, default=10
        Steps of personalised PageRank at `transform`, which smooth all columns over their neighbourhood [5]_. 0 is the
        paper's.
    input_share : float in [0, 1), default=0.5
        Share of the columns that hold the input, smoothed: X itself if it has no more columns than that, else its
        coordinates along the leading axes of the smoothed rows. The others hold what the encoder has learnt.
        0 is the paper's.
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
        See `DIMTransformer`.
    verbose : int, default=0
    random_state : int, RandomState instance or None, default=None
        Global random streams are left alone.

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
    input_axes_ : ndarray of shape (n_features, n_axes), or None
        Axes of X along which the output holds its coordinates; None where it holds X itself or nothing of it.
    mean_, scale_ : ndarray of shape (n_components,)
        Statistics of the training nodes that centre the output and set its scale.
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
    .. [5] J. Klicpera et al., "Predict then Propagate", ICLR 2019, eq. 4.

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
        "input_share": [Interval(Real, 0, 1, closed="left")],
        "inductive": ["boolean"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "fan_out": [Interval(Integral, 1, None, closed="left"), None],
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
        propagation=10,
        input_share=0.5,
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
        self.input_share = input_share
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
        with self._all_or_nothing(go_on, X=X):
            return self._fit(X, go_on=go_on)

    def _fit(self, X, *, go_on):
        nodes = training_nodes(self, X, reset=not go_on)
        with seeded(self.random_state, self._size(nodes), self.n_iter_ if go_on else 0, device=self.device) as seed:
            if not go_on:
                self._start(nodes.features)
            batches = self._batches(nodes)
            self._run(X, batches, None, self._epochs(batches, steps=1000, most=500, least=10))
            self._fit_output(nodes, seed)
            self.mutual_info_ = self.net_.evaluate(batches)["mutual_info"]
        return self

    def _parts(self):
        return (*super()._parts(), NeighborGraph, build_node_summary)

    def _size(self, nodes) -> int:
        """Return how many numbers there are to be computed."""
        return nodes.features.shape[0] * self.n_components

    def _start(self, features):
        """Build the net and decide how features enter it."""
        scaler = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default")
        self._scaler = None if is_bag(features) else scaler.fit(features)
        names = ("mi_estimator", "encoder", "critic", "corruption", "readout")
        own = {name: copy.deepcopy(getattr(self, name)) for name in names}
        build = partial(build_node_summary, features.shape[1], self.n_components - self._n_input(features), **own)
        watch = [self._keep_best("train_loss", lower_is_better=True)] if self.early_stopping else []
        self.net_ = self._make_net(build, watch=watch, sparse=True)
        self._n_features_out = self.n_components

    def _inputs(self, nodes):
        """Return features as they enter the encoder, and the matrix that it propagates with."""
        kind = getattr(self.net_.module_.encoder, "normalization", "symmetric")
        return self._scaled(nodes.features), normalized_adjacency(nodes.adjacency, kind)

    def _scaled(self, features):
        """Return rows of unit sum if they are bags of words, else standardised columns."""
        return normalize(features, norm="l1") if self._scaler is None else self._scaler.transform(features)

    def _input_rows(self, features):
        """Return rows as they enter the output: of unit length if they are bags of words, else standardised."""
        return normalize(features) if self._scaler is None else self._scaled(features)

    @property
    def _own_network(self) -> bool:
        """Whether the encoder is a user's, which knows neither sparse X nor hops."""
        return not hasattr(self.net_.module_.encoder, "n_hops")

    def _whole(self, nodes, dtype=torch.float32) -> GraphBatch:
        """Return all of a graph on the device."""
        X, matrix = self._inputs(nodes)
        return whole_graph(X, matrix, nodes.parts, dense=self._own_network, dtype=dtype, device=self.net_.device)

    def _batches(self, nodes):
        """Return what an epoch iterates over: all of the graph at once, or its nodes bit by bit."""
        size = self.batch_size
        if size == "auto":
            size = BATCH_SIZE if self._size(nodes) > LARGE else None
        if size is None or size >= nodes.features.shape[0]:
            return [(self._whole(nodes),)]
        hops = getattr(self.net_.module_.encoder, "n_hops", 2)
        return NeighborBatches(
            *self._inputs(nodes),
            nodes.parts,
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
            In X's float dtype: unit vectors, moved and scaled to zero mean and a root mean square distance of 2 from
            it on the training nodes. For a list, the nodes of the first Graph, then of the second, and so on.
        """
        nodes = nodes_to_encode(self, X)
        double = nodes.features.dtype == np.float64 and self.neighbors_ is not None
        with seeded(0, self._size(nodes), device=self.net_.device):
            blocks = self._blocks(nodes, torch.float64 if double else torch.float32)
        vectors = np.hstack([block[nodes.rows] for block in blocks])
        vectors -= self.mean_
        vectors /= self.scale_
        return vectors.astype(nodes.features.dtype, copy=False)

    def _n_input(self, features) -> int:
        return n_input_columns(self.n_components, features.shape[1], self.input_share)

    def _fit_output(self, nodes, seed):
        """Set the axes of the input, and mean and scale of the output, from the training nodes."""
        rows, matrix = self._input_rows(nodes.features), normalized_adjacency(nodes.adjacency)
        self.input_axes_ = input_axes(rows, matrix, self._n_input(rows), seed)
        blocks = self._blocks(nodes)
        moments = [centre_and_spread(block) for block in blocks]
        self.mean_ = np.concatenate([mean for mean, _ in moments])
        share = SPREAD / np.sqrt(len(blocks))
        self.scale_ = np.concatenate([np.full(len(mean), spread / share) for mean, spread in moments])

    @torch.no_grad()
    def _blocks(self, nodes, dtype=torch.float32) -> list[np.ndarray]:
        """Return the learnt columns of all nodes, and if there are any those of the input; rows of unit length."""
        graph = self._whole(nodes, dtype)
        encoder, where = self.net_.module_.encoder, {"dtype": dtype, "device": self.net_.device}
        encoder = copy.deepcopy(encoder).double() if dtype == torch.float64 else encoder
        symmetric = getattr(encoder, "normalization", "symmetric") == "symmetric"
        matrix = graph.adjacency if symmetric else SparseMatrix(normalized_adjacency(nodes.adjacency), **where)
        blocks = [smoothed(encoder(graph.X, graph.adjacency), matrix, KEPT_OF_LEARNT, self.propagation)]
        if self._n_input(nodes.features):
            given = torch.as_tensor(input_columns(self._input_rows(nodes.features), self.input_axes_)).to(**where)
            blocks.append(smoothed(given, matrix, KEPT_OF_INPUT, self.propagation))
        return blocks

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
        nodes = nodes_to_encode(self, X)
        with seeded(0, self._size(nodes), device=self.net_.device), torch.no_grad():
            return self.net_.module_.mutual_info((self._whole(nodes),), torch.as_tensor(nodes.rows)).item()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
