"""Threads take turns, and a process is forked only between two steps of the thread at work."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

FORK_WAITS = 1.0  # seconds at most, for the end of a step


class Turns:
    """Whose turn it is.

    All threads of a process share torch's random stream, its number of threads and some of its modes, so one thread
    works at a time. A child that another thread forks meanwhile has no such thread: nobody would end its turn there,
    undo what it has set for the process, or open a lock of torch that it has closed in the middle of an operation.
    """

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self.worker: int | None = None
        self.undo: list[ExitStack] = []  # what the worker has set for the whole process
        self.step = threading.Condition(threading.RLock())  # held by the worker, and by who forks
        self.forking: list[int] = []  # threads that are about to fork

    @contextmanager
    def alone(self) -> Iterator[ExitStack]:
        """Wait for the other threads, and yield a stack of what undoes changes to the whole process."""
        with self.turn, self.step:
            outer = self.worker
            with ExitStack() as undo:
                self.worker = threading.get_ident()
                self.undo.append(undo)
                try:
                    yield undo
                finally:
                    self.undo.pop()
                    self.worker = outer

    def pause(self) -> None:
        """Let threads fork that are about to."""
        if self.forking:
            self.step.wait(FORK_WAITS)

    def before_fork(self) -> None:
        """Wait for the end of the worker's step."""
        self.forking.append(threading.get_ident())
        if not self.step.acquire(timeout=FORK_WAITS):
            self.forking.remove(threading.get_ident())

    def after_fork(self) -> None:
        """Let the worker go on."""
        if threading.get_ident() in self.forking:
            self.forking.remove(threading.get_ident())
            self.step.notify_all()
            self.step.release()

    def after_fork_in_child(self) -> None:
        """Free the child of a turn that is another thread's."""
        if self.worker == threading.get_ident():
            return self.after_fork()
        left = self.undo
        Turns.__init__(self)
        for undo in reversed(left):
            undo.close()


TURNS = Turns()
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(
        before=TURNS.before_fork, after_in_parent=TURNS.after_fork, after_in_child=TURNS.after_fork_in_child
    )
