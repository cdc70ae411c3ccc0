"""Each bound against its divergence, typed again, on a discrete p and q whose tables are exact."""

import itertools
import math

import numpy as np
import pytest
import torch

from sklearn_dim.bounds import BOUNDS, DV, FLO, NWJ, TUBA, IAlpha, InfoNCE, Smile, make_bound

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
    "i_alpha": MI,
    "flo": MI,
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
    "i_alpha": lambda u: np.log(u) + 0.3,
    "flo": lambda u: np.log(u) + np.array([[0.3], [-1.0], [0.0]]),
    "jsd": np.log,
    "smile": np.log,
    "rkl": np.log,
    "pearson": lambda u: 2 * (u - 1),
    "neyman": lambda u: 2 * np.log(u),
    "hellinger": lambda u: np.log(u) / 2,
    "gan": np.log,
}
ANCHORED = {"infonce", "i_alpha", "flo"}  # compare an anchor with its own negatives


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


def objective(name, critic, copies=25, second=None):
    bound = make_bound(name)
    scores = anchored_tables(critic, copies) if name in ANCHORED else tables(critic)
    if bound.second_critic:
        scores += (anchored_tables(second, 1)[0],)
    return bound.objective(*scores).item()


def test_every_bound_has_an_oracle():
    assert set(BOUNDS) == set(DIVERGENCE) == set(OPTIMUM)


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - {"infonce", "i_alpha"}))
def test_the_optimal_critic_attains_the_divergence(name):
    assert objective(name, OPTIMUM[name](RATIO), second=np.log(RATIO)) == pytest.approx(DIVERGENCE[name], abs=1e-6)


@pytest.mark.parametrize("name, weight", [("infonce", 1.0), ("i_alpha", 0.5)])
def test_attained_as_pairs_grow(name, weight):
    # The pair itself sits among the M that it is compared with, so the value lies below I by E_p[r − 1]/M.
    gap = weight * (P * (RATIO - 1)).sum()
    for copies in (25, 2500):
        expected = MI - gap / (40 * copies)
        assert objective(name, OPTIMUM[name](RATIO), copies) == pytest.approx(expected, abs=2e-3 / copies)


def test_infonce_counts_the_pair_itself():
    one_anchor = torch.full((1, 1), math.log(3.0)), torch.zeros(1, 4)
    assert make_bound("infonce").objective(*one_anchor).item() == pytest.approx(math.log(3 / (7 / 5)))


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_log_ratio_reads_the_optimal_critic(name):
    critic = OPTIMUM[name](RATIO)
    scores = torch.tensor(critic if name in ANCHORED else critic.ravel()[None])
    marginal = torch.tensor(np.repeat(critic, COUNTS.sum(0), axis=1)) if name in ANCHORED else tables(critic)[1]
    ratio = make_bound(name).log_ratio(scores, marginal).numpy().reshape(3, 3)
    np.testing.assert_allclose(ratio, np.log(RATIO), atol=1e-6)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_no_critic_exceeds_the_divergence(name):
    rng = np.random.default_rng(0)
    for scale in (0.1, 1.0, 3.0):
        for _ in range(50):
            critic, second = scale * rng.normal(size=(2, 3, 3))
            assert objective(name, critic, second=second) <= DIVERGENCE[name] + 1e-9


EXACT = [NWJ(), TUBA(), InfoNCE(), IAlpha(0.0), IAlpha(0.3), IAlpha(1.0), FLO()]


@pytest.mark.parametrize("bound", EXACT, ids=repr)
def test_lower_bounds_hold_with_two_negatives(bound):
    # The expectation over every anchor, its own b and two negatives, each as often as it comes.
    a, own, first, other = np.array(list(itertools.product(range(3), repeat=4))).T
    times = COUNTS[a, own] * COUNTS.sum(0)[first] * COUNTS.sum(0)[other]
    rng = np.random.default_rng(0)
    for scale in (0.3, 1.0, 3.0):
        for _ in range(5):
            critic, second = scale * rng.normal(size=(2, 3, 3))
            scores = critic[a, own, None], np.stack([critic[a, first], critic[a, other]], axis=1), second[a, own, None]
            given = [torch.tensor(np.repeat(table, times, axis=0)) for table in scores[: 2 + bound.second_critic]]
            assert make_bound(bound).objective(*given).item() <= MI + 1e-9


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_the_common_value_is_mutual_information_at_the_optimum(name):
    critic = OPTIMUM[name](RATIO)
    value = make_bound(name).value(*(anchored_tables(critic, 1) if name in ANCHORED else tables(critic)))
    assert value.item() == pytest.approx(MI, abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - {"pearson", "rkl", "neyman", "hellinger"}))
def test_large_scores_stay_finite_in_float32(name):
    scores = torch.tensor([[60.0, -60.0, 0.0]], requires_grad=True)
    bound = make_bound(name)
    given = (scores.detach().clone(),) * 2 if bound.second_critic else (scores.detach().clone(),)
    value = bound.objective(scores, *given)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(scores.grad).all()


def test_dv_ema_keeps_the_value_and_corrects_the_gradient():
    bound, decay = DV(ema_decay=0.9), 0.9
    first = torch.tensor([[0.0, 1.0]], requires_grad=True)
    second = torch.tensor([[2.0, 3.0]], requires_grad=True)
    joint, running = torch.zeros(1, 1), torch.tensor(math.nan)
    bound.objective(joint, first, running).backward()
    # The first batch's own mean: the plain DV gradient, not ten times it.
    np.testing.assert_allclose(first.grad, -torch.softmax(first.detach(), 1), rtol=1e-6)
    running = bound.next_running(running, first.detach())
    value = bound.objective(joint, second, running)
    value.backward()
    means = [np.exp(t.detach().numpy()).mean() for t in (first, second)]
    mean = decay * means[0] + (1 - decay) * means[1]
    assert value.item() == pytest.approx(-np.log(means[1]), rel=1e-6)
    np.testing.assert_allclose(second.grad, -np.exp(second.detach().numpy()) / 2 / mean, rtol=1e-5)
    assert bound.next_running(running, second).exp().item() == pytest.approx(mean)


def test_tubas_baseline_is_of_earlier_batches():
    bound, joint = TUBA(ema_decay=0.7), torch.zeros(1, 1)
    first, second = torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 3.0]], requires_grad=True)
    means = [np.exp(table.detach().numpy()).mean() for table in (first, second)]
    fresh = torch.tensor(math.nan)
    # The first batch is its own baseline, as without a running mean: 1 + 0 − log m − 1.
    assert bound.objective(joint, first, fresh).item() == pytest.approx(-np.log(means[0]))
    assert bound.objective(joint, first).item() == pytest.approx(-np.log(means[0]))
    running = bound.next_running(fresh, first)
    assert running.exp().item() == pytest.approx(means[0])
    value = bound.objective(joint, second, running)
    assert value.item() == pytest.approx(1 - np.log(means[0]) - means[1] / means[0])
    value.backward()
    np.testing.assert_allclose(second.grad, -np.exp(second.detach().numpy()) / 2 / means[0], rtol=1e-6)
    mean = 0.7 * means[0] + 0.3 * means[1]
    assert bound.next_running(running, second.detach()).exp().item() == pytest.approx(mean)


@pytest.mark.parametrize("bound", [DV(ema_decay=0.5), TUBA(), IAlpha()], ids=repr)
def test_bounds_remember_nothing(bound):
    joint, marginal, _ = map(torch.tensor, random_tables())
    before = bound.objective(joint, marginal)
    bound.objective(joint + 1, marginal.clone().requires_grad_() - 5, torch.tensor(2.0))
    assert torch.equal(bound.objective(joint, marginal), before)


def test_tuba_with_the_baseline_e_is_nwj():
    joint, marginal = tables(np.random.default_rng(1).normal(size=(3, 3)))
    value = TUBA().objective(joint, marginal, torch.tensor(1.0, dtype=torch.float64)).item()
    assert value == pytest.approx(NWJ().objective(joint, marginal).item())


def random_tables(seed=0):
    """Three anchors with two joint and four negative pairs each, and a second critic's joint scores."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, 2)), rng.normal(size=(3, 4)), rng.normal(size=(3, 2))


@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.5, 1.0])
def test_i_alpha_is_the_papers_formula(alpha):
    joint, marginal, _ = random_tables()
    a, k = 1.7, 4
    first, last = [], []
    for own, others in zip(joint, marginal, strict=True):
        for score in own:
            m = (np.exp(score) + (k - 1) * np.mean(np.exp(others))) / k
            first.append(score - np.log(alpha * m + (1 - alpha) * a))
        # One of K negatives after another in the numerator, all K in m.
        m = sum(np.exp(t) for t in others) / k
        last += [np.exp(t) / (alpha * m + (1 - alpha) * a) for t in others]
    running = torch.tensor(a, dtype=torch.float64).log()
    value = IAlpha(alpha).objective(torch.tensor(joint), torch.tensor(marginal), running).item()
    assert value == pytest.approx(1 + np.mean(first) - np.mean(last))


def test_i_alpha_runs_from_tuba_to_infonce():
    joint, marginal = (torch.tensor(table) for table in random_tables()[:2])
    assert IAlpha(0.0).objective(joint, marginal).item() == pytest.approx(TUBA().objective(joint, marginal).item())
    # InfoNCE with the same K = 4: each choice of three of the four pairs. log of their mean is the larger.
    without_one = [InfoNCE().objective(joint, marginal[:, np.arange(4) != j]).item() for j in range(4)]
    found = IAlpha(1.0).objective(joint, marginal).item()
    assert found < np.mean(without_one) < found + 0.1
    alike = marginal[:, :1].expand(3, 4)
    assert IAlpha(1.0).objective(joint, alike).item() == pytest.approx(InfoNCE().objective(joint, alike[:, :3]).item())


def test_only_infonces_end_of_i_alpha_leaves_the_anchor_free():
    _, marginal, _ = random_tables()
    scores = torch.tensor(marginal)
    assert IAlpha(1.0).up_to_anchor and not IAlpha(0.5).up_to_anchor
    of_anchor, of_all = (IAlpha(alpha).log_ratio(scores, scores).exp() for alpha in (1.0, 0.5))
    np.testing.assert_allclose(of_anchor.mean(1), 1.0)
    assert of_all.mean().item() == pytest.approx(1.0) and of_all.mean(1).std() > 0.01


def test_i_alpha_with_one_negative_is_finite():
    joint = torch.randn(5, 1, requires_grad=True)
    IAlpha().objective(joint, torch.randn(5, 1, requires_grad=True)).backward()
    assert torch.isfinite(joint.grad).all()


def test_i_alpha_refuses_a_weight_that_is_none():
    with pytest.raises(ValueError, match=r"alpha=1.5 must be a number in \[0, 1\]"):
        IAlpha(1.5)


def test_caps():
    assert InfoNCE().cap(7) == pytest.approx(np.log(8))
    assert IAlpha(1.0).cap(8) == pytest.approx(np.log(8))
    assert (
        [make_bound(name).cap(8) for name in ("dv", "nwj", "tuba", "flo")] == [math.inf] * 4 == [IAlpha(0.0).cap(8)] * 4
    )
    # Approached by scores that tell joint from negative pairs without doubt, and never exceeded.
    for bound in (InfoNCE(), IAlpha(0.2), IAlpha(0.9), IAlpha(1.0)):
        rng = np.random.default_rng(0)
        for scale in (1.0, 10.0, 100.0):
            scores = torch.tensor(scale * rng.normal(size=(20, 1))), torch.tensor(scale * rng.normal(size=(20, 7)))
            assert make_bound(bound).objective(*scores).item() <= bound.cap(7)
        baseline = [torch.tensor(0.0)] if bound.ema_decay else []
        certain = bound.objective(torch.full((4, 1), 40.0), torch.full((4, 7), -40.0), *baseline).item()
        assert certain == pytest.approx(bound.cap(7))


def test_i_alpha_exceeds_the_papers_cap_in_expectation():
    # b equals a, one of n: I = log n. With a second pair (K = 2), equal by chance once in n.
    n, alpha, bound = 1000, 0.9, IAlpha(0.9)
    marginal = torch.full((n, 2), -20.0)
    marginal[0, 0] = marginal[1, 1] = 20.0
    value = bound.objective(torch.full((n, 1), 20.0), marginal, torch.tensor(0.0)).item()
    assert math.log(2 / alpha) + 0.9 < value < bound.cap(2) < math.log(n)


def test_flo_is_the_papers_formula():
    joint, marginal, second = random_tables()
    terms = []
    for own, others, opinions in zip(joint, marginal, second, strict=True):
        for g, u in zip(own, -opinions, strict=True):
            terms.append(1 - u - np.exp(-u) * np.mean([np.exp(other - g) for other in others]))
    value = FLO().objective(*map(torch.tensor, (joint, marginal, second))).item()
    assert value == pytest.approx(np.mean(terms))


def test_flo_is_tight_where_the_second_critic_knows_the_ratio():
    critic, best = OPTIMUM["flo"](RATIO), np.log(RATIO)
    assert objective("flo", critic, second=best) == pytest.approx(MI)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert objective("flo", critic, second=best + 0.3 * rng.normal(size=(3, 3))) < MI - 1e-3


def test_smile_clips_only_its_own_value():
    joint, marginal = torch.full((1, 2), 3.0), torch.tensor([[8.0, -8.0]])
    expected = 3 - math.log((math.exp(5) + math.exp(-5)) / 2)
    assert Smile(tau=5.0).clipped_value(joint, marginal).item() == pytest.approx(expected)
    assert Smile().value(joint, marginal).item() == pytest.approx(3 - math.log((math.exp(8) + math.exp(-8)) / 2))


def test_a_bound_object_is_taken_as_it_is():
    given = DV(ema_decay=0.5)
    assert make_bound(given) is given and make_bound("dv") == DV()


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_score_is_the_optimal_critics_for_its_log_ratio(name):
    # But for what must not matter: a constant, or a function of the anchor.
    ratio = torch.tensor(np.log(RATIO))
    free = make_bound(name).up_to_anchor or name in ("dv", "tuba", "i_alpha")
    expected = np.log(RATIO) if free else OPTIMUM[name](RATIO)
    np.testing.assert_allclose(make_bound(name).score(ratio), expected, atol=1e-9)


@pytest.mark.parametrize("name", ["nwj", "rkl", "pearson", "neyman", "hellinger"])
def test_scores_of_any_log_ratio_train_in_float32(name):
    bound = make_bound(name)
    ratio = torch.tensor([[300.0, -300.0, 80.0, 0.0]], requires_grad=True)
    value = bound.objective(bound.score(ratio), bound.score(-ratio))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(ratio.grad).all()
