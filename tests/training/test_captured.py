"""Captured steps beside plain ones, with CUDA graphs that are played by the CPU."""

import copy
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from sklearn_dim import DIMTransformer
from sklearn_dim.training import _captured
from sklearn_dim.training._captured import WARM_UP, CapturedSteps, can_capture


class Training:
    """A small net; `step` is what would be captured."""

    def __init__(self):
        torch.manual_seed(0)
        self.module = nn.Linear(3, 2)
        self.optimizer = torch.optim.SGD(
            self.module.parameters(), lr=0.1, momentum=0.9
        )  # Adam's captured step is for GPUs only
        self.plain_steps = 0

    def step(self, batch, **options):
        self.plain_steps += 1
        self.optimizer.zero_grad()
        loss = self.module(batch[0]).square().mean()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach()}

    def weights(self):
        return copy.deepcopy(self.module.state_dict())


@pytest.fixture
def graphs(request):
    """CUDA graphs on the CPU: what is captured does not happen, and happens with each replay."""
    training, made = Training(), []

    @contextmanager
    def capture(graph):
        if training.broken:
            raise RuntimeError("operation not permitted when stream is capturing\nand more")
        before = training.weights(), copy.deepcopy(training.optimizer.state_dict()), training.plain_steps
        yield
        training.module.load_state_dict(before[0])
        training.optimizer.load_state_dict(before[1])
        training.plain_steps = before[2]
        made.append(graph)

    class Graph:
        replay = None

    class Captured(_captured._Capture):
        def __init__(self, step, batch, options):
            super().__init__(step, batch, options)
            self.graph.replay = lambda: self.outputs.update(step(self.inputs, **options))

    stream = SimpleNamespace(wait_stream=lambda other: None)
    cuda = dict(CUDAGraph=Graph, graph=capture, Stream=lambda: stream, current_stream=lambda: stream,
                stream=lambda each: nullcontext())  # fmt: skip
    training.broken = False
    _captured.side_stream.cache_clear()
    with mock.patch.multiple(torch.cuda, **cuda), mock.patch.object(_captured, "_Capture", Captured):
        yield training, made
    _captured.side_stream.cache_clear()


def batches(*sizes):
    torch.manual_seed(1)
    return [(torch.randn(size, 3),) for size in sizes]


def plain(batches, rates=None):
    training = Training()
    for number, batch in enumerate(batches):
        if rates:
            training.optimizer.param_groups[0]["lr"] = rates[number]
        training.step(batch)
    return training.weights()


def test_captured_steps_train_as_plain_ones_with_a_graph_for_each_size(graphs):
    training, made = graphs
    steps, given = CapturedSteps(training.step, training.optimizer), batches(*[8, 7] * 6)
    losses = [steps(batch)["loss"].item() for batch in given]
    torch.testing.assert_close(training.weights(), plain(given), rtol=0, atol=0)
    assert len(made) == 2 and len(set(losses)) == len(losses)


def test_other_settings_are_captured_anew_but_not_for_ever(graphs):
    training, made = graphs
    steps, given = CapturedSteps(training.step, training.optimizer), batches(*[8] * 16)
    rates = [0.1] * 6 + [0.05] * 4 + [0.04, 0.03, 0.02, 0.01, 0.01, 0.01]
    for batch, rate in zip(given, rates, strict=True):
        training.optimizer.param_groups[0]["lr"] = rate
        steps(batch)
    torch.testing.assert_close(training.weights(), plain(given, rates), rtol=0, atol=0)
    assert len(made) == 2 + 2 and not steps.graphs


def test_a_step_that_cannot_be_captured_runs_as_it_is(graphs):
    training, made = graphs
    training.broken = True
    steps, given = CapturedSteps(training.step, training.optimizer), batches(*[8] * 7)
    with pytest.warns(UserWarning, match="could not be captured .*not permitted") as said:
        for batch in given:
            steps(batch)
    torch.testing.assert_close(training.weights(), plain(given), rtol=0, atol=0)
    assert len(said) == 1 and not made and training.plain_steps == 7


def test_sparse_batches_and_tokens_are_not_captured(graphs):
    training, made = graphs
    steps = CapturedSteps(lambda batch: {}, training.optimizer)
    for batch in [(torch.eye(3).to_sparse(),), (torch.ones(3, 3, dtype=torch.int64),)]:
        for _ in range(WARM_UP + 2):
            steps(batch)
    assert not made


class Doubled(nn.Module):
    def forward(self, x):
        return x[:, None], x[:, :4]


@pytest.mark.parametrize(
    "options, own",
    [
        ({}, True),
        ({"augmentation": lambda x: x + torch.rand(())}, False),
        ({"encoder": Doubled()}, False),
        ({"prior": torch.distributions.Normal(0.0, 1.0)}, False),
        ({"prior": "normal", "mi_estimator": "infonce"}, True),
    ],
)
def test_only_what_is_the_package_s_own_is_captured(options, own, monkeypatch):
    X = load_digits().data[:40].astype("float32")
    settings = {"n_components": 4, "max_iter": 1, "image_shape": (1, 8, 8), **options}
    if isinstance(settings.get("encoder"), nn.Module):
        del settings["image_shape"]
    net = DIMTransformer(**settings, device="cpu", random_state=0).fit(X).net_
    assert net.module_.capturable is own
    assert not can_capture(net)  # on the CPU
    net.device = "cuda"
    assert can_capture(net) is own
    monkeypatch.setenv("SKLEARN_DIM_CUDA_GRAPHS", "0")
    assert not can_capture(net)
