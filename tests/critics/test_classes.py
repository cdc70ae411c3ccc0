"""The logistic closed form: a class against numbers."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sklearn_dim.critics import Classes, is_one_hot
from sklearn_dim.critics._classes import products


def blobs(n=3000, seed=0):
    """Return numbers (n, 2), indicators of three classes (n, 3), and the log of P(class | numbers)/P(class)."""
    random = np.random.default_rng(seed)
    centres, share = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), np.array([0.5, 0.3, 0.2])
    labels = random.choice(3, n, p=share)
    x = centres[labels] + random.normal(size=(n, 2))
    log_density = -np.square(x[:, None] - centres).sum(2) / 2
    log_mean = np.log(np.exp(log_density) @ share)
    return torch.tensor(x), torch.eye(3, dtype=torch.float64)[labels], log_density - log_mean[:, None]


@pytest.mark.parametrize("side", ["a", "b"])
def test_scores_are_the_log_ratios_of_normal_classes(side):
    x, classes, expected = blobs(20_000)
    pair = (x, classes) if side == "b" else (classes, x)
    critic = Classes(pair[0].shape[1], pair[1].shape[1], side).fit(*pair).double()
    table = critic(*(part[:200] for part in pair))
    off = np.abs((table if side == "b" else table.T) - expected[:200] @ classes[:200].numpy().T)
    assert off.median() < 0.05 and off.max() < 1.0  # where a class is rarer than e⁻⁹, its logarithm is only about right


def test_scores_are_those_of_scikit_learn():
    x, classes, _ = blobs(500)
    critic = Classes(2, 3).fit(x, classes).double()
    terms = products(x).numpy()
    terms = (terms - terms.mean(0)) / terms.std(0)
    labels = classes.argmax(1).numpy()
    log_share = np.log(np.bincount(labels) / len(labels))
    expected = LogisticRegression(max_iter=200).fit(terms, labels).predict_log_proba(terms) - log_share
    np.testing.assert_allclose(critic(x, torch.eye(3).double()), expected, atol=1e-3)


def test_two_classes_one_class_and_levels_that_were_not_seen():
    x, classes, _ = blobs(300)
    two = classes[:, :2] * (classes.argmax(1) < 2)[:, None] + torch.eye(2)[0] * (classes.argmax(1) == 2)[:, None]
    scores = Classes(2, 2).fit(x, two)(x.float(), torch.eye(2))
    assert torch.isfinite(scores).all() and scores.std() > 0.1
    one = torch.eye(3)[torch.zeros(300, dtype=torch.long)]
    assert (Classes(2, 3).fit(x, one)(x.float(), torch.eye(3)) == 0).all()
    unseen = Classes(2, 4).fit(x, torch.nn.functional.pad(classes, (0, 1)))(x.float(), torch.eye(4))
    assert (unseen[:, 3] == 0).all()
    nothing = Classes(2, 3).fit(x, classes)(x.float(), torch.zeros(1, 3))
    assert (nothing == 0).all()


@pytest.mark.parametrize("kind", ["constant", "wide", "few rows"])
def test_scores_are_finite(kind):
    x, classes, _ = blobs(200)
    if kind == "constant":
        x[:, 1] = 3.0
    elif kind == "wide":
        x = torch.cat([x, torch.randn(200, 60)], 1)
    else:
        x, classes = x[:5], classes[:5]
    assert torch.isfinite(Classes(x.shape[1], 3).fit(x, classes)(x.float(), classes.float())).all()


def test_blocks_have_tables_of_their_own_and_a_state_is_loaded():
    x, classes, _ = blobs(200)
    critic = Classes(2, 3).fit(x, classes).double()
    blocks = critic(x.view(4, 50, 2), classes.view(4, 50, 3))
    torch.testing.assert_close(blocks[2], critic(x[100:150], classes[100:150]))
    other = Classes(2, 3).double()
    other.load_state_dict(critic.state_dict())
    torch.testing.assert_close(other(x, classes), critic(x, classes))


def test_what_a_class_is():
    assert is_one_hot(np.eye(3)[[0, 1, 2, 1]])
    for side in (np.ones((4, 1)), np.eye(3)[[0, 1, 2]] * 2, np.array([[1.0, 1.0], [0.0, 1.0]]), np.random.rand(5, 2)):
        assert not is_one_hot(side)
