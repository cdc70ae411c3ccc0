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
        (x, view=None) → (locations, fc, code), see `sklearn_dim.encoders.Standardized`.
    bound : Bound
    global_critic, local_critic : Module or None
        T(code, flattened map) and T(code, location); None leaves the term out.
    prior : Module or None
        code → its losses, see `AdversarialPrior`.
    global_weight, local_weight, prior_weight : float
        Weights of the terms (α, β, γ in the paper).
    view : callable or None
        Makes one random view of a standardised batch. With it, the code of one view is paired with the
        map of another, both ways; without it both come from the same view, as in the paper.
    """

    adversaries = ("discriminator",)

    def __init__(self, encoder, bound, *, global_critic, local_critic, prior, global_weight, local_weight,
                 prior_weight, view: Callable[[Tensor], Tensor] | None = None):  # fmt: skip
        super().__init__()
        self.encoder = encoder
        self.bound: Bound = bound
        self.global_critic, self.local_critic, self.prior = global_critic, local_critic, prior
        self.global_weight, self.local_weight, self.prior_weight = global_weight, local_weight, prior_weight
        self.view = view

    @property
    def takes_sparse(self) -> bool:
        """Whether batches may be sparse COO tensors: encoder and view must both know them."""
        return self.encoder.takes_sparse and (self.view is None or getattr(self.view, "takes_sparse", False))

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the losses of a batch (x,)."""
        if self.view is None:
            first = second = self.encoder(batch[0])
        else:
            first, second = self.encoder(batch[0], self.view), self.encoder(batch[0], self.view)
        pairs = [(first, second)] if first is second else [(first, second), (second, first)]
        losses = {}
        for name, (weight, critic_tables) in self._terms().items():
            values = [self.bound.objective(*critic_tables(a.code, b.locations)) for a, b in pairs]
            losses[name] = -weight * sum(values) / len(values)
        if self.prior is not None:
            matched = self.prior(first.code)
            losses |= {"prior": self.prior_weight * matched["prior"], "discriminator": matched["discriminator"]}
        return losses

    def _terms(self):
        """Return the terms in use: name → (weight, its score tables)."""
        terms = {
            "global": (self.global_weight, self._global, self.global_critic),
            "local": (self.local_weight, self._local, self.local_critic),
        }
        return {name: (weight, tables) for name, (weight, tables, critic) in terms.items() if critic is not None}

    def _global(self, code, locations):
        return score_tables(self.global_critic, code, locations.flatten(1)[:, None, :])

    def _local(self, code, locations):
        return score_tables(self.local_critic, code, locations)

    def mutual_info(self, batch) -> Tensor:
        """Return the weighted mean information of the terms in nats, of the batch as it is."""
        encoded = self.encoder(batch[0])
        terms = self._terms().values()
        total = sum(w * self.bound.value(*tables(encoded.code, encoded.locations)) for w, tables in terms)
        return total / sum(weight for weight, _ in terms)
