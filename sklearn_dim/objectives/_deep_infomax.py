"""Deep InfoMax (Hjelm et al., ICLR 2019, eq. 8): global, local and prior terms, of one view or two."""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.func import functional_call
from torch.nn.functional import softplus

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic, anchors_of, mlp, score_tables
from sklearn_dim.objectives._base import Information, Objective, Tables
from sklearn_dim.objectives._samples_like import SamplesLike

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
        code → its losses, see `AdversarialPrior`.
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
        return {name: self.weights.get(name, 1.0) * loss for name, loss in losses.items()}

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

    def _draw(self, locations: Tensor) -> tuple[Tensor, Tensor]:
        """Return the local features in use this time, and which they are."""
        n, device = locations.shape[1], locations.device
        if self.n_locations is None or self.n_locations >= n:
            return locations, torch.arange(n, device=device)
        places = torch.randperm(n, device=device)[: self.n_locations]
        return locations[:, places], places


class AdversarialPrior(nn.Module):
    """A discriminator that tells samples of a prior from codes, and an encoder's loss for being told apart.

    Matches the code to a prior (Hjelm et al., ICLR 2019, section 3.3). The discriminator has to keep up with the code:
    `DIMTransformer` gives it five times the step size and Adam's β₁ of 0.5.

    Parameters
    ----------
    n_components : int
        Width of the code.
    prior : str, a key of ``PRIORS``, or torch Distribution
        "uniform" is matched by sigmoid(code), "normal" and a distribution (of one component, or of all) by the code
        itself.
    hidden : sequence of int, default=(200,)
        The discriminator's hidden layers; the paper's are (1000, 200).
    penalty : float, default=0.1
        Weight of ½‖∇D‖² at prior samples (R1; Mescheder et al., ICML 2018). Without it, 0, code and discriminator
        chase each other in circles and the code leaves the prior.
    """

    def __init__(
        self,
        n_components: int,
        prior: str | Distribution = "uniform",
        *,
        hidden: Sequence[int] = (200,),
        penalty: float = 0.1,
    ):
        super().__init__()
        squash, sample = PRIORS[prior] if isinstance(prior, str) else (identity, SamplesLike(prior))
        if not isinstance(prior, str) and sample(torch.zeros(2, n_components)).shape != (2, n_components):
            raise ValueError(
                f"prior={prior} makes samples of another width than n_components={n_components}. Give a distribution "
                "of one component, such as torch.distributions.Laplace(0.0, 1.0), or of as many as the code has."
            )
        self.squash, self.sample, self.penalty = squash, sample, penalty
        self.discriminator = mlp([n_components, *hidden, 1])

    def forward(self, code: Tensor) -> dict[str, Tensor]:
        """Return the encoder's loss and the discriminator's, each with gradients for its own side only."""
        code = self.squash(code)
        frozen = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        taken_for_prior = functional_call(self.discriminator, frozen, (code,))
        samples = self.sample(code).requires_grad_(self.penalty > 0)
        drawn, encoded = self.discriminator(samples), self.discriminator(code.detach())
        discriminator = softplus(-drawn).mean() + softplus(encoded).mean()
        if self.penalty:
            (slope,) = torch.autograd.grad(drawn.sum(), samples, create_graph=True)
            discriminator = discriminator + self.penalty / 2 * slope.square().sum(1).mean()
        return {"prior": softplus(-taken_for_prior).mean(), "discriminator": discriminator}  # non-saturating


def identity(code: Tensor) -> Tensor:
    """Return the code as it is."""
    return code


PRIORS: dict[str, tuple[View, View]] = {
    "uniform": (torch.sigmoid, torch.rand_like),
    "normal": (identity, torch.randn_like),
}


def mean(values: Iterable[Tensor]) -> Tensor:
    """Return the mean of some scalars."""
    values = list(values)
    return total(values) / len(values)


def total(values: Iterable[Tensor]) -> Tensor:
    """Return the sum of at least one scalar."""
    first, *others = values
    return sum(others, first)
