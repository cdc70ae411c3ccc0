"""Columns as numbers: what they become, and which rows are copies."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from sklearn_dim.data import ColumnCoder, equal_rows


def test_continuous_columns_become_normal_scores_and_discrete_ones_indicators():
    table = pd.DataFrame({"x": np.arange(30.0) ** 3, "kind": ["a", "b", "b"] * 10, "always": 1})
    coded = ColumnCoder().fit(table).transform(table)
    np.testing.assert_allclose(coded[:, 0], ndtri((np.arange(30) + 0.5) / 30), rtol=1e-6)
    np.testing.assert_array_equal(coded[:, 1:], [[1, 0], [0, 1], [0, 1]] * 10)


def test_equal_rows_have_equal_numbers():
    x, y = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [3.0, 2.0]]), np.array([[0.0], [0.0], [5.0], [0.0]])
    first, second, third, fourth = equal_rows(x, y)
    assert first == second and len({first, third, fourth}) == 3


def test_levels_that_never_repeat_are_said():
    with pytest.warns(UserWarning, match="column 'name' has 40 levels in 40 rows"):
        ColumnCoder().fit(pd.DataFrame({"name": [str(i) for i in range(40)]}))
