"""Histogram and scatter hold the pointwise information of the rows."""

import numpy as np
import pytest

from sklearn_dim.inspection import PointwiseInformationDisplay


def test_histogram(mi, pair):
    display = PointwiseInformationDisplay.from_estimator(mi, *pair)
    values = mi.pointwise(*pair)
    np.testing.assert_array_equal(display.values, values)
    assert sum(bar.get_height() for bar in display.bars_) == len(values)
    assert display.mean_line_.get_xdata()[0] == pytest.approx(values.mean())
    assert display.estimate_line_.get_xdata()[0] == mi.mutual_info_
    assert f"{values.mean():.2f} nats" in display.mean_line_.get_label()
    assert display.points_ is None and "nats" in display.ax_.get_xlabel()


def test_scatter(mi, pair):
    display = PointwiseInformationDisplay.from_estimator(mi, *pair, kind="scatter")
    np.testing.assert_array_equal(display.points_.get_offsets(), np.hstack(pair))
    np.testing.assert_array_equal(display.points_.get_array(), display.values)
    low, high = display.points_.get_clim()
    assert low == -high  # the middle colour is zero
    assert "nats" in display.colorbar_.ax.get_ylabel() and display.bars_ is None


def test_values_alone_have_no_estimate():
    display = PointwiseInformationDisplay.from_values([0.0, 1.0, 2.0])
    assert display.estimate_line_ is None and display.mean_line_.get_xdata()[0] == 1.0


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((3, 2)), np.zeros(3), r"X is an array of shape \(3, 2\)"),
        (np.zeros(3), ["a", "b", "c"], "y is an array of shape"),
        (np.zeros(3), None, "y is None"),
    ],
)
def test_a_scatter_needs_a_column_of_numbers_a_side(X, y, message):
    with pytest.raises(ValueError, match=message):
        PointwiseInformationDisplay.from_values(np.zeros(3), X, y, kind="scatter")


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind='pie' is unknown"):
        PointwiseInformationDisplay.from_values([1.0], kind="pie")
