"""The objectives of columns: p single ones, and one critic for every mask."""

import pytest
import torch
from torch import nn

from sklearn_dim.bounds import BOUNDS, DV, FLO, make_bound
from sklearn_dim.critics import Separable, StackedCritic, fourier_features
from sklearn_dim.objectives import ColumnInformation, Information, MaskedInformation, Tables
from sklearn_dim.objectives._columns import negative_scores


@pytest.mark.parametrize("bound", [*(make() for make in BOUNDS.values()), DV(ema_decay=0.5)], ids=str)
def test_the_loss_is_the_sum_of_single_ones_batch_after_batch(bound):
    torch.manual_seed(0)
    stack = ColumnInformation(StackedCritic(3, 4, 5), bound)
    singles = [Information(nn.Identity(), bound) for _ in range(3)]
    for _ in range(3):  # some bounds are given a running mean of earlier batches
        batch = torch.randn(37, 3, 4), torch.randn(37, 5)
        tables = stack.tables(*batch, None, stack.limit)
        assert (tables.second is not None) == bound.second_critic
        expected = sum(single.loss(column(tables, j)) for j, single in enumerate(singles))
        torch.testing.assert_close(stack(batch)["information"], expected)
    assert (stack.running is not None) == (bound.ema_decay > 0)
    if stack.running is not None:
        torch.testing.assert_close(stack.running, torch.stack([single.running for single in singles]))
    values = torch.stack([bound.value(tables.joint[j], tables.marginal[j]) for j in range(3)])
    torch.testing.assert_close(stack.value(tables), values)


def column(tables, j):
    return Tables(*(None if table is None else table[j] for table in tables))


def test_a_second_stack_starts_at_the_same_closed_form(gaussian_pair):
    x, y = (fourier_features(torch.tensor(part[:, 0]).float()) for part in gaussian_pair(1, 0.5, n=300))
    stack = ColumnInformation(StackedCritic(1, 11, 11), FLO())
    stack.start(x[:, None], y, torch.tensor([True]))
    joint, _, second = stack.tables(x[:, None], y)
    assert torch.equal(joint, second) and joint.std() > 0.1
    assert torch.equal(stack.joint_scores(stack.second, x[:, None], y), stack.scores(stack.second, x[:, None], y)[0])


@pytest.mark.parametrize("n", [2, 3, 16, 37, 64])
def test_negatives_are_of_two_rows(n):
    scores = negative_scores(torch.eye(n)[None], torch.eye(n)[None], 16)
    assert scores.shape[:2] == (1, n) and 1 <= scores.shape[2] <= max(1, n // 2) and not scores.any()


def test_a_masked_column_is_not_seen():
    torch.manual_seed(0)
    owner = torch.tensor([0, 1, 1])
    model = MaskedInformation(Separable(5, 2), make_bound("dv"), owner)
    x, y = torch.randn(20, 3), torch.randn(20, 2)
    changed = x * torch.tensor([1.0, -3.0, 2.0])
    torch.testing.assert_close(model.mutual_info((x, y), without=1), model.mutual_info((changed, y), without=1))
    assert model.values((x, y)).shape == (2,) and torch.isfinite(model((x, y))["information"])
