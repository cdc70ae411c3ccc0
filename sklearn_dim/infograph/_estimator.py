"""GraphInfomaxTransformer: InfoGraph."""

import copy
from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.critics import CRITICS
from sklearn_dim.encoders import GRAPH_ENCODERS
from sklearn_dim.estimator import (
    InfomaxEstimator,
    Interval,
    Split,
    StrOptions,
    documented,
    fit_context,
    training_constraints,
)
from sklearn_dim.graphs import Graph, GraphBatches, normalized_adjacency
from sklearn_dim.infograph._input import check_graphs, fit_scaler
from sklearn_dim.infograph._objective import build_graph_summary
from sklearn_dim.infograph._output import graph_vectors, mean_and_scale
from sklearn_dim.objectives import READOUTS
from sklearn_dim.training import BestWeights, RowBatches, seeded


@documented
class GraphInfomaxTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
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

    __module__ = "sklearn_dim.infograph"

    _parameter_constraints: ClassVar[dict] = {
        **training_constraints(),
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions(set(GRAPH_ENCODERS)), callable],
        "critic": [StrOptions(set(CRITICS)), callable],
        "readout": [StrOptions(set(READOUTS))],
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

    @fit_context(prefer_skip_nested_validation=True)
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
        return self._fit(X, resume=self.warm_start and "net_" in vars(self))

    # The steps of a fit.

    def _read(self, X, y, *, reset, min_graphs=2):
        """Return the graphs of X side by side, checked."""
        check_graphs(X, min_graphs)
        self._check_node_features(X[0], reset=reset)
        return Graph.union(X)

    def _size(self, data):
        return data.features.shape[0] * self.n_components

    def _split(self, data, seed):
        n_graphs = data.parts.max() + 1
        return self._hold_out(n_graphs, seed) if self.early_stopping else Split(np.arange(n_graphs), None)

    def _build(self, data, split):
        self._scaler = fit_scaler(data.features[np.isin(data.parts, split.train)])
        parameters = {
            "mi_estimator": self.mi_estimator,
            "encoder": self.encoder,
            "critic": self.critic,
            "readout": self.readout,
        }
        build = partial(build_graph_summary, data.shape[1], self.n_components, **copy.deepcopy(parameters))
        self.net_ = self._make_net(build, sparse=True)
        self._n_features_out = self.n_components

    def _early_stopping(self):
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("valid_mutual_info", lower_is_better=False, **patience)]

    def _run(self, data, split, epochs, **told):
        train, valid = self._batches(data, rows=split.train), None
        if split.valid is not None:
            valid = self._batches(data, rows=split.valid, shuffle=False)
        epochs = epochs or self._epochs(train, steps=300, min_epochs=5, max_epochs=100)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, train, valid, self._begin(epochs, **told), **told)
        valued = valid or self._batches(data, rows=split.train, shuffle=False)
        self.mutual_info_ = self.net_.evaluate(valued)["mutual_info"]

    def _batches(self, graphs, **options):
        """Return batches of graphs, ready for the network."""
        sizes = np.bincount(graphs.parts)
        features = self._scaler.transform(graphs.features)
        adjacency = normalized_adjacency(graphs.adjacency, self.net_.module_.encoder.normalization)
        picks = RowBatches(np.arange(len(sizes)), batch_size=self.batch_size, **options)
        return GraphBatches(features, adjacency, sizes, picks, self.net_.device)

    def _publish(self, data, split, seed):
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        train = self._batches(data, rows=split.train, shuffle=False)
        self.mean_, self.scale_ = mean_and_scale(graph_vectors(self.net_.module_, train))

    def _parts(self):
        return (*super()._parts(), build_graph_summary)

    # What a fitted estimator says.

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
        graphs = self._read(X, None, reset=False, min_graphs=1)
        with seeded(0, self._size(graphs), device=self.net_.device):
            vectors = graph_vectors(self.net_.module_, self._batches(graphs, shuffle=False))
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
        graphs = self._read(X, None, reset=False)
        with seeded(0, self._size(graphs), device=self.net_.device):
            return self.net_.evaluate(self._batches(graphs, shuffle=False))["mutual_info"]

    def __sklearn_is_fitted__(self):
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
