"""A step launches no more operations than it did when they were last counted (benchmarks/RESULTS.md)."""

import emulated
import pytest
from launches import STEPS, launches

ALWAYS = "published local 32 × 32, float32", "DGITransformer.published()", "GraphInfomaxTransformer()"
MOST = {
    "published local 32 × 32, float32": 138,
    "published local 32 × 32, bfloat16": 179,
    "published local 3 × 32 × 32, two views": 356,
    "DGITransformer()": 115,
    "DGITransformer.published()": 60,
    "GraphInfomaxTransformer()": 143,
}


@pytest.mark.skipif(emulated.WHY_NOT is not None, reason=str(emulated.WHY_NOT))
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else pytest.mark.slow) for name in MOST]
)
def test_a_step_launches_no_more_than_it_did(name):
    make, X, _ = STEPS[name]
    found, waits = launches(make, X)
    assert found <= MOST[name] and not waits
