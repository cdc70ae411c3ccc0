"""Critics: the table's shape, its meaning pair by pair, and the closed forms."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_dim.critics import (
    CRITICS,
    Bilinear,
    Concatenated,
    Corrected,
    Cosine,
    EncodedAnchor,
    FeatureMap,
    Gaussian,
    GroupDiscrimination,
    Lift,
    Separable,
    UserCritic,
    anchors_of,
    fourier_features,
    make_critic,
    score_tables,
    wave_features,
    without_diagonal,
)


@pytest.mark.parametrize("name", sorted(CRITICS))
def test_all_pairs_at_once_equal_one_pair_at_a_time(name):
    torch.manual_seed(0)
    critic = make_critic(name, 3, 5).eval()
    a, b = torch.randn(4, 3), torch.randn(6, 5)
    table = critic(a, b)
    assert table.shape == (4, 6)
    for i in range(4):
        for j in range(6):
            torch.testing.assert_close(table[i, j], critic(a[i : i + 1], b[j : j + 1])[0, 0], atol=1e-5, rtol=1e-4)


def test_a_critic_may_be_a_function_of_the_widths():
    critic = make_critic(lambda a, b: Separable(a, b, units=7), 3, 5)
    assert critic.a[-1].out_features == 7


def test_without_diagonal_drops_each_anchors_own():
    table = torch.arange(18).view(3, 3, 2)
    expected = torch.stack([torch.stack([table[i, j] for j in range(3) if j != i]) for i in range(3)])
    assert torch.equal(without_diagonal(table), expected)


def test_score_tables_split_own_candidates_from_others():
    a = torch.eye(3)
    b = torch.eye(3)[:, None, :].repeat(1, 2, 1)
    joint, marginal = score_tables(lambda x, y: x @ y.T, a, b)
    assert joint.shape == (3, 2) and bool((joint == 1).all())
    assert marginal.shape == (3, 4) and bool((marginal == 0).all())


def test_each_of_several_anchors_a_sample_has_its_own_row():
    torch.manual_seed(0)
    critic, a, b = Separable(3, 5), torch.randn(4, 2, 3), torch.randn(4, 6, 5)
    joint, marginal = score_tables(critic, a, b)
    assert joint.shape == (8, 6) and marginal.shape == (8, 18)
    assert torch.equal(score_tables(critic, anchors_of(a), b)[0], joint)
    for k in range(2):
        own, others = score_tables(critic, a[:, k], b)
        torch.testing.assert_close(joint.view(2, 4, 6)[k], own)
        torch.testing.assert_close(marginal.view(2, 4, 18)[k], others)


class Foreign(nn.Module):
    """A critic of one's own, which knows nothing of `Critic`."""

    def __init__(self, a_features, b_features):
        super().__init__()
        self.a, self.b = nn.Linear(a_features, 2), nn.Linear(b_features, 2)

    def forward(self, a, b):
        return self.a(a) @ self.b(b).mT


def test_a_foreign_module_is_wrapped_once():
    critic = make_critic(Foreign, 3, 5)
    assert isinstance(critic, UserCritic) and isinstance(critic.module, Foreign)
    assert (critic.a_features, critic.b_features, critic.pairwise, critic.closed_form) == (3, 5, False, None)
    a, b = torch.randn(4, 3), torch.randn(6, 5)
    torch.testing.assert_close(critic(a, b), critic.module(a, b))
    assert critic.direction(a) is None and critic.rowwise is critic
    assert {id(weight) for weight in critic.parameters()} == {id(weight) for weight in critic.module.parameters()}


def test_what_a_foreign_module_has_of_a_critic_counts():
    def make(a_features, b_features):
        module = Foreign(a_features, b_features)
        module.pairwise, module.closed_form = True, Gaussian(a_features, b_features)
        module.direction = lambda a: (module.a(a) @ module.b.weight, module.a(a) @ module.b.bias)
        return module

    critic, a = make_critic(make, 3, 5), torch.randn(1, 3)
    assert critic.pairwise and critic.closed_form is critic.module.closed_form
    assert torch.equal(critic.direction(a)[0], critic.module.direction(a)[0])
    critic.module.clip = 10.0
    assert critic.direction(a) is None


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match=r"must make a torch Module .* made a str"):
        make_critic(lambda a, b: "dot", 3, 5)


@pytest.mark.parametrize("make", [Bilinear, GroupDiscrimination])
def test_a_direction_gives_the_scores(make):
    torch.manual_seed(0)
    critic, a, b = make(3, 5), torch.randn(2, 3), torch.randn(6, 5)
    vectors, offset = critic.direction(a)
    torch.testing.assert_close(vectors @ b.T + offset, critic(a, b))


def test_scores_that_are_not_linear_have_no_direction():
    a = torch.randn(2, 3)
    assert Bilinear(3, 5, clip=1.0).direction(a) is Separable(3, 5).direction(a) is None


def test_the_closed_form_is_part_of_the_critic():
    assert isinstance(make_critic("gaussian", 2, 2).closed_form, Gaussian)
    assert make_critic("separable", 2, 2).closed_form is None
    assert Lift is FeatureMap and wave_features is fourier_features  # names of version 0.1


def test_scores_are_softly_clipped():
    critic = Separable(2, 2, clip=3.0)
    assert critic(1e4 * torch.randn(8, 2), torch.randn(8, 2)).abs().max() <= 3.0


def test_the_gaussian_critic_is_the_log_density_ratio(gaussian_pair):
    x, y = (torch.tensor(part) for part in gaussian_pair(2, 1.0, n=200_000))
    critic = Gaussian(2, 2).double().fit(x, y)
    rho2 = 1 - np.exp(-1.0)
    joint = np.kron([[1, np.sqrt(rho2)], [np.sqrt(rho2), 1]], np.eye(2))
    from scipy.stats import multivariate_normal as normal

    a, b = x[:50].numpy(), y[:50].numpy()
    expected = normal(cov=joint).logpdf(np.hstack([a, b])) - normal(cov=np.eye(2)).logpdf(a)
    expected -= normal(cov=np.eye(2)).logpdf(b)
    np.testing.assert_allclose(critic(x[:50], y[:50]).diagonal(), expected, atol=0.06)


def test_chance_correlation_is_shrunk_away():
    rng = np.random.default_rng(0)
    x, y = (torch.tensor(rng.normal(size=(500, 10))) for _ in range(2))
    rho = Gaussian(10, 10).double().fit(x, y).rho
    # The rows that choose the coordinates show Σρ² = 10·10/500 by chance; ten positive halves on others 5/500.
    assert rho.square().sum() < 0.3 * 10 * 10 / 500


def test_gaussian_survives_a_column_without_variance():
    x = torch.zeros(50, 2)
    x[:, 0] = torch.randn(50)
    critic = Gaussian(2, 1).fit(x, x[:, :1])
    assert torch.isfinite(critic(x, x[:, :1])).all()


def test_the_correction_starts_at_zero(gaussian_pair):
    x, y = (torch.tensor(part, dtype=torch.float32) for part in gaussian_pair(2, 0.5, n=300))
    critic = make_critic("gaussian", 2, 2)
    critic.closed_form.fit(x, y)
    torch.testing.assert_close(critic(x, y), critic.closed_form(x, y))


@pytest.mark.parametrize("name", sorted(set(CRITICS) - {"encode_and_dot"}))
def test_blocks_have_tables_of_their_own(name):
    torch.manual_seed(0)
    critic = make_critic(name, 3, 5).eval()
    a, b = torch.randn(2, 4, 3), torch.randn(2, 6, 5)
    torch.testing.assert_close(critic(a, b), torch.stack([critic(a[i], b[i]) for i in range(2)]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("features", [1, 2])
def test_two_numbers_are_corrected_pair_by_pair(features):
    critic = Corrected(features, features)
    assert critic.pairwise == isinstance(critic.correction, Concatenated) == (features == 1)
    x = torch.randn(50, features)
    critic.closed_form.fit(x, x + torch.randn(50, features))
    torch.testing.assert_close(critic(x, x), critic.closed_form(x, x))


def test_mapped_columns_have_unit_variance():
    torch.manual_seed(0)
    feature_map = FeatureMap(2, waves=500)
    mapped = feature_map(torch.randn(20_000, 2)).detach()
    assert mapped.shape == (20_000, feature_map.out_features)
    np.testing.assert_allclose(mapped[:, :4].var(0), 1.0, atol=0.1)
    assert mapped[:, 4:].square().mean().item() == pytest.approx(1.0, abs=0.1)  # over frequencies and phases


def test_an_encoded_anchor_is_encoded_once_for_all_its_pairs():
    calls = []

    class Flat(nn.Module):
        def forward(self, images):
            calls.append(len(images))
            return images.flatten(1)

    inner = Separable(4, 2)
    critic = EncodedAnchor(Flat(), inner)
    images, b = torch.randn(3, 1, 2, 2), torch.randn(5, 2)
    torch.testing.assert_close(critic(images, b), inner(images.flatten(1), b))
    assert calls == [3] and (critic.a_features, critic.b_features) == (4, 2)
    assert critic.rowwise is critic.encoder


def test_the_cosine_critic_is_the_cosine_over_the_temperature():
    torch.manual_seed(0)
    a, b = torch.randn(4, 3), torch.randn(6, 3)
    cosine = nn.functional.cosine_similarity(a[:, None], b[None], dim=-1)
    torch.testing.assert_close(Cosine(3, 3)(a, b), 2 * cosine)
    torch.testing.assert_close(Cosine(3, 3, temperature=0.1)(5 * a, b / 7), 10 * cosine)
    blocks = Cosine(3, 3)(a.view(2, 2, 3), b.view(2, 3, 3))
    torch.testing.assert_close(blocks, torch.stack([2 * cosine[:2, :3], 2 * cosine[2:, 3:]]))
    assert (Cosine(3, 3)(torch.zeros(1, 3), b) == 0).all() and not list(Cosine(3, 3).parameters())
    with pytest.raises(ValueError, match=r"critic='cosine' compares vectors of one width, .* 3 and 4 columns"):
        Cosine(3, 4)
