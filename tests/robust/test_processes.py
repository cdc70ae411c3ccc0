"""Forked, spawned and other processes, and threads, also while a fit is running."""

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import joblib
import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_dim import DIMTransformer
from sklearn_dim.training import ResumableCheckpoint, seeded
from sklearn_dim.training._turns import TURNS

ROWS = np.random.default_rng(0).normal(size=(300, 8))
FEW = ROWS[:40]
can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def quick(max_iter=1):
    return DIMTransformer(2, max_iter=max_iter, batch_size=32, representation="code", device="cpu", random_state=0)


def codes():
    return quick().fit(FEW).transform(FEW)


@pytest.fixture(scope="module")
def expected():
    return codes()


@pytest.fixture
def running():
    """A thread that fits all the time."""
    stop, began = threading.Event(), threading.Event()

    def fits():
        while not stop.is_set():
            quick(3).fit(ROWS)
            began.set()

    thread = threading.Thread(target=fits)
    thread.start()
    began.wait()
    yield
    stop.set()
    thread.join()


def in_a_fork(check):
    """Return whether ``check()`` is true in a forked child, which has a minute."""
    return end_of_fork(check) == 0


def end_of_fork(check):
    """Return what ended a forked child: 0 if ``check()`` is true, a signal, or another number."""
    child = os.fork()
    if not child:
        signal.alarm(60)  # ends a child that hangs
        try:
            os._exit(0 if check() else 1)
        except BaseException:
            os._exit(2)
    return os.waitpid(child, 0)[1]


@pytest.mark.alone
@can_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("forks", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_a_child_forked_while_a_thread_fits_can_fit(running, expected, forks, record_property):
    record_property("tries", forks)
    random = np.random.default_rng(0)
    for _ in range(forks):
        time.sleep(random.uniform(0, 0.02))
        assert in_a_fork(lambda: np.array_equal(codes(), expected))


@pytest.mark.alone
@can_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_has_none_of_what_a_fit_in_another_thread_has_set(monkeypatch):
    monkeypatch.setattr("sklearn_dim.training._turns.FORK_WAITS", 0.1)
    entered, leave = threading.Event(), threading.Event()

    def work():
        with seeded(0, 1, device="cpu"):
            entered.set()
            leave.wait()

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    thread = threading.Thread(target=work)
    try:
        thread.start()
        entered.wait()
        assert torch.get_default_dtype() == torch.float32  # the modes of a process are its threads' common ones
        assert in_a_fork(lambda: torch.get_default_dtype() == torch.float64 and torch.get_num_threads() == 2)
    finally:
        leave.set()
        thread.join()
        assert torch.get_default_dtype() == torch.float64
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(threads)


@pytest.mark.alone
@can_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_inside_a_fit_keeps_what_the_fit_has_set():
    before = torch.get_num_threads()
    with seeded(0, 1, device="cpu"):
        assert in_a_fork(lambda: torch.get_num_threads() == 1 and TURNS.worker == threading.get_ident())
        assert in_a_fork(lambda: codes() is not None)
    assert torch.get_num_threads() == before and TURNS.worker is None and not TURNS.forking


# That of loky is a new interpreter, too.
@pytest.mark.alone
@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_other_processes_fit_to_the_same_bits(method, expected):
    codes()  # so that the parent has used torch
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        np.testing.assert_array_equal(pool.submit(codes).result(120), expected)


def test_loky_fits_to_the_same_bits(expected):
    for got in joblib.Parallel(2, backend="loky")(joblib.delayed(codes)() for _ in range(2)):
        np.testing.assert_array_equal(got, expected)


def test_threads_fit_unpickle_and_encode_to_the_same_bits(running, expected):
    fitted = quick().fit(FEW)
    for _ in range(3):
        np.testing.assert_array_equal(codes(), expected)
        np.testing.assert_array_equal(joblib.hash(fitted.transform(FEW)), joblib.hash(expected))


def test_a_thread_of_a_stranger_is_not_disturbed(running):
    """Its gradients, autocast and default device are its own; it shares torch's random stream, as the guide says."""
    for _ in range(20):
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            time.sleep(0.002)
            assert not torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


class Dies(Callback):
    """Lets the kernel kill the process somewhere after its second epoch, once it has run for some seconds more."""

    def __init__(self, seconds):
        self.seconds, self.n_epochs = seconds, 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1
        if self.n_epochs == 2:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, self.seconds)


@pytest.mark.alone
@can_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_fit_killed_many_times_ends_with_the_same_bits(kills, tmp_path, record_property):
    """Wherever it is: in a step, between epochs, while it saves."""
    record_property("tries", kills)
    saved, written, random = tmp_path / "saved", tmp_path / "codes.npy", np.random.default_rng(0)
    make = partial(quick, max_iter=30 * kills)

    def fit(*others):
        model = make().set_params(callbacks=[ResumableCheckpoint(saved), *others]).fit(FEW)
        np.save(written, model.transform(FEW))
        return True

    for _ in range(kills):
        assert end_of_fork(partial(fit, Dies(random.uniform(0, 0.03)))) == signal.SIGPROF
        assert list(saved.glob("*.pt")) and not written.exists()
    assert in_a_fork(fit)
    np.testing.assert_array_equal(np.load(written), make().fit(FEW).transform(FEW))
    assert not list(saved.glob("*.pt"))
