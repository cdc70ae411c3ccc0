"""The Student copula's closed form against scipy's densities, and what it makes of rows."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_t
from scipy.stats import t as student

from sklearn_dim.critics import Corrected, Gaussian, Student


def rows(freedom, p, q, n=4000, correlation=0.6, seed=0):
    """Return normal scores of Student columns, the first of x and of y correlated, and the joint correlations."""
    shape = np.eye(p + q)
    shape[0, p] = shape[p, 0] = correlation
    t = multivariate_t(np.zeros(p + q), shape, df=freedom, seed=seed).rvs(n)
    scores = torch.as_tensor(ndtri(student.cdf(t, freedom)), dtype=torch.float32)
    return scores[:, :p], scores[:, p:], t, shape


@pytest.mark.parametrize(("freedom", "p", "q"), [(1.0, 1, 1), (3.0, 2, 1), (8.0, 2, 3)])
def test_the_log_ratio_is_that_of_the_densities(freedom, p, q):
    """Fitted on many rows, the scores of pairs are those of scipy's densities, up to the fit's own noise."""
    x, y, t, shape = rows(freedom, p, q, n=40_000)
    critic = Student(p, q, freedom).fit(x, y)
    a, b = t[:50, :p], t[50:100, p:]
    joint = multivariate_t(np.zeros(p + q), shape, df=freedom)
    sides = (multivariate_t(np.zeros(k), np.eye(k), df=freedom) for k in (p, q))
    pairs = np.concatenate([np.repeat(a, 50, 0), np.tile(b, (50, 1))], 1)
    of_a, of_b = (side.logpdf(part) for side, part in zip(sides, (a, b), strict=True))
    expected = joint.logpdf(pairs).reshape(50, 50) - np.reshape(of_a, (-1, 1)) - np.reshape(of_b, (1, -1))
    np.testing.assert_allclose(critic(x[:50], y[50:100]).numpy(), expected, atol=0.1)


@pytest.mark.parametrize("freedom", [1.0, 3.0, 10.0])
def test_the_likeliest_degrees_of_freedom_are_found(freedom):
    x, y, *_ = rows(freedom, 3, 2)
    found = float(Student(3, 2).fit(x, y).freedom)
    assert freedom / 1.5 < found < freedom * 1.5


def test_gaussian_rows_have_many_degrees_of_freedom_and_the_gaussian_scores():
    torch.manual_seed(0)
    x = torch.randn(4000, 2)
    y = 0.6 * x + 0.8 * torch.randn(4000, 2)
    critic = Student(2, 2).fit(x, y)
    assert critic.freedom > 20
    near = Gaussian(2, 2).fit(x, y)(x[:50], y[:50])
    assert (critic(x[:50], y[:50]) - near).abs().mean() < 0.2


@pytest.mark.parametrize("kind", ["constant", "levels", "copies", "few rows"])
def test_columns_that_are_no_normal_scores_have_finite_scores(kind):
    torch.manual_seed(0)
    x, y = torch.randn(60, 2), torch.randn(60, 1)
    if kind == "constant":
        x[:, 1] = 0.0
    elif kind == "levels":
        x = torch.nn.functional.one_hot(torch.arange(60) % 2).float()
    elif kind == "copies":
        y = x[:, :1].clone()
    else:
        x, y = x[:10], y[:10]
    scores = Student(2, 1).fit(x, y)(x, y)
    assert torch.isfinite(scores).all()


def test_blocks_have_tables_of_their_own_and_a_state_is_loaded():
    x, y, *_ = rows(2.0, 2, 2, n=500)
    critic = Student(2, 2).fit(x, y)
    blocks = critic(x.view(5, 100, 2), y.view(5, 100, 2))
    torch.testing.assert_close(blocks[3], critic(x[300:400], y[300:400]))
    other = Student(2, 2)
    other.load_state_dict(critic.state_dict())
    torch.testing.assert_close(other(x, y), critic(x, y))


def test_a_correction_of_any_closed_form_starts_at_zero():
    x, y, *_ = rows(2.0, 2, 2, n=200)
    critic = Corrected(2, 2, closed_form=Student)
    critic.closed_form.fit(x, y)
    torch.testing.assert_close(critic(x, y), critic.closed_form(x, y))


def test_scores_far_out_are_continued():
    critic = Student(1, 1, 2.0).fit(*rows(2.0, 1, 1, n=500)[:2])
    far = torch.tensor([[-9.0], [9.0]])
    assert torch.isfinite(critic(far, far)).all()
    assert ndtr(9.0) == 1.0  # where a quantile itself would be infinite
