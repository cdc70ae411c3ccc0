"""Products in the full precision of float32."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def full_precision(device: str | torch.device) -> Iterator[None]:
    """Compute products and convolutions in float32, of which CUDA takes only ten bits for convolutions by default."""
    settings = _settings() if torch.device(device).type == "cuda" else []
    before = [getattr(owner, name) for owner, name, _ in settings]
    try:
        for owner, name, full in settings:
            setattr(owner, name, full)
        yield
    finally:
        for (owner, name, _), value in zip(settings, before, strict=True):
            setattr(owner, name, value)


def _settings() -> list[tuple[Any, str, Any]]:
    """Return where torch keeps the precision: owners, names, and the values that mean full precision."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(cudnn, "conv"):  # since torch 2.9
        return [(cudnn.conv, "fp32_precision", "ieee"), (matmul, "fp32_precision", "ieee")]
    return [(cudnn, "allow_tf32", False), (matmul, "allow_tf32", False)]
