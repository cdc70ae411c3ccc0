"""Each bound against its divergence, typed again, on a discrete p and q whose tables are exact."""

import math

import numpy as np
import pytest
import torch

from sklearn_dim.bounds import BOUNDS, DV, NWJ, TUBA, Smile, make_bound

# p(a, b) in units of 1/40, and the product of its marginals in units of 1/1600.
COUNTS = np.array([[8, 3, 1], [2, 9, 3], [1, 2, 11]])
P = COUNTS / COUNTS.sum()
Q = P.sum(1, keepdims=True) * P.sum(0, keepdims=True)
Q_COUNTS = COUNTS.sum(1, keepdims=True) * COUNTS.sum(0, keepdims=True)
RATIO = P / Q
MI = float((P * np.log(RATIO)).sum())


def f_divergence(f):
    return float((Q * f(RATIO)).sum())


DIVERGENCE = {
    "dv": MI,
    "nwj": MI,
    "kl": MI,
    "tuba": MI,
    "infonce": MI,
    "jsd": f_divergence(lambda u: u * np.log(u) - (u + 1) * np.log((1 + u) / 2)),
    "smile": f_divergence(lambda u: u * np.log(u) - (u + 1) * np.log((1 + u) / 2)),
    "rkl": f_divergence(lambda u: -np.log(u)),
    "pearson": f_divergence(lambda u: (u - 1) ** 2),
    "neyman": f_divergence(lambda u: (1 - u) ** 2 / u),
    "hellinger": f_divergence(lambda u: (np.sqrt(u) - 1) ** 2),
    "gan": f_divergence(lambda u: u * np.log(u) - (u + 1) * np.log(u + 1)),
}
# The critic at which each bound is tight, as a function of the ratio u; 0.3 stands for a constant that must not matter.
OPTIMUM = {
    "dv": lambda u: np.log(u) + 0.3,
    "nwj": lambda u: 1 + np.log(u),
    "kl": lambda u: 1 + np.log(u),
    "tuba": lambda u: np.log(u) + 0.3,
    "infonce": lambda u: np.log(u) + np.array([[0.3], [-1.0], [0.0]]),
    "jsd": np.log,
    "smile": np.log,
    "rkl": np.log,
    "pearson": lambda u: 2 * (u - 1),
    "neyman": lambda u: 2 * np.log(u),
    "hellinger": lambda u: np.log(u) / 2,
    "gan": np.log,
}


def tables(critic):
    """One anchor, every pair as often as its probability says: means over the tables are expectations."""
    joint = np.repeat(critic.ravel(), COUNTS.ravel())
    marginal = np.repeat(critic.ravel(), Q_COUNTS.ravel())
    return torch.tensor(joint)[None], torch.tensor(marginal)[None]


def anchored_tables(critic, copies):
    """An anchor a row of p (they are weighted by repetition), b drawn as q says, ``copies`` times over."""
    anchors = np.repeat(np.arange(3), COUNTS.sum(1))
    own = np.concatenate([np.repeat(np.arange(3), row) for row in COUNTS])
    marginal = np.tile(np.repeat(critic, COUNTS.sum(0), axis=1), copies)
    return torch.tensor(critic[anchors, own])[:, None], torch.tensor(marginal)[torch.tensor(anchors)]


def objective(name, critic, copies=25):
    return (
        make_bound(name).objective(*(anchored_tables(critic, copies) if name == "infonce" else tables(critic))).item()
    )


def test_every_bound_has_an_oracle():
    assert set(BOUNDS) == set(DIVERGENCE) == set(OPTIMUM)


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - {"infonce"}))
def test_the_optimal_critic_attains_the_divergence(name):
    assert objective(name, OPTIMUM[name](RATIO)) == pytest.approx(DIVERGENCE[name], abs=1e-6)


def test_infonce_attains_mutual_information_as_pairs_grow():
    # The pair itself sits among the M + 1, so the value lies below I by E_p[r − 1]/M.
    critic = OPTIMUM["infonce"](RATIO)
    gap = (P * (RATIO - 1)).sum()
    for copies in (25, 2500):
        expected = MI - gap / (40 * copies)
        assert objective("infonce", critic, copies) == pytest.approx(expected, abs=2e-3 / copies)
    one_anchor = torch.full((1, 1), math.log(3.0)), torch.zeros(1, 4)
    assert make_bound("infonce").objective(*one_anchor).item() == pytest.approx(math.log(3 / (7 / 5)))


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_log_ratio_reads_the_optimal_critic(name):
    critic = OPTIMUM[name](RATIO)
    scores = torch.tensor(critic if name == "infonce" else critic.ravel()[None])
    marginal = torch.tensor(np.repeat(critic, COUNTS.sum(0), axis=1)) if name == "infonce" else tables(critic)[1]
    ratio = make_bound(name).log_ratio(scores, marginal).numpy().reshape(3, 3)
    np.testing.assert_allclose(ratio, np.log(RATIO), atol=1e-6)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_no_critic_exceeds_the_divergence(name):
    rng = np.random.default_rng(0)
    for scale in (0.1, 1.0, 3.0):
        for _ in range(50):
            critic = scale * rng.normal(size=(3, 3))
            assert objective(name, critic) <= DIVERGENCE[name] + 1e-9


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_the_common_value_is_mutual_information_at_the_optimum(name):
    critic = OPTIMUM[name](RATIO)
    if name == "infonce":
        value = make_bound(name).value(*anchored_tables(critic, 1))
    else:
        value = make_bound(name).value(*tables(critic))
    assert value.item() == pytest.approx(MI, abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - {"pearson", "rkl", "neyman", "hellinger"}))
def test_large_scores_stay_finite_in_float32(name):
    scores = torch.tensor([[60.0, -60.0, 0.0]], requires_grad=True)
    value = make_bound(name).objective(scores, scores.detach().clone())
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(scores.grad).all()


def test_dv_ema_keeps_the_value_and_corrects_the_gradient():
    bound, decay = DV(ema_decay=0.9), 0.9
    first = torch.tensor([[0.0, 1.0]], requires_grad=True)
    second = torch.tensor([[2.0, 3.0]], requires_grad=True)
    joint = torch.zeros(1, 1)
    bound.objective(joint, first).backward()
    # The first batch's own mean: the plain DV gradient, not ten times it.
    np.testing.assert_allclose(first.grad, -torch.softmax(first.detach(), 1), rtol=1e-6)
    value = bound.objective(joint, second)
    value.backward()
    means = [np.exp(t.detach().numpy()).mean() for t in (first, second)]
    running = decay * means[0] + (1 - decay) * means[1]
    assert value.item() == pytest.approx(-np.log(means[1]), rel=1e-6)
    np.testing.assert_allclose(second.grad, -np.exp(second.detach().numpy()) / 2 / running, rtol=1e-5)


def test_tuba_with_the_baseline_e_is_nwj():
    joint, marginal = tables(np.random.default_rng(1).normal(size=(3, 3)))
    tuba = TUBA()
    tuba._log_baseline = torch.tensor(1.0, dtype=torch.float64)
    assert tuba.objective(joint, marginal).item() == pytest.approx(NWJ().objective(joint, marginal).item())


def test_smile_clips_only_its_own_value():
    joint, marginal = torch.full((1, 2), 3.0), torch.tensor([[8.0, -8.0]])
    expected = 3 - math.log((math.exp(5) + math.exp(-5)) / 2)
    assert Smile(tau=5.0).clipped_value(joint, marginal).item() == pytest.approx(expected)
    assert Smile().value(joint, marginal).item() == pytest.approx(3 - math.log((math.exp(8) + math.exp(-8)) / 2))


def test_a_bound_object_is_copied():
    given = DV(ema_decay=0.5)
    made = make_bound(given)
    assert made == given and made is not given
