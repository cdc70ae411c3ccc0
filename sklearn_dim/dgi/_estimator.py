"""DGITransformer: Deep Graph Infomax."""

import copy
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.critics import CRITICS
from sklearn_dim.data import check_numbers
from sklearn_dim.dgi._input import FeatureScale, Nodes, check_one_graph, sampled_batches, whole_batch
from sklearn_dim.dgi._objective import build_node_summary
from sklearn_dim.dgi._output import NodeOutput, input_axes, mean_and_scale, n_input_columns
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.estimator import (
    InfomaxEstimator,
    Interval,
    StrOptions,
    check_feature_names,
    check_n_features,
    documented,
    fit_context,
    training_constraints,
)
from sklearn_dim.graphs import CORRUPTIONS, Graph, NeighborGraph, as_graph, normalized_adjacency
from sklearn_dim.objectives import READOUTS
from sklearn_dim.training import BestWeights, seeded

LARGE = 2**25  # numbers in the node embeddings (128 MB) from which batch_size="auto" trains on batches
BATCH_SIZE = 4096  # of such batches


@documented
class DGITransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
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
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "fan_out": [Interval(Integral, 1, None, closed="left"), None],
    }
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset({"propagation", "inductive", "n_neighbors", "fan_out"})

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
        return self._fit(X, resume=self.warm_start and "net_" in vars(self))

    # The steps of a fit.

    def _read(self, X, y, *, reset):
        """Return the nodes to train on; plain rows become the graph of their nearest neighbours."""
        X = as_graph(X)
        if not (isinstance(X, Graph) and X.parts.max() > 0):
            check_one_graph(self.corruption, self.critic)
        if not isinstance(X, Graph):
            X = self._check_rows(X, reset=reset, ensure_min_samples=2)
            self.neighbors_ = NeighborGraph(self.n_neighbors).fit(X)
            return Nodes.of_rows(X, self.neighbors_.adjacency_)
        self._check_node_features(X, reset=reset)
        X = X.induced() if self.inductive else X
        if X.features.shape[0] < 2:
            raise ValueError("a Graph needs at least two nodes, to compare one with others; got n_samples = 1.")
        self.neighbors_ = None
        return Nodes.of(X)

    def _check_rows(self, X, *, reset, **rules):
        check_feature_names(self, X, reset=reset)
        rows = check_numbers(X, type(self).__name__, **rules)
        check_n_features(self, rows, reset=reset)
        return rows

    def _size(self, data):
        return data.features.shape[0] * self.n_components

    def _split(self, data, seed):
        return None  # all nodes are trained on: features and edges need no labels

    def _build(self, data, split):
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
        n_learnt = self.n_components - self._n_input
        build = partial(build_node_summary, n_features, n_learnt, **copy.deepcopy(parameters))
        self.net_ = self._make_net(build, sparse=True)
        self._n_features_out = self.n_components

    def _early_stopping(self):
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("train_loss", lower_is_better=True, **patience)]

    def _run(self, data, split, epochs, **told):
        batches = self._batches(data)
        epochs = epochs or self._epochs(batches, steps=1000, min_epochs=10, max_epochs=500)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, batches, None, self._begin(epochs, **told), **told)
        self.mutual_info_ = self.net_.evaluate(batches)["mutual_info"]

    def _batches(self, nodes):
        """Return what an epoch iterates over: the whole graph at once, or its nodes in batches."""
        size, encoder = self.batch_size, self.net_.module_.encoder
        if size == "auto":
            size = BATCH_SIZE if self._size(nodes) > LARGE else None
        if size is None or size >= nodes.features.shape[0]:
            return [(whole_batch(nodes, self._scale, encoder, device=self.net_.device),)]
        options = {"batch_size": size, "fan_out": self.fan_out, "device": self.net_.device}
        return sampled_batches(nodes, self._scale, encoder, **options)

    def _publish(self, data, split, seed):
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        self.propagation_ = self.propagation
        rows, matrix = self._scale.for_output(data.features), normalized_adjacency(data.adjacency)
        self.input_axes_ = input_axes(rows, matrix, self._n_input, seed)
        self.mean_, self.scale_ = mean_and_scale(self._output().blocks(data))

    def _parts(self):
        return (*super()._parts(), FeatureScale, NeighborGraph, build_node_summary)

    # What a fitted estimator says.

    def _output(self) -> NodeOutput:
        """Return what `transform` computes."""
        return NodeOutput(
            self.net_.module_.encoder,
            self._scale,
            propagation=self.propagation_,
            axes=self.input_axes_,
            holds_input=self._n_input > 0,
            device=self.net_.device,
        )

    def _nodes(self, X) -> Nodes:
        """Return the nodes of X's graph; plain rows are attached to the graph of those trained on."""
        check_is_fitted(self)
        X = as_graph(X)
        if isinstance(X, Graph):
            self._check_node_features(X, reset=False)
            return Nodes.of(X)
        X = self._check_rows(X, reset=False)
        if self.neighbors_ is None:
            raise ValueError(
                "DGITransformer was fitted on a Graph, but X has plain rows, which have no place in it. Pass a Graph "
                "that holds the new nodes and their edges."
            )
        features, adjacency = self.neighbors_.attach(X)
        return Nodes.of_rows(features, adjacency, first=features.shape[0] - X.shape[0])

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
        nodes = self._nodes(X)
        double = nodes.features.dtype == np.float64 and self.neighbors_ is not None
        with seeded(0, self._size(nodes), device=self.net_.device):
            blocks = self._output().blocks(nodes, torch.float64 if double else torch.float32)
        vectors = np.hstack([block[nodes.rows] for block in blocks])
        vectors -= self.mean_
        vectors /= self.scale_
        return vectors.astype(nodes.features.dtype, copy=False)

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
        nodes = self._nodes(X)
        with seeded(0, self._size(nodes), device=self.net_.device), torch.no_grad():
            batch = whole_batch(nodes, self._scale, self.net_.module_.encoder, device=self.net_.device)
            return self.net_.module_.mutual_info((batch,), torch.as_tensor(nodes.rows)).item()

    def __sklearn_is_fitted__(self):
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
