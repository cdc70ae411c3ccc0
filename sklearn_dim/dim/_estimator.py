"""DIMTransformer: Deep InfoMax."""

import copy
import math
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklearn_dim.critics import CRITICS
from sklearn_dim.data import (
    DocumentCoder,
    Documents,
    Samples,
    Shifted,
    Table,
    TableCoder,
    refuse_other_length,
    take_rows,
    warn_if_doubtful,
)
from sklearn_dim.dim._blocks import FIXED_FEATURES, Blocks
from sklearn_dim.dim._input import fitted_coder, missing_codes, number_of_words, read, statistics_of
from sklearn_dim.dim._objective import PUBLISHED, build_deep_infomax, make_view
from sklearn_dim.dim._output import SampleOutput, mean_and_scale
from sklearn_dim.encoders import BagEncoder, PatchEncoder, SampleEncoder, TokenEncoder, WordAxes
from sklearn_dim.estimator import (
    Array,
    Each,
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
from sklearn_dim.training import BestWeights, RowBatches, drawn_once, resolve_device, resolve_precision, seeded
from sklearn_dim.views import VIEWS

# Maximum numbers of training rows to use, so that these passes stay short:
MOMENTS_ROWS = 10_000  # for the statistics of a layer; the error of a mean is then a hundredth of the deviation
BLOCKS_ROWS = 2000  # for those of the blocks
MIRROR_ROWS = 1000  # to decide whether images may be mirrored
EVALUATION_ROWS = 2048  # for mutual_info_
START_ROWS = 3000  # to draw the patches of images from
START_NUMBERS, BLOCKS_NUMBERS = 10_000_000, 6_000_000  # fewer rows if they have more numbers in all: 40 and 24 MB

WORD_AXES = 500  # of documents; their encoders start from the first of these
# What files of a fitted estimator may name.
PARTS = *VIEWS, *FIXED_FEATURES, Blocks, AdversarialPrior, TableCoder, DocumentCoder


@documented
class DIMTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, InfomaxEstimator):
    """Deep InfoMax: an embedding that keeps as much information about its input as possible.

    An encoder is trained to maximise the mutual information between the embedding (the code, in the paper's word) and
    the input: the whole feature map, or the local features at each of its locations. A prior shapes the distribution
    of the code [1]_. X may be a table, sequences, images or documents, which are recognised by their shape and type.

    Parameters
    ----------
    n_components : int, default=64
        Number of columns of the code.
    mi_estimator : str or Bound, default="jsd"
        %(mi_estimator)s
    representation : {"auto", "code", "fc", "conv"}, default="auto"
        What `transform` returns. "auto" puts side by side what a classifier, k-means or nearest neighbours can use as
        it is: the code; summaries of all layers (means, maxima and shares of positive values over all places); and
        features of the input that need no training (similarities to some rows of a table, responses of random kernels
        to sequences, of whitened patches to images, and leading axes of documents). The last two are reduced to at
        most 256 principal axes each, and all three contribute equally to distances. "code" is the code alone, "fc" the
        last hidden layer, and "conv" the flattened feature map (the local features of all locations).
    image_shape : tuple (channels, height, width) or None, default=None
        Shape of images that are given as flat rows.
    channels : {"auto", "first", "last"}, default="auto"
        Whether the channels are the first or the last axis of an image. "auto" takes them to be last if only the last
        axis has length 1, 3 or 4.
    encoder : {"auto", "paper", "resnet", "tokens"}, Module or callable, default="auto"
        "auto" chooses a network for tables, for sequences of length 8 or more, or for images of 8x8 or more. A CSR
        matrix that is less than a tenth filled and has no negative numbers is taken for bags of words, whose columns
        have the same unit; pass a dense table if yours do not. Documents as strings become bags too. "paper" is the
        published network for images of 28x28, 32x32 or 64x64. "resnet" encodes overlapping crops of an image one by
        one. "tokens" reads the words of documents, strings or rows of word numbers, in their order. A module maps a
        standardised batch to (local features (n, n_locations, n_channels), code (n, n_components)), with the
        activations of a hidden layer between them if ``representation="fc"``. A callable (sample_shape, n_components)
        returns such a module.
    augmentation : {"auto"}, callable or None, default="auto"
        How to draw two random views of each sample: the code of one is paired with the local features of the other.
        "auto" draws small shifts and noise for images of one channel; for those of three it draws crops and changes of
        colour, and mirrors images if they look like their mirror images. It shifts and scales sequences and masks a
        segment; it resamples some features of tables, masks cells where a column has missing ones, and drops some words
        of tokens and bags. A callable maps a standardised batch, a torch tensor, to a view of the same shape; tokens
        come as int64, and −1 marks an unknown word. None uses one view, as the paper does.
    max_iter : int or "auto", default="auto"
        %(epochs)s
    batch_size : int, default=128
        Maximum number of rows in a batch. The negatives of a row are the other rows of its batch.
    learning_rate_init : float, default=0.001
        %(learning_rate_init)s
    early_stopping : bool, default=False
        Hold out some rows, stop when their information no longer grows, and keep the best weights.
    validation_fraction : float, default=0.1
        Fraction of the rows that ``early_stopping`` holds out.
    n_iter_no_change : int, default=10
        %(n_iter_no_change)s
    tol : float, default=1e-4
        %(tol)s
    warm_start : bool, default=False
        %(warm_start)s
    device : str, default="auto"
        %(device)s
    mixed_precision : bool or "auto", default="auto"
        Whether to train the encoder and the critics in bfloat16; losses are always computed in float32. "auto" does so
        if the hardware supports it (CUDA and CPU only). `transform` and `score` always use full precision.
    compile : bool, default=False
        Compile the training step with `torch.compile`: the first epoch takes one to three minutes longer, later ones
        are faster on a GPU. Random views then draw other numbers.
    callbacks : list of skorch callbacks, default=None
        %(callbacks)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState instance or None, default=None
        Seeds the weights, the order of the rows and the views. Global random states are not changed.
    critic : str or callable, default="separable"
        The critic T(code, local features): "separable", "encode_and_dot" or "concatenated" (as published), "bilinear",
        or a callable (code_features, local_features) → module, for example a `partial` of a critic's class with other
        sizes.
    n_locations : int or None, default=None
        Number of locations, drawn at random, that each training step uses; None uses all.
    n_global_vectors : int, default=1
        Number of vectors that make up the code of an image; a square number. Each is computed from one cell of a
        grid over the image, and predicts the local features by itself.
    beta_1 : float, default=0.9
        Adam's decay rate of the mean gradient, β₁; 0.5 in the paper.
    global_weight : float, default=0.0
        Weight α of the information with the whole feature map: 1 in the paper's DIM(G), 0 in its DIM(L).
    local_weight : float, default=1.0
        Weight β of the information with the local features: 1 in the paper's DIM(L), 0 in its DIM(G).
    global_critic : str, callable or None, default=None
        The critic T(code, flattened feature map), given like ``critic``; None uses the same kind as ``critic``.
    prior_weight : float, default=0.1
        Weight γ of the adversarial prior: 0.1 in the paper's DIM(L), 1 in its DIM(G). 0 trains without a prior.
    prior : {"uniform", "normal"}, torch Distribution or callable, default="uniform"
        The prior of the code; "uniform" applies to sigmoid(code), all others to the code itself. A callable
        (n_components) → module returns another term on the code, such as `sklearn_dim.objectives.AdversarialPrior`
        with other layers.
    coordinate_weight : float, default=0.0
        Weight of the paper's coordinate task: to predict the position of a location from its features and the code.
    occlusion : float in [0, 1), default=0.0
        Fraction of each sample that is masked when its code is computed; its local features see all of it (the
        paper's occlusion task).

    Attributes
    ----------
    mutual_info_ : float
        Estimated information of the code with its input in nats, as `score` returns it: on the held-out rows with
        ``early_stopping``, else on training rows, in both cases on at most 2048 of them.
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
        rows, and their standard deviation, or with ``representation="auto"`` a number that gives every block, and all
        columns of the code, the same variance.
    input_shape_ : tuple
        Shape of one sample.
    input_kind_ : {"table", "bag", "documents", "tokens", "sequence", "image"}
        The kind of samples that X was recognised as.
    image_shape_, channels_ : tuple or None, str
        ``image_shape`` and ``channels`` as they were at fit; `transform` and `score` read X accordingly.
    representation_ : str
        ``representation`` as it was at fit.
    vocabulary_size_ : int or None
        With ``encoder="tokens"``, the largest word number of X at fit, plus one. `transform` treats all larger numbers
        as the same unknown word. None with other encoders.
    n_features_in_ : int
        Number of columns of X, 1 for documents as strings; of channels, if X has sequences or images with four
        dimensions.
    feature_names_in_ : ndarray of str
        Column names of X, if it has any.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and
       maximization", ICLR 2019, eq. 8.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_dim import DIMTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> dim = DIMTransformer(16, image_shape=(1, 8, 8), max_iter=1, random_state=0)
    >>> dim.fit_transform(X[:300]).shape
    (300, 528)
    >>> print(*dim.get_feature_names_out()[[0, 16, -1]], sep="\\n")
    dimtransformer_code0
    dimtransformer_layers0
    dimtransformer_input255
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
        "representation": [StrOptions({"auto", "code", "fc", "conv"})],
    }
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset({"mixed_precision", "representation"})
    _fitted: ClassVar[dict[str, list]] = {
        **InfomaxEstimator._fitted,
        "input_kind_": [str],
        "input_shape_": [Each(int)],
        "vocabulary_size_": [int, None],
        "image_shape_": [Each(int), None],
        "channels_": [str],
        "_coder": [TableCoder, DocumentCoder, None],
        "_blocks": [Blocks, None],
        "_offset": [Array(rank=None), None],
    }

    input_kind_: str
    input_shape_: tuple[int, ...]
    image_shape_: tuple[int, int, int] | None
    channels_: str
    vocabulary_size_: int | None
    _coder: Any = None  # a Coder, of tables that are not all numbers, and of strings
    _blocks: Blocks | None = None

    def __init__(
        self,
        n_components=64,
        *,
        mi_estimator="jsd",
        representation="auto",
        image_shape=None,
        channels="auto",
        encoder="auto",
        augmentation="auto",
        max_iter="auto",
        batch_size=128,
        learning_rate_init=1e-3,
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
        critic="separable",
        n_locations=None,
        n_global_vectors=1,
        beta_1=0.9,
        global_weight=0.0,
        local_weight=1.0,
        global_critic=None,
        prior_weight=0.1,
        prior="uniform",
        coordinate_weight=0.0,
        occlusion=0.0,
    ):
        self.n_components = n_components
        self.mi_estimator = mi_estimator
        self.representation = representation
        self.image_shape = image_shape
        self.channels = channels
        self.encoder = encoder
        self.augmentation = augmentation
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
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
        self.critic = critic
        self.n_locations = n_locations
        self.n_global_vectors = n_global_vectors
        self.beta_1 = beta_1
        self.global_weight = global_weight
        self.local_weight = local_weight
        self.global_critic = global_critic
        self.prior_weight = prior_weight
        self.prior = prior
        self.coordinate_weight = coordinate_weight
        self.occlusion = occlusion

    @classmethod
    def published(cls, objective: str = "local", **parameters) -> Self:
        """Return an estimator with the settings of the paper.

        Parameters
        ----------
        objective : {"local", "global", "local+global"}, default="local"
            The paper's DIM(L), DIM(G) or DIM(L+G).
        **parameters
            Parameters of the constructor that replace the paper's.

        Returns
        -------
        DIMTransformer
            It still differs from the paper in two ways: pixels are standardised, where the paper scales them to
            [-1, 1]; and scores are scaled by 1/√d and softly clipped, where the paper leaves them unbounded, so that
            exponential bounds overflow.

        Raises
        ------
        ValueError
            If ``objective`` is none of the three.

        Examples
        --------
        >>> from sklearn_dim import DIMTransformer
        >>> DIMTransformer.published("global", mi_estimator="infonce").prior_weight
        1.0
        """
        if objective not in PUBLISHED:
            raise ValueError(f"objective={objective!r} is not in the paper. Use one of {list(PUBLISHED)}.")
        return cls(**{**PUBLISHED[objective], **parameters})

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the encoder on X.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features), or \
                list of str, or array of shape (n_samples, channels, length) or (n_samples, channels, height, width)
            Rows, sequences, or images (float or uint8). Columns of a pandas or polars DataFrame may hold numbers,
            booleans, dates, durations, categories or text of few levels, and cells of tables in memory may be missing
            (NaN, None): an indicator says which were, numbers and dates are replaced by the mean. Each level has an
            indicator, but no more than 20 in a column, where the rarest share one; a level that was not seen in `fit`
            has none. Strings in one dimension (a list, an array, a Series) or in a table's only column, if it has free
            text, are documents; one that is missing is empty, and words that `fit` did not see are ignored. With
            ``encoder="tokens"``, documents may also be integers of shape (n_samples, length): words are numbered from
            1, and 0 is padding, which is ignored. A list of arrays, tensors or Pillow images of one shape is taken as
            an array of them. A memory map (float32, float64 or uint8) or a Dataset, torch's or another object with
            ``__len__`` and ``__getitem__``, may be larger than memory: it is read in parts. An item of a Dataset is a
            sample, or a tuple that begins with one.
        y : None
            Ignored, but for its length.

        Returns
        -------
        self : DIMTransformer

        Raises
        ------
        ValueError
            If y has another length than X; if X has infinite values, missing ones in anything but a dense table in
            memory, fewer than two rows, a shape that no encoder takes, tokens that are negative or not integers, or
            strings in one dimension that are all numbers or all names of files; if ``global_weight`` and
            ``local_weight`` are both 0; or if a parameter that shapes the model has changed before a fit with
            ``warm_start``.
        TypeError
            If a column mixes kinds, such as numbers and text, or holds other objects; if documents hold something
            else than strings; or if X has no length, is a graph, or its samples are not numbers.
        FloatingPointError
            If training diverges.

        Warns
        -----
        UserWarning
            If a column of text is left out, as its values do not repeat; or if sequences look like ones with time
            first, having more than four channels for each step, or like grey images.
        """
        refuse_other_length(X, y)
        return self._fit(X, resume=self.warm_start and "net_" in vars(self))

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train for one more epoch, on X.

        The first call sets the statistics that standardise the input; every call sets those of the output.

        Parameters
        ----------
        X : as in `fit`
        y : None
            Ignored.

        Returns
        -------
        self : DIMTransformer

        Raises
        ------
        ValueError, FloatingPointError
            As in `fit`, or if X has another shape of samples than before.
        """
        return self._fit(X, resume="net_" in vars(self), epochs=1)

    # The steps of a fit.

    def _read(self, X: Any, y: Any, *, reset: bool, **metadata) -> Samples:
        tokens = self.encoder == "tokens" if reset else self.vocabulary_size_ is not None
        name = type(self).__name__
        image_shape, channels = (self.image_shape, self.channels) if reset else (self.image_shape_, self.channels_)
        check_feature_names(self, X, reset=reset)
        kind = None if reset else self.input_kind_
        coded = not reset and self._coder is not None
        given = read(X, name, fitted=kind, coded=coded, tokens=tokens, image_shape=image_shape, channels=channels)
        check_n_features(self, given, reset=reset)
        if reset:
            self._coder = fitted_coder(given, tokens)
            self.input_kind_, self.input_shape_ = given.kind, given.shape[1:]
            self.vocabulary_size_ = number_of_words(given, self._coder) if tokens else None
            self.image_shape_, self.channels_ = image_shape, channels
            if isinstance(given, Samples):
                warn_if_doubtful(given)
        elif given.shape[1:] != self.input_shape_:
            raise ValueError(
                f"X has samples of shape {given.shape[1:]}, but {name} was fitted on samples of "
                f"shape {self.input_shape_}. Pass the same kind of samples as to fit."
            )
        if isinstance(given, Documents):
            return self._coder.transform(given)
        if isinstance(given, Table):
            return Samples((self._coder or self._coder_of_numbers()).transform(given), "table")
        if self.vocabulary_size_ is None or reset:
            return given
        # One number for all unknown words, as large numbers are not exact in float32.
        return Samples(np.minimum(given.X, self.vocabulary_size_), "tokens")

    def _coder_of_numbers(self) -> TableCoder:
        """Return what codes a table with missing cells if there were none in `fit`."""
        mean = self.net_.module_.encoder.mean.double().cpu().numpy()
        return TableCoder.of_means(mean if self._offset is None else mean + self._offset)

    def _size(self, data: Samples) -> int:
        return data.size

    def _split(self, data: Samples, seed: int) -> Split:
        if len(data) < 2:
            raise ValueError(
                "X has n_samples = 1, but training compares samples: it needs two at least. Collect rows, and pass "
                "several at a time."
            )
        return self._hold_out(len(data), seed) if self.early_stopping else Split(np.arange(len(data)), None)

    def _build(self, data: Samples, split: Split) -> None:
        if self.global_weight == self.local_weight == 0:
            raise ValueError("global_weight=0 and local_weight=0 leave nothing to maximise. Make one of them positive.")
        self._blocks = None
        some = np.sort(drawn_once(split.train, MIRROR_ROWS))
        rows = None if split.valid is None else split.train
        self._offset, statistics = statistics_of(data.X, rows, self.vocabulary_size_)
        images = take_rows(self._shifted(data), some) if data.kind == "image" else None
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
                copy.deepcopy(self.augmentation),
                data.kind,
                data.shape[1:],
                images,
                resolve_device(self.device),
                missing_codes(self._coder, self._offset, statistics),
            ),
            statistics=statistics,
        )
        self.net_ = self._make_net(
            build,
            sparse=data.kind == "bag" or (data.kind == "tokens" and self.representation == "auto"),
            optimizer__betas=(float(self.beta_1), 0.999),  # β₂ as published
            optimizer__param_groups=self._discriminator_steps(),
            autocast=self._precision(),
            about=data.described(),
        )
        if not isinstance(self.encoder, nn.Module):  # whose weights are its own
            self._start(self.net_.module_.encoder, data, split)
        if self.compile:
            self.net_.module_.compile()

    def _start(self, encoder: SampleEncoder, data: Samples, split: Split) -> None:
        """Set what an encoder needs no training for: its patches, or the first vectors of its words."""
        core = encoder.core
        if isinstance(core, PatchEncoder):
            rows = self._some(split.train, START_ROWS, START_NUMBERS)
            images = torch.cat(list(SampleOutput(encoder, "code", offset=self._offset).inputs(data.X, rows)))
            core.fit(encoder.standardize(images))
        elif isinstance(core, BagEncoder | TokenEncoder):
            words = self._words(data, split.train, WORD_AXES if self.representation == "auto" else core.width)
            core.start_from(words)
            self._blocks = Blocks(data.kind, words) if self.representation == "auto" else None

    def _some(self, rows: np.ndarray, n_max: int, n_numbers: int) -> np.ndarray:
        """Return at most ``n_max`` of the rows, or so many that they have about ``n_numbers`` in all."""
        n_max = min(n_max, max(100, n_numbers // math.prod(self.input_shape_)))
        return np.sort(drawn_once(rows, n_max))

    def _words(self, data: Samples, rows: np.ndarray, n_axes: int = WORD_AXES) -> WordAxes:
        """Return the leading axes of documents."""
        return WordAxes.fit(data.X[rows], n_axes, vocabulary_size=self.vocabulary_size_)

    def _precision(self) -> torch.dtype | None:
        return resolve_precision(self.mixed_precision, resolve_device(self.device))

    def _discriminator_steps(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the settings of Adam for the discriminator of the prior: larger steps, to follow the code."""
        if not self.prior_weight or not isinstance(self.prior, str | torch.distributions.Distribution):
            return []
        # Chosen on shifted digits: with smaller steps the code drifts away from the prior. β₁ = 0.5 is the paper's.
        return [("prior.*", {"lr": 5 * self.learning_rate_init, "betas": (0.5, 0.999)})]

    def _early_stopping(self) -> list[BestWeights]:
        if not self.early_stopping:
            return []
        patience = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol}
        return [BestWeights("valid_mutual_info", lower_is_better=False, **patience)]

    def _take_changed_parameters(self) -> None:
        super()._take_changed_parameters()
        self.net_.autocast = self._precision()

    def _run(self, data: Samples, split: Split, epochs: int | None, **shown) -> None:
        train, valid = self._batches(data, split.train), None
        if split.valid is not None:
            valid = train.of(split.valid)
        epochs = epochs or self._epochs(train, steps=300, min_epochs=5, max_epochs=100)
        self.net_.set_params(max_epochs=epochs)
        self._train(self.net_, train, valid, self._begin(epochs, **shown), **shown)
        evaluated = split.train if split.valid is None else split.valid
        self.mutual_info_ = self.net_.evaluate(train.of(drawn_once(evaluated, EVALUATION_ROWS)))["mutual_info"]

    def _publish(self, data: Samples, split: Split, seed: int) -> None:
        self.history_ = self.net_.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)
        self.representation_ = self.representation
        blocks = self._blocks if self.representation_ == "auto" else None
        output = SampleOutput(self.net_.module_.encoder, self.representation_, blocks=blocks, offset=self._offset)
        if self.representation_ == "auto":
            rows = self._some(split.train, BLOCKS_ROWS, BLOCKS_NUMBERS)
            if output.blocks is None and data.kind in ("bag", "tokens"):
                output.blocks = Blocks(data.kind, self._words(data, split.train))
            self._blocks, columns = output.fit_blocks(data.kind, data.X, rows)
            self.mean_, self.scale_ = self._blocks.mean_and_scale(columns)
        else:
            rows = np.sort(drawn_once(split.train, MOMENTS_ROWS))
            self.mean_, self.scale_ = mean_and_scale(output.batches(data.X, rows))
        self._n_features_out = len(self.mean_)

    def _batches(self, data: Samples, rows: np.ndarray | None = None, *, shuffle: bool = True) -> RowBatches:
        X = self._shifted(data)
        sparse = self.net_.module_.takes_sparse
        return RowBatches(
            X,
            rows=rows,
            shuffle=shuffle,
            batch_size=self.batch_size,
            device=self.net_.device,
            sparse=sparse,
            verbose=self.verbose,
        )

    def _shifted(self, data: Samples) -> Any:
        return data.X if self._offset is None else Shifted(data.X, self._offset)

    def _parts(self) -> tuple:
        return (*super()._parts(), *PARTS, build_deep_infomax)

    # The fitted estimator.

    def _output(self) -> SampleOutput:
        """Return the module that computes the output of `transform`."""
        return SampleOutput(
            self.net_.module_.encoder,
            self.representation_,
            blocks=self._blocks if self.representation_ == "auto" else None,
            mean=self.mean_,
            scale=self.scale_,
            offset=self._offset,
            sample_shape=self.input_shape_,
            channels_last=self.channels_ == "last",
        )

    def transform(self, X: Any) -> np.ndarray:
        """Return the embedding of each row of X, or a layer of the encoder (see ``representation``).

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            In the float dtype of X; float32 if X has integers. Of zero mean on the training rows, and on the scale of
            ``scale_``.

        Raises
        ------
        ValueError
            If X has infinite values, missing ones where `fit` refuses them, samples of another shape than at fit, or
            columns that hold values of another kind.
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        samples = self._read(X, None, reset=False)
        output = np.empty((len(samples), len(self.mean_)), samples.dtype if samples.dtype.kind == "f" else np.float32)
        with seeded(0, samples.size, device=self.net_.device):
            start = 0
            for batch in self._output().batches(samples.X):
                output[start : start + len(batch)] = batch
                start += len(batch)
        self._check_output(output)
        return output

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the output's columns, which say what block a column belongs to.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str
            "dimtransformer_code0", "dimtransformer_layers0", "dimtransformer_input0" and so on with
            ``representation="auto"``; else "dimtransformer0" and so on.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        """
        names = super().get_feature_names_out(input_features)
        if self.representation_ != "auto" or self._blocks is None:
            return names
        prefix = type(self).__name__.lower()
        widths = self._blocks.widths.items()
        return np.array([f"{prefix}_{name}{i}" for name, width in widths for i in range(width)], dtype=object)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the estimated information of the code with its input, in nats; higher is better.

        This is the Donsker–Varadhan value of the critic's log-ratio over all pairs of rows of a batch, averaged over
        batches of at most ``batch_size`` rows. It is a plug-in estimate, comparable across ``mi_estimator``; on rows
        that were not trained on it estimates a lower bound.

        Parameters
        ----------
        X : as in `fit`
            At least two rows.
        y : None
            Ignored.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            As in `transform`, or if X has a single row.
        NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        samples = self._read(X, None, reset=False)
        if len(samples) < 2:
            raise ValueError("score needs at least two rows, as it compares pairs of them, but X has n_samples = 1.")
        with seeded(0, samples.size, device=self.net_.device):
            batches = self._batches(samples, drawn_once(len(samples)), shuffle=False)
            value = self.net_.evaluate(batches)["mutual_info"]
        self._check_output(value)
        return value

    def __sklearn_is_fitted__(self) -> bool:
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.string = True
        tags.input_tags.allow_nan = self.image_shape is None and self.encoder != "tokens"
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
