"""The objectives of columns: p single ones, and one critic for every mask."""

import pytest
import torch

from sklearn_dim.bounds import BOUNDS, DV, make_bound
from sklearn_dim.critics import Separable, StackedCritic
from sklearn_dim.objectives import ColumnInformation, MaskedInformation
from sklearn_dim.objectives._columns import independent_scores


@pytest.mark.parametrize("bound", [*(make() for make in BOUNDS.values()), DV(ema_decay=0.5)], ids=str)
def test_the_loss_is_the_sum_of_single_ones_batch_after_batch(bound):
    torch.manual_seed(0)
    stack = ColumnInformation(StackedCritic(3, 4, 5), bound)
    singles = [make_bound(bound) for _ in range(3)]
    for _ in range(3):  # some bounds remember earlier batches
        batch = torch.randn(37, 3, 4), torch.randn(37, 5)
        joint, marginal, *second = tables = stack.tables(batch, limit=stack.limit)
        assert bool(second) == bound.second_critic
        expected = sum(single.objective(*(table[j] for table in tables)) for j, single in enumerate(singles))
        torch.testing.assert_close(stack(batch)["information"], -expected)
    values = torch.stack([bound.value(joint[j], marginal[j]) for j in range(3)])
    torch.testing.assert_close(stack.bounds.value(joint, marginal), values)


@pytest.mark.parametrize("n", [2, 3, 16, 37, 64])
def test_independent_pairs_are_of_two_rows(n):
    scores = independent_scores(torch.eye(n)[None], torch.eye(n)[None], 16)
    assert scores.shape[:2] == (1, n) and 1 <= scores.shape[2] <= max(1, n // 2) and not scores.any()


def test_a_masked_column_is_not_seen():
    torch.manual_seed(0)
    owner = torch.tensor([0, 1, 1])
    model = MaskedInformation(Separable(5, 2), make_bound("dv"), owner)
    x, y = torch.randn(20, 3), torch.randn(20, 2)
    changed = x * torch.tensor([1.0, -3.0, 2.0])
    torch.testing.assert_close(model.mutual_info((x, y), without=1), model.mutual_info((changed, y), without=1))
    assert model.values((x, y)).shape == (2,) and torch.isfinite(model((x, y))["information"])
