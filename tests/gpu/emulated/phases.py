"""Where training is: inside a step, around the steps of an epoch, or in validation."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest import mock

import torch

from sklearn_dim.training import InformationNet


@contextmanager
def phases_of_training(enter: Callable[[str], None]) -> Iterator[None]:
    """Call ``enter`` with the name of each phase of a net that is not on the CPU.

    They are "epoch", "step", "validation" and "outside".

    The first batch belongs to "epoch", as an order of all rows is drawn there. From then on all is "step", also what
    it takes to get the next batch, until the last step is done.
    """
    run = InformationNet.run_single_epoch

    def steps(batches: Iterable) -> Iterator:
        for batch in batches:
            enter("step")
            yield batch
        enter("epoch")

    def run_single_epoch(net, iterator, training, *args, **kwargs):  # type: ignore[no-untyped-def]
        if torch.device(net.device).type == "cpu":
            run(net, iterator, training, *args, **kwargs)
            return
        enter("epoch" if training else "validation")
        try:
            run(net, steps(iterator) if training else iterator, training, *args, **kwargs)
        finally:
            enter("outside")

    with mock.patch.object(InformationNet, "run_single_epoch", run_single_epoch):
        yield
