"""Estimates, intervals and lower bounds stand where the estimators say."""

import numpy as np
import pytest

from sklearn_dim.inspection import InformationDisplay


def ends_of(display):
    """Return the ends of the intervals, (n, 2)."""
    axis = 1 if display.bars_ is None else 0
    return np.array([segment[:, axis] for segment in display.errorbar_.lines[2][0].get_segments()])


def test_beside_one_another(mi):
    display = InformationDisplay.from_estimators({"dv": mi, "again": mi}, truth=1.0, level=0.8)
    np.testing.assert_array_equal(display.errorbar_.lines[0].get_ydata(), [0, 1])
    np.testing.assert_array_equal(display.errorbar_.lines[0].get_xdata(), [mi.mutual_info_] * 2)
    assert [(bar.get_x(), bar.get_width()) for bar in display.bars_] == [(0, mi.mutual_info_)] * 2
    np.testing.assert_allclose(ends_of(display), [mi.confidence_interval(level=0.8)] * 2)
    np.testing.assert_array_equal(display.lower_bounds_.get_offsets()[:, 0], [mi.lower_bound_] * 2)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["dv", "again"]
    assert display.ax_.yaxis_inverted()  # the first on top
    assert set(display.truth_line_.get_xdata()) == {1.0}
    labels = [text.get_text() for text in display.legend_.get_texts()]
    assert sorted(labels) == ["estimate, 80 % interval", "lower bound (InfoNCE)", "truth"]


def test_against_the_truth(mi):
    display = InformationDisplay.from_estimators([mi, mi], truth=[0.5, 2.0])
    np.testing.assert_array_equal(display.errorbar_.lines[0].get_xdata(), [0.5, 2.0])
    np.testing.assert_array_equal(display.truth_line_.get_xydata(), [[0.5, 0.5], [2.0, 2.0]])
    assert display.ax_.get_xlabel() == "true information, nats" and "nats" in display.ax_.get_ylabel()


def test_keywords_of_the_artists_come_first():
    display = InformationDisplay.from_estimates([1.0], [0.5], [1.5], errorbar_kw={"color": "red", "fmt": "s"})
    assert display.errorbar_.lines[0].get_color() == "red" and display.errorbar_.lines[0].get_marker() == "s"


def test_no_lower_bounds_no_mark():
    display = InformationDisplay.from_estimates([1.0], [0.5], [1.5], lower_bounds=[np.nan])
    assert display.lower_bounds_ is None and display.truth_line_ is None
    np.testing.assert_allclose(ends_of(display), [[0.5, 1.5]])


@pytest.mark.parametrize("wrong", [{"truth": [1.0]}, {"names": ["one"]}, {"lower_bounds": [1.0]}])
def test_lengths_must_agree(wrong):
    with pytest.raises(ValueError, match="arguments of the same length"):
        InformationDisplay.from_estimates([1.0, 2.0], [0.0, 1.0], [2.0, 3.0], **wrong)


def test_none_is_too_few():
    with pytest.raises(ValueError, match="at least one estimate"):
        InformationDisplay.from_estimators([])
