"""The lines of a training curve are the history's."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklearn_dim.inspection import TrainingCurveDisplay


def test_one_net_is_its_history(dim):
    display = TrainingCurveDisplay.from_estimator(dim)
    assert set(display.lines_) == {"train_loss", "valid_mutual_info"}
    for column, lines in display.lines_.items():
        (line,) = lines
        np.testing.assert_array_equal(line.get_xdata(), dim.history_["epoch"])
        np.testing.assert_array_equal(line.get_ydata(), dim.history_[column])
    assert display.figure_ is display.ax_.figure is display.information_ax_.figure
    assert "nats" in display.information_ax_.get_ylabel()
    assert len(display.legend_.get_texts()) == 2


def test_terms_of_the_loss_have_lines_if_asked_for(dim):
    display = TrainingCurveDisplay.from_estimator(dim, terms=True)
    terms = {"train_local_loss", "train_prior_loss", "train_discriminator_loss"}
    assert set(display.lines_) == {"train_loss", "valid_mutual_info", *terms}
    for column in terms:
        np.testing.assert_array_equal(display.lines_[column][0].get_ydata(), dim.history_[column])
    looks = [lines[0].get_linestyle() for lines in display.lines_.values()]
    assert len(set(looks[:-1])) == 4


def test_folds_are_thin_and_their_mean_is_bold(mi):
    bold, *thin = TrainingCurveDisplay.from_estimator(mi).lines_["train_loss"]
    assert len(thin) == 3 and thin[0].get_linewidth() < bold.get_linewidth()
    for fold, line in enumerate(thin):
        loss = mi.history_.loc[mi.history_["fold"] == fold, "train_loss"]
        np.testing.assert_array_equal(line.get_ydata()[: len(loss)], loss)
    np.testing.assert_allclose(bold.get_ydata(), np.mean([line.get_ydata() for line in thin], axis=0))


def test_the_mean_ends_where_the_first_net_stops():
    history = pd.DataFrame({"epoch": [1, 2, 1, 2, 3], "train_loss": [1.0, 2.0, 3.0, 4.0, 5.0]})
    display = TrainingCurveDisplay.from_history(history)
    bold, *_ = display.lines_["train_loss"]
    np.testing.assert_array_equal(bold.get_ydata(), [2.0, 3.0, np.nan])
    assert display.information_ax_ is None


def test_it_draws_on_given_axes_and_again(dim):
    figure, (left, right) = plt.subplots(1, 2)
    display = TrainingCurveDisplay.from_estimator(dim, ax=left)
    assert display.ax_ is left and display.figure_ is figure
    assert display.plot(ax=right) is display and display.ax_ is right


def test_a_history_without_losses_is_refused():
    with pytest.raises(ValueError, match=r"no column \['train_loss'\]"):
        TrainingCurveDisplay.from_history(pd.DataFrame({"epoch": [1]}))
