"""Deep InfoMax (Hjelm et al., ICLR 2019, eq. 8): global, local and prior terms, of one view or two."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import score_tables


class Information(nn.Module):
    """Information of codes with locations, or with the whole map of them, as a bound sees it by a critic.

    Parameters
    ----------
    critic : Module
        T(code, location), or T(code, flattened map) with ``whole``.
    bound : Bound
        Copied, as bounds may keep running means.
    whole : bool, default=False
    """

    def __init__(self, critic: nn.Module, bound: Bound, *, whole: bool = False):
        super().__init__()
        self.critic, self.bound, self.whole = critic, copy.deepcopy(bound), whole

    def tables(self, code: Tensor, locations: Tensor) -> tuple[Tensor, ...]:
        """Score codes (n, n_components) or (n, K, d) against locations (n, L, C)."""
        return score_tables(self.critic, code, locations.flatten(1)[:, None] if self.whole else locations)

    def forward(self, code: Tensor, locations: Tensor) -> Tensor:
        """Return the bound's objective in nats."""
        return self.bound.objective(*self.tables(code, locations))

    def value(self, code: Tensor, locations: Tensor) -> Tensor:
        """Return the information in nats, by the rule common to all bounds."""
        return self.bound.value(*self.tables(code, locations))


class DeepInfoMax(nn.Module):
    """Information of the code with the whole feature map and with each of its locations.

    Parameters
    ----------
    encoder : Module
        (x, view=None) → (locations, fc, code), see `sklearn_dim.encoders.Standardized`. A code of three axes,
        (n, K, d), is K global vectors of a sample, each an anchor of its own.
    bound : Bound
    weights : dict of float
        Weights of the terms "global", "local", "prior" (α, β, γ in the paper) and "coordinates"; those without a
        module below are left out.
    global_critic, local_critic : Module or None, default=None
        T(code, flattened map) and T(code, location).
    prior : Module or None, default=None
        code → its losses, see `AdversarialPrior`.
    coordinates : Module or None, default=None
        (code, locations, places) → loss, see `Coordinates`.
    view : callable or None, default=None
        Makes one random view of a standardised batch. With it, the code of one view is paired with the
        map of another, both ways; without it both come from the same view, as in the paper.
    occlude : callable or None, default=None
        Hides a part of a standardised batch from the code; its pairs are the locations of a view that has it all
        (section 4.3's occlusion task).
    n_locations : int or None, default=None
        Locations drawn for each pass, the same for all samples; None takes them all.
    """

    adversaries = ("discriminator",)

    def __init__(self, encoder, bound, *, weights: dict[str, float], global_critic=None, local_critic=None,
                 prior=None, coordinates=None, view: Callable[[Tensor], Tensor] | None = None,
                 occlude: Callable[[Tensor], Tensor] | None = None, n_locations: int | None = None):  # fmt: skip
        super().__init__()
        self.encoder, self.weights = encoder, weights
        self.information = nn.ModuleDict()
        if global_critic is not None:
            self.information["global"] = Information(global_critic, bound, whole=True)
        if local_critic is not None:
            self.information["local"] = Information(local_critic, bound)
        self.prior, self.coordinates = prior, coordinates
        self.view, self.occlude, self.n_locations = view, occlude, n_locations

    @property
    def takes_sparse(self) -> bool:
        """Whether batches may be sparse COO tensors: encoder and view must both know them."""
        steps = [step for step in (self.view, self.occlude) if step is not None]
        return self.encoder.takes_sparse and all(getattr(step, "takes_sparse", False) for step in steps)

    @property
    def divisible(self) -> list[nn.Module]:
        """The modules that may be asked for a part of the rows at a time."""
        return [self.encoder.core]

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the losses of a batch (x,)."""
        pairs = self._pairs(batch[0])
        drawn = [(code, *self._draw(locations)) for code, locations in pairs]
        losses = {}
        if "global" in self.information:
            losses["global"] = -mean(self.information["global"](code, whole) for code, whole in pairs)
        if "local" in self.information:
            losses["local"] = -mean(self.information["local"](code, some) for code, some, _ in drawn)
        if self.coordinates is not None:
            losses["coordinates"] = mean(self.coordinates(*each) for each in drawn)
        if self.prior is not None:
            losses |= self.prior(pairs[0][0].flatten(1))
        return {name: self.weights.get(name, 1.0) * loss for name, loss in losses.items()}

    def _pairs(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return codes and the locations that they are paired with, one way or both."""
        if self.occlude is not None:
            first, second = self.encoder(x, self._occluded_view), self.encoder(x, self.view)
            return [(first.code, second.locations)]
        first = second = self.encoder(x, self.view)
        if self.view is None:
            return [(first.code, second.locations)]
        second = self.encoder(x, self.view)
        return [(first.code, second.locations), (second.code, first.locations)]

    def _occluded_view(self, x: Tensor) -> Tensor:
        return self.occlude(x if self.view is None else self.view(x))

    def _draw(self, locations: Tensor) -> tuple[Tensor, Tensor]:
        """Return the locations in use this time, and which they are."""
        n, device = locations.shape[1], locations.device
        if self.n_locations is None or self.n_locations >= n:
            return locations, torch.arange(n, device=device)
        places = torch.randperm(n, device=device)[: self.n_locations]
        return locations[:, places], places

    def mutual_info(self, batch) -> Tensor:
        """Return the weighted mean information of the terms in nats, of the batch as it is."""
        encoded = self.encoder(batch[0])
        terms = self.information.items()
        total = sum(self.weights[name] * term.value(encoded.code, encoded.locations) for name, term in terms)
        return total / sum(self.weights[name] for name, _ in terms)


def mean(values) -> Tensor:
    """Return the mean of some scalars."""
    values = list(values)
    return sum(values) / len(values)
