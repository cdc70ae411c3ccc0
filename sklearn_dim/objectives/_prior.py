"""A prior on the code, matched by an adversary (Hjelm et al., ICLR 2019, section 3.3)."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.func import functional_call
from torch.nn.functional import softplus

from sklearn_dim.critics import mlp


class AdversarialPrior(nn.Module):
    """A discriminator of prior samples from codes; the encoder learns that it cannot tell.

    It has to follow the code: `DIMTransformer` gives it five times the step size and Adam's β₁ of 0.5.

    Parameters
    ----------
    n_components : int
        Width of the code.
    prior : str, a key of `PRIORS`, or torch Distribution
        "uniform" is matched by sigmoid(code), "normal" and a distribution (of one component, or of all) by the code
        itself.
    hidden : sequence of int, default=(200,)
        The discriminator's hidden layers; the paper's are (1000, 200).
    penalty : float, default=0.1
        Weight of ½‖∇D‖² at prior samples (R1; Mescheder et al., ICML 2018). Without it, 0, code and discriminator
        chase each other in circles and the code leaves the prior.
    """

    def __init__(self, n_components, prior="uniform", *, hidden=(200,), penalty=0.1):
        super().__init__()
        known = isinstance(prior, str)
        self.squash, self.sample = PRIORS[prior] if known else (identity, partial(sample_like, prior))
        if not known and self.sample(torch.zeros(2, n_components)).shape != (2, n_components):
            raise ValueError(
                f"prior={prior} makes samples of another width than n_components={n_components}. Give a distribution "
                "of one component, such as torch.distributions.Laplace(0.0, 1.0), or of as many as the code has."
            )
        self.penalty = penalty
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


def sample_like(distribution: Distribution, code: Tensor) -> Tensor:
    """Return samples of a distribution, as many as codes (n, n_components)."""
    own = len(distribution.batch_shape) + len(distribution.event_shape)
    return distribution.sample(code.shape[: max(1, code.ndim - own)]).to(code)


PRIORS = {"uniform": (torch.sigmoid, torch.rand_like), "normal": (identity, torch.randn_like)}
