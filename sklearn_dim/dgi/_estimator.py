"""DGITransformer: Deep Graph Infomax."""

import copy
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.critics import CRITICS
from sklearn_dim.data import check_numbers
from sklearn_dim.dgi._input import (
    FeatureScale,
    Nodes,
    Places,
    check_one_graph,
    sampled_batches,
    whole_batch,
)
from sklearn_dim.dgi._objective import build_node_summary
from sklearn_dim.dgi._output import NodeOutput, input_axes, mean_and_scale, n_input_columns
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.estimator import (
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
    normalized_adjacency,
    refuse_arguments,
    refuse_edges,
)
from sklearn_dim.objectives import READOUTS
from sklearn_dim.training import BestWeights, seeded

LARGE = 2**25  # batch_size="auto" trains on batches if the node embeddings have more numbers than this, 128 MB
BATCH_SIZE = 4096  # of these batches; not tuned


@documented
class DGITransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
    """Deep Graph Infomax: node embeddings that keep as much information about their graph as possible.

    A graph convolution is trained to tell the nodes of the graph from those of a corrupted graph, by comparing each
    with a summary of the graph; this maximises their mutual information [1]_. X is a `Graph`, a list of graphs, or
    plain rows, which are connected to their nearest neighbours.

    Parameters
    ----------
    n_components : int, default=512
        Number of columns of the output.
    mi_estimator : str or Bound, default="jsd"
        %(mi_estimator)s
    encoder : {"gcn", "sage", "sgc", "gin"}, Module or callable, default="gcn"
        The network (X, adjacency) → node embeddings. "gcn" is one graph convolution (as published); "sage" has two
        layers that treat a node's own features and the mean of its neighbours' separately [2]_; "sgc" is one
        convolution over two hops [3]_; "gin" has three layers that sum over neighbours (see
        `GraphInfomaxTransformer`). A module of your own must return n_components columns minus those that
        ``input_share`` takes. It gets X as a dense tensor and the adjacency Â, with which ``adjacency @ dense``
        propagates features; or ``edge_index`` if its ``forward`` has an argument of that name, as in torch_geometric.
        It must not be linear, as a single layer without an activation is: the mean embedding would then be the same
        for the graph and the corrupted graph. A callable (n_features, n_columns) returns a module, for example
        ``partial(GCN, n_layers=2)``.
    critic : str or callable, default="bilinear"
        The critic T(summary, node embedding): "bilinear" (as published), another name of `sklearn_dim.critics.CRITICS`,
        or a callable (summary_features, node_features) → module. "group" scores a node without the summary [4]_.
    corruption : str or callable, default="shuffle"
        How the corrupted graph is made. "shuffle" permutes the rows of X and keeps the edges (as published);
        "masked_shuffle" also masks half of the columns, in both graphs; "feature_dropout" and "edge_dropout" remove
        half of the entries of X or of the propagation matrix; "other_graph" needs several graphs, and compares nodes
        with the summary of another one. A callable maps (X, adjacency) to the inputs of both graphs, see
        `sklearn_dim.graphs.CORRUPTIONS`.
    readout : {"mean", "sum", "max"}, default="mean"
        The summary of a graph: the sigmoid of the mean, sum or maximum of its node embeddings.
    propagation : int, default=10
        Number of steps of personalised PageRank by which `transform` smooths its columns over the graph [5]_. 0 does
        not smooth, as in the paper.
    input_share : float in [0, 1), default=0.5
        Maximum fraction of the output's columns that hold the input, smoothed over the graph. They are X itself if
        they suffice, else its projection on the leading singular vectors of the smoothed X. The other columns hold the
        node embeddings. 0 returns the node embeddings alone, as in the paper.
    inductive : bool, default=False
        Train only on the selected rows of a `Graph` that was indexed, such as a training split, and on the edges
        between them. By default all nodes are trained on, as training needs no labels.
    n_neighbors : int or transformer, default=10
        Number of neighbours to which each plain row is connected. Or a transformer that finds them among the
        standardised training rows, such as `sklearn.neighbors.KNeighborsTransformer`, `RadiusNeighborsTransformer` or
        `pynndescent.PyNNDescentTransformer`; see `sklearn_dim.graphs.NeighborGraph`. If the neighbours are known, give
        them as edges: ``Graph(X, kneighbors_graph(X, 10))``.
    max_iter : int or "auto", default="auto"
        Maximum number of epochs. "auto" is 500 on a whole graph; on batches it takes about 1000 steps, in 10 to 500
        epochs.
    batch_size : int, None or "auto", default="auto"
        Number of nodes in a batch; None trains on the whole graph at once. "auto" does so up to 65,536 nodes with 512
        components, and uses batches of 4096 nodes for larger graphs.
    fan_out : int or None, default=10
        Number of neighbours to draw for each node in each hop, when training on batches; None uses all neighbours.
    learning_rate_init : float, default=0.001
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
        Estimated information of the summary with the nodes of the training graph, in nats, as `score` returns it; if
        batches were trained on, the mean over new batches.
    history_ : DataFrame
        One row per epoch: training loss, seconds.
    loss_curve_ : list of float
        %(loss_curve_)s
    n_iter_ : int
        %(n_iter_)s
    net_ : InformationNet
        %(net_)s
    propagation_ : int
        ``propagation`` as it was at fit.
    input_axes_ : ndarray of shape (n_features, n_axes), or None
        The singular vectors on which X is projected in the output; None if the output holds X itself, or none of it.
    mean_, scale_ : ndarray of shape (n_components,)
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

    __module__ = "sklearn_dim.dgi"

    _parameter_constraints: ClassVar[dict] = {
        **training_constraints(without=("validation_fraction",)),
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions(set(GRAPH_ENCODERS)), callable],
        "critic": [StrOptions({*CRITICS, "group"}), callable],
        "corruption": [StrOptions({*CORRUPTIONS, "other_graph"}), callable],
        "readout": [StrOptions(set(READOUTS))],
        "propagation": [Interval(Integral, 0, None, closed="left")],
        "input_share": [Interval(Real, 0, 1, closed="left")],
        "inductive": ["boolean"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), HasMethods(["fit_transform", "transform"])],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "fan_out": [Interval(Integral, 1, None, closed="left"), None],
    }
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset({"propagation", "inductive", "n_neighbors", "fan_out"})

    neighbors_: NeighborGraph | None

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
        return data.features.shape[0] * int(self.n_components)

    def _split(self, data: Nodes, seed: int) -> None:
        return None  # all nodes are trained on, as training needs no labels

    def _build(self, data: Nodes, split: None) -> None:
        self._scale = FeatureScale().fit(data.features)
        parameters = {
            "mi_estimator": self.mi_estimator,
            "encoder": self.encoder,
            "critic": self.critic,
            "corruption": self.corruption,
            "readout": self.readout,
        }
        n_features = data.features.shape[1]
        self._n_input = n_input_columns(self.n_components, n_features, self.input_share)
        n_encoded = self.n_components - self._n_input
        build = partial(build_node_summary, n_features, n_encoded, **copy.deepcopy(parameters))
        self.net_ = self._make_net(build, sparse=True)
        self._n_features_out = self.n_components

    def _early_stopping(self) -> list[BestWeights]:
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("train_loss", lower_is_better=True, **patience)]

    def _run(self, data: Nodes, split: None, epochs: int | None, **shown) -> None:
        batches = self._batches(data)
        epochs = epochs or self._epochs(batches, steps=1000, min_epochs=10, max_epochs=500)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, batches, None, self._begin(epochs, **shown), **shown)
        self.mutual_info_ = self.net_.evaluate(batches)["mutual_info"]

    def _batches(self, nodes: Nodes) -> list[tuple[GraphBatch]] | NeighborBatches:
        """Return the batches of an epoch: the whole graph as one, or batches of nodes with sampled neighbours."""
        size, encoder = self.batch_size, self.net_.module_.encoder
        if size == "auto":
            size = BATCH_SIZE if self._size(nodes) > LARGE else None
        if size is None or size >= nodes.features.shape[0]:
            return [(whole_batch(nodes, self._scale, encoder, device=self.net_.device),)]
        options = {"batch_size": size, "fan_out": self.fan_out, "device": self.net_.device}
        return sampled_batches(nodes, self._scale, encoder, **options)

    def _publish(self, data: Nodes, split: None, seed: int) -> None:
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        self.propagation_, self.structure_ = self.propagation, list(self._places.columns)
        rows, matrix = self._scale.for_output(data.features), normalized_adjacency(data.adjacency)
        self.input_axes_ = input_axes(rows, matrix, self._n_input, seed)
        self.mean_, self.scale_ = mean_and_scale(self._output().blocks(data))

    def _parts(self) -> tuple:
        return (*super()._parts(), FeatureScale, NeighborGraph, Places, build_node_summary)

    # The fitted estimator.

    def _output(self) -> NodeOutput:
        """Return the object that computes the output of `transform`."""
        return NodeOutput(
            self.net_.module_.encoder,
            self._scale,
            propagation=self.propagation_,
            axes=self.input_axes_,
            holds_input=self._n_input > 0,
            device=self.net_.device,
        )

    def _nodes(self, X: Any) -> Nodes:
        """Return the nodes of X; plain rows are attached to the graph of the training rows."""
        check_is_fitted(self)
        X = as_graph(X)
        if isinstance(X, Graph):
            self._check_node_features(X, reset=False)
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
        ndarray or DataFrame of shape (n_samples, n_components)
            The node embeddings, and beside them the input (see ``input_share``), in the float dtype of X. Each of the
            two blocks consists of unit vectors, which are then centered and scaled: on the training nodes the mean is
            0, and the root mean square distance from it is 2. If X is a list, the nodes of the first graph come first,
            then those of the second, and so on. After ``set_output(transform="pandas")`` the names of a Graph's nodes,
            or else their numbers, are the index.

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
        vectors = np.hstack([block[nodes.rows] for block in blocks])
        vectors -= self.mean_
        vectors /= self.scale_
        vectors = vectors.astype(nodes.features.dtype, copy=False)
        index = node_index(X) if output_container(self) == "pandas" else None
        return vectors if index is None else pd.DataFrame(vectors, index=index)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the estimated information of the summary with the nodes of X, in nats; higher is better.

        This is the Donsker–Varadhan value of the critic's log-ratio against one corrupted graph: a plug-in estimate,
        comparable across ``mi_estimator``.

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
        with seeded(0, self._size(nodes), device=self.net_.device), torch.no_grad():
            batch = whole_batch(nodes, self._scale, self.net_.module_.encoder, device=self.net_.device)
            return self.net_.module_.mutual_info((batch,), torch.as_tensor(nodes.rows)).item()

    def __sklearn_is_fitted__(self) -> bool:
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
