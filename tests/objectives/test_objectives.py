"""Objectives: terms wired as the papers say, typed again."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Laplace, MultivariateNormal

from sklearn_dim.bounds import BOUNDS, Bound, make_bound
from sklearn_dim.critics import Concatenated, CorrectedGaussian, Gaussian, Separable, without_diagonal
from sklearn_dim.encoders import Standardized, TableEncoder
from sklearn_dim.objectives import AdversarialPrior, DeepInfoMax, PairInformation, bias_correction
from sklearn_dim.objectives._pairs import split_diagonal, value_and_contributions


def deep_infomax(view=None, global_weight=0.5, prior_weight=0.1):
    torch.manual_seed(0)
    encoder = Standardized(TableEncoder(6, 4, n_groups=3, location_features=5), (6,))
    return DeepInfoMax(
        encoder,
        make_bound("jsd"),
        global_critic=Separable(4, 15) if global_weight else None,
        local_critic=Separable(4, 5),
        prior=AdversarialPrior(4) if prior_weight else None,
        weights={"global": global_weight, "local": 1.0, "prior": prior_weight},
        view=view,
    )


def test_one_view_is_the_papers_loss():
    model, x = deep_infomax().eval(), torch.randn(7, 6)
    losses = model((x,))
    encoded = model.encoder(x)
    local = total = 0.0
    for i in range(7):
        for j in range(7):
            for place in range(3):
                score = model.information["local"].critic(encoded.code[i : i + 1], encoded.locations[j, place][None])[
                    0, 0
                ]
                sign = -1.0 if i == j else 1.0
                count = 7 * 3 if i == j else 7 * 6 * 3
                local += nn.functional.softplus(sign * score) / count
    total = local - 2 * np.log(2)
    torch.testing.assert_close(losses["local"], total, atol=1e-5, rtol=1e-4)
    assert set(losses) == {"global", "local", "prior", "discriminator"}


def test_two_views_pair_a_code_with_the_other_views_map():
    views = iter([lambda x: x, lambda x: -x])
    model, x = deep_infomax(view=lambda x: next(views)(x), global_weight=0, prior_weight=0).eval(), torch.randn(7, 6)
    loss = model((x,))["local"]
    first, second = model.encoder(x), model.encoder(-x)
    bound = make_bound("jsd")
    ways = [
        bound.objective(*model.information["local"].tables(a.code, b.locations)[:2])
        for a, b in [(first, second), (second, first)]
    ]
    torch.testing.assert_close(loss, -(ways[0] + ways[1]) / 2)


def test_an_occluded_code_is_paired_with_what_it_did_not_see():
    model, x = deep_infomax(view=None, global_weight=0, prior_weight=0).eval(), torch.randn(7, 6)
    model.occlude = torch.zeros_like
    blind, whole = model.encoder(x, torch.zeros_like), model.encoder(x)
    expected = make_bound("jsd").objective(*model.information["local"].tables(blind.code, whole.locations)[:2])
    torch.testing.assert_close(model((x,))["local"], -expected)


def test_drawn_locations_give_the_same_loss_in_the_mean():
    model, x = deep_infomax(global_weight=0.5, prior_weight=0).eval(), torch.randn(7, 6)
    whole = model((x,))
    model.n_locations = 1
    drawn = [model((x,)) for _ in range(100)]
    assert len({round(losses["local"].item(), 5) for losses in drawn}) == 3
    local = torch.stack([losses["local"] for losses in drawn])
    assert abs(local.mean() - whole["local"]) < 4 * local.std() / 10
    torch.testing.assert_close(drawn[0]["global"], whole["global"])  # the map is never cut


def test_terms_do_not_share_a_bounds_running_mean():
    encoder = Standardized(TableEncoder(6, 4, n_groups=3, location_features=5), (6,))
    weights = {"global": 1.0, "local": 1.0}
    critics = {"global_critic": Separable(4, 15), "local_critic": Separable(4, 5)}
    model = DeepInfoMax(encoder, make_bound("tuba"), weights=weights, **critics)
    model((torch.randn(7, 6),))
    means = [term.running for term in model.information.values()]
    assert means[0].isfinite() and means[0] != means[1]


@pytest.mark.parametrize(
    "prior, mean", [(Laplace(3.0, 0.1), 3.0), (MultivariateNormal(torch.ones(2), torch.eye(2)), 1.0)]
)
def test_a_prior_may_be_any_distribution(prior, mean):
    term = AdversarialPrior(2, prior)
    samples = term.sample(torch.zeros(5000, 2))
    assert samples.shape == (5000, 2) and abs(samples.mean() - mean) < 4 / 100
    assert set(term(torch.randn(8, 2))) == {"prior", "discriminator"}


def test_a_prior_of_another_width_is_refused():
    with pytest.raises(ValueError, match="another width than n_components=3"):
        AdversarialPrior(3, MultivariateNormal(torch.ones(2), torch.eye(2)))


def test_each_side_of_the_prior_gets_its_own_gradients():
    prior, code = AdversarialPrior(3), torch.randn(8, 3, requires_grad=True)
    losses = prior(code)
    losses["prior"].backward(retain_graph=True)
    assert code.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in prior.parameters())
    code.grad = None
    losses["discriminator"].backward()
    assert code.grad is None
    assert all(weight.grad is not None for weight in prior.parameters())


def test_the_adversary_pulls_codes_to_the_prior():
    torch.manual_seed(0)
    prior, code = AdversarialPrior(1, hidden=(64,)), nn.Parameter(4 + 0.1 * torch.randn(256, 1))
    adam = torch.optim.Adam(
        [{"params": [code], "lr": 0.05}, {"params": prior.parameters(), "lr": 1e-2, "betas": (0.5, 0.999)}]
    )
    distances = []
    for _ in range(1000):
        adam.zero_grad()
        sum(prior(code).values()).backward()
        adam.step()
        ranked = torch.sigmoid(code.detach()).flatten().sort().values
        distances.append((ranked - torch.linspace(0, 1, 256)).abs().max())
    # All mass sat at sigmoid(4) = 0.98. It comes to the uniform and, thanks to the penalty, stays near.
    assert distances[0] > 0.9 and max(distances[-300:]) < 0.5


def test_the_penalty_is_the_squared_slope_at_the_prior():
    torch.manual_seed(0)
    prior, code = AdversarialPrior(2, hidden=(), penalty=0.0), torch.randn(8, 2)
    (linear,) = prior.discriminator
    torch.manual_seed(1)
    plain = prior(code)["discriminator"]
    prior.penalty = 3.0
    torch.manual_seed(1)
    torch.testing.assert_close(prior(code)["discriminator"] - plain, 3.0 / 2 * linear.weight.square().sum())


def test_contributions_give_the_value_and_its_spread():
    torch.manual_seed(0)
    model = PairInformation(Separable(2, 2, scale=1.0), make_bound("nwj"))
    batch = torch.randn(50, 2), torch.randn(50, 2)
    with torch.no_grad():
        found = model.evaluate(batch)
        assert found.contributions.mean().item() == pytest.approx(found.value, abs=1e-5)
        # The jackknife's standard error, from 50 leave-one-out values.
        left_out = []
        for i in range(50):
            keep = torch.arange(50) != i
            left_out.append(model.mutual_info((batch[0][keep], batch[1][keep])).item())
    jackknife = np.sqrt(49 / 50 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert found.contributions.std().item() / np.sqrt(50) == pytest.approx(jackknife, rel=0.1)


@pytest.mark.parametrize("name", ["dv", "infonce", "jsd"])
def test_the_value_is_the_rule_common_to_all_bounds(name):
    torch.manual_seed(0)
    model = PairInformation(Separable(2, 2), make_bound(name)).eval()
    x = torch.randn(40, 2)
    with torch.no_grad():
        assert model.evaluate((x, x)).value == pytest.approx(model.mutual_info((x, x)).item(), abs=1e-5)
        joint, marginal = model.scores(model.critic, x, x)
        common = Bound.value(model.bound, joint, marginal).item()
    assert model.mutual_info((x, x)).item() == pytest.approx(common, abs=1e-5)


def test_a_table_is_taken_apart_as_views_of_it_are():
    table = torch.randn(3, 5, 5, dtype=torch.float64, requires_grad=True)
    joint, rest = split_diagonal(table)
    assert torch.equal(joint, table.diagonal(dim1=1, dim2=2))
    assert torch.equal(rest, without_diagonal(table.unsqueeze(-1)).squeeze(-1))
    assert torch.autograd.gradcheck(split_diagonal, table)


def test_a_table_with_a_diagonal_far_above_the_rest_has_a_value():
    table = torch.full((6, 6), -200.0).fill_diagonal_(30.0)
    value, contributions = value_and_contributions(table)
    assert value == pytest.approx(230.0) and torch.allclose(contributions, torch.tensor(230.0))


@pytest.mark.parametrize(
    ("name", "widths", "n", "size"),
    [("dv", (2, 1), 243, 121), ("dv", (2, 1), 100, 100), ("dv", (1, 1), 243, 8), ("infonce", (2, 1), 243, 243)],
)
def test_pairs_are_scored_within_blocks_in_training(name, widths, n, size):
    bound = make_bound(name)
    pairwise = None if np.isinf(bound.cap(1)) else False
    model = PairInformation(CorrectedGaussian(*widths, pairwise=pairwise), bound)
    rows = [torch.randn(n, width) for width in widths]
    used = n // size * size
    assert [part.shape for part in model.scores(model.critic, *rows)] == [(used, 1), (used, size - 1)]
    assert [part.shape for part in model.eval().scores(model.critic, *rows)] == [(n, 1), (n, n - 1)]


@pytest.mark.parametrize("name", ["dv", "infonce", "jsd", "flo", "i_alpha"])
def test_pointwise_does_not_depend_on_the_rows_beside(name):
    torch.manual_seed(0)
    bound = make_bound(name)
    model = PairInformation(Separable(2, 2), bound)
    rows = torch.randn(9, 2), torch.randn(9, 2)
    reference = torch.randn(30, 2), torch.randn(30, 2)
    with torch.no_grad():
        whole = model.pointwise(rows, reference)
        alone = torch.cat([model.pointwise((rows[0][i : i + 1], rows[1][i : i + 1]), reference) for i in range(9)])
    torch.testing.assert_close(whole, alone)


def test_the_bias_correction_is_what_few_rows_cost(gaussian_pair):
    d, truth, n = 8, 1.0, 500
    x, y = (torch.tensor(part, dtype=torch.float32) for part in gaussian_pair(d, truth, n=n + 4000))
    train, held_out = (x[:n], y[:n]), (x[n:], y[n:])
    rho2 = 1 - np.exp(-2 * truth / d)
    best = truth + (np.sqrt(rho2) * x * y - rho2 * (x**2 + y**2) / 2).sum(1)[n:] / (1 - rho2)
    critic = Gaussian(d, d).fit(*train)
    reached = PairInformation(critic, make_bound("dv")).evaluate(held_out).contributions
    missing, found = (
        best - reached,
        bias_correction(critic, train, zip(x[n:].split(2000), y[n:].split(2000), strict=True)),
    )
    assert missing.mean() > 0.05  # about d²/2n
    error = 4 * (missing - found).std().item() / np.sqrt(4000)
    assert found.mean().item() == pytest.approx(missing.mean().item(), abs=error)


def test_a_bias_is_not_guessed_from_a_handful_of_rows():
    few, held_out = (torch.randn(15, 2), torch.randn(15, 2)), (torch.randn(9, 2), torch.randn(9, 2))
    assert torch.equal(bias_correction(Gaussian(2, 2), few, [held_out]), torch.zeros(9))


def test_the_lower_bound_is_the_papers_infonce():
    torch.manual_seed(0)
    model = PairInformation(Separable(2, 2, scale=1.0), make_bound("dv"))
    x, y = torch.randn(7, 2), torch.randn(7, 2)
    with torch.no_grad():
        scores, lower = model.critic(x, y).double().numpy(), model.evaluate((x, y)).lower
    rows = [np.log(np.exp(scores[i, i]) / np.mean([np.exp(scores[i, j]) for j in range(7)])) for i in range(7)]
    columns = [np.log(np.exp(scores[i, i]) / np.mean([np.exp(scores[j, i]) for j in range(7)])) for i in range(7)]
    np.testing.assert_allclose(lower, (np.array(rows) + columns) / 2, atol=1e-5)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_closed_form_is_right_for_every_bound(name, gaussian_pair):
    x, y = (torch.tensor(part, dtype=torch.float32) for part in gaussian_pair(3, 0.5, n=2000))
    model = PairInformation(Gaussian(3, 3).fit(x, y), make_bound(name)).eval()
    found = model.mutual_info((x, y)).item()
    assert abs(found - 0.5) < 4 * np.sqrt(3 * (1 - np.exp(-1 / 3)) / 2000) + 0.01


def test_a_pairwise_critic_is_trained_on_the_pairs_of_blocks():
    torch.manual_seed(0)
    model, (x, y) = PairInformation(Concatenated(1, 1, hidden=(4,)), make_bound("dv")), torch.randn(2, 20, 1)
    joint, marginal, _ = model.train().tables(x, y)  # two blocks of 8; the 4 rows left over wait for another epoch
    assert joint.shape == (16, 1) and marginal.shape == (16, 7)
    table = model.critic(x[8:16], y[8:16])
    torch.testing.assert_close(joint[8:, 0], table.diagonal())
    torch.testing.assert_close(marginal[8, :], table[0, 1:])
    joint, marginal, _ = model.eval().tables(x, y)
    assert joint.shape == (20, 1) and marginal.shape == (20, 19)
    torch.testing.assert_close(model.log_ratios(x, y), model.critic(x, y))
