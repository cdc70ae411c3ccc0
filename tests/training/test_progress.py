"""What ``verbose`` prints, and where it goes."""

import logging

import numpy as np
import pytest

from sklearn_dim import DGITransformer, DIMTransformer, MutualInfoEstimator
from sklearn_dim.training._progress import _seconds

X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)


def lines_of(capsys, estimator, *data):
    capsys.readouterr()
    estimator.fit(*data)
    return capsys.readouterr().out.splitlines()


def test_the_first_line_says_what_there_is_to_do(capsys):
    dim = DIMTransformer(2, max_iter=2, batch_size=20, device="cpu", random_state=0, verbose=1)
    first, *epochs = lines_of(capsys, dim, X)
    assert first == "DIMTransformer: 60 rows of a table with 5 columns, at most 2 epochs of 3 batches, on cpu"
    assert "epoch 1/2" in epochs[0] and "left" in epochs[0] and "left" not in epochs[1]
    assert f"loss {dim.loss_curve_[1]:.4f}" in epochs[1] and "prior" not in epochs[1]


def test_two_shows_all_terms_under_the_names_of_the_history(capsys):
    dim = DIMTransformer(2, max_iter=1, device="cpu", random_state=0, verbose=2)
    _, epoch = lines_of(capsys, dim, X)
    for name in ("local", "prior", "discriminator"):
        assert f"{name} loss {dim.history_[f'train_{name}_loss'][0]:.4f}" in epoch


def test_folds_are_counted_and_information_points_upwards(capsys):
    mi = MutualInfoEstimator(cv=3, max_iter=2, device="cpu", random_state=0, verbose=1)
    lines = lines_of(capsys, mi, X[:, :2], X[:, 0] + X[:, 2])
    assert [line.split(":")[0] for line in lines[::3]] == [f"MutualInfoEstimator, fold {n}/3" for n in (1, 2, 3)]
    held_out = mi.history_["valid_mutual_info"]
    assert f"held out {held_out.iloc[0]:.4f} nats" in lines[1]


def test_an_early_end_is_said(capsys):
    dgi = DGITransformer(4, max_iter=200, n_iter_no_change=1, tol=10.0, device="cpu", random_state=0, verbose=1)
    *_, last = lines_of(capsys, dgi, X)
    assert last == f"DGITransformer: ended after {dgi.n_iter_} epochs, by early stopping or a callback"


def test_lines_go_to_a_logger_that_is_set_up(capsys, caplog):
    dim = DIMTransformer(2, max_iter=1, device="cpu", random_state=0, verbose=1)
    with caplog.at_level(logging.INFO, logger="sklearn_dim"):
        assert not lines_of(capsys, dim, X)
    assert [record.name for record in caplog.records] == ["sklearn_dim"] * 2


@pytest.mark.parametrize(
    "seconds, shown", [(0.04, "0.0 s"), (12.3, "12 s"), (100, "2 min"), (5000, "84 min"), (7200, "2.0 h")]
)
def test_times_are_short(seconds, shown):
    assert _seconds(seconds) == shown
