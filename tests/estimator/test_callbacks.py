"""Progress, early ends and callbacks, of scikit-learn and of skorch, in the estimators."""

import json
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, LRScheduler
from skorch.callbacks import ProgressBar as SkorchProgressBar
from torch.optim.lr_scheduler import StepLR

from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None

needs_callbacks = pytest.mark.skipif(ProgressBar is None, reason="scikit-learn before 1.9 has no callbacks")
X, Y = (array[:80] for array in load_digits(return_X_y=True))


def quick(**parameters):
    return DIMTransformer(4, **{"max_iter": 3, "random_state": 0, **parameters})


class Tasks:
    """A callback of scikit-learn that records the ends of tasks, and may stop after an epoch."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.stop_after, self.ended, self.begun, self.open = stop_after, [], 0, 0

    def setup(self, estimator, context):
        self.open += 1

    def teardown(self, estimator, context):
        self.open -= 1

    def on_fit_task_begin(self, estimator, context):
        self.begun += 1

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        path, at = [], context
        while at is not None:
            path.insert(0, f"{at.estimator_name}.{at.task_name}")
            at = at.parent
        self.ended.append((path, context.task_id, X, y, metadata, fitted_estimator))
        return path[-1].endswith("epoch") and context.task_id + 1 == self.stop_after

    def paths(self, name):
        return [path for path, *_ in self.ended if path[-1].endswith(name)]


class AtEpoch(Callback):
    """Calls a function at the end of each epoch."""

    def __init__(self, function):
        self.function = function

    def on_epoch_end(self, net, **kwargs):
        self.function(net)


def small_search(**options):
    steps = [("dim", quick()), ("lr", LogisticRegression(max_iter=500))]
    return GridSearchCV(Pipeline(steps), {"lr__C": [0.1, 1.0]}, cv=2, **options)


@needs_callbacks
@pytest.mark.filterwarnings("error:.*does not support callbacks")
def test_a_search_over_pipelines_sees_our_epochs():
    tasks = Tasks()
    small_search().set_callbacks(tasks).fit(X, Y)
    epochs = tasks.paths("DIMTransformer.epoch")
    fits = 2 * 2 + 1
    assert len(epochs) == 3 * fits and len(tasks.paths("DIMTransformer.fit")) == fits
    assert epochs[0] == [
        "GridSearchCV.fit",
        "GridSearchCV.search",
        "Pipeline.fit",
        "DIMTransformer.fit",
        "DIMTransformer.epoch",
    ]
    assert tasks.begun == len(tasks.ended) and tasks.open == 0


@needs_callbacks
@pytest.mark.filterwarnings("error:.*does not support callbacks")
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_progress_bar_of_a_search_goes_down_to_our_fits(capsys, n_jobs):
    pytest.importorskip("rich")
    small_search(n_jobs=n_jobs).set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    assert "DIMTransformer" in capsys.readouterr().out


@needs_callbacks
def test_a_callback_ends_training_and_the_estimator_is_fitted():
    tasks = Tasks(stop_after=2)
    dim = quick(max_iter=9).set_callbacks(tasks).fit(X)
    assert dim.n_iter_ == len(dim.loss_curve_) == 2
    assert len(dim.transform(X)) == 80 and tasks.begun == len(tasks.ended) == 3
    np.testing.assert_array_equal(dim.transform(X), quick(max_iter=2).fit(X).transform(X))


@needs_callbacks
def test_what_callbacks_are_told():
    tasks = Tasks()
    dim = quick().set_callbacks(tasks).fit(X)
    *epochs, (path, _, rows, _, metadata, fitted) = tasks.ended
    assert [metadata["train_loss"] for *_, metadata, _ in epochs] == dim.loss_curve_
    assert all(seen is X and fitted is None for _, _, seen, _, _, fitted in epochs)
    assert path == ["DIMTransformer.fit"] and rows is X and metadata is None
    np.testing.assert_array_equal(fitted.transform(X), dim.transform(X))


@needs_callbacks
def test_a_fit_that_fails_is_torn_down_and_leaves_nothing():
    class Failing(Tasks):
        def on_fit_task_begin(self, estimator, context):
            if context.task_id == 1:
                raise RuntimeError("enough")

    dim = quick()
    before = set(vars(dim))
    tasks = Failing()
    with pytest.raises(RuntimeError, match="enough"):
        dim.set_callbacks(tasks).fit(X)
    assert tasks.open == 0 and set(vars(dim)) == before | {"_skl_callbacks"}


@needs_callbacks
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_folds_are_tasks_with_epochs_below_them():
    tasks, z = Tasks(), X[:, 30]
    estimator = MutualInfoEstimator(critic="gaussian", cv=2, max_iter=2, random_state=0).set_callbacks(tasks)
    estimator.fit(X[:, 20:22], X[:, 22], given=z)
    own = "MutualInfoEstimator."
    assert tasks.paths("fold") == [[own + "fit", own + "fold"]] * 4  # two folds of two informations
    assert tasks.paths("epoch") == [[own + "fit", own + "fold", own + "epoch"]] * 8
    assert tasks.ended[-1][4]["given"] is z and tasks.begun == len(tasks.ended)


@needs_callbacks
@pytest.mark.parametrize("make", [DGITransformer, GraphInfomaxTransformer])
def test_the_graph_estimators_tell_their_epochs(make):
    tasks, ring = Tasks(stop_after=2), np.eye(6)[[1, 2, 3, 4, 5, 0]]
    graphs = [Graph(np.random.default_rng(i).normal(size=(6, 3)), ring) for i in range(4)]
    estimator = make(8, max_iter=4, random_state=0).set_callbacks(tasks).fit(graphs)
    assert estimator.n_iter_ == 2 and len(tasks.paths("epoch")) == 2


@needs_callbacks
def test_an_estimator_with_callbacks_is_cloned_pickled_and_trained_on():
    dim = quick(warm_start=True).set_callbacks(Tasks()).fit(X)
    again = pickle.loads(pickle.dumps(dim))
    np.testing.assert_array_equal(again.transform(X), dim.transform(X))
    assert clone(dim)._skl_callbacks == dim._skl_callbacks
    assert dim.fit(X).n_iter_ == 6 and dim.partial_fit(X).n_iter_ == 7
    assert [name for name, _ in dim.net_.callbacks_] == ["epoch_timer"]


def test_verbose_prints_a_line_per_epoch_and_else_nothing_is_printed(capsys):
    quick().fit(X)
    assert capsys.readouterr() == ("", "")
    quick(verbose=1).fit(X)
    first, *epochs = capsys.readouterr().out.splitlines()
    assert "at most 3 epochs" in first
    assert ["loss" in line and line.split(": ")[1] for line in epochs] == [f"epoch {n}/3" for n in (1, 2, 3)]


def test_a_schedule_sets_the_step_size_of_each_epoch():
    schedule = LRScheduler(StepLR, step_size=1, gamma=0.1)
    dim = clone(quick(callbacks=[("schedule", schedule)], prior_weight=0, learning_rate_init=0.01)).fit(X)
    np.testing.assert_allclose(dim.history_["event_lr"], [0.01, 0.001, 0.0001])
    assert not hasattr(schedule, "lr_scheduler_")  # the parameter stays as it was given


def test_skorchs_checkpoint_saves_the_weights(tmp_path):
    dim = clone(quick(callbacks=[Checkpoint(monitor=None, dirname=str(tmp_path))])).fit(X)
    weights = torch.load(tmp_path / "params.pt", weights_only=True)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in dim.net_.module_.state_dict().items())
    assert len(json.loads((tmp_path / "history.json").read_text())) == 3


def test_skorchs_early_stopping_ends_training():
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, threshold_mode="abs")
    dim = clone(quick(max_iter=9, callbacks=[stop])).fit(X)
    assert dim.n_iter_ == 3 and len(dim.transform(X)) == 80


def test_a_logger_writes_to_what_it_was_given():
    losses = []
    dim = quick(callbacks=[AtEpoch(lambda net: losses.append(net.history[-1, "train_loss"])), SkorchProgressBar]).fit(X)
    assert losses == dim.loss_curve_


@pytest.mark.parametrize(
    "entry, error, message",
    [
        ("loud", TypeError, r"callbacks\[1\]='loud' is not a skorch callback"),
        (("name", 3), TypeError, r"callbacks\[1\]=\('name', 3\)"),
        (Tasks(), TypeError, r"pass it to set_callbacks\(\)"),
        (("same", LRScheduler()), ValueError, "callbacks has several entries named same"),
    ],
)
def test_a_bad_entry_is_refused_before_training(entry, error, message):
    epochs = []
    with pytest.raises(error, match=message):
        quick(callbacks=[("same", AtEpoch(epochs.append)), entry]).fit(X)
    assert not epochs
