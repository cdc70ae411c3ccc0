"""Deep InfoMax (Hjelm et al., ICLR 2019, eq. 8): global, local and prior terms, of one view or two."""

from collections.abc import Callable, Iterable
from typing import cast

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic, anchors_of, score_tables
from sklearn_dim.objectives._base import Information, Objective, Tables
from sklearn_dim.objectives._prior import AdversarialPrior

View = Callable[[Tensor], Tensor]


class CodeInformation(Information):
    """Information of codes with their samples' local features, or with the whole feature map.

    Parameters
    ----------
    critic : Critic
        T(code, local feature), or T(code, flattened feature map) with ``whole``.
    bound : Bound
    whole : bool, default=False
    """

    def __init__(self, critic: Critic, bound: Bound, *, whole: bool = False):
        super().__init__(critic, bound)
        self.whole = whole

    def tables(self, code: Tensor, features: Tensor) -> Tables:
        """Score codes (n, n_components) or (n, K, d) against local features (n, L, C)."""
        return super().tables(anchors_of(code), features.flatten(1)[:, None] if self.whole else features)

    def scores(self, critic: nn.Module, anchors: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """Return joint and negative scores, see `score_tables`."""
        return score_tables(critic, anchors, candidates)


class DeepInfoMax(Objective):
    """Information of the code with the whole feature map and with each of its local features.

    Parameters
    ----------
    encoder : SampleEncoder
        (x, view=None) → (locations, fc, code), with ``takes_sparse`` and ``core``, see
        ``SampleEncoder``. A code of three axes, (n, K, d), is K global vectors per sample, each an
        anchor of its own.
    bound : Bound
    weights : dict of float
        Weights of the terms "global", "local", "prior" (α, β, γ in the paper) and "coordinates"; a term without a
        module below is left out.
    global_critic, local_critic : Critic or None, default=None
        T(code, flattened feature map) and T(code, local feature).
    prior : Module or None, default=None
        code → its losses, see `_prior.py`.
    coordinates : Module or None, default=None
        (code, locations, positions) → loss, see ``Coordinates``.
    view : callable or None, default=None
        Makes one random view of a standardised batch. With it, the code of one view is paired with the feature map of
        another, both ways; without it both come from the same view, as in the paper.
    occlude : callable or None, default=None
        Hides a part of a standardised batch when the code is computed; its pairs are the local features of a view that
        is not occluded (section 4.3's occlusion task).
    n_locations : int or None, default=None
        Local features drawn for each pass, the same for all samples; None takes them all.
    """

    adversaries = ("discriminator",)

    def __init__(
        self,
        encoder: nn.Module,
        bound: Bound,
        *,
        weights: dict[str, float],
        global_critic: Critic | None = None,
        local_critic: Critic | None = None,
        prior: nn.Module | None = None,
        coordinates: nn.Module | None = None,
        view: View | None = None,
        occlude: View | None = None,
        n_locations: int | None = None,
    ):
        super().__init__()
        self.encoder, self.weights = encoder, weights
        information: dict[str, nn.Module] = {}
        if global_critic is not None:
            information["global"] = CodeInformation(global_critic, bound, whole=True)
        if local_critic is not None:
            information["local"] = CodeInformation(local_critic, bound)
        self.information = nn.ModuleDict(information)
        self.prior, self.coordinates = prior, coordinates
        self.view, self.occlude, self.n_locations = view, occlude, n_locations

    @property
    def takes_sparse(self) -> bool:
        """Whether batches may be sparse COO tensors: encoder and view must both accept them."""
        # A view may be a function of the user's, which need not say.
        return bool(self.encoder.takes_sparse) and all(getattr(view, "takes_sparse", False) for view in self._steps())

    @property
    def capturable(self) -> bool:
        """Whether all parts are this package's or torch's; those of a user's may draw random numbers in Python."""
        bounds = [cast(Information, term).bound for term in self.information.values()]
        known_prior = not isinstance(self.prior, AdversarialPrior) or self.prior.draws_on_device
        roots = {type(part).__module__.partition(".")[0] for part in (*self.modules(), *self._steps(), *bounds)}
        return known_prior and roots <= {"sklearn_dim", "torch"}

    @property
    def divisible(self) -> list[nn.Module]:
        """The network behind the standardising of its input."""
        return [cast(nn.Module, self.encoder.core)]

    def forward(self, batch: tuple[Tensor]) -> dict[str, Tensor]:
        """Return the losses of a batch (x,)."""
        pairs = self._pairs(batch[0])
        drawn = [(code, *self._draw(locations)) for code, locations in pairs]
        losses = {}
        if "global" in self.information:
            losses["global"] = mean(self._loss("global", code, whole) for code, whole in pairs)
        if "local" in self.information:
            losses["local"] = mean(self._loss("local", code, some) for code, some, _ in drawn)
        if self.coordinates is not None:
            losses["coordinates"] = mean(self.coordinates(*each) for each in drawn)
        if self.prior is not None:
            losses |= self.prior(pairs[0][0].flatten(1))
        weights = {name: self.weights.get(name, 1.0) for name in losses}
        return {name: loss if weights[name] == 1 else weights[name] * loss for name, loss in losses.items()}

    def mutual_info(self, batch: tuple[Tensor]) -> Tensor:
        """Return the weighted mean information of the terms in nats, of the batch as it is."""
        encoded = self.encoder(batch[0])
        terms = {name: self._term(name) for name in self.information}
        values = {name: term.value(term.tables(encoded.code, encoded.locations)) for name, term in terms.items()}
        weighted = [self.weights[name] * value for name, value in values.items()]
        return total(weighted) / sum(self.weights[name] for name in values)

    def _term(self, name: str) -> CodeInformation:
        return self.information[name]  # type: ignore[return-value]

    def _loss(self, name: str, code: Tensor, features: Tensor) -> Tensor:
        term = self._term(name)
        return term.loss(term.tables(code, features))

    def _pairs(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return codes and the local features that they are paired with, one way or both."""
        if self.occlude is not None:
            first, second = self.encoder(x, self._occluded_view), self.encoder(x, self.view)
            return [(first.code, second.locations)]
        first = second = self.encoder(x, self.view)
        if self.view is None:
            return [(first.code, second.locations)]
        second = self.encoder(x, self.view)
        return [(first.code, second.locations), (second.code, first.locations)]

    def _steps(self) -> list[View]:
        return [step for step in (self.view, self.occlude) if step is not None]

    def _occluded_view(self, x: Tensor) -> Tensor:
        for step in self._steps():
            x = step(x)
        return x

    def _draw(self, locations: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the local features in use this time, and which they are; None are all, if nothing asks for them."""
        n, device = locations.shape[1], locations.device
        if self.n_locations is None or self.n_locations >= n:
            return locations, None if self.coordinates is None else torch.arange(n, device=device)
        places = torch.randperm(n, device=device)[: self.n_locations]
        return locations[:, places], places


def mean(values: Iterable[Tensor]) -> Tensor:
    """Return the mean of some scalars."""
    values = list(values)
    return total(values) / len(values) if len(values) > 1 else values[0]


def total(values: Iterable[Tensor]) -> Tensor:
    """Return the sum of at least one scalar."""
    first, *others = values
    return sum(others, first)
