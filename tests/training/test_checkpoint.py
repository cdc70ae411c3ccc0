"""A fit that is killed resumes after its last epoch, and ends with the numbers of one that is not."""

import io
import operator
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import zipfile
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR

from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator
from sklearn_dim.files import sealed, unsealed
from sklearn_dim.training import ResumableCheckpoint
from sklearn_dim.training._checkpoint import KIND

X = load_digits(return_X_y=True)[0][:100]
RINGS = [Graph(np.random.default_rng(i).normal(size=(5, 3)), np.eye(5)[[1, 2, 3, 4, 0]]) for i in range(6)]
PAIRS = X[:, 20:22], X[:, 22]


class Count(Callback):
    """Counts epochs, and fails after as many as it is told."""

    def __init__(self, fail_after=None):
        self.fail_after, self.epochs = fail_after, []

    def on_epoch_end(self, net, **kwargs):
        self.epochs.append(len(net.history))
        if len(self.epochs) == self.fail_after:
            raise MemoryError


def interrupted_and_resumed(make, rows, folder, *, after, every=1, **watched):
    """Return an estimator that was fitted in two goes, and the epochs that the second ran."""
    first, second = Count(after), Count()
    others = watched.get("callbacks", [])
    with pytest.raises(MemoryError):
        make(callbacks=[ResumableCheckpoint(folder, every), first, *others]).fit(*rows)
    assert os.listdir(folder)
    estimator = make(callbacks=[ResumableCheckpoint(folder, every), second, *others]).fit(*rows)
    assert not os.listdir(folder)
    return estimator, second.epochs


def assert_same(estimator, other, rows):
    assert estimator.loss_curve_ == other.loss_curve_ and estimator.mutual_info_ == other.mutual_info_
    drop = {"columns": "dur"}
    assert estimator.history_.drop(**drop).equals(other.history_.drop(**drop))
    if hasattr(estimator, "transform"):
        np.testing.assert_array_equal(estimator.transform(*rows), other.transform(*rows))


KILLED = """
import os, signal
from skorch.callbacks import Callback
from sklearn.datasets import load_digits
from sklearn_dim import DIMTransformer
from sklearn_dim.training import ResumableCheckpoint

class Kill(Callback):
    def on_epoch_begin(self, net, **kwargs):
        if net.history[-1, "epoch"] == 5:
            os.kill(os.getpid(), signal.SIGKILL)

X = load_digits(return_X_y=True)[0][:100]
callbacks = [ResumableCheckpoint({folder!r}), Kill()]
DIMTransformer(4, image_shape=(1, 8, 8), max_iter=8, callbacks=callbacks, random_state=0).fit(X)
"""


def test_a_killed_process_leaves_what_another_goes_on_with(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED.format(folder=str(tmp_path))])
    assert done.returncode == -signal.SIGKILL
    (file,) = tmp_path.iterdir()
    leftover, of_others = (tmp_path / f"{file.name}.{name}.part" for name in "ab")
    for half in (leftover, of_others):  # as if it had been killed while it saved, and as if an equal fit were saving
        half.write_bytes(b"half of it")
    os.utime(leftover, (0, 0))
    make = partial(DIMTransformer, 4, image_shape=(1, 8, 8), max_iter=8, random_state=0)
    count = Count()
    dim = make(callbacks=[ResumableCheckpoint(tmp_path), count]).fit(X)
    assert count.epochs == [5, 6, 7, 8] and os.listdir(tmp_path) == [of_others.name]
    assert_same(dim, make().fit(X), [X])


CASES = {
    "stopped early": (partial(DIMTransformer, 4, early_stopping=True, n_iter_no_change=3, mi_estimator="tuba"), [X]),
    "graph": (partial(DGITransformer, 4, n_iter_no_change=3), [X]),
    "batches of a graph": (partial(DGITransformer, 4, batch_size=50, corruption="edge_dropout"), [X]),
    "graphs": (partial(GraphInfomaxTransformer, 4, early_stopping=True, validation_fraction=0.3), [RINGS]),
}


@pytest.mark.parametrize("case", CASES)
def test_an_interrupted_fit_ends_as_a_whole_one(case, tmp_path):
    make, rows = CASES[case]
    make = partial(make, max_iter=6, random_state=0)
    estimator, epochs = interrupted_and_resumed(make, rows, tmp_path, after=4)
    whole = make().fit(*rows)
    assert epochs == list(range(4, whole.n_iter_ + 1))
    assert_same(estimator, whole, rows)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_folds_that_were_finished_are_not_trained_again(tmp_path):
    make = partial(MutualInfoEstimator, cv=3, max_iter=4, batch_size=16, mi_estimator="tuba", random_state=0)
    estimator, epochs = interrupted_and_resumed(make, PAIRS, tmp_path, after=6)
    assert epochs == [2, 3, 4, 1, 2, 3, 4]  # of the second fold one epoch was saved, of the third none
    assert_same(estimator, make().fit(*PAIRS), PAIRS)


@pytest.mark.parametrize("policy", [StepLR, ReduceLROnPlateau])
def test_schedules_and_other_callbacks_go_on(policy, tmp_path):
    options = {"step_size": 2} if policy is StepLR else {"patience": 0, "threshold": 10.0}
    callbacks = [LRScheduler(policy, gamma=0.5, **options) if policy is StepLR else LRScheduler(policy, **options)]
    callbacks.append(EarlyStopping("train_loss", patience=4, threshold=10.0, threshold_mode="abs"))
    make = partial(DIMTransformer, 4, max_iter=9, random_state=0)
    dim, epochs = interrupted_and_resumed(make, [X], tmp_path, after=4, callbacks=callbacks)
    whole = make(callbacks=callbacks).fit(X)
    assert epochs == [4, 5] and whole.n_iter_ == 5
    assert_same(dim, whole, [X])


def test_a_checkpoint_may_come_first_and_every_few_epochs(tmp_path):
    make = partial(DIMTransformer, 4, max_iter=6, random_state=0)
    dim, epochs = interrupted_and_resumed(make, [X], tmp_path, after=6, every=2)
    assert epochs == [5, 6]
    assert_same(dim, make().fit(X), [X])


def test_a_warm_start_goes_on_too(tmp_path):
    make = partial(DIMTransformer, 4, max_iter=3, random_state=0, warm_start=True)
    whole, dim = make().fit(X).fit(X), make(callbacks=[ResumableCheckpoint(tmp_path), Count(5)]).fit(X)
    with pytest.raises(MemoryError):
        dim.fit(X)
    assert dim.n_iter_ == 3 and os.listdir(tmp_path)
    assert_same(dim.fit(X), whole, [X])


def test_fits_that_differ_do_not_share_a_file(tmp_path):
    def files(rows=X, **parameters):
        before = set(os.listdir(tmp_path))
        with pytest.raises(MemoryError):
            callbacks = [ResumableCheckpoint(tmp_path), *parameters.pop("callbacks", []), Count(2)]
            DIMTransformer(4, **{"max_iter": 3, "random_state": 0, **parameters}, callbacks=callbacks).fit(rows)
        return len(set(os.listdir(tmp_path)) - before)

    other_rows = X.copy()
    other_rows[7, 33] += 1
    assert files() == 1
    assert files(batch_size=64) == files(mi_estimator="dv") == files(prior_weight=0.2) == files(beta_1=0.5) == 1
    assert files(learning_rate_init=0.01) == files(max_iter=4) == files(random_state=1) == files(rows=other_rows) == 1
    assert files(rows=X[:99]) == files(early_stopping=True) == files(early_stopping=True, tol=0.1) == 1
    assert (
        files(callbacks=[LRScheduler(StepLR, step_size=1)]) == files(callbacks=[LRScheduler(StepLR, step_size=2)]) == 1
    )


QUICK = partial(DIMTransformer, 4, representation="code", early_stopping=True, max_iter=4, random_state=0)
ROWS = X[:40]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The file of a fit that was interrupted after its second epoch: its name and its bytes."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.raises(MemoryError):
        QUICK(callbacks=[ResumableCheckpoint(folder), Count(3)]).fit(ROWS)
    (file,) = folder.iterdir()
    return file.name, file.read_bytes()


class Begun(Exception):
    """Training has begun, with this net."""


class Stop(Callback):
    """Ends a fit where its first epoch would begin."""

    def on_epoch_begin(self, net, **kwargs):
        raise Begun(net)


@pytest.fixture
def begin(tmp_path):
    """Return a function name, content → a net that resumes from a file with it."""

    def start(name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Begun) as begun:
            QUICK(callbacks=[ResumableCheckpoint(tmp_path), Stop()]).fit(ROWS)
        return begun.value.args[0]

    return start


def refused(begin, name, content, sentence=""):
    with pytest.raises(ValueError, match=rf"the checkpoint \S+{name} cannot be used: .*{sentence}.*Delete it to start"):
        begin(name, content)


def test_the_state_is_that_of_the_last_epoch(written, begin):
    net = begin(*written)
    assert [row["epoch"] for row in net.history[:2]] == [1, 2]


def test_every_damage_is_refused_by_name(written, begin):
    name, content = written
    rng = np.random.default_rng(0)
    for damaged in (
        b"",
        content[:10],
        content[:1000],
        content[:-1],
        content + b"\0",
        b"sklearn-dim checkpoint 2\n",
        X.tobytes(),
    ):
        refused(begin, name, damaged)
    for place in rng.integers(0, len(content), size=10):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        refused(begin, name, bytes(damaged))


def forged(written, change):
    """Return a file whose content was changed, and whose digest is right."""
    name, content = written
    stem = name.removesuffix(".pt")
    state = torch.load(io.BytesIO(unsealed(KIND, stem, content)), weights_only=True)
    new = io.BytesIO()
    torch.save(change(state) or state, new)
    return b"".join(sealed(KIND, stem, new.getvalue()))


def first(tensors):
    return next(iter(tensors))


def test_the_file_of_another_fit_is_refused(written, begin):
    name, content = written
    renamed = b"".join(sealed(KIND, "0" * 32, unsealed(KIND, name.removesuffix(".pt"), content)))
    refused(begin, name, renamed, "its digest is not that of its content under this name")


def test_a_full_disk_ends_the_fit_with_the_name_of_the_file(tmp_path, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    estimator = QUICK(callbacks=[ResumableCheckpoint(tmp_path)])
    with pytest.raises(
        OSError, match=rf"{tmp_path}/\w+\.pt could not be written \(No space left on device\)\. Nothing"
    ):
        estimator.fit(ROWS)
    assert not os.listdir(tmp_path) and not hasattr(estimator, "net_")


FORGERIES = {
    "its parts are other ones": lambda state: [state],
    "weights have other names": lambda state: state["weights"].update(more=torch.zeros(1)),
    "weights have another": lambda state: state["weights"].update({first(state["weights"]): torch.zeros(2)}),
    "far more memory": lambda state: state["weights"].update({first(state["weights"]): torch.zeros(1).expand(2**40)}),
    "averaged is there": lambda state: state.update(averaged=state["weights"]),
    "optimizer has other parts": lambda state: state.update(optimizer=3),
    "optimizer has other groups": lambda state: state["optimizer"].update(param_groups=[]),
    "optimizer has another 'lr'": lambda state: state["optimizer"]["param_groups"][0].update(lr="fast"),
    "optimizer has no weight 999": lambda state: state["optimizer"]["state"].update({999: {}}),
    "optimizer has another 'exp_avg'": lambda state: state["optimizer"]["state"][0].update(exp_avg=torch.zeros(2)),
    "history has no rows": lambda state: state.update(history="long"),
    "history has the epochs": lambda state: state["history"].reverse(),
    "history has 50 epochs": lambda state: state.update(history=[{"epoch": i + 1} for i in range(50)]),
    "history lacks losses": lambda state: state["history"][0].update(train_loss=float("nan")),
    "it would set 'monitor' of the callback": lambda state: state["callbacks"]["BestWeights"].update(monitor="x"),
    "it would set '__class__' of the callback": lambda state: state["callbacks"]["BestWeights"].update(__class__="x"),
    "'best_' of the callback 'BestWeights' would be a str": lambda state: state["callbacks"]["BestWeights"].update(
        best_=""
    ),
    "random have another 0": lambda state: state.update(random=[torch.zeros(3)]),
}


@pytest.mark.parametrize("sentence", FORGERIES)
def test_a_right_file_with_wrong_content_is_refused(written, begin, sentence):
    refused(begin, written[0], forged(written, FORGERIES[sentence]), sentence)


class Gadget:
    """Makes a folder when it is unpickled, in one of many ways."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def gadgets(folder):
    code = f"__import__('os').mkdir({folder!r})"
    return [
        Gadget(os.mkdir, folder), Gadget(os.makedirs, folder), Gadget(os.system, f"mkdir {folder}"),
        Gadget(pathlib.Path.mkdir, pathlib.Path(folder)), Gadget(eval, code), Gadget(exec, code),
        Gadget(subprocess.call, ["mkdir", folder]), Gadget(subprocess.Popen, ["mkdir", folder]),
        Gadget(partial(os.mkdir, folder)), Gadget(operator.call, os.mkdir, folder),
        Gadget(list, map(os.mkdir, [folder])), Gadget(pickle.loads, pickle.dumps(Gadget(os.mkdir, folder))),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(12))
def test_nothing_that_a_file_names_is_run(written, begin, number, tmp_path):
    made = tmp_path / "made"
    gadget = gadgets(str(made))[number]
    for edit in (lambda state: state.update(random=gadget), lambda state: [gadget]):
        refused(begin, written[0], forged(written, edit), "it holds something else than tensors, numbers and text")
    assert not made.exists()


def test_a_file_that_would_unfold_in_memory_is_refused(written, begin):
    name, _ = written
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("archive/data.pkl", bytes(10**6))
    refused(begin, name, b"".join(sealed(KIND, name.removesuffix(".pt"), packed.getvalue())), "larger than the file")


TWICE = """
from sklearn.datasets import load_digits
from sklearn_dim import DIMTransformer
from sklearn_dim.training import ResumableCheckpoint
X, callbacks = load_digits(return_X_y=True)[0][:40], [ResumableCheckpoint({folder!r})]
for _ in range(3):
    print(DIMTransformer(4, representation="code", max_iter=12, callbacks=callbacks, random_state=0).fit(X).loss_curve_)
"""


def test_two_equal_fits_at_once_share_a_folder_and_a_result(tmp_path):
    command = [sys.executable, "-c", TWICE.format(folder=str(tmp_path))]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {line for process in both for line in process.communicate()[0].splitlines()}
    assert [process.returncode for process in both] == [0, 0]
    assert len(said) == 1 and not os.listdir(tmp_path)


def test_several_processes_are_refused(tmp_path):
    dim = DIMTransformer(4, max_iter=1, callbacks=[ResumableCheckpoint(tmp_path)], random_state=0).fit(X)
    dim.net_.replica_ = object()  # as inside data_parallel
    with pytest.raises(ValueError, match="inside data_parallel there are several"):
        dim.net_.notify("on_train_begin", X=None, y=None)


@pytest.mark.parametrize("every", [0, 1.5, "always"])
def test_a_wrong_interval_is_refused(every, tmp_path):
    with pytest.raises(ValueError, match=r"ResumableCheckpoint\(every="):
        DIMTransformer(4, callbacks=[ResumableCheckpoint(tmp_path, every)]).fit(X)
