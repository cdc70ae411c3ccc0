"""A prior on the code, matched by an adversary (Hjelm et al., ICLR 2019, section 3.3)."""

import itertools

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus


class AdversarialPrior(nn.Module):
    """A discriminator of prior samples from codes; the encoder learns that it cannot tell.

    Parameters
    ----------
    n_components : int
        Width of the code.
    prior : str, a key of `PRIORS`
        "uniform" is matched by sigmoid(code), "normal" by the code itself.
    hidden : sequence of int, default=(1000, 200)
        The discriminator's layers (the paper's 1000-200-1).
    """

    def __init__(self, n_components, prior="uniform", hidden=(1000, 200)):
        super().__init__()
        self.squash, self.sample = PRIORS[prior]
        widths = [n_components, *hidden]
        layers = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.discriminator = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, code: Tensor) -> dict[str, Tensor]:
        """Return the encoder's loss and the discriminator's, each with gradients for its own side only."""
        code = self.squash(code)
        frozen = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        taken_for_prior = functional_call(self.discriminator, frozen, (code,))
        drawn = self.discriminator(self.sample(code))
        encoded = self.discriminator(code.detach())
        return {
            "prior": softplus(-taken_for_prior).mean(),  # non-saturating
            "discriminator": softplus(-drawn).mean() + softplus(encoded).mean(),
        }


def identity(code: Tensor) -> Tensor:
    """Return the code as it is."""
    return code


PRIORS = {"uniform": (torch.sigmoid, torch.rand_like), "normal": (identity, torch.randn_like)}
