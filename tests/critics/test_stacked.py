"""The stacked critic is p single ones."""

import numpy as np
import torch

from sklearn_dim.critics import StackedCritic, fourier_features


def test_a_stack_equals_single_critics():
    torch.manual_seed(0)
    x, y = torch.randn(6, 3, 5), torch.randn(7, 4)
    stack = StackedCritic(3, 5, 4)
    with torch.no_grad():
        for weights in stack.state_dict().values():
            weights.normal_()
    tables = stack(x, y)
    assert tables.shape == (3, 6, 7)
    for j in range(3):
        single = StackedCritic(1, 5, 4)
        single.load_state_dict({name: part[j : j + 1] for name, part in stack.state_dict().items()})
        torch.testing.assert_close(single(x[:, j : j + 1], y)[0], tables[j], atol=1e-4, rtol=1e-4)


def test_padding_and_neighbours_change_no_first_weight():
    torch.manual_seed(0)
    narrow = StackedCritic(1, 5, 4)
    torch.manual_seed(0)
    wide = StackedCritic(3, 9, 4)
    assert torch.equal(narrow.f.first[0], wide.f.first[2, :5]) and torch.equal(narrow.g.last[0], wide.g.last[1])


def test_the_start_is_the_gaussian_log_ratio(gaussian_pair):
    x, y = (torch.tensor(part, dtype=torch.float32) for part in gaussian_pair(1, 0.5, n=100_000))
    critic = StackedCritic(2, 11, 11)
    critic.f.last.data.zero_()
    critic.g.last.data.zero_()
    both = torch.stack([fourier_features(x[:, 0]), fourier_features(x[:, 0])], 1)
    critic.start(both, fourier_features(y[:, 0]), torch.tensor([True, False]))
    table = critic(both[:5], fourier_features(y[:5, 0]))
    rho2 = 1 - np.exp(-1.0)
    expected = (np.sqrt(rho2) * x[:5] * y[:5].T - rho2 * (x[:5] ** 2 + y[:5].T ** 2) / 2) / (1 - rho2)
    torch.testing.assert_close(table[0], expected.float(), atol=0.05, rtol=0.05)
    assert not table[1].any()
