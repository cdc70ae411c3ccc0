"""What MPS, XPU and the oldest torch refuse, is not asked of them."""

import cases
import emulated
import numpy as np
import pytest
from emulated import rules

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning"),
    pytest.mark.skipif(emulated.WHY_NOT is not None, reason=str(emulated.WHY_NOT)),
]
MPS_FEW = [
    "image in float64", "image, odd side", "image, four vectors", "sequence in float64", "sequence, odd length",
    "table far from zero", "table in float64", "tokens", "pairs", "features", "dependency",
]  # fmt: skip


def fitted_where_it_is_refused(case, refuses):
    fit = (cases.FEW | cases.MANY)[case]
    expected = fit("cpu")
    with emulated.emulated_gpu(refuses) as gpu:
        found = fit(gpu.device)
    np.testing.assert_allclose(found, expected, atol=30 * gpu.tolerance)


@pytest.mark.parametrize("case", MPS_FEW)
def test_mps_is_asked_for_nothing_that_it_lacks(case):
    fitted_where_it_is_refused(case, rules.MPS)


@pytest.mark.parametrize("refuses", [rules.XPU, rules.OLD_CUDA], ids=["xpu", "torch 2.4"])
def test_booleans_are_not_sorted(refuses):
    fitted_where_it_is_refused("tokens", refuses)
