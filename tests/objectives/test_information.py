"""What all objectives share: a second critic, and a running mean that is kept with the weights."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sklearn_dim import DIMTransformer
from sklearn_dim.bounds import DV, FLO, NWJ, TUBA, IAlpha
from sklearn_dim.critics import Corrected, Separable, UserCritic, make_critic
from sklearn_dim.objectives import Information, Objective, PairInformation, Tables
from sklearn_dim.training import ResumableCheckpoint

REMEMBERING = [DV(ema_decay=0.6), TUBA(ema_decay=0.6), IAlpha(0.3, ema_decay=0.6)]


def batch(seed):
    torch.manual_seed(seed)
    return Tables(torch.randn(3, 2, requires_grad=True), torch.randn(3, 4, requires_grad=True))


def mean_of(bound, tables):
    """E_q[e^T], typed again."""
    return np.exp(tables.marginal.detach().numpy().astype(float)).mean()


def gradients(loss, tables):
    return torch.autograd.grad(loss, [tables.joint, tables.marginal])


@pytest.mark.parametrize("bound", REMEMBERING, ids=repr)
def test_each_batch_is_compared_with_the_mean_of_earlier_ones(bound):
    model, mean = Information(nn.Identity(), bound), None
    assert model.running.isnan() and model.running.dtype == torch.float32
    for tables in map(batch, range(4)):
        own = mean_of(bound, tables)
        running = torch.tensor(math.nan if mean is None else math.log(mean))
        expected = -bound.objective(tables.joint, tables.marginal, running)
        loss = model.loss(tables)
        torch.testing.assert_close(loss, expected)
        for found, right in zip(gradients(loss, tables), gradients(expected, tables), strict=True):
            torch.testing.assert_close(found, right)
        mean = own if mean is None else 0.6 * mean + 0.4 * own
        assert model.running.exp().item() == pytest.approx(mean, rel=1e-5)


def test_the_gradient_divides_by_the_running_mean():
    model, (first, second) = Information(nn.Identity(), TUBA(ema_decay=0.6)), map(batch, range(2))
    model.loss(first)
    _, found = gradients(model.loss(second), second)
    expected = second.marginal.detach().exp() / 12 / mean_of(model.bound, first)
    torch.testing.assert_close(found, expected.float())


def test_only_batches_that_are_trained_on_are_remembered():
    model = Information(nn.Identity(), TUBA())
    with torch.no_grad():
        model.loss(Tables(*(table.detach() for table in batch(0)[:2])))
        model.value(batch(0))
    assert model.running.isnan()
    assert Information(nn.Identity(), NWJ()).running is None


@pytest.mark.parametrize("bound", REMEMBERING, ids=repr)
def test_the_running_mean_goes_with_the_weights(bound):
    model = Information(nn.Identity(), bound)
    model.loss(batch(0))
    copied, restored = copy.deepcopy(model), Information(nn.Identity(), bound)
    restored.load_state_dict(model.state_dict())
    pickled = pickle.loads(pickle.dumps(model))
    model.loss(batch(1))
    for other in (copied, restored, pickled):
        assert other.running != model.running
        other.loss(batch(1))
        assert torch.equal(other.running, model.running)


def test_an_objective_says_what_it_can():
    plain = Objective()
    assert (plain.adversaries, plain.takes_sparse, plain.divisible) == ((), False, [])
    assert Information(nn.Identity(), NWJ()).divisible == []


@pytest.mark.parametrize("make", ["separable", "gaussian", lambda a, b: Foreign(Separable(a, b))])
def test_a_second_critic_starts_as_a_copy(make, gaussian_pair):
    torch.manual_seed(0)
    x, y = (torch.tensor(part, dtype=torch.float32) for part in gaussian_pair(2, 0.5, n=300))
    first = make_critic(make, 2, 2)
    model = PairInformation(first, FLO())
    joint, _, second = model.tables(x, y)
    assert torch.equal(second, joint) and model.critic is first
    assert not {id(weight) for weight in first.parameters()} & {id(weight) for weight in model.second.parameters()}
    with torch.no_grad():
        next(model.second.parameters()).add_(1.0)
    changed, _, second = model.tables(x, y)
    assert torch.equal(changed, joint) and (make == "gaussian" or not torch.equal(second, joint))
    torch.testing.assert_close(second, model.scores(model.second, x, y)[0])
    assert torch.equal(model.value(model.tables(x, y)), FLO().value(*model.scores(first, x, y)))
    assert PairInformation(make_critic(make, 2, 2), NWJ()).second is None


class Foreign(nn.Module):
    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def forward(self, a, b):
        return self.critic(a, b)


@pytest.mark.parametrize("copied", [False, True])
def test_two_critics_share_the_closed_form(copied, gaussian_pair):
    x, y = (torch.tensor(part, dtype=torch.float32) for part in gaussian_pair(2, 0.5, n=300))
    model = PairInformation(Corrected(2, 2), FLO())
    model = copy.deepcopy(model) if copied else model
    model.critic.closed_form.fit(x, y)
    assert model.second.closed_form is model.critic.closed_form
    torch.testing.assert_close(model.second(x, y), model.critic(x, y))
    assert model.critic(x, y).std() > 0.1


def test_a_foreign_closed_form_is_shared_too():
    module = Foreign(Separable(2, 2))
    module.closed_form = Corrected(2, 2).closed_form
    model = PairInformation(UserCritic(module, 2, 2), FLO())
    assert model.second.closed_form is module.closed_form and model.second.module is not module


# In an estimator.

X = np.random.default_rng(0).normal(size=(60, 6))


def tuba(**parameters):
    return DIMTransformer(
        3, mi_estimator="tuba", max_iter=2, batch_size=20, random_state=0, device="cpu", warm_start=True, **parameters
    )


def running_of(dim):
    (mean,) = (part for name, part in dim.net_.module_.state_dict().items() if name.endswith("running"))
    return mean.clone()


class Fail(Callback):
    """Fails at the end of the third epoch, the first of a second fit."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise MemoryError


class Count(Callback):
    """Counts epochs."""

    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, net, **kwargs):
        self.epochs.append(len(net.history))


def test_a_failed_warm_fit_leaves_the_running_mean_as_it_was():
    dim = tuba(callbacks=[Fail()]).fit(X)
    before = running_of(dim)
    assert before.isfinite()
    with pytest.raises(MemoryError):
        dim.fit(X)
    assert torch.equal(running_of(dim), before) and dim.n_iter_ == 2


def test_a_pickle_keeps_the_running_mean():
    dim = tuba().fit(X)
    assert torch.equal(running_of(pickle.loads(pickle.dumps(dim))), running_of(dim))


def test_a_checkpoint_keeps_the_running_mean(tmp_path):
    def four_epochs(*callbacks):
        return tuba(callbacks=list(callbacks)).set_params(max_iter=4)

    with pytest.raises(MemoryError):
        four_epochs(ResumableCheckpoint(tmp_path), Fail()).fit(X)
    count = Count()
    resumed = four_epochs(ResumableCheckpoint(tmp_path), count).fit(X)
    assert count.epochs == [3, 4]
    assert torch.equal(running_of(resumed), running_of(four_epochs().fit(X)))
