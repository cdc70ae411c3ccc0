"""GraphInfomaxTransformer: InfoGraph."""

import copy
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.critics import CRITICS
from sklearn_dim.data import refuse_other_length
from sklearn_dim.encoders import GRAPH_ENCODERS, block_scales
from sklearn_dim.estimator import (
    InfomaxEstimator,
    Interval,
    Split,
    StrOptions,
    documented,
    fit_context,
    training_constraints,
)
from sklearn_dim.graphs import Graph, GraphBatches, graph_list, normalized_adjacency
from sklearn_dim.infograph._blocks import LENGTHS, FixedBlocks
from sklearn_dim.infograph._input import check_graphs, fit_scaler
from sklearn_dim.infograph._objective import build_graph_summary
from sklearn_dim.infograph._output import graph_vectors, mean_and_scale
from sklearn_dim.infograph._pools import FeaturePools
from sklearn_dim.infograph._structure import Structure
from sklearn_dim.infograph._subtrees import Subtrees
from sklearn_dim.objectives import READOUTS
from sklearn_dim.training import BestWeights, RowBatches, drawn_once, seeded


@documented
class GraphInfomaxTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
    """InfoGraph: embeddings of whole graphs that keep as much information about their nodes as possible.

    A graph isomorphism network is trained to tell the nodes of a graph from those of other graphs, by comparing each
    with the embedding of the graph; this maximises their mutual information [1]_. X is a list of graphs. Features are
    standardised, except constants and those that are 0 or 1. By default, numbers that need no training stand beside the
    embedding.

    Parameters
    ----------
    n_components : int, default=384
        Number of columns of the code, which is the graph's embedding, and of a node embedding.
    mi_estimator : str or Bound, default="jsd"
        %(mi_estimator)s
    encoder : {"gin", "gcn", "sage", "sgc"}, Module or callable, default="gin"
        The network (X, adjacency) → node embeddings (n_nodes, n_components): "gin" has three layers that sum over
        neighbours (as published); for the others see `DGITransformer`. A module of your own gets X as a dense tensor,
        and an adjacency with which ``adjacency @ dense`` sums over neighbours; a module with an attribute
        ``normalization`` chooses another kind of `sklearn_dim.graphs.normalized_adjacency`. A module whose ``forward``
        has an argument ``edge_index``, as in torch_geometric, gets the edges instead. A callable (n_features,
        n_components) returns a module, for example ``partial(sklearn_dim.encoders.GIN, n_layers=5)``.
    critic : str or callable, default="separable"
        The critic T(node embedding, graph embedding): "separable", "encode_and_dot", "concatenated", "bilinear", or a
        callable (node_features, graph_features) → module.
    readout : {"sum", "mean", "max"}, default="sum"
        How node embeddings are combined into that of the graph. The sum, unlike the mean, depends on the graph's size.
    representation : {"auto", "code"}, default="auto"
        What `transform` returns. "auto" puts side by side what a classifier, k-means or nearest neighbours can use as
        it is: the code; sums, means and deviations of the features, and of their means over neighbours; structure, that
        is sizes, degrees and the probabilities that a random walk returns; and counts of subtrees, the labels of the
        Weisfeiler–Lehman kernel [2]_. The last three need no training. They are reduced to at most 256 principal axes
        each, and all four contribute equally to distances. "code" is the code alone, as published.
    max_iter : int or "auto", default="auto"
        %(epochs)s
    batch_size : int, default=128
        Maximum number of graphs in a batch. The negatives of a node are the other graphs of its batch.
    learning_rate_init : float, default=0.001
        %(learning_rate_init)s
    early_stopping : bool, default=False
        Hold out some graphs, stop when their information no longer grows, and keep the best weights.
    validation_fraction : float, default=0.1
        Fraction of the graphs that ``early_stopping`` holds out.
    n_iter_no_change : int, default=10
        %(n_iter_no_change)s
    tol : float, default=1e-4
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
        Seeds the weights and the order of the graphs. Global random states are not changed.

    Attributes
    ----------
    mutual_info_ : float
        Estimated information of a node with its graph in nats, as `score` returns it: on the held-out graphs with
        ``early_stopping``, else on the training graphs.
    history_ : DataFrame
        %(history_)s
    loss_curve_ : list of float
        %(loss_curve_)s
    n_iter_ : int
        %(n_iter_)s
    net_ : InformationNet
        %(net_)s
    mean_, scale_ : ndarray of shape (n_features_out,)
        What `transform` subtracts from its columns, and what it divides the difference by: their mean on the training
        graphs, and their standard deviation, or with ``representation="auto"`` a number that gives every block, and all
        columns of the code, the same variance.
    representation_ : str
        ``representation`` as it was at fit.
    n_features_in_ : int
        Number of features of a node.
    feature_names_in_ : ndarray of str
        Names of the features, if the graphs have any.

    References
    ----------
    .. [1] F.-Y. Sun et al., "InfoGraph: Unsupervised and Semi-supervised Graph-Level Representation Learning via
       Mutual Information Maximization", ICLR 2020, eq. 4.
    .. [2] N. Shervashidze et al., "Weisfeiler–Lehman Graph Kernels", JMLR 12, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim import Graph, GraphInfomaxTransformer
    >>> ring, path = np.eye(6)[[1, 2, 3, 4, 5, 0]], np.eye(6, k=1)
    >>> graphs = [Graph(np.ones((6, 1)), edges) for edges in (ring, path, ring, path)]
    >>> infograph = GraphInfomaxTransformer(n_components=12, max_iter=5, random_state=0)
    >>> infograph.fit_transform(graphs).shape
    (4, 15)
    >>> print(*infograph.get_feature_names_out()[[0, 12, -1]], sep="\\n")
    graphinfomaxtransformer_code0
    graphinfomaxtransformer_features0
    graphinfomaxtransformer_subtrees0
    """

    __module__ = "sklearn_dim.infograph"

    _parameter_constraints: ClassVar[dict] = {
        **training_constraints(),
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions(set(GRAPH_ENCODERS)), callable],
        "critic": [StrOptions(set(CRITICS)), callable],
        "readout": [StrOptions(set(READOUTS))],
        "representation": [StrOptions({"auto", "code"})],
    }
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset({"representation"})
    _fitted: ClassVar[dict[str, list]] = {
        **InfomaxEstimator._fitted,
        "_scaler": [StandardScaler, None],
        "_blocks": [FixedBlocks, None],
    }

    _blocks: Any = None  # a FixedBlocks, with representation="auto"
    _widths: dict[str, int]  # the number of columns of each block

    def __init__(
        self,
        n_components=384,
        *,
        mi_estimator="jsd",
        encoder="gin",
        critic="separable",
        readout="sum",
        representation="auto",
        max_iter="auto",
        batch_size=128,
        learning_rate_init=1e-3,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
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
        self.readout = readout
        self.representation = representation
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the encoder on graphs.

        Parameters
        ----------
        X : list of Graph
            At least two, with the same features. Of a `Graph` that was indexed, all nodes are used; `Graph.induced`
            returns a graph of the selected nodes alone.
        y : None
            Ignored, but for its length.

        Returns
        -------
        self : GraphInfomaxTransformer

        Raises
        ------
        TypeError
            If X is not a list, or not all of its items are Graphs.
        ValueError
            If y has another length than X; if there are fewer than two graphs, or their features differ in number or
            names; or if a parameter that shapes the model has changed before a fit with ``warm_start``.
        FloatingPointError
            If training diverges.
        """
        refuse_other_length(X, y)
        return self._fit(X, resume=self.warm_start and "net_" in vars(self))

    # The steps of a fit.

    def _read(self, X: Any, y: Any, *, reset: bool, min_graphs: int = 2, **metadata) -> Graph:
        """Return the graphs of X, joined into one without edges between them."""
        X = graph_list(X)
        check_graphs(X, min_graphs)
        self._check_node_features(X[0], reset=reset)
        return Graph.union(X)

    def _size(self, data: Graph) -> int:
        return data.features.shape[0] * int(self.n_components)

    def _split(self, data: Graph, seed: int) -> Split:
        n_graphs = data.parts.max() + 1
        return self._hold_out(n_graphs, seed) if self.early_stopping else Split(np.arange(n_graphs), None)

    def _build(self, data: Graph, split: Split) -> None:
        self._scaler = fit_scaler(data.features[np.isin(data.parts, split.train)])
        parameters = {
            "mi_estimator": self.mi_estimator,
            "encoder": self.encoder,
            "critic": self.critic,
            "readout": self.readout,
        }
        build = partial(build_graph_summary, data.shape[1], self.n_components, **copy.deepcopy(parameters))
        self.net_ = self._make_net(build, sparse=True, about=f"{data.parts.max() + 1} graphs")
        self._blocks = None

    def _early_stopping(self) -> list[BestWeights]:
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("valid_mutual_info", lower_is_better=False, **patience)]

    def _run(self, data: Graph, split: Split, epochs: int | None, **shown) -> None:
        train, valid = self._batches(data, rows=split.train), None
        if split.valid is not None:
            valid = self._batches(data, rows=split.valid, shuffle=False)
        epochs = epochs or self._epochs(train, steps=300, min_epochs=5, max_epochs=100)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, train, valid, self._begin(epochs, **shown), **shown)
        evaluated = valid or self._batches(data, rows=drawn_once(split.train), shuffle=False)
        self.mutual_info_ = self.net_.evaluate(evaluated)["mutual_info"]

    def _batches(self, graphs: Graph, **options) -> GraphBatches:
        sizes = np.bincount(graphs.parts)
        adjacency = normalized_adjacency(graphs.adjacency, self.net_.module_.encoder.normalization)
        picks = RowBatches(np.arange(len(sizes)), batch_size=self.batch_size, **options)
        return GraphBatches(self._scaled(graphs), adjacency, sizes, picks, self.net_.device)

    def _scaled(self, graphs: Graph) -> Any:
        return self._scaler.transform(graphs.features)

    def _publish(self, data: Graph, split: Split, seed: int) -> None:
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        self.representation_ = self.representation
        code = graph_vectors(self.net_.module_, self._batches(data, rows=split.train, shuffle=False))
        if self.representation_ == "code":
            self.mean_, self.scale_ = mean_and_scale(code)
        else:
            if self._blocks is None:  # else they keep their axes, so that a warm start keeps the columns
                self._blocks = FixedBlocks().fit(data, self._scaled(data), drawn_once(split.train))
            rows = np.hstack([code, self._blocks(data, self._scaled(data))[split.train]])
            self._widths = {"code": code.shape[1], **self._blocks.widths}
            self.mean_, self.scale_ = block_scales(rows, self._widths, LENGTHS)
        self._n_features_out = len(self.mean_)

    def _parts(self) -> tuple:
        return (*super()._parts(), FixedBlocks, FeaturePools, Structure, Subtrees, build_graph_summary)

    # The fitted estimator.

    def transform(self, X: Any) -> np.ndarray:
        """Return one vector per graph of X.

        Parameters
        ----------
        X : list of Graph, as in `fit`
            They need not be the graphs trained on.

        Returns
        -------
        ndarray of shape (n_graphs, n_features_out)
            The code is the inverse hyperbolic sine of the readout, which shortens the long tails of sums as a logarithm
            does; with ``representation="auto"`` the other blocks stand behind it. Of zero mean on the training graphs,
            and on the scale of ``scale_``, in the float dtype of the features.

        Raises
        ------
        TypeError
            If X is not a list of Graphs.
        ValueError
            If X is empty, or the graphs have other features than at fit.
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        graphs = self._read(X, None, reset=False, min_graphs=1)
        with seeded(0, self._size(graphs), device=self.net_.device):
            vectors = graph_vectors(self.net_.module_, self._batches(graphs, shuffle=False))
            if self.representation_ == "auto":
                vectors = np.hstack([vectors, self._blocks(graphs, self._scaled(graphs))])
        vectors = (vectors - self.mean_) / self.scale_
        self._check_output(vectors)
        return vectors.astype(graphs.dtype, copy=False)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the output's columns, which say what block a column belongs to.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str
            "graphinfomaxtransformer_code0", then "…_features0", "…_structure0", "…_subtrees0" and so on with
            ``representation="auto"``; else "graphinfomaxtransformer0" and so on.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        """
        names = super().get_feature_names_out(input_features)
        if self.representation_ != "auto":
            return names
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}_{name}{i}" for name, n in self._widths.items() for i in range(n)], dtype=object)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the estimated information of a node with its graph, in nats; higher is better.

        This is the Donsker–Varadhan value of the critic's log-ratio against the other graphs of a batch, averaged over
        batches of at most ``batch_size`` graphs. It is a plug-in estimate, comparable across ``mi_estimator``; on
        graphs that were not trained on it estimates a lower bound.

        Parameters
        ----------
        X : list of Graph, as in `fit`
            At least two.
        y : None
            Ignored.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError, NotFittedError
            As in `transform`, or if X has a single graph.
        """
        check_is_fitted(self)
        graphs = self._read(X, None, reset=False)
        with seeded(0, self._size(graphs), device=self.net_.device):
            order = drawn_once(int(graphs.parts.max()) + 1)
            value = self.net_.evaluate(self._batches(graphs, rows=order, shuffle=False))["mutual_info"]
        self._check_output(value)
        return value

    def __sklearn_is_fitted__(self) -> bool:
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
