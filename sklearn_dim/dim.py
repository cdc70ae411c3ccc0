"""DIMTransformer, the face of Deep InfoMax."""

import copy
import math
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_dim._sklearn import NeuralEstimator, check_rows, moments
from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import CRITICS, make_critic
from sklearn_dim.encoders import Standardized, check_encoder, make_encoder
from sklearn_dim.objectives import PRIORS, AdversarialPrior, DeepInfoMax
from sklearn_dim.training import RowBatches, seeded
from sklearn_dim.views import make_view


class DIMTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NeuralEstimator):
    """Deep InfoMax: a representation that keeps as much information about its input as it can.

    An encoder is trained to maximise mutual information between its code and the input, globally and at
    every location, with a prior on the code [1]_. Images and tables are recognised by their shape.

    Parameters
    ----------
    n_components : int, default=64
        Width of the code.
    mi_estimator : str or Bound, default="jsd"
        The bound on mutual information: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    global_weight, local_weight : float, default=0.0, 1.0
        Weights of the information with the whole feature map (α) and with its locations (β). The paper's
        DIM(L) is 0 and 1, its DIM(G) is 1 and 0.
    prior_weight : float, default=0.1
        Weight of the adversarial prior (γ). The paper has 0.1 with DIM(L) and 1 with DIM(G); 0 leaves the prior out.
    prior : {"uniform", "normal"} or callable, default="uniform"
        The code's prior; "uniform" is on sigmoid(code). A callable (n_components) → module makes another term on
        the code, such as `sklearn_dim.objectives.AdversarialPrior` with other layers.
    encoder : {"auto", "paper", "resnet"}, Module or callable, default="auto"
        "auto" fits any table and images from 8x8; "paper" is the published network for images of 28x28,
        32x32 or 64x64; "resnet" sees overlapping crops of an image one by one. A module maps a standardised batch
        to (locations (n, L, C), code (n, n_components)), optionally with a layer fc between them; a callable makes
        it from (sample_shape, n_components).
    critic : str or callable, default="separable"
        T(code, location): "separable", "encode_and_dot" (as published), "concatenated", "bilinear", or a
        callable (code_features, location_features) → module.
    augmentation : {"auto"}, callable or None, default="auto"
        Two random views of each sample: the code of one is paired with the locations of the other. "auto" is
        small shifts and noise for images; for images of three channels crops, changes of colour, and mirroring
        where the images look like their mirror images; resampled features for tables. A callable makes a view
        of a standardised batch (a torch tensor). None is one view, the paper's way.
    image_shape : tuple (channels, height, width), default=None
        Shape of images that are given as flat rows.
    representation : {"code", "fc", "conv"}, default="code"
        What `transform` returns: the code, the last hidden layer, or all locations, flattened.
    max_iter : int or "auto", default="auto"
        Epochs. "auto" makes about 300 steps, in 5 to 100 epochs.
    batch_size : int, default=128
        Most rows in a batch. All other rows of a batch are a row's independent ones.
    learning_rate_init : float, default=0.001
        Adam's step size.
    early_stopping : bool, default=False
        Hold rows out, stop when their information no longer grows, and keep the best weights.
    validation_fraction : float, default=0.1
        Share of rows held out with ``early_stopping``.
    n_iter_no_change : int, default=10
        Epochs without an improvement by ``tol`` before an early stop.
    tol : float, default=1e-4
        The least improvement, in nats.
    warm_start : bool, default=False
        Go on from the weights of the last `fit`, if there are any.
    device : str, default="auto"
        "auto" is CUDA, then MPS, then the CPU; or a torch device.
    callbacks : list of skorch callbacks, default=None
    verbose : int, default=0
        1 prints a line an epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, order and views. Global random streams are left alone.

    Attributes
    ----------
    mutual_info_ : float
        Information of the code with its terms in nats, of held-out rows with ``early_stopping``, else of
        (at most 2048) training rows.
    history_ : DataFrame
        One row an epoch: losses, validation value, seconds.
    loss_curve_ : list of float
        Training loss of each epoch.
    n_iter_ : int
        Epochs run.
    net_ : InformationNet
        The trained skorch net.
    mean_, scale_ : ndarray of shape (n_features_out,)
        Statistics that give the output zero mean and unit variance on the training rows.
    input_shape_ : tuple
        Shape of one sample.
    n_features_in_ : int
        Columns of X; of images with four dimensions, their channels.
    feature_names_in_ : ndarray of str
        Column names of X, if it had any.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and
       maximization", ICLR 2019, eq. 8.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_dim import DIMTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> dim = DIMTransformer(n_components=16, image_shape=(1, 8, 8), max_iter=1, random_state=0)
    >>> dim.fit_transform(X[:300]).shape
    (300, 16)
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "global_weight": [Interval(Real, 0, None, closed="left")],
        "local_weight": [Interval(Real, 0, None, closed="left")],
        "prior_weight": [Interval(Real, 0, None, closed="left")],
        "prior": [StrOptions(set(PRIORS)), callable],
        "encoder": [StrOptions({"auto", "paper", "resnet"}), callable],
        "critic": [StrOptions(set(CRITICS)), callable],
        "augmentation": [StrOptions({"auto"}), callable, None],
        "image_shape": [tuple, list, None],
        "representation": [StrOptions({"code", "fc", "conv"})],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        n_components=64,
        *,
        mi_estimator="jsd",
        global_weight=0.0,
        local_weight=1.0,
        prior_weight=0.1,
        prior="uniform",
        encoder="auto",
        critic="separable",
        augmentation="auto",
        image_shape=None,
        representation="code",
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
        self.global_weight = global_weight
        self.local_weight = local_weight
        self.prior_weight = prior_weight
        self.prior = prior
        self.encoder = encoder
        self.critic = critic
        self.augmentation = augmentation
        self.image_shape = image_shape
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the encoder on X.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or \
                array of shape (n_samples, channels, height, width)
            Rows, or images (float or uint8).
        y : None
            Ignored.

        Returns
        -------
        self : DIMTransformer

        Raises
        ------
        ValueError
            If X has missing or infinite values, fewer than two rows, or a shape that no encoder fits, or if
            no term of the objective has a weight.
        FloatingPointError
            If training diverges.
        """
        go_on = self.warm_start and hasattr(self, "net_")
        with self._all_or_nothing(go_on):
            return self._fit(X, go_on=go_on)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train one more epoch, on X.

        The first call sets the input's statistics; each call sets the output's.

        Parameters
        ----------
        X : as in `fit`
        y : None
            Ignored.

        Returns
        -------
        self : DIMTransformer
        """
        go_on = hasattr(self, "net_")
        with self._all_or_nothing(go_on):
            return self._fit(X, go_on=go_on, epochs=1)

    def _fit(self, X, *, go_on, epochs=None):
        if self.global_weight == self.local_weight == 0:
            raise ValueError("global_weight=0 and local_weight=0 leave nothing to learn. Make one of them positive.")
        X = check_rows(self, X, reset=not go_on, image_shape=self.image_shape)
        with seeded(self.random_state, math.prod(X.shape), self.n_iter_ if go_on else 0) as seed:
            train, valid = np.arange(X.shape[0]), None
            if self.early_stopping:
                train, valid = self._split(X.shape[0], seed)
            if not go_on:
                self._start(X, train)
            options = {"batch_size": self.batch_size, "device": self.net_.device}
            train_batches = RowBatches(X, rows=train, **options)
            valid_batches = None if valid is None else RowBatches(X, rows=valid, shuffle=False, **options)
            epochs = epochs or self._epochs(train_batches, steps=300, least=5, most=100)
            self._run(self.net_, train_batches, valid_batches, epochs)
            self.representation_ = self.representation
            self._scale_output(X, train)
            self.mutual_info_ = self._value(X, train if valid is None else valid)
        return self

    def _start(self, X, train):
        """Build the net and set the input's statistics."""
        options = {name: copy.deepcopy(getattr(self, name)) for name in _OBJECTIVE_PARAMETERS}
        some = X[train[:: -(-len(train) // 1000)]] if X.ndim == 4 else None
        options["augmentation"] = make_view(options["augmentation"], self.input_shape_, some)
        build = partial(build_deep_infomax, self.input_shape_, self.n_components, **options)
        keep = self._keep_best("valid_mutual_info", lower_is_better=False) if self.early_stopping else None
        self.net_ = self._make_net(build, watch=[keep] if keep else [])
        self.net_.module_.encoder.set(*moments(X[train] if self.early_stopping else X))

    def _scale_output(self, X, rows, most=10_000):
        """Set mean and scale of the output from (at most 10 000) training rows."""
        some = X[rows[:: -(-len(rows) // most)]]
        output = np.concatenate(list(self._encode(some))).astype(np.float64)
        self._n_features_out = output.shape[1]
        self.mean_, scale = output.mean(0), output.std(0)
        self.scale_ = np.where(scale > 1e-6 * np.maximum(np.abs(self.mean_), 1.0), scale, 1.0)

    def transform(self, X):
        """Return the representation of X.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            In X's float dtype (float32 for uint8), of zero mean and unit variance on the training rows.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False, image_shape=self.image_shape)
        dtype = X.dtype if X.dtype.kind == "f" else np.dtype(np.float32)
        with seeded(0, math.prod(X.shape)):
            output = np.concatenate([(batch - self.mean_) / self.scale_ for batch in self._encode(X)])
        return output.astype(dtype, copy=False)

    def _encode(self, X, batch_size=1024):
        """Yield the representation of X batch by batch; rows of a float64 table are encoded in float64."""
        encoder = self.net_.module_.encoder
        if X.dtype == np.float64 and X.ndim == 2:
            encoder = copy.deepcopy(encoder).cpu().double()
        device = encoder.mean.device
        for start in range(0, X.shape[0], batch_size):
            batch = X[start : start + batch_size]
            dense = batch.toarray() if hasattr(batch, "toarray") else np.asarray(batch)
            with torch.no_grad():
                encoded = encoder(torch.tensor(dense, device=device))
            parts = {"code": encoded.code, "fc": encoded.fc, "conv": encoded.locations.flatten(1)}
            yield parts[self.representation_].cpu().numpy()

    def score(self, X, y=None):
        """Return the information of the code with its input, in nats: higher is better.

        The Donsker–Varadhan value of the critic's log-ratio, all pairs of a batch of at most ``batch_size``
        rows, averaged over batches: a plug-in comparable across ``mi_estimator``. On rows that were not
        trained on it estimates a lower bound.

        Parameters
        ----------
        X : as in `fit`
            At least two rows.
        y : None
            Ignored.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False, image_shape=self.image_shape)
        if X.shape[0] < 2:
            raise ValueError("score needs at least two rows: information is about pairs; got n_samples = 1.")
        with seeded(0, math.prod(X.shape)):
            return self._value(X, np.arange(X.shape[0]), most=None)

    def _value(self, X, rows, most=2048):
        batches = RowBatches(X, rows=rows[:most], batch_size=self.batch_size, shuffle=False, device=self.net_.device)
        return self.net_.evaluate(batches)["mutual_info"]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


_OBJECTIVE_PARAMETERS = (
    "mi_estimator",
    "global_weight",
    "local_weight",
    "prior_weight",
    "prior",
    "encoder",
    "critic",
    "augmentation",
)


def build_deep_infomax(sample_shape, n_components, *, mi_estimator, global_weight, local_weight, prior_weight,
                       prior, encoder, critic, augmentation) -> DeepInfoMax:  # fmt: skip
    """Wire an objective for samples of a shape from `DIMTransformer`'s parameters."""
    network = make_encoder(encoder, sample_shape, n_components)
    n_locations, width = check_encoder(network, sample_shape, n_components)
    bound = make_bound(mi_estimator)
    make = partial(make_critic, critic, n_components, second=bound.second_critic)
    return DeepInfoMax(
        Standardized(network, sample_shape),
        bound,
        global_critic=make(n_locations * width) if global_weight else None,
        local_critic=make(width) if local_weight else None,
        prior=_make_prior(prior, n_components) if prior_weight else None,
        global_weight=global_weight,
        local_weight=local_weight,
        prior_weight=prior_weight,
        view=augmentation,
    )


def _make_prior(prior, n_components):
    """Return the term on the code that ``prior`` stands for."""
    return AdversarialPrior(n_components, prior) if isinstance(prior, str) else prior(n_components)
