"""Deep InfoMax (Hjelm et al., ICLR 2019, eq. 8): global, local and prior terms, of one view or two."""

from collections.abc import Callable

from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import score_tables


class DeepInfoMax(nn.Module):
    """Information of the code with the whole feature map and with each of its locations.

    Parameters
    ----------
    encoder : Module
        x → (locations, fc, code), see `sklearn_dim.encoders.Encoded`.
    bound : Bound
    global_critic, local_critic : Module or None
        T(code, flattened map) and T(code, location); None leaves the term out.
    prior : Module or None
        code → its losses, see `AdversarialPrior`.
    global_weight, local_weight, prior_weight : float
        Weights of the terms (α, β, γ in the paper).
    views : callable or None
        Makes one random view of a standardised batch. With it, the code of one view is paired with the
        map of another, both ways; without it both come from the same view, as in the paper.
    """

    adversaries = ("discriminator",)

    def __init__(self, encoder, bound, *, global_critic, local_critic, prior, global_weight, local_weight,
                 prior_weight, views: Callable[[Tensor], Tensor] | None = None):  # fmt: skip
        super().__init__()
        self.encoder = encoder
        self.bound: Bound = bound
        self.global_critic, self.local_critic, self.prior = global_critic, local_critic, prior
        self.global_weight, self.local_weight, self.prior_weight = global_weight, local_weight, prior_weight
        self.views = views

    def forward(self, batch) -> dict[str, Tensor]:
        x = self.encoder.standardize(batch[0])
        if self.views is None:
            first = second = self.encoder.network(x)
        else:
            first, second = self.encoder.network(self.views(x)), self.encoder.network(self.views(x))
        pairs = [(first, second)] if first is second else [(first, second), (second, first)]
        losses: dict[str, Tensor] = {}
        for anchor, other in pairs:
            for name, loss in self._losses(anchor.code, other.locations).items():
                losses[name] = losses.get(name, 0.0) + loss / len(pairs)
        return losses

    def _losses(self, code: Tensor, locations: Tensor) -> dict[str, Tensor]:
        losses = {}
        if self.global_critic is not None:
            losses["global"] = -self.global_weight * self.bound.objective(*self._global(code, locations))
        if self.local_critic is not None:
            losses["local"] = -self.local_weight * self.bound.objective(*self._local(code, locations))
        if self.prior is not None:
            matched = self.prior(code)
            losses |= {"prior": self.prior_weight * matched["prior"], "discriminator": matched["discriminator"]}
        return losses

    def _global(self, code, locations):
        return score_tables(self.global_critic, code, locations.flatten(1)[:, None, :])

    def _local(self, code, locations):
        return score_tables(self.local_critic, code, locations)

    def mutual_info(self, batch) -> Tensor:
        """Return the weighted mean information of the terms in nats, of the batch as it is."""
        encoded = self.encoder(batch[0])
        total = 0.0
        if self.global_critic is not None:
            total += self.global_weight * self.bound.value(*self._global(encoded.code, encoded.locations))
        if self.local_critic is not None:
            total += self.local_weight * self.bound.value(*self._local(encoded.code, encoded.locations))
        return total / (self.global_weight + self.local_weight)
