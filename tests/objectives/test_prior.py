"""The prior's losses and gradients beside the same by torch's autograd, in double precision."""

import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import softplus

from sklearn_dim.objectives import AdversarialPrior


def by_autograd(prior, code, samples):
    """Three passes through the discriminator, as the formulas are written; the squash is the caller's."""
    frozen = {name: weight.detach() for name, weight in prior.discriminator.named_parameters()}
    taken_for_prior = functional_call(prior.discriminator, frozen, (code,))
    samples = samples.requires_grad_()
    drawn, encoded = prior.discriminator(samples), prior.discriminator(code.detach())
    discriminator = softplus(-drawn).mean() + softplus(encoded).mean()
    (slope,) = torch.autograd.grad(drawn.sum(), samples, create_graph=True)
    discriminator = discriminator + prior.penalty / 2 * slope.square().sum(1).mean()
    return {"prior": softplus(-taken_for_prior).mean(), "discriminator": discriminator}


@pytest.mark.parametrize("penalty", [0.0, 0.7])
@pytest.mark.parametrize("hidden", [(), (6,), (7, 5), (7, 6, 5)])
def test_losses_and_gradients_are_those_of_autograd(hidden, penalty):
    torch.manual_seed(0)
    prior = AdversarialPrior(4, "normal", hidden=hidden, penalty=penalty).double()
    code = torch.randn(9, 4, dtype=torch.float64, requires_grad=True)
    parameters = [code, *prior.discriminator.parameters()]
    torch.manual_seed(1)
    losses = prior(code)
    torch.manual_seed(1)
    expected = by_autograd(prior, code, torch.randn_like(code))
    torch.testing.assert_close(losses, expected, atol=1e-12, rtol=0)
    found = torch.autograd.grad(0.3 * losses["prior"] + 2.0 * losses["discriminator"], parameters)
    plain = torch.autograd.grad(0.3 * expected["prior"] + 2.0 * expected["discriminator"], parameters)
    torch.testing.assert_close(found, plain, atol=1e-12, rtol=0)


@pytest.mark.parametrize("far", [-80.0, 80.0])
def test_losses_of_extreme_scores_stay_finite(far):
    prior = AdversarialPrior(1, "normal", hidden=(), penalty=0.0)
    prior.discriminator[0].weight.data.fill_(1.0)
    code = torch.full((3, 1), far, requires_grad=True)
    losses = prior(code)
    assert losses["prior"].item() == pytest.approx(max(-far, 0.0), abs=1.0)
    assert torch.isfinite(losses["discriminator"])
    losses["prior"].backward()
    assert torch.isfinite(code.grad).all()
