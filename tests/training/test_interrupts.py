"""Ctrl-C ends with whole epochs, to the last bit, and passes on."""

import os
import signal
import threading
from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping

from sklearn_dim import DGITransformer, DIMTransformer, MutualInfoEstimator
from sklearn_dim.training import ResumableCheckpoint

X, y = (part[:120] for part in load_digits(return_X_y=True))
make = partial(DIMTransformer, 4, representation="code", batch_size=32, random_state=0)


class Press(Callback):
    """Presses Ctrl-C in an epoch, in ``on_batch_begin``, ``on_batch_end``, ``on_epoch_begin`` or ``on_epoch_end``."""

    def __init__(self, epoch, where, times=1):
        self.epoch, self.where, self.times = epoch, where, times

    def _press(self, net, where, **kwargs):
        if where == self.where and net.history[-1, "epoch"] == self.epoch:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_epoch_begin(self, net, **kwargs):
        self._press(net, "on_epoch_begin")

    def on_batch_begin(self, net, **kwargs):
        self._press(net, "on_batch_begin")

    def on_batch_end(self, net, **kwargs):
        self._press(net, "on_batch_end")

    def on_epoch_end(self, net, **kwargs):
        self._press(net, "on_epoch_end")


def assert_same(estimator, other):
    ours, theirs = (each.net_.module_.state_dict() for each in (estimator, other))
    for name, tensor in theirs.items():
        np.testing.assert_array_equal(ours[name], tensor)
    assert estimator.loss_curve_ == other.loss_curve_ and estimator.n_iter_ == other.n_iter_


@pytest.mark.parametrize(
    "where, epochs", [("on_epoch_begin", 2), ("on_batch_begin", 2), ("on_batch_end", 2), ("on_epoch_end", 3)]
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_estimator_is_fitted_with_whole_epochs(where, epochs, early_stopping):
    cut = make(max_iter=5, early_stopping=early_stopping, callbacks=[Press(3, where)])
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=f"fitted with {epochs} epochs"):
        cut.fit(X)
    assert signal.getsignal(signal.SIGINT) is handler
    whole = make(max_iter=epochs, early_stopping=early_stopping).fit(X)
    assert_same(cut, whole)
    np.testing.assert_array_equal(cut.transform(X), whole.transform(X))
    cut.set_params(callbacks=None).partial_fit(X)  # the optimizer is that of the last whole epoch, too
    assert_same(cut, whole.partial_fit(X))


def test_a_mean_of_weights_has_no_steps_of_the_unfinished_epoch():
    X = np.random.default_rng(0).normal(size=(60, 4))
    cut = DGITransformer(4, max_iter=5, batch_size=20, random_state=0, callbacks=[Press(3, "on_batch_end")])
    with pytest.raises(KeyboardInterrupt, match="fitted with 2 epochs"):
        cut.fit(X)
    assert_same(cut, DGITransformer(4, max_iter=2, batch_size=20, random_state=0).fit(X))


@pytest.mark.parametrize("press", [Press(1, "on_batch_end"), Press(3, "on_epoch_end", times=2)])
def test_in_the_first_epoch_or_twice_the_estimator_stays_as_it_was(press):
    dim = make(max_iter=4, callbacks=[press])
    with pytest.raises(KeyboardInterrupt):
        dim.fit(X)
    assert not hasattr(dim, "net_")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_fit_of_several_nets_stays_as_it_was():
    mine = MutualInfoEstimator(cv=2, max_iter=4, random_state=0, callbacks=[Press(2, "on_batch_end")])
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        mine.fit(X[:, 20:22], X[:, 28])
    assert not hasattr(mine, "mutual_info_")


class Count(Callback):
    """Counts trainings."""

    begun = 0

    def on_train_begin(self, net, **kwargs):
        Count.begun += 1


@pytest.mark.parametrize("where", ["on_batch_end", "on_epoch_end"])
def test_a_search_ends(where):
    Count.begun = 0
    pipeline = make_pipeline(make(max_iter=3, callbacks=[Count(), Press(2, where)]), LogisticRegression())
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(pipeline, {"dimtransformer__n_components": [2, 3]}, cv=2).fit(X, y)
    assert Count.begun == 1


def test_the_end_by_a_callback_of_skorch_is_no_interrupt():
    stop = EarlyStopping("train_loss", patience=2, threshold=10.0, threshold_mode="abs")
    assert make(max_iter=9, callbacks=[stop]).fit(X).n_iter_ == 3


def test_the_checkpoint_of_an_interrupted_fit_stays(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make(max_iter=4, callbacks=[ResumableCheckpoint(tmp_path), Press(3, "on_batch_end")]).fit(X)
    assert len(os.listdir(tmp_path)) == 1
    again = make(max_iter=4, callbacks=[ResumableCheckpoint(tmp_path)]).fit(X)
    assert not os.listdir(tmp_path)
    assert_same(again, make(max_iter=4).fit(X))


def test_a_handler_of_the_user_is_asked_and_may_go_on():
    asked = []
    before = signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        dim = make(max_iter=3, callbacks=[Press(2, "on_epoch_end"), Press(3, "on_batch_begin")]).fit(X)
    finally:
        signal.signal(signal.SIGINT, before)
    assert dim.n_iter_ == 3 and set(asked) == {signal.SIGINT} and len(asked) > 1


def test_a_fit_in_another_thread_leaves_the_handler_alone():
    handler, found = signal.getsignal(signal.SIGINT), []

    class Look(Callback):
        def on_epoch_begin(self, net, **kwargs):
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=make(max_iter=2, callbacks=[Look()]).fit, args=[X])
    thread.start()
    thread.join()
    assert found == [handler] * 2
