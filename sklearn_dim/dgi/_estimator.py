"""DGITransformer: Deep Graph Infomax."""

import copy
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.critics import CRITICS
from sklearn_dim.data import check_numbers
from sklearn_dim.devices import explained_memory, full_precision
from sklearn_dim.dgi._blocks import FixedBlocks
from sklearn_dim.dgi._input import (
    EncoderInput,
    FeatureScale,
    Nodes,
    ScaledRows,
    check_one_graph,
    sampled_batches,
    whole_batch,
)
from sklearn_dim.dgi._objective import PUBLISHED, VIEWS, build_objective
from sklearn_dim.dgi._output import NodeOutput, column_names
from sklearn_dim.dgi._places import Places
from sklearn_dim.dgi._positions import Positions
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.estimator import (
    Each,
    HasMethods,
    InfomaxEstimator,
    Interval,
    StrOptions,
    check_feature_names,
    check_n_features,
    documented,
    fit_context,
    output_container,
    training_constraints,
)
from sklearn_dim.graphs import (
    CORRUPTIONS,
    Graph,
    GraphBatch,
    NeighborBatches,
    NeighborGraph,
    as_graph,
    node_index,
    refuse_arguments,
    refuse_edges,
)
from sklearn_dim.objectives import READOUTS
from sklearn_dim.training import BestWeights, seeded

# Nodes above which batch_size="auto" trains on batches. 1024 nodes with ten neighbours each, and ten of each of those,
# are most of a graph of 2**17 nodes: such a batch costs about as much as the whole graph.
LARGE, LARGE_OF_VIEWS = 2**16, 2**17
BATCH_SIZE, BATCH_OF_VIEWS = 4096, 1024  # of these batches; of more than 1024 nodes, two views compare only some
STEPS = 400  # of two views, and then batches in an epoch at most


@documented
class DGITransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
    """Deep Graph Infomax: node embeddings that keep as much information about their graph as possible.

    A graph network is trained to recognise each node in a second view of the graph, in which features are hidden and
    edges are left out; this maximises the information that a node's embedding has about what surrounds the node [1]_.
    `published` compares nodes with a summary of the whole graph instead, as the paper does [2]_. X is a `Graph`, a list
    of graphs, or plain rows, which are connected to their nearest neighbours.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of columns of the code, which is the node embedding. "auto" is 128, or 512 where nodes are compared with
        a summary. With ``representation="auto"`` the output has more columns.
    mi_estimator : str or Bound, default="infonce"
        %(mi_estimator)s
    encoder : {"auto", "gcn", "sage", "sgc", "gin"}, Module or callable, default="auto"
        The network (X, adjacency) → node embeddings. "auto" has two graph convolutions, which are given a node's
        neighbours beside its features where these say little (see Notes); or it is "gcn" where nodes are compared
        with a summary. "gcn" is one graph convolution (as published); "sage" has two layers that treat a node's own
        features and the mean of its neighbours' separately [3]_; "sgc" is one convolution over two hops [4]_; "gin" has
        three layers that sum over neighbours (see `GraphInfomaxTransformer`). A module of your own must return
        n_components columns. It gets X as a dense tensor and the adjacency Â, with which ``adjacency @ dense``
        propagates features; or ``edge_index`` if its ``forward`` has an argument of that name, as in torch_geometric.
        It must not be linear, as a single layer without an activation is: the mean embedding would then be the same
        for the graph and the corrupted graph. A callable (n_features, n_columns) returns a module, for example
        ``partial(GCN, n_layers=2)``.
    critic : str or callable, default="auto"
        The critic T(a, b), b a node embedding, a that of the node in another view or a summary. "auto" is "cosine", the
        cosine divided by a temperature of 0.5, for two views, and else "bilinear" (as published). Or another name of
        `sklearn_dim.critics.CRITICS`, or a callable (a_features, b_features) → module. "group" scores a node without
        the summary [5]_.
    corruption : str or callable, default="views"
        What a node is distinguished from. "views": from the other nodes, by its embedding in a second view of the
        graph. In both views each feature and each edge is missing with probability 0.4. All others compare the nodes of
        the graph and those of a corrupted one with the graph's summary: "shuffle" permutes the rows of X and keeps the
        edges (as published); "masked_shuffle" also masks half of the columns, in both graphs; "feature_dropout" and
        "edge_dropout" remove half of the entries of X or of the propagation matrix; "other_graph" needs several graphs,
        and compares nodes with the summary of another one. A callable maps (X, adjacency) to the inputs of both graphs,
        see `sklearn_dim.graphs.CORRUPTIONS`.
    readout : {"mean", "sum", "max"}, default="mean"
        The summary of a graph: the sigmoid of the mean, sum or maximum of its node embeddings. Two views have none.
    representation : {"auto", "code"}, default="auto"
        What `transform` returns. "auto" puts side by side what a classifier, k-means or nearest neighbours can use as
        it is: the code; the features; the features smoothed over one step and over ten of personalised PageRank [6]_;
        and structure, that is degrees, and positions in the graph where these predict edges. More than 256 features are
        reduced to 256 axes. "code" is the code alone, as published.
    inductive : bool, default=False
        Train only on the selected rows of a `Graph` that was indexed, such as a training split, and on the edges
        between them. By default all nodes are trained on, as training needs no labels.
    n_neighbors : int or transformer, default=10
        Number of neighbours to which each plain row is connected. Or a transformer that finds them among the
        standardised training rows, such as `sklearn.neighbors.KNeighborsTransformer`, `RadiusNeighborsTransformer` or
        `pynndescent.PyNNDescentTransformer`; see `sklearn_dim.graphs.NeighborGraph`. If the neighbours are known, give
        them as edges: ``Graph(X, kneighbors_graph(X, 10))``.
    max_iter : int or "auto", default="auto"
        Maximum number of epochs. "auto" is 40 on a whole graph, or 500 where nodes are compared with a summary; on
        batches it takes about 400 or 1000 steps; an epoch of two views has at most 400.
    batch_size : int, None or "auto", default="auto"
        Number of nodes in a batch; None trains on the whole graph at once. "auto" does so up to 131,072 nodes, and uses
        batches of 1024 nodes for larger graphs; or batches of 4096 above 65,536 nodes where nodes are compared with a
        summary.
    fan_out : int or None, default=10
        Number of neighbours to draw for each node in each hop, when training on batches; None uses all neighbours.
    learning_rate_init : float, default=0.003
        %(learning_rate_init)s
    early_stopping : bool, default=True
        Stop when the training loss no longer decreases, and keep the best weights.
    n_iter_no_change : int, default=20
        %(n_iter_no_change)s
    tol : float, default=0.0
        %(tol)s
    warm_start : bool, default=False
        %(warm_start)s
    device : str, default="auto"
        %(sparse_device)s
    callbacks : list of skorch callbacks, default=None
        %(callbacks)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState instance or None, default=None
        Seeds the weights, the corruption and the batches. Global random states are not changed.

    Attributes
    ----------
    mutual_info_ : float
        Estimated information of the two views of a node in nats, or of the summary with the nodes, as `score` returns
        it; if batches were trained on, the mean over new batches.
    history_ : DataFrame
        One row per epoch: training loss, seconds.
    loss_curve_ : list of float
        %(loss_curve_)s
    n_iter_ : int
        %(n_iter_)s
    net_ : InformationNet
        %(net_)s
    representation_ : str
        ``representation`` as it was at fit.
    position_share_ : float
        How much a node's position in the graph counts, from 0 to 1; see Notes.
    mean_, scale_ : ndarray of shape (n_features_out,)
        The statistics that center and scale the output, from the training nodes.
    structure_ : list of str
        The columns of `Graph.with_structure` that are added to the features: "degree", "returns" and, if one graph is
        trained on as a whole, "axes" to features that are all constant, and "axes" if the Graph was made of X=None;
        none otherwise. Axes are 0 on any other graph than that of `fit`.
    neighbors_ : NeighborGraph or None
        The graph of the training rows, to which `transform` attaches new rows; None if X was a `Graph`.
    n_features_in_ : int
        Number of features of a node.
    feature_names_in_ : ndarray of str
        Names of the features, if X has any.

    Notes
    -----
    Who a node's neighbours are says much about it where edges come from communities, roles or hubs, and nothing where
    they are mostly chance. So a tenth of the edges is held out. If the others predict it (the two ends of an edge are
    nearer to each other than nodes paired at random, by the position of their neighbourhoods), the output has columns
    of positions; and if features do not predict edges as well, the encoder is given neighbours beside them. This needs
    one graph of at most 100 000 nodes that is trained on as a whole; on another graph those columns hold their mean,
    with a warning.

    References
    ----------
    .. [1] Y. Zhu et al., "Deep Graph Contrastive Representation Learning", ICML workshop 2020, eq. 1.
    .. [2] P. Veličković et al., "Deep Graph Infomax", ICLR 2019, eq. 1.
    .. [3] W. Hamilton et al., "Inductive Representation Learning on Large Graphs", NeurIPS 2017.
    .. [4] F. Wu et al., "Simplifying Graph Convolutional Networks", ICML 2019.
    .. [5] Y. Zheng et al., "Rethinking and Scaling Up Graph Contrastive Learning", NeurIPS 2022.
    .. [6] J. Klicpera et al., "Predict then Propagate", ICLR 2019, eq. 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_dim import DGITransformer
    >>> X, _ = load_iris(return_X_y=True)
    >>> dgi = DGITransformer(n_components=8, max_iter=5, random_state=0).fit(X)
    >>> dgi.transform(X).shape
    (150, 44)
    >>> dgi.set_params(representation="code").fit_transform(X).shape
    (150, 8)
    """

    __module__ = "sklearn_dim.dgi"

    _parameter_constraints: ClassVar[dict] = {
        **training_constraints(without=("validation_fraction",)),
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "encoder": [StrOptions({"auto", *GRAPH_ENCODERS}), callable],
        "critic": [StrOptions({"auto", "cosine", "group", *CRITICS}), callable],
        "corruption": [StrOptions({VIEWS, "other_graph", *CORRUPTIONS}), callable],
        "readout": [StrOptions(set(READOUTS))],
        "representation": [StrOptions({"auto", "code"})],
        "inductive": ["boolean"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), HasMethods(["fit_transform", "transform"])],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "fan_out": [Interval(Integral, 1, None, closed="left"), None],
    }
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset(
        {"representation", "inductive", "n_neighbors", "fan_out"}
    )
    _fitted: ClassVar[dict[str, list]] = {
        **InfomaxEstimator._fitted,
        "neighbors_": [NeighborGraph, None],
        "structure_": [Each(str)],
        "position_share_": [float],
        "_places": [Places],
        "_scale": [FeatureScale],
        "_positions": [Positions],
        "_inputs": [EncoderInput],
        "_fixed": [FixedBlocks, None],
    }

    neighbors_: NeighborGraph | None

    def __init__(
        self,
        n_components="auto",
        *,
        mi_estimator="infonce",
        encoder="auto",
        critic="auto",
        corruption="views",
        readout="mean",
        representation="auto",
        inductive=False,
        n_neighbors=10,
        max_iter="auto",
        batch_size="auto",
        fan_out=10,
        learning_rate_init=3e-3,
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
        self.representation = representation
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

    @classmethod
    def published(cls, **parameters) -> Self:
        """Return an estimator with the settings of the paper (Veličković et al., ICLR 2019).

        Parameters
        ----------
        **parameters
            Parameters of the constructor that replace the paper's.

        Returns
        -------
        DGITransformer
            Its output is the paper's embedding, of which each row is scaled to unit length.

        Examples
        --------
        >>> from sklearn_dim import DGITransformer
        >>> DGITransformer.published(max_iter=100).corruption
        'shuffle'
        """
        return cls(**{**PUBLISHED, **parameters})

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, **refused) -> Self:
        """Train the encoder on a graph.

        Parameters
        ----------
        X : Graph, list of Graphs, or {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Of a `Graph` that was indexed, all nodes are trained on, unless ``inductive``.
        y : None
            Ignored.

        Returns
        -------
        self : DGITransformer

        Raises
        ------
        ValueError
            If X has missing or infinite values, or fewer than two rows; if a parameter needs several graphs and X is
            one; or if a parameter that shapes the model has changed before a fit with ``warm_start``.
        TypeError
            If edges are given in an argument of their own: cross-validation would split only their rows. A `Graph`
            holds nodes and edges.
        FloatingPointError
            If training diverges.

        Warns
        -----
        UserWarning
            If all features of a `Graph` are constant, so that structural columns are added to them (``structure_``).
        """
        refuse_arguments(refused)
        refuse_edges(y)
        return self._fit(X, resume=self.warm_start and "net_" in vars(self))

    # The steps of a fit.

    def _read(self, X: Any, y: Any, *, reset: bool, **metadata) -> Nodes:
        """Return the nodes to train on; plain rows are connected to their nearest neighbours."""
        X = as_graph(X)
        if not (isinstance(X, Graph) and X.parts.max() > 0):
            check_one_graph(self.corruption, self.critic)
        if not isinstance(X, Graph):
            X = self._check_rows(X, reset=reset, ensure_min_samples=2)
            FeatureScale().fit(X)  # refuses what float32 does not hold before neighbours are sought
            self.neighbors_, self._places = NeighborGraph(self.n_neighbors).fit(X), Places()
            return Nodes.of_rows(X, self.neighbors_.adjacency_)
        self._check_node_features(X, reset=reset)
        X = X.induced() if self.inductive else X
        if X.features.shape[0] < 2:
            raise ValueError("a Graph needs at least two nodes, to compare them; X has n_samples = 1.")
        self.neighbors_ = None
        if reset:
            self._places = Places().fit(X, one_graph=not (self.inductive or X.parts.any()))
        return Nodes.of(self._places.add(X))

    def _check_rows(self, X: Any, *, reset: bool, **rules) -> Any:
        check_feature_names(self, X, reset=reset)
        rows = check_numbers(X, type(self).__name__, **rules)
        check_n_features(self, rows, reset=reset)
        return rows

    def _size(self, data: Nodes) -> int:
        return data.features.shape[0] * self._width

    @property
    def _width(self) -> int:
        """Number of columns of the code."""
        if self.n_components != "auto":
            return int(self.n_components)
        return 128 if self.corruption == VIEWS else 512

    def _split(self, data: Nodes, seed: int) -> int:
        return seed  # all nodes are trained on, as training needs no labels

    def _build(self, data: Nodes, split: int) -> None:
        self._scale = FeatureScale().fit(data.features)
        beside = self.encoder == "auto" and self.corruption == VIEWS
        one_graph = not (self.inductive or data.graph_ids.any()) and (beside or self.representation == "auto")
        rows = ScaledRows(data.features, self._scale.for_output)
        self._positions = Positions().fit(data.adjacency, rows, one_graph=one_graph, random_state=split)
        self._inputs = EncoderInput(self._scale, self._positions if beside else None)
        parameters = {
            "mi_estimator": self.mi_estimator,
            "encoder": self.encoder,
            "critic": self.critic,
            "corruption": self.corruption,
            "readout": self.readout,
        }
        n_columns = self._inputs.n_columns(data.features.shape[1])
        build = partial(build_objective, n_columns, self._width, **copy.deepcopy(parameters))
        n_nodes, n_edges = data.features.shape[0], data.adjacency.nnz // 2
        self.net_ = self._make_net(build, sparse=True, about=f"{n_nodes} nodes, {n_edges} edges")
        self.representation_ = self.representation
        self._fixed = FixedBlocks(self._scale, self._positions) if self.representation == "auto" else None

    def _early_stopping(self) -> list[BestWeights]:
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("train_loss", lower_is_better=True, **patience)]

    def _run(self, data: Nodes, split: int, epochs: int | None, **shown) -> None:
        batches = self._batches(data)
        views = self.corruption == VIEWS
        steps, least, most = (STEPS, 1, 40) if views else (1000, 10, 500)
        epochs = epochs or self._epochs(batches, steps=steps, min_epochs=least, max_epochs=most)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, batches, None, self._begin(epochs, **shown), **shown)
        self.mutual_info_ = self.net_.evaluate(batches)["mutual_info"]

    def _batches(self, nodes: Nodes) -> list[tuple[GraphBatch]] | NeighborBatches:
        """Return the batches of an epoch: the whole graph as one, or batches of nodes with sampled neighbours."""
        size, encoder = self.batch_size, self.net_.module_.encoder
        views = self.corruption == VIEWS
        if size == "auto":
            large = nodes.features.shape[0] > (LARGE_OF_VIEWS if views else LARGE)
            size = (BATCH_OF_VIEWS if views else BATCH_SIZE) if large else None
        if size is None or size >= nodes.features.shape[0]:
            return [(whole_batch(nodes, self._inputs, encoder, device=self.net_.device),)]
        options = {"batch_size": size, "fan_out": self.fan_out, "device": self.net_.device}
        if views:
            options["max_batches"] = STEPS
        return sampled_batches(nodes, self._inputs, encoder, **options)

    def _publish(self, data: Nodes, split: None, seed: int) -> None:
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        self.structure_ = list(self._places.columns)
        self.position_share_ = self._positions.share
        if self._fixed is not None:
            self._fixed.fit(data, seed)
        blocks = self._output().blocks(data)
        self._widths = {name: block.shape[1] for name, block in blocks.items()}
        self._n_features_out = sum(self._widths.values())
        self.mean_, self.scale_ = self._output().mean_and_scale(blocks)

    def _parts(self) -> tuple:
        own = EncoderInput, FeatureScale, FixedBlocks, NeighborGraph, Places, Positions, build_objective
        return (*super()._parts(), *own)

    # The fitted estimator.

    def _output(self) -> NodeOutput:
        """Return the object that computes the output of `transform`."""
        return NodeOutput(self.net_.module_.encoder, self._inputs, self._fixed, device=self.net_.device)

    def _nodes(self, X: Any) -> Nodes:
        """Return the nodes of X; plain rows are attached to the graph of the training rows."""
        check_is_fitted(self)
        X = as_graph(X)
        if isinstance(X, Graph):
            self._check_node_features(X, reset=False)
            self._positions.warn_of_others(X.adjacency)
            return Nodes.of(self._places.add(X))
        X = self._check_rows(X, reset=False)
        if self.neighbors_ is None:
            raise ValueError(
                "DGITransformer was fitted on a Graph, but X has plain rows, which have no edges. Pass a Graph of the "
                "new nodes and their edges."
            )
        features, adjacency = self.neighbors_.attach(X)
        return Nodes.of_rows(features, adjacency, first=features.shape[0] - X.shape[0])

    def transform(self, X: Any) -> np.ndarray:
        """Return one vector per node of X.

        Parameters
        ----------
        X : Graph, list of Graphs, or rows, as in `fit`
            A `Graph` need not be the one trained on. Plain rows are attached to the graph of the training rows, if
            `fit` was given plain rows.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features_out)
            The node embeddings, and beside them what ``representation`` says, in the float dtype of X. On the training
            nodes the mean of each column is 0. Embeddings are unit vectors before they are centered. If X is a list,
            the nodes of the first graph come first, then those of the second, and so on.
            After ``set_output(transform="pandas")`` the names of a Graph's nodes, or else their numbers, are the index.

        Raises
        ------
        ValueError
            If X has missing or infinite values or other features than at fit, or if it has plain rows and `fit` was
            given a `Graph`.
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        X = as_graph(X)
        nodes = self._nodes(X)
        double = nodes.features.dtype == np.float64 and self.neighbors_ is not None
        with seeded(0, self._size(nodes), device=self.net_.device):
            blocks = self._output().blocks(nodes, torch.float64 if double else torch.float32)
        vectors = np.empty((len(nodes.rows), len(self.mean_)), dtype=blocks["code"].dtype)
        stop = 0
        for name, width in self._widths.items():  # one after the other is let go
            start, stop = stop, stop + width
            np.take(blocks.pop(name), nodes.rows, axis=0, out=vectors[:, start:stop], mode="clip")
        vectors -= self.mean_
        vectors /= self.scale_
        self._check_output(vectors)
        vectors = vectors.astype(nodes.features.dtype, copy=False)
        index = node_index(X) if output_container(self) == "pandas" else None
        return vectors if index is None else pd.DataFrame(vectors, index=index)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the output's columns, which say what block a column belongs to.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str
            "dgitransformer_code0", then "…_input0", "…_smoothed0", "…_structure0" and so on with
            ``representation="auto"``; else "dgitransformer0" and so on.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        """
        names = super().get_feature_names_out(input_features)
        if self.representation_ != "auto":
            return names
        return np.array([f"{type(self).__name__.lower()}_{name}" for name in column_names(self._widths)], dtype=object)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the estimated information of the nodes of X in two views, or with a summary, in nats.

        Higher is better. This is the Donsker–Varadhan value of the critic's log-ratio against the other nodes, at most
        1024 of them, or against one corrupted graph: a plug-in estimate, comparable across ``mi_estimator``.

        Parameters
        ----------
        X : as in `transform`
        y : None
            Ignored.

        Returns
        -------
        float

        Raises
        ------
        ValueError, NotFittedError
            As in `transform`.
        """
        nodes = self._nodes(X)
        device = self.net_.device
        with seeded(0, self._size(nodes), device=device), torch.no_grad(), full_precision(device), explained_memory():
            batch = whole_batch(nodes, self._inputs, self.net_.module_.encoder, device=device)
            value = self.net_.module_.mutual_info((batch,), torch.as_tensor(nodes.rows)).item()
        self._check_output(value)
        return value

    def __sklearn_is_fitted__(self) -> bool:
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
