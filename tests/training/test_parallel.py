"""Training by two processes, against one process on the joined batch."""

import importlib.util
import pathlib
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_dim import DIMTransformer
from sklearn_dim.training import Batches, _parallel, data_parallel, resolve_device
from sklearn_dim.training._joined import batch_norm

SCRIPT = pathlib.Path(__file__).with_name("two_processes.py")
VIEWS = ["nodes", "nodes by features alone", "nodes of words"]
SUMMARY = ["nodes and a summary", "nodes of words and a summary", "nodes, edges dropped", "nodes, words masked"]
NODES = [*VIEWS, *SUMMARY]
GATHERED = ["table", "words", "images", "two critics", "pairs", "encoded pairs", *NODES]
APART = ["apart", "apart, numbered", "apart, stopped", "apart, nodes", "apart, pairs"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What each of two processes found."""
    pytest.importorskip("accelerate")
    folder = tmp_path_factory.mktemp("parallel")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run([*torchrun, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [pickle.loads((folder / f"{rank}.pkl").read_bytes()) for rank in range(2)]


@pytest.fixture(scope="module")
def alone():
    """What one process finds."""
    spec = importlib.util.spec_from_file_location("two_processes", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return {name: script.result(estimator) for name, estimator in script.fits().items()}


@pytest.mark.slow  # 10 s to start two processes
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestTwoProcesses:
    @pytest.mark.parametrize("name", GATHERED + APART)
    def test_processes_end_with_the_same_bits(self, both, name):
        first, second = (found[name] for found in both)
        np.testing.assert_array_equal(first["losses"], second["losses"])
        assert first["mutual_info"] == second["mutual_info"]
        for weights, others in zip(first["weights"], second["weights"], strict=True):
            assert all(np.array_equal(weights[key], others[key]) for key in weights)

    @pytest.mark.parametrize("name", GATHERED)
    def test_gathered_losses_are_those_of_one_process(self, both, alone, name):
        # Behind BatchNorm a bias has no gradient but rounding, which Adam scales up, and which held-out rows see.
        atol = 1e-4 if name == "encoded pairs" else 1e-5
        np.testing.assert_allclose(both[0][name]["losses"], alone[name]["losses"], rtol=1e-6, atol=atol)
        assert both[0][name]["mutual_info"] == pytest.approx(alone[name]["mutual_info"], abs=atol)

    @pytest.mark.parametrize(
        "name", ["table", "pairs", "nodes", "nodes of words", "nodes, words masked"]
    )  # in others Adam scales up gradients that are zero but for rounding
    def test_gathered_weights_are_those_of_one_process(self, both, alone, name):
        for weights, others in zip(both[0][name]["weights"], alone[name]["weights"], strict=True):
            for key, weight in weights.items():
                np.testing.assert_allclose(weight, others[key], atol=1e-5, err_msg=key)

    def test_without_gathering_a_process_sees_its_own_negatives(self, both, alone):
        assert np.abs(both[0]["apart, numbered"]["losses"] - alone["table"]["losses"]).max() > 1e-3

        assert np.abs(both[0]["apart, nodes"]["losses"] - alone["nodes"]["losses"]).max() > 1e-3

    def test_what_cannot_be_divided_is_refused_by_both(self, both):
        assert both[0]["refused"] == both[1]["refused"]
        for message, start in zip(
            both[0]["refused"],
            ["a batch of 2 rows leaves one of 2 processes", "data_parallel divides the rows", "processes differ in"],
            strict=True,
        ):
            assert message.startswith(start)


def test_one_process_alone_is_told_about_torchrun(monkeypatch):
    pytest.importorskip("accelerate")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match="torchrun --nproc_per_node=2"), data_parallel():
        DIMTransformer().fit(np.eye(4))


def test_too_many_processes_for_the_gpus_are_refused(monkeypatch):
    pytest.importorskip("accelerate")
    for name, value in {"RANK": "0", "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(RuntimeError, match=r"3 processes on a machine with 2 GPUs.*--nproc_per_node=2"),
        data_parallel(),
    ):
        pass
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    _parallel._check_devices(3)


class OneBatch(Batches):
    """Rows of which every process has enough."""

    n_rows = 100

    def __len__(self):
        return 1

    def __iter__(self):
        return iter(())

    def shared(self, share):
        return self


def processes_on(device):
    """What `data_parallel` knows in the first of two processes, without the other."""
    made = SimpleNamespace(device=torch.device(device), process_index=0, num_processes=2)
    return _parallel.Processes(lambda: made, gather_negatives=False)


OWN = [("cuda:0", "'cuda:1', but this process has 'cuda:0'.*Pass device='auto'"), ("cpu", "processes are on 'cpu'")]


@pytest.mark.parametrize(("own", "message"), OWN)
def test_another_device_than_the_process_has_is_refused(monkeypatch, own, message):
    def gather(into, value):
        into[:] = [value] * 2

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    weight = SimpleNamespace(device=torch.device("cuda:1"), numel=lambda: 4)
    module = SimpleNamespace(parameters=lambda: iter([weight]))
    with pytest.raises(ValueError, match=message):
        processes_on(own).check(module, OneBatch())
    processes_on("cuda:1").check(module, OneBatch())


def test_auto_is_the_device_of_the_process(monkeypatch):
    monkeypatch.setattr(_parallel, "processes", processes_on("meta"))
    assert resolve_device("auto") == torch.device("meta") and resolve_device("cpu") == torch.device("cpu")


def test_layers_that_share_moments_on_gpus_share_weights_and_buffers():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = dict(module.named_parameters()) | dict(module.named_buffers())
    replica = _parallel.Replica.__new__(_parallel.Replica)
    replica.processes = processes_on("cuda:0")
    replica._join_batch_norms(module)
    assert isinstance(module[1], nn.SyncBatchNorm)
    after = dict(module.named_parameters()) | dict(module.named_buffers())
    assert all(after[name] is tensor for name, tensor in before.items())


def test_missing_accelerate_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ImportError, match="needs accelerate: pip install accelerate"), data_parallel():
        pass


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_of_joined_moments_is_that_of_the_whole_batch(momentum, affine):
    """Two processes of 5 and 3 rows, their moments joined by hand."""
    torch.manual_seed(0)
    x = torch.randn(8, 3, 2) * 3 + 100
    whole, own = (nn.BatchNorm1d(3, momentum=momentum, affine=affine) for _ in range(2))
    parts, sent = x.split([5, 3]), []

    def send(moments):
        sent.append(moments)
        return moments

    for part in parts:
        batch_norm(nn.BatchNorm1d(3), send, part)
    ours = torch.cat([batch_norm(own, lambda _: torch.cat(sent), part) for part in parts[:1]])
    torch.testing.assert_close(ours, whole(x)[:5], atol=1e-5, rtol=1e-5)
    for name, buffer in whole.named_buffers():
        torch.testing.assert_close(dict(own.named_buffers())[name], buffer)
