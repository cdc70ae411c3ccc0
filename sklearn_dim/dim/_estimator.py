"""DIMTransformer: Deep InfoMax."""

import copy
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_dim.critics import CRITICS
from sklearn_dim.data import (
    Samples,
    Shifted,
    moments,
    offset_of,
    read_samples,
    take_rows,
    vocabulary_size,
    word_weights,
)
from sklearn_dim.dim._objective import PUBLISHED, build_deep_infomax, make_view
from sklearn_dim.dim._output import SampleOutput, mean_and_scale
from sklearn_dim.estimator import (
    InfomaxEstimator,
    Interval,
    Split,
    StrOptions,
    check_feature_names,
    check_n_features,
    documented,
    fit_context,
    training_constraints,
)
from sklearn_dim.objectives import PRIORS, AdversarialPrior
from sklearn_dim.training import BestWeights, RowBatches, resolve_device, resolve_precision, seeded
from sklearn_dim.views import VIEWS

MOMENTS_ROWS = 10_000  # on which the output's statistics are taken: they are known to a hundredth of a deviation
MIRROR_ROWS = 1000  # images that are looked at to see whether they may be mirrored
VALUED_ROWS = 2048  # on which mutual_info_ is taken


@documented
class DIMTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
    """Deep InfoMax: a representation that keeps as much information about its input as it can.

    An encoder is trained to maximise mutual information between its code and the input, globally and at
    every location, with a prior on the code [1]_. Tables, sequences and images are recognised by their
    shape; documents are sequences of word numbers, with ``encoder="tokens"``.

    Parameters
    ----------
    n_components : int, default=64
        Width of the code.
    mi_estimator : str or Bound, default="jsd"
        %(mi_estimator)s
    global_weight : float, default=0.0
        Weight of the information with the whole feature map (α): 1 in the paper's DIM(G), 0 in its DIM(L).
    local_weight : float, default=1.0
        Weight of the information with the map's locations (β): 1 in the paper's DIM(L), 0 in its DIM(G).
    prior_weight : float, default=0.1
        Weight of the adversarial prior (γ). The paper has 0.1 with DIM(L) and 1 with DIM(G); 0 leaves the prior out.
    prior : {"uniform", "normal"}, torch Distribution or callable, default="uniform"
        The code's prior; "uniform" is on sigmoid(code), all others on the code itself. A callable (n_components) →
        module makes another term on the code, such as `sklearn_dim.objectives.AdversarialPrior` with other layers.
    coordinate_weight : float, default=0.0
        Weight of telling where a location is from its features and the code (the paper's coordinate task).
    occlusion : float in [0, 1), default=0.0
        Share of each sample that is hidden from its code, not from its locations (the paper's occlusion task).
    n_locations : int, default=None
        Locations drawn at random for each step; None takes all.
    n_global_vectors : int, default=1
        Vectors that an image's code consists of, a square number: each is made from one cell of a grid over the
        image, and is an anchor of its own.
    encoder : {"auto", "paper", "resnet", "tokens"}, Module or callable, default="auto"
        "auto" fits any table, sequences from length 8 and images from 8x8; CSR rows of few numbers, none negative, are
        bags of words, whose columns share a unit (pass a dense table if they do not). "paper" is the published network
        for images of 28x28, 32x32 or 64x64; "resnet" sees overlapping crops one by one; "tokens" takes rows of word
        numbers, where 0 is padding. A module maps a standardised batch to (locations (n, L, C), code (n,
        n_components)), optionally with a layer fc between them; a callable makes it from (sample_shape, n_components).
    critic : str or callable, default="separable"
        T(code, location): "separable", "encode_and_dot" and "concatenated" (as published), "bilinear", or a
        callable (code_features, location_features) → module, such as a `partial` of a class with other sizes.
    global_critic : str or callable, default=None
        T(code, flattened map), in the same way; None takes ``critic``.
    augmentation : {"auto"}, callable or None, default="auto"
        Two random views of each sample: the code of one is paired with the locations of the other. "auto" is
        small shifts and noise for images of one channel; crops, changes of colour, and mirroring where they look like
        their mirror images, for those of three; shifts, scale and a hidden stretch for sequences; resampled features
        for tables, dropped words for tokens and bags; a callable makes a view of a standardised batch (a
        torch tensor; of tokens, their numbers as int64, where −1 makes an unknown word). None is one view, the
        paper's way.
    image_shape : tuple (channels, height, width), default=None
        Shape of images that are given as flat rows.
    channels : {"auto", "first", "last"}, default="auto"
        Where images have their channels. "auto" takes them for last where only the last axis has 1, 3 or 4 places.
    representation : {"code", "fc", "conv"}, default="code"
        What `transform` returns: the code, the last hidden layer, or all locations, flattened.
    max_iter : int or "auto", default="auto"
        %(epochs)s
    batch_size : int, default=128
        Maximum number of rows in a batch. The other rows of a batch are a row's negatives.
    learning_rate_init : float, default=0.001
        %(learning_rate_init)s
    beta_1 : float, default=0.9
        Adam's decay of the mean gradient; the paper has 0.5.
    early_stopping : bool, default=False
        Hold rows out, stop when their information no longer grows, and keep the best weights.
    validation_fraction : float, default=0.1
        Fraction of rows held out with ``early_stopping``.
    n_iter_no_change : int, default=10
        %(n_iter_no_change)s
    tol : float, default=1e-4
        %(tol)s
    warm_start : bool, default=False
        %(warm_start)s
    device : str, default="auto"
        %(device)s
    mixed_precision : bool or "auto", default="auto"
        Train encoder and critics in bfloat16, losses in float32. "auto" does so where the device, CUDA or CPU,
        computes in it. `transform` and `score` are in full precision anyway.
    compile : bool, default=False
        Compile the encoder by `torch.compile`: a start of a minute, then faster epochs.
    callbacks : list of skorch callbacks, default=None
        %(callbacks)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState instance or None, default=None
        Seeds weights, order and views. Global random streams are left alone.

    Attributes
    ----------
    mutual_info_ : float
        Information of the code with its terms in nats, of held-out rows with ``early_stopping``, else of
        (at most 2048) training rows.
    history_ : DataFrame
        %(history_)s
    loss_curve_ : list of float
        %(loss_curve_)s
    n_iter_ : int
        %(n_iter_)s
    net_ : InformationNet
        %(net_)s
    mean_, scale_ : ndarray of shape (n_features_out,)
        Statistics that give the output zero mean and unit variance on the training rows.
    input_shape_ : tuple
        Shape of one sample.
    input_kind_ : {"table", "bag", "tokens", "sequence", "image"}
        What samples are taken for.
    image_shape_, channels_ : tuple or None, str
        The parameters that X is read by, as they were at fit.
    representation_ : str
        The layer that `transform` returns, as it was asked for at fit.
    vocabulary_size_ : int or None
        With ``encoder="tokens"``, the largest word number of X at fit, plus one. All larger numbers that `transform`
        meets are the one unknown word.
    n_features_in_ : int
        Columns of X; of sequences and of images with four dimensions, their channels.
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

    __module__ = "sklearn_dim.dim"

    _parameter_constraints: ClassVar[dict] = {
        **training_constraints(),
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "global_weight": [Interval(Real, 0, None, closed="left")],
        "local_weight": [Interval(Real, 0, None, closed="left")],
        "prior_weight": [Interval(Real, 0, None, closed="left")],
        "prior": [StrOptions(set(PRIORS)), torch.distributions.Distribution, callable],
        "coordinate_weight": [Interval(Real, 0, None, closed="left")],
        "occlusion": [Interval(Real, 0, 1, closed="left")],
        "n_locations": [Interval(Integral, 1, None, closed="left"), None],
        "n_global_vectors": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions({"auto", "paper", "resnet", "tokens"}), callable],
        "critic": [StrOptions(set(CRITICS)), callable],
        "global_critic": [StrOptions(set(CRITICS)), callable, None],
        "augmentation": [StrOptions({"auto"}), callable, None],
        "image_shape": [tuple, list, None],
        "channels": [StrOptions({"auto", "first", "last"})],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "mixed_precision": ["boolean", StrOptions({"auto"})],
        "compile": ["boolean"],
        "representation": [StrOptions({"code", "fc", "conv"})],
    }
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset({"mixed_precision", "representation"})

    def __init__(
        self,
        n_components=64,
        *,
        mi_estimator="jsd",
        global_weight=0.0,
        local_weight=1.0,
        prior_weight=0.1,
        prior="uniform",
        coordinate_weight=0.0,
        occlusion=0.0,
        n_locations=None,
        n_global_vectors=1,
        encoder="auto",
        critic="separable",
        global_critic=None,
        augmentation="auto",
        image_shape=None,
        channels="auto",
        representation="code",
        max_iter="auto",
        batch_size=128,
        learning_rate_init=1e-3,
        beta_1=0.9,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        device="auto",
        mixed_precision="auto",
        compile=False,
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
        self.coordinate_weight = coordinate_weight
        self.occlusion = occlusion
        self.n_locations = n_locations
        self.n_global_vectors = n_global_vectors
        self.encoder = encoder
        self.critic = critic
        self.global_critic = global_critic
        self.augmentation = augmentation
        self.image_shape = image_shape
        self.channels = channels
        self.representation = representation
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.beta_1 = beta_1
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.mixed_precision = mixed_precision
        self.compile = compile
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @classmethod
    def published(cls, objective="local", **parameters):
        """Return an estimator with the paper's setting.

        Parameters
        ----------
        objective : {"local", "global", "local+global"}, default="local"
            The paper's DIM(L), DIM(G) or DIM(L+G).
        **parameters
            Of the constructor, in place of the paper's.

        Returns
        -------
        DIMTransformer
            What stays ours: pixels are standardised (there in [-1, 1]), scores are scaled by 1/√d and softly clipped
            (there free, so that exponential bounds overflow).

        Examples
        --------
        >>> from sklearn_dim import DIMTransformer
        >>> DIMTransformer.published("global", mi_estimator="infonce").prior_weight
        1.0
        """
        if objective not in PUBLISHED:
            raise ValueError(f"objective={objective!r} was not published; give one of {list(PUBLISHED)}.")
        return cls(**{**PUBLISHED[objective], **parameters})

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the encoder on X.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or \
                array of shape (n_samples, channels, length) or (n_samples, channels, height, width)
            Rows, sequences, or images (float or uint8). With ``encoder="tokens"``, documents (n_samples, length) of
            whole numbers: words from 1 on, 0 for padding, which carries nothing. A memory map (float32, float64 or
            uint8) and a torch ``Dataset`` with a length may be larger than memory: they are read in parts.
        y : None
            Ignored.

        Returns
        -------
        self : DIMTransformer

        Raises
        ------
        ValueError
            If X has missing or infinite values, fewer than two rows, a shape that no encoder fits, or tokens that are
            not whole numbers from 0, or if no term of the objective has a weight.
        FloatingPointError
            If training diverges.
        """
        return self._fit(X, resume=self.warm_start and "net_" in vars(self))

    @fit_context(prefer_skip_nested_validation=True)
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
        return self._fit(X, resume="net_" in vars(self), epochs=1)

    # The steps of a fit.

    def _read(self, X, y, *, reset):
        """Return X as `Samples`, of the kind and shape that were fitted unless they are to be set."""
        tokens = self.encoder == "tokens" if reset else self.vocabulary_size_ is not None
        name = type(self).__name__
        image_shape, channels = (self.image_shape, self.channels) if reset else (self.image_shape_, self.channels_)
        check_feature_names(self, X, reset=reset)
        samples = read_samples(
            X, name, tokens=tokens, image_shape=image_shape, channels=channels, min_samples=2 if reset else 1
        )
        check_n_features(self, samples.X, reset=reset)
        if reset:
            self.input_kind_, self.input_shape_ = samples.kind, samples.shape[1:]
            self.vocabulary_size_ = vocabulary_size(samples.X) if tokens else None
            self.image_shape_, self.channels_ = image_shape, channels
        elif samples.shape[1:] != self.input_shape_:
            raise ValueError(
                f"X has samples of shape {samples.shape[1:]}, but {name} was fitted on samples of "
                f"shape {self.input_shape_}. Pass the same kind of samples as to fit."
            )
        if tokens and not reset:  # larger word numbers are the one unknown word, and float32 holds this one
            samples = Samples(np.minimum(samples.X, self.vocabulary_size_), "tokens")
        return samples

    def _size(self, data):
        return data.size

    def _split(self, data, seed):
        return self._hold_out(len(data), seed) if self.early_stopping else Split(np.arange(len(data)), None)

    def _build(self, data, split):
        """Make the net, its objective and its encoder's statistics."""
        if self.global_weight == self.local_weight == 0:
            raise ValueError("global_weight=0 and local_weight=0 leave nothing to learn. Make one of them positive.")
        some = every_nth(split.train, MIRROR_ROWS)
        images = take_rows(data.X, some) if data.kind == "image" else None
        self._offset, statistics = self._statistics(data, split)
        parameters = {
            "mi_estimator": self.mi_estimator,
            "prior": self.prior,
            "occlusion": self.occlusion,
            "n_locations": self.n_locations,
            "n_global_vectors": self.n_global_vectors,
            "encoder": self.encoder,
            "critic": self.critic,
            "global_critic": self.global_critic,
        }
        build = partial(
            build_deep_infomax,
            data.kind,
            data.shape[1:],
            self.n_components,
            **copy.deepcopy(parameters),
            weights={
                "global": self.global_weight,
                "local": self.local_weight,
                "prior": self.prior_weight,
                "coordinates": self.coordinate_weight,
            },
            view=make_view(
                copy.deepcopy(self.augmentation), data.kind, data.shape[1:], images, resolve_device(self.device)
            ),
            statistics=statistics,
        )
        self.net_ = self._make_net(
            build,
            sparse=data.kind == "bag",
            optimizer__betas=(self.beta_1, 0.999),  # the second as published
            optimizer__param_groups=self._adversary_steps(),
            autocast=self._precision(),
        )
        if self.compile:
            self.net_.module_.encoder.core.compile()

    def _statistics(self, data, split):
        """Return what is subtracted from X before all else, and what the encoder knows of its columns or words."""
        rows = None if split.valid is None else split.train
        if data.kind == "tokens":
            words = data.X if rows is None else data.X[rows]
            size = self.vocabulary_size_
            return None, {"vocabulary_size": size, "weight": word_weights(words, size)}
        mean, scale = moments(data.X, rows)
        offset = offset_of(data.X, mean, scale)
        return offset, {"mean": mean if offset is None else mean - offset, "scale": scale}

    def _precision(self):
        return resolve_precision(self.mixed_precision, resolve_device(self.device))

    def _adversary_steps(self):
        """Return what Adam does differently for the discriminator of our own prior: it follows the code faster."""
        if not self.prior_weight or not isinstance(self.prior, str | torch.distributions.Distribution):
            return []
        # Chosen on nudged digits: with smaller steps the code leaves the prior. β₁ = 0.5 is the paper's.
        return [("prior.*", {"lr": 5 * self.learning_rate_init, "betas": (0.5, 0.999)})]

    def _early_stopping(self):
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("valid_mutual_info", lower_is_better=False, **patience)]

    def _take_changed_parameters(self):
        super()._take_changed_parameters()
        self.net_.autocast = self._precision()

    def _run(self, data, split, epochs, **told):
        train, valid = self._batches(data, split.train), None
        if split.valid is not None:
            valid = train.of(split.valid)
        epochs = epochs or self._epochs(train, steps=300, min_epochs=5, max_epochs=100)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, train, valid, self._begin(epochs, **told), **told)
        valued = train.of((split.train if valid is None else split.valid)[:VALUED_ROWS])
        self.mutual_info_ = self.net_.evaluate(valued)["mutual_info"]

    def _publish(self, data, split, seed):
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        self.representation_ = self.representation
        layer = SampleOutput(self.net_.module_.encoder, self.representation_, offset=self._offset)
        self.mean_, self.scale_ = mean_and_scale(layer.batches(data.X, every_nth(split.train, MOMENTS_ROWS)))
        self._n_features_out = len(self.mean_)

    def _batches(self, data, rows=None, *, shuffle=True) -> RowBatches:
        """Return batches of rows for the net."""
        X = data.X if self._offset is None else Shifted(data.X, self._offset)
        sparse = self.net_.module_.takes_sparse
        return RowBatches(
            X, rows=rows, shuffle=shuffle, batch_size=self.batch_size, device=self.net_.device, sparse=sparse
        )

    def _parts(self):
        return (*super()._parts(), *VIEWS, AdversarialPrior, build_deep_infomax)

    # What a fitted estimator says.

    def _output(self) -> SampleOutput:
        """Return what `transform` computes, as a module."""
        return SampleOutput(
            self.net_.module_.encoder,
            self.representation_,
            mean=self.mean_,
            scale=self.scale_,
            offset=self._offset,
            sample_shape=self.input_shape_,
            channels_last=self.channels_ == "last",
        )

    def transform(self, X):
        """Return the representation of X.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            In X's float dtype (float32 for uint8 and for tokens of an integer dtype), of zero mean and unit
            variance on the training rows.
        """
        check_is_fitted(self)
        samples = self._read(X, None, reset=False)
        output = np.empty((len(samples), len(self.mean_)), samples.dtype if samples.dtype.kind == "f" else np.float32)
        with seeded(0, samples.size, device=self.net_.device):
            start = 0
            for batch in self._output().batches(samples.X):
                output[start : start + len(batch)] = batch
                start += len(batch)
        return output

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
        samples = self._read(X, None, reset=False)
        if len(samples) < 2:
            raise ValueError("score needs at least two rows: information is about pairs; got n_samples = 1.")
        with seeded(0, samples.size, device=self.net_.device):
            return self.net_.evaluate(self._batches(samples, shuffle=False))["mutual_info"]

    def __sklearn_is_fitted__(self):
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def every_nth(rows: np.ndarray, n_max: int) -> np.ndarray:
    """Return at most ``n_max`` of the rows, at equal distances."""
    return rows[:: -(-len(rows) // n_max)]
