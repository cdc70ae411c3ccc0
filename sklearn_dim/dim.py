"""DIMTransformer, the face of Deep InfoMax."""

import math
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_dim._dim_estimator import SampleEstimator
from sklearn_dim._dim_objective import PUBLISHED
from sklearn_dim.critics import CRITICS
from sklearn_dim.objectives import PRIORS
from sklearn_dim.training import seeded


class DIMTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, SampleEstimator):
    """Deep InfoMax: a representation that keeps as much information about its input as it can.

    An encoder is trained to maximise mutual information between its code and the input, globally and at
    every location, with a prior on the code [1]_. Tables, sequences and images are recognised by their
    shape; documents are sequences of word numbers, with ``encoder="tokens"``.

    Parameters
    ----------
    n_components : int, default=64
        Width of the code.
    mi_estimator : str or Bound, default="jsd"
        The bound on mutual information: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
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
        Epochs. "auto" makes about 300 steps, in 5 to 100 epochs.
    batch_size : int, default=128
        Most rows in a batch. All other rows of a batch are a row's independent ones.
    learning_rate_init : float, default=0.001
        Adam's step size.
    beta_1 : float, default=0.9
        Adam's memory of the gradient; the paper has 0.5.
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
    mixed_precision : bool or "auto", default="auto"
        Train encoder and critics in bfloat16, losses in float32. "auto" does so where the device, CUDA or CPU,
        computes in it. `transform` and `score` are in full precision anyway.
    compile : bool, default=False
        Compile the encoder by `torch.compile`: a start of a minute, then faster epochs.
    callbacks : list of skorch callbacks, default=None
        `sklearn_dim.training.ResumableCheckpoint`, say, by which a fit that was killed goes on. Those of scikit-learn
        1.9, such as its progress bar, are given to ``set_callbacks``.
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
    input_kind_ : {"table", "bag", "tokens", "sequence", "image"}
        What samples are taken for.
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

    _parameter_constraints: ClassVar[dict] = {
        **SampleEstimator._parameter_constraints,
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

    @_fit_context(prefer_skip_nested_validation=True)
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
        go_on = self.warm_start and hasattr(self, "net_")
        with self._all_or_nothing(go_on, X=X):
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
        with self._all_or_nothing(go_on, X=X):
            return self._fit(X, go_on=go_on, epochs=1)

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
        X = self._check(X, reset=False)
        output = np.empty((X.shape[0], len(self.mean_)), X.dtype if X.dtype.kind == "f" else np.float32)
        with seeded(0, math.prod(X.shape), device=self.net_.device):
            start = 0
            for batch in self._encode(X):
                output[start : start + len(batch)] = (batch - self.mean_) / self.scale_
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
        X = self._check(X, reset=False)
        if X.shape[0] < 2:
            raise ValueError("score needs at least two rows: information is about pairs; got n_samples = 1.")
        with seeded(0, math.prod(X.shape), device=self.net_.device):
            return self.net_.evaluate(self._batches(X, shuffle=False))["mutual_info"]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
