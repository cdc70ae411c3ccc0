"""What happened on the device, counted by where in training it happened and by the line that asked for it."""

import sys
from collections import Counter
from typing import NamedTuple

PACKAGE = "/sklearn_dim/"


class Event(NamedTuple):
    """One kind of event.

    Attributes
    ----------
    phase : {"step", "epoch", "validation", "outside"}
        Inside the steps of training, once per epoch around them, in validation, or elsewhere.
    what : {"operation", "wait", "CPU tensor"}
    operation : str
    line : str
        The innermost line of the package on the way there; operations are counted without.
    """

    phase: str
    what: str
    operation: str
    line: str = ""


class Log:
    """Counts events.

    Attributes
    ----------
    events : Counter of Event
    phase : str
        Where training is.
    steps : int
        Number of training steps so far.
    """

    def __init__(self) -> None:
        self.events: Counter[Event] = Counter()
        self.phase, self.steps = "outside", 0

    def add(self, what: str, operation: str) -> None:
        """Count an event of the present phase."""
        line = "" if what == "operation" else _line_of_package()
        self.events[Event(self.phase, what, operation, line)] += 1

    def waits_per_step(self) -> dict[str, float]:
        """Return, by line, how often per step training waits for the device or makes a tensor on the CPU."""
        found = {event: n for event, n in self.events.items() if event.phase == "step" and event.what != "operation"}
        return {f"{event.line}: {event.what}, {event.operation}": n / self.steps for event, n in found.items()}

    def operations(self) -> Counter[str]:
        """Return how often each operation was launched in training, with what an epoch needs around its steps."""
        counts: Counter[str] = Counter()
        for event, n in self.events.items():
            if event.what == "operation" and event.phase in ("step", "epoch"):
                counts[event.operation] += n
        return counts

    @property
    def operations_per_step(self) -> float:
        """How many operations a training step launches, in the mean."""
        return self.operations().total() / self.steps


def _line_of_package() -> str:
    frame = sys._getframe(2)
    while frame is not None and PACKAGE not in frame.f_code.co_filename:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return "autograd or skorch"
    return f"{frame.f_code.co_filename.rsplit(PACKAGE)[-1]}:{frame.f_lineno}"
