"""Fits on a device give the numbers of the CPU, and no step waits for the device."""

import cases
import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning")


@pytest.mark.parametrize("case", cases.FEW)
def test_a_fit_gives_the_numbers_of_the_cpu_and_no_step_waits(case, request):
    expected = cases.FEW[case]("cpu")
    gpu = request.getfixturevalue("gpu")
    found = cases.FEW[case](gpu.device)
    np.testing.assert_allclose(found, expected, atol=gpu.tolerance)
    gpu.check_steps()


@pytest.mark.slow
@pytest.mark.parametrize("case", cases.MANY)
def test_all_that_can_be_asked_for(case, request):
    expected = cases.MANY[case]("cpu")
    gpu = request.getfixturevalue("gpu")
    found = cases.MANY[case](gpu.device)
    np.testing.assert_allclose(found, expected, atol=30 * gpu.tolerance)
    gpu.check_steps()
