"""Matching the code to a prior (Hjelm et al., ICLR 2019, section 3.3), with both players' gradients by one pass."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.distributions import Distribution
from torch.nn.functional import logsigmoid

from sklearn_dim.critics import mlp
from sklearn_dim.devices import without_autocast
from sklearn_dim.objectives._samples_like import SamplesLike

_mask = torch.ops.aten.threshold_backward  # (gradient, output of a ReLU, 0): the gradient before the ReLU


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

    @property
    def draws_on_device(self) -> bool:
        """Whether samples are drawn where the code is; a distribution draws where its parameters are."""
        return self.sample in (torch.rand_like, torch.randn_like)

    def forward(self, code: Tensor) -> dict[str, Tensor]:
        """Return the encoder's loss and the discriminator's, each with gradients for its own side only."""
        code = self.squash(code)
        parameters = list(self.discriminator.parameters())
        with without_autocast(code.device):  # the layers are so small that casts cost more than they save
            code = code.to(parameters[0].dtype)
            prior, discriminator = _TwoPlayers.apply(code, self.sample(code), self.penalty, *parameters)
        return {"prior": prior, "discriminator": discriminator}


class _TwoPlayers(torch.autograd.Function):
    """−log σ(D(code)) for the encoder; −log σ(D(sample)) − log σ(−D(code)) + penalty for the discriminator D.

    All gradients are products with the slopes of the scores, which one pass back through D gives.
    """

    @staticmethod
    def forward(ctx: Any, code: Tensor, samples: Tensor, penalty: float, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return both losses, from weights and biases of the layers in turn."""
        n, weights, biases = len(code), parameters[::2], parameters[1::2]
        inputs = [torch.cat([samples, code])]  # of each layer
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            inputs.append(torch.addmm(bias, inputs[-1], weight.T).relu_())
        scores = torch.addmm(biases[-1], inputs[-1], weights[-1].T)

        slopes: list[Tensor] = []  # of the scores, by the outputs of each layer but the last, whose slope is 1
        for weight, output in zip(weights[:0:-1], inputs[:0:-1], strict=True):
            above = slopes[0] @ weight if slopes else weight.expand(2 * n, -1)
            slopes.insert(0, _mask(above, output, 0))
        first = slopes[0][0 if penalty else n :] @ weights[0] if slopes else weights[0].expand(2 * n, -1)

        logs = logsigmoid(scores).view(2, n).mean(1)
        discriminator = scores[n:].mean() - logs.sum()  # −log σ(−s) = s − log σ(s)
        over_scores = scores.sigmoid()
        over_scores[:n] -= 1
        over_scores /= n
        over_code = (over_scores[n:] - 1 / n) * first[-n:]
        over = _over_parameters(over_scores, slopes, inputs)
        if penalty:
            steps = (penalty / n) * first[:n]
            discriminator = discriminator + torch.dot(steps.flatten(), first[:n].flatten()) / 2
            _add_penalty(over, steps, slopes, inputs, weights)
        ctx.save_for_backward(over_code, *over)
        ctx.set_materialize_grads(False)  # a loss that is not asked about has no gradient
        return -logs[1], discriminator

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, over_prior: Tensor | None, over_discriminator: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradients of the code and of the discriminator's parameters."""
        over_code, *over = ctx.saved_tensors
        of_code = None if over_prior is None else over_code * over_prior
        none = [None] * len(over)
        return (
            of_code,
            None,
            None,
            *(none if over_discriminator is None else torch._foreach_mul(over, over_discriminator)),
        )


def _over_parameters(over_scores: Tensor, slopes: list[Tensor], inputs: list[Tensor]) -> list[Tensor]:
    """Return the gradients of weights and biases in turn, from that of the scores."""
    over: list[Tensor] = []
    for slope, given in zip([*slopes, None], inputs, strict=True):
        outputs = over_scores if slope is None else over_scores * slope
        over += [outputs.T @ given, outputs.sum(0)]
    return over


def _add_penalty(
    over: list[Tensor], steps: Tensor, slopes: list[Tensor], inputs: list[Tensor], weights: Sequence[Tensor]
) -> None:
    """Add to the weights' gradients those of the penalty, from its gradient ``steps`` by the slopes at samples."""
    n = len(steps)
    for layer, weight in enumerate(weights):
        last = layer == len(slopes)
        over[2 * layer] += steps.sum(0) if last else slopes[layer][:n].T @ steps
        if not last:
            steps = _mask(steps @ weight.T, inputs[layer + 1][:n], 0)


def identity(code: Tensor) -> Tensor:
    """Return the code as it is."""
    return code


PRIORS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "uniform": (torch.sigmoid, torch.rand_like),
    "normal": (identity, torch.randn_like),
}
