"""Copies, memory, precision and abilities of devices, with a CUDA that is not there."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sklearn_dim import DGITransformer, DIMTransformer, Graph
from sklearn_dim.devices import (
    _abilities,
    _memory,
    _precision,
    _transfer,
    explained_memory,
    fits,
    full_precision,
    has_fused_adam,
    one_ahead,
    to_device,
)
from sklearn_dim.training import resolve_precision

CUDA = torch.device("cuda")


def test_on_the_cpu_nothing_is_copied():
    x = torch.ones(3)
    assert to_device(x, "cpu") is x and to_device(x.double(), "cpu", torch.float32).dtype == torch.float32


def test_a_copy_to_cuda_is_pinned_and_of_the_final_type(monkeypatch):
    calls = []

    class Host(torch.Tensor):
        def pin_memory(self):
            calls.append(("pin", self.dtype))
            return self

        def to(self, *args, **kwargs):
            calls.append(("to", args, kwargs))
            return super().to(torch.float32) if "dtype" in kwargs else self

    to_device(torch.ones(3, dtype=torch.float64).as_subclass(Host), "cuda", torch.float32)
    assert calls == [
        ("to", (), {"dtype": torch.float32}),
        ("pin", torch.float32),
        ("to", (CUDA,), {"non_blocking": True}),
    ]


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_batches_are_read_one_ahead_on_devices_alone(n):
    seen = []

    def read():
        for i in range(n):
            seen.append(i)
            yield i

    for device, lead in (("cpu", 0), ("meta", 1)):
        seen.clear()
        given = [(i, len(seen)) for i in one_ahead(read(), device)]
        assert given == [(i, min(n, i + 1 + lead)) for i in range(n)]


@pytest.mark.parametrize(("free", "expected"), [(None, True), (200, True), (199, False)])
def test_data_may_take_half_of_the_free_memory(monkeypatch, capsys, free, expected):
    monkeypatch.setattr(_memory, "free_bytes", lambda device: free)
    assert fits(100, CUDA, verbose=1) == expected
    said = capsys.readouterr().out
    assert ("X stays in the host's memory, and is copied to cuda batch by batch" in said) == (not expected)
    assert fits(100, CUDA) == expected and not capsys.readouterr().out


def test_free_memory_is_asked_of_the_device_in_question(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: {0: (5, 9), 1: (7, 9)}[device.index])
    assert _memory.free_bytes(torch.device("cuda:1")) == 7
    assert _memory.free_bytes(torch.device("cpu")) is _memory.free_bytes(torch.device("mps")) is None


def test_full_memory_is_explained():
    message = r"memory is full \(CUDA out of memory\. Tried to allocate 2\.00 GiB\.\)\. Lower batch_size"
    with pytest.raises(torch.cuda.OutOfMemoryError, match=message), explained_memory(), explained_memory():
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore")


def out_of_memory(*args, **kwargs):
    raise torch.cuda.OutOfMemoryError("CUDA out of memory.")


def test_an_estimator_explains_it(monkeypatch):
    X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    graph = Graph(X, np.ones((12, 12)) - np.eye(12))
    for cls, rows in ((DIMTransformer, X), (DGITransformer, graph)):
        model = cls(n_components=4, max_iter=1, device="cpu").fit(rows)
        encoder = type(model.net_.module_.encoder)
        with monkeypatch.context() as patch:
            patch.setattr(encoder, "forward", out_of_memory)
            for call in (model.transform, model.score):
                with pytest.raises(torch.cuda.OutOfMemoryError, match="Lower batch_size"):
                    call(rows)
        with monkeypatch.context() as patch:
            patch.setattr(type(model.net_.module_), "forward", out_of_memory)
            with pytest.raises(torch.cuda.OutOfMemoryError, match="Lower batch_size"):
                cls(n_components=4, max_iter=1, device="cpu").fit(rows)


NEW = SimpleNamespace(
    cudnn=SimpleNamespace(conv=SimpleNamespace(fp32_precision="tf32")),
    cuda=SimpleNamespace(matmul=SimpleNamespace(fp32_precision="none")),
)
OLD = SimpleNamespace(
    cudnn=SimpleNamespace(allow_tf32=True), cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False))
)


@pytest.mark.parametrize("backends", [NEW, OLD], ids=["torch 2.9", "torch 2.4"])
def test_tf32_is_off_on_cuda_and_comes_back(monkeypatch, backends):
    monkeypatch.setattr(torch, "backends", backends)
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in _precision._settings()]
    with pytest.raises(KeyError), full_precision(CUDA):
        assert all(getattr(owner, name) == full for owner, name, full in _precision._settings())
        raise KeyError
    assert [(owner, name, getattr(owner, name)) for owner, name, _ in before] == before
    with full_precision("cpu"):
        assert [(owner, name, getattr(owner, name)) for owner, name, _ in before] == before


def test_fused_adam_is_asked_of_torch(monkeypatch):
    assert has_fused_adam("cpu") and has_fused_adam("cuda:1")
    monkeypatch.setattr(_abilities._foreach_utils, "_get_fused_kernels_supported_devices", lambda: ["xpu"])
    assert has_fused_adam("xpu") and not has_fused_adam("mps")
    monkeypatch.delattr(_abilities._foreach_utils, "_get_fused_kernels_supported_devices")
    assert has_fused_adam("cuda") and not has_fused_adam("xpu")


def test_without_mixed_precision_autocast_is_not_entered(monkeypatch):
    def refused(*args, **kwargs):
        raise RuntimeError("User specified an unsupported autocast device_type")  # torch 2.4, of MPS

    monkeypatch.setattr(_abilities, "is_autocast_available", lambda device: False)
    monkeypatch.setattr(torch, "autocast", refused)
    images = np.random.default_rng(0).normal(size=(12, 1, 8, 8)).astype(np.float32)
    DIMTransformer(n_components=4, max_iter=1, device="cpu", mixed_precision=False).fit(images).transform(images)
    with pytest.raises(ValueError, match=r"mixed_precision=True, but torch .* has no mixed precision on 'mps'"):
        resolve_precision(True, torch.device("mps"))


def test_pinned_memory_is_for_cuda():
    kinds = ("cpu", "cuda:1", "mps", "xpu")
    assert [_transfer.copies_while_the_host_goes_on(torch.device(kind)) for kind in kinds] == [0, 1, 0, 0]
