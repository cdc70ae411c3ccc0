"""The objective of the neural dependency measure, on tensors."""

import numpy as np
import pytest
import torch

from sklearn_dim.bounds import make_bound
from sklearn_dim.objectives import TotalCorrelation
from sklearn_dim.objectives._total_correlation import GaussianCopula, shuffle_columns


@pytest.mark.parametrize("n, d", [(7, 2), (7, 7), (300, 64)])
def test_shuffled_components_come_from_different_rows(n, d):
    torch.manual_seed(0)
    z = torch.arange(n).float()[:, None].expand(n, d)  # each entry says which row it is of
    shuffled = shuffle_columns(z, 5)
    assert shuffled.shape == (5 * n, d)
    assert all(len(set(row)) == d for row in shuffled.tolist())
    for part in shuffled.split(n):  # each shuffle is a permutation of each column
        assert torch.equal(part.sort(0).values, z)


def test_more_columns_than_rows_can_be_shuffled():
    torch.manual_seed(0)
    assert shuffle_columns(torch.randn(3, 8), 2).shape == (6, 8)


def test_the_closed_form_is_the_log_ratio_of_densities():
    torch.manual_seed(0)
    root = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]])
    z = torch.randn(20_000, 3) @ root.T
    form = GaussianCopula(3).fit(z)
    R = form.root @ form.root.T
    joint = torch.distributions.MultivariateNormal(torch.zeros(3), R).log_prob(z)
    alone = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(form(z), joint - alone, atol=1e-3, rtol=1e-3)
    assert np.abs((R - root @ root.T).numpy()).max() < 4 / np.sqrt(20_000)
    correlated = form.correlate(torch.randn(20_000, 3))
    assert (torch.corrcoef(correlated.T) - R).abs().max() < 4 * np.sqrt(2 / 20_000)


def test_components_that_repeat_leave_it_finite():
    z = torch.randn(100, 1, generator=torch.Generator().manual_seed(0)).expand(100, 3)
    assert 5 < GaussianCopula(3).fit(z)(z).mean() < 20


def test_training_starts_at_the_closed_form_and_has_gradients():
    torch.manual_seed(0)
    model = TotalCorrelation(3, make_bound("dv"))
    z = torch.randn(50, 3)
    model.closed_form.fit(z)
    with torch.no_grad():
        torch.testing.assert_close(model.mutual_info((z,)), model.closed_form(z).mean())
    losses = model((z,))
    assert losses["total_correlation"].item() == pytest.approx(0.0, abs=1e-6)
    losses["total_correlation"].backward()
    assert model.critic.network[-1].weight.grad.abs().max() > 0
