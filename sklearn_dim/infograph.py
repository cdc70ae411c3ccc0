"""GraphInfomaxTransformer, the face of InfoGraph."""

import copy
from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklearn_dim._sklearn import NeuralEstimator, check_nodes
from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import CRITICS, make_critic
from sklearn_dim.encoders import GRAPH_ENCODERS, as_graph_encoder, check_graph_encoder
from sklearn_dim.graphs import Graph, GraphBatches, SparseMatrix, normalized_adjacency
from sklearn_dim.objectives import READOUTS, GraphSummary
from sklearn_dim.training import RowBatches, seeded


class GraphInfomaxTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NeuralEstimator):
    """InfoGraph: vectors of whole graphs that share as much information with their nodes as they can.

    A graph isomorphism network is trained to tell the nodes of a graph from those of others, by their information
    with the graph's vector [1]_. X is a list of graphs. Features of 0 and 1 and constants enter as they are, others
    standardised.

    Parameters
    ----------
    n_components : int, default=384
        Width of a graph's vector, and of a node's.
    mi_estimator : str or Bound, default="jsd"
        The bound on mutual information: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    encoder : {"gin", "gcn", "sage", "sgc"}, Module or callable, default="gin"
        A network (X, adjacency) → (n_nodes, n_components), or one of torch_geometric's: X is a dense tensor, and
        ``adjacency @ dense`` sums over neighbours, or does what the network's attribute ``normalization`` says (a
        kind of `sklearn_dim.graphs.normalized_adjacency`). A callable makes it from (n_features, n_components), say
        ``partial(sklearn_dim.encoders.GIN, n_layers=5)``.
    critic : str or callable, default="separable"
        T(node, graph): "separable", "encode_and_dot", "concatenated", "bilinear", or a callable
        (node_features, graph_features) → module.
    readout : {"sum", "mean", "max"}, default="sum"
        What a graph's vector is of its nodes'. The sum, unlike the mean, knows how large the graph is.
    max_iter : int or "auto", default="auto"
        Epochs. "auto" makes about 300 steps, in 5 to 100 epochs.
    batch_size : int, default=128
        Most graphs in a batch. The other graphs of a batch are a node's independent ones.
    learning_rate_init : float, default=0.001
        Adam's step size.
    early_stopping : bool, default=False
        Hold graphs out, stop when their information no longer grows, and keep the best weights.
    validation_fraction : float, default=0.1
        Share of graphs held out with ``early_stopping``.
    n_iter_no_change : int, default=10
        Epochs without an improvement by ``tol`` before an early stop.
    tol : float, default=1e-4
        The least improvement, in nats.
    warm_start : bool, default=False
        Go on from the weights of the last `fit`, if there are any.
    device : str, default="auto"
        "auto" is CUDA, then the CPU; or a torch device.
    callbacks : list of skorch callbacks, default=None
        `sklearn_dim.training.ResumableCheckpoint`, say, by which a fit that was killed goes on. Those of scikit-learn
        1.9, such as its progress bar, are given to ``set_callbacks``.
    verbose : int, default=0
        1 prints a line an epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds weights and order. Global random streams are left alone.

    Attributes
    ----------
    mutual_info_ : float
        Information of a node with its graph in nats, of held-out graphs with ``early_stopping``, else of the
        training graphs.
    history_ : DataFrame
        One row an epoch: losses, validation value, seconds.
    loss_curve_ : list of float
        Training loss of each epoch.
    n_iter_ : int
        Epochs run.
    net_ : InformationNet
        The trained skorch net.
    mean_, scale_ : ndarray of shape (n_components,)
        Statistics that give the output zero mean and unit variance on the training graphs.
    n_features_in_ : int
        Features of a node.
    feature_names_in_ : ndarray of str
        Their names, if the graphs had any.

    References
    ----------
    .. [1] F.-Y. Sun et al., "InfoGraph: Unsupervised and Semi-supervised Graph-Level Representation Learning via
       Mutual Information Maximization", ICLR 2020, eq. 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim import Graph, GraphInfomaxTransformer
    >>> ring, path = np.eye(6)[[1, 2, 3, 4, 5, 0]], np.eye(6, k=1)
    >>> graphs = [Graph(np.ones((6, 1)), adjacency) for adjacency in (ring, path, ring, path)]
    >>> GraphInfomaxTransformer(n_components=12, max_iter=5, random_state=0).fit_transform(graphs).shape
    (4, 12)
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions(set(GRAPH_ENCODERS)), callable],
        "critic": [StrOptions(set(CRITICS)), callable],
        "readout": [StrOptions(set(READOUTS))],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        n_components=384,
        *,
        mi_estimator="jsd",
        encoder="gin",
        critic="separable",
        readout="sum",
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train on graphs.

        Parameters
        ----------
        X : list of Graph
            At least two, with the same features. Of a cut Graph all nodes count; `Graph.induced` gives the
            selected nodes alone.
        y : None
            Ignored.

        Returns
        -------
        self : GraphInfomaxTransformer

        Raises
        ------
        TypeError
            If X is not a list, or not all of it is a Graph.
        ValueError
            If there are fewer than two graphs, or their features differ.
        FloatingPointError
            If training diverges.
        """
        go_on = self.warm_start and hasattr(self, "net_")
        with self._all_or_nothing(go_on, X=X):
            return self._fit(X, go_on=go_on)

    def _fit(self, X, *, go_on):
        graphs = self._side_by_side(X, reset=not go_on, least=2)
        with seeded(self.random_state, self._size(graphs), self.n_iter_ if go_on else 0, device=self.device) as seed:
            train, valid = np.arange(len(X)), None
            if self.early_stopping:
                train, valid = self._split(len(X), seed)
            if not go_on:
                self._start(graphs, train)
            train_batches = self._batches(graphs, rows=train)
            valid_batches = None if valid is None else self._batches(graphs, rows=valid, shuffle=False)
            epochs = self._epochs(train_batches, steps=300, least=5, most=100)
            self._run(X, train_batches, valid_batches, epochs)
            self._scale_output(self._batches(graphs, rows=train, shuffle=False))
            judged = self._batches(graphs, rows=train if valid is None else valid, shuffle=False)
            self.mutual_info_ = self.net_.evaluate(judged)["mutual_info"]
        return self

    def _parts(self):
        return (*super()._parts(), build_graph_summary)

    def _side_by_side(self, X, *, reset, least=1):
        """Return the graphs of X as one, checked."""
        check_graphs(X, least)
        check_nodes(self, X[0], reset=reset)
        return Graph.union(X)

    def _size(self, graphs):
        """Return how many numbers there are to be computed."""
        return graphs.features.shape[0] * self.n_components

    def _start(self, graphs, train):
        """Build the net and decide the scale on which features enter it."""
        self._scaler = fit_scaler(graphs.features[np.isin(graphs.parts, train)])
        build = partial(
            build_graph_summary,
            graphs.shape[1],
            self.n_components,
            **{name: copy.deepcopy(getattr(self, name)) for name in ("mi_estimator", "encoder", "critic", "readout")},
        )
        keep = self._keep_best("valid_mutual_info", lower_is_better=False) if self.early_stopping else None
        self.net_ = self._make_net(build, watch=[keep] if keep else [], sparse=True)
        self._n_features_out = self.n_components

    def _batches(self, graphs, **options):
        """Return batches of graphs, ready for the network."""
        sizes = np.bincount(graphs.parts)
        features = self._scaler.transform(graphs.features)
        kind = getattr(self.net_.module_.encoder, "normalization", "sum")
        adjacency = normalized_adjacency(graphs.adjacency, kind)
        picks = RowBatches(np.arange(len(sizes)), batch_size=self.batch_size, **options)
        return GraphBatches(features, adjacency, sizes, picks, self.net_.device)

    def _scale_output(self, batches):
        """Set mean and scale of the output from the training graphs."""
        vectors = self._vectors(batches).astype(np.float64)
        self.mean_, scale = vectors.mean(0), vectors.std(0)
        self.scale_ = np.where(scale > 1e-6 * np.maximum(np.abs(self.mean_), 1.0), scale, 1.0)

    @torch.no_grad()
    def _vectors(self, batches):
        """Return the graphs' vectors as they come from the network."""
        return np.concatenate([self.net_.module_.encode(*batch)[1].cpu().numpy() for batch in batches])

    def transform(self, X):
        """Return the vectors of X's graphs.

        Parameters
        ----------
        X : list of Graph, as in `fit`
            They need not be those trained on.

        Returns
        -------
        ndarray of shape (n_graphs, n_components)
            In the features' float dtype: the inverse hyperbolic sine of the readout, which like a logarithm draws in
            the long tails of sums, of zero mean and unit variance on the training graphs.
        """
        check_is_fitted(self)
        graphs = self._side_by_side(X, reset=False)
        with seeded(0, self._size(graphs), device=self.net_.device):
            vectors = self._vectors(self._batches(graphs, shuffle=False))
        return ((vectors - self.mean_) / self.scale_).astype(graphs.dtype, copy=False)

    def score(self, X, y=None):
        """Return the information of a node with its own graph, in nats: higher is better.

        The Donsker–Varadhan value of the critic's log-ratio, against the other graphs of a batch of at most
        ``batch_size``, averaged over batches: a plug-in comparable across ``mi_estimator``. On graphs that were not
        trained on it estimates a lower bound.

        Parameters
        ----------
        X : list of Graph, as in `fit`
            At least two.
        y : None
            Ignored.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        graphs = self._side_by_side(X, reset=False, least=2)
        with seeded(0, self._size(graphs), device=self.net_.device):
            return self.net_.evaluate(self._batches(graphs, shuffle=False))["mutual_info"]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def fit_scaler(features) -> StandardScaler:
    """Return a scaler for all columns but indicators and constants, which count nodes and neighbours as they are."""
    scaler = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default").fit(features)
    others = np.asarray((features != features.astype(bool)).sum(0)).ravel()  # values of a column but 0 and 1
    plain = (scaler.scale_ == 1) | (others == 0)  # of a constant the scale is 1
    scaler.scale_[plain] = 1.0
    if scaler.with_mean:
        scaler.mean_[plain] = 0.0
    return scaler


def check_graphs(X, least: int) -> None:
    """Refuse what is not a list of at least ``least`` graphs with the same features."""
    if isinstance(X, Graph):
        raise TypeError(
            "X is a single Graph; expected a list of graphs, of which each gets a vector. Pass [graph], or take "
            "DGITransformer for the vectors of its nodes."
        )
    if not hasattr(X, "__len__") or not hasattr(X, "__getitem__"):
        raise TypeError(f"X is a {type(X).__name__}; expected a list of graphs. Pass list(X) if it yields some.")
    if len(X) < least:
        reason = " to compare one with others" if least == 2 else ""
        raise ValueError(f"X needs at least {least} graph{'s' * (least > 1)}{reason}; got a list of {len(X)}.")
    for place, graph in enumerate(X):
        if not isinstance(graph, Graph):
            raise TypeError(f"X[{place}] is a {type(graph).__name__}; expected a Graph(features, adjacency).")
        if graph.shape[1] != X[0].shape[1]:
            raise ValueError(
                f"X[{place}] has {graph.shape[1]} features, but X[0] has {X[0].shape[1]}. Give all graphs the same."
            )
        if not np.array_equal(graph.names, X[0].names):
            raise ValueError(f"X[{place}] has features named {graph.names}, but X[0] has {X[0].names}. Align them.")


def build_graph_summary(n_features, n_components, *, mi_estimator, encoder, critic, readout) -> GraphSummary:
    """Wire an objective for graphs of ``n_features`` from `GraphInfomaxTransformer`'s parameters."""
    if isinstance(encoder, nn.Module):
        network = copy.deepcopy(encoder)
    else:
        network = GRAPH_ENCODERS.get(encoder, encoder)(n_features, n_components)
    pair = SparseMatrix(sparse.csr_matrix(np.array([[0.0, 1.0], [1.0, 0.0]])))
    why = f"n_components={n_components} columns"
    network = check_graph_encoder(as_graph_encoder(network), pair, n_features, n_components, why)
    bound = make_bound(mi_estimator)
    critic = make_critic(critic, n_components, n_components, second=bound.second_critic)
    return GraphSummary(network, critic, bound, n_components, readout)
