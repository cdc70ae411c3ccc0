"""The GPU of these tests: an emulated one, or with SKLEARN_DIM_GPU=cuda the first real one."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # for `emulated` and `real`

import emulated
import real

REAL = os.environ.get("SKLEARN_DIM_GPU")


@pytest.fixture
def gpu():
    """A device, by whose rules the test's fits run, and its log."""
    if REAL:
        with real.real_gpu(REAL) as device:
            yield device
        return
    if emulated.WHY_NOT is not None:
        pytest.skip(emulated.WHY_NOT)
    with emulated.emulated_gpu() as device:
        yield device
