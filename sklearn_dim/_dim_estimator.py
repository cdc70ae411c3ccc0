"""How `DIMTransformer` fits: its samples, its net, its output's scale."""

import copy
import math
from functools import partial

import numpy as np
import torch

from sklearn_dim._dim_objective import OBJECTIVE_PARAMETERS, build_deep_infomax
from sklearn_dim._dim_rows import NearZero, centre_and_scale, encode, offset_of
from sklearn_dim._sklearn import NeuralEstimator, check_rows, check_tokens, kind_of, moments, word_weights
from sklearn_dim.objectives import AdversarialPrior
from sklearn_dim.training import RowBatches, resolve_device, resolve_precision, seeded, take_rows
from sklearn_dim.views import VIEWS, make_view


class SampleEstimator(NeuralEstimator):
    """The private half of `DIMTransformer`."""

    def _parts(self):
        return (*super()._parts(), *VIEWS, AdversarialPrior, build_deep_infomax)

    def _fit(self, X, *, go_on, epochs=None):
        if self.global_weight == self.local_weight == 0:
            raise ValueError("global_weight=0 and local_weight=0 leave nothing to learn. Make one of them positive.")
        given, X = X, self._check(X, reset=not go_on)
        with seeded(self.random_state, math.prod(X.shape), self.n_iter_ if go_on else 0, device=self.device) as seed:
            train, valid = np.arange(X.shape[0]), None
            if self.early_stopping:
                train, valid = self._split(X.shape[0], seed)
            if not go_on:
                self._start(X, train)
            batches = self._batches(X, train)
            valid_batches = None if valid is None else batches.of(valid)
            epochs = epochs or self._epochs(batches, steps=300, least=5, most=100)
            self._run(given, batches, valid_batches, epochs)
            self.representation_ = self.representation
            some = train[:: -(-len(train) // 10_000)]
            self.mean_, self.scale_ = centre_and_scale(self._encode(X, some))
            self._n_features_out = len(self.mean_)
            judged = batches.of((train if valid is None else valid)[:2048])
            self.mutual_info_ = self.net_.evaluate(judged)["mutual_info"]
        return self

    def _check(self, X, *, reset):
        """Return X as rows, sequences or images, or as documents of tokens, as it was at fit."""
        tokens = self.encoder == "tokens" if reset else self.vocabulary_size_ is not None
        if tokens:
            X = check_tokens(self, X, reset=reset)
        else:
            X = check_rows(self, X, reset=reset, image_shape=self.image_shape, channels=self.channels)
        if reset:
            self.input_kind_ = "tokens" if tokens else kind_of(X)
            self.vocabulary_size_ = self.vocabulary_size_ if tokens else None
        return X

    def _start(self, X, train):
        """Build the net and set the input's statistics."""
        kind, shape = self.input_kind_, self.input_shape_
        options = {name: copy.deepcopy(getattr(self, name)) for name in OBJECTIVE_PARAMETERS}
        some = take_rows(X, train[:: -(-len(train) // 1000)]) if kind == "image" else None
        options["view"] = make_view(options.pop("augmentation"), kind, shape, some)
        options["vocabulary_size"] = self.vocabulary_size_
        build = partial(build_deep_infomax, kind, shape, self.n_components, **options)
        keep = self._keep_best("valid_mutual_info", lower_is_better=False) if self.early_stopping else None
        device = resolve_device(self.device)
        self.net_ = self._make_net(
            build,
            watch=[keep] if keep else [],
            sparse=kind == "bag",
            optimizer__betas=(self.beta_1, 0.999),
            optimizer__param_groups=self._adversary_steps(),
            autocast=resolve_precision(self.mixed_precision, device),
        )
        encoder = self.net_.module_.encoder
        rows, self._offset = train if self.early_stopping else None, None
        if self.vocabulary_size_:
            encoder.set(word_weights(X if rows is None else X[rows], self.vocabulary_size_))
        else:
            mean, scale = moments(X, rows)
            self._offset = offset_of(X, mean, scale)
            encoder.set(mean if self._offset is None else mean - self._offset, scale)
        if self.compile:
            getattr(encoder, "network", encoder).compile()

    def _adversary_steps(self):
        """Return what Adam does differently for the discriminator of our own prior: it follows the code faster."""
        if not self.prior_weight or not isinstance(self.prior, str | torch.distributions.Distribution):
            return []
        return [("prior.*", {"lr": 5 * self.learning_rate_init, "betas": (0.5, 0.999)})]

    def _encode(self, X, rows=None):
        return encode(self.net_.module_.encoder, X, self.representation_, self._offset, rows)

    def _batches(self, X, rows=None, *, shuffle=True) -> RowBatches:
        """Return batches of rows for the net."""
        options = {"batch_size": self.batch_size, "device": self.net_.device, "sparse": self.net_.module_.takes_sparse}
        X = X if self._offset is None else NearZero(X, self._offset)
        return RowBatches(X, rows=rows, shuffle=shuffle, **options)
