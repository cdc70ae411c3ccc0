"""Training by several processes: each encodes its share of a batch, and all take the same step."""

import copy
import os
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from itertools import chain

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sklearn_dim.training._batches import RowBatches
from sklearn_dim.training._joined import JoinedRows, batch_norm

_processes: "Processes | None" = None  # inside `data_parallel`


@contextmanager
def data_parallel(*, gather_negatives: bool = False):
    """Divide what is fitted inside among the processes that `torchrun` started.

    The script is the same for all processes, and each runs all of it: every process is given the same X, takes the seed
    of process 0 where ``random_state`` is not a number, trains on its share of each batch, and ends with the same
    weights. ``batch_size`` stays the size of the whole batch. BatchNorm layers take the moments of the whole batch;
    gradients are averaged by torch's ``DistributedDataParallel``, through accelerate. Where there is CUDA, each process
    has a device of its own, else all are on the CPU: leave the estimator's ``device="auto"``.

    Parameters
    ----------
    gather_negatives : bool, default=False
        Whether a row's independent rows are all others of the batch, as in one process, or only those of its own
        process' share. When gathered, the loss and the steps are those of one process, up to rounding: the encoder's
        work is divided, the critics' is not, except where there is no encoder (`MutualInfoEstimator`). Random draws
        inside an encoder (dropout; the views of tokens) are others than in one process.

    Yields
    ------
    accelerate.Accelerator
        ``print`` and ``is_main_process`` let one process speak for all.

    Raises
    ------
    ImportError
        If accelerate is not installed.
    RuntimeError
        If no `torchrun` started the process, or accelerate was set up before for other processes. With one process
        all is as without `data_parallel`.
    ValueError
        By a fit inside, if it cannot be divided: a batch of fewer than two rows a process, an estimator
        (`DGITransformer`) whose batches are a graph, other X or parameters than in another process, another kind of
        device than accelerate's; with ``gather_negatives``, if it is not of `DIMTransformer` or `MutualInfoEstimator`.

    Notes
    -----
    A fit waits for all processes: never fit in one of them only. Inside, `torch.compile` is not used.

    Examples
    --------
    Run by ``torchrun --nproc_per_node=2 script.py``:

    >>> from sklearn_dim.training import data_parallel
    >>> with data_parallel(gather_negatives=True) as processes:  # doctest: +SKIP
    ...     dim = DIMTransformer(random_state=0).fit(X)
    ...     processes.print(dim.mutual_info_)
    """
    global _processes
    try:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs
    except ImportError as error:
        raise ImportError('data_parallel needs accelerate: pip install "sklearn-dim[distributed]"') from error
    if "RANK" not in os.environ:
        raise RuntimeError(
            "data_parallel divides the work among processes, but only this one was started. Run the script by "
            "`torchrun --nproc_per_node=2 script.py`, or fit without data_parallel."
        )
    # The same parameters at every step, but not always all: a user's encoder may leave some unused.
    options = DistributedDataParallelKwargs(static_graph=True)
    cpu = not torch.cuda.is_available()  # accelerate must be told, else each process takes itself for the only one
    make = partial(Accelerator, cpu=cpu, mixed_precision="no", kwargs_handlers=[options])
    accelerator = make()
    if accelerator.num_processes != int(os.environ["WORLD_SIZE"]):
        raise RuntimeError(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, but accelerate knows of "
            f"{accelerator.num_processes}. Make no Accelerator before data_parallel, or pass cpu=True to it."
        )
    before = _processes
    _processes = Processes(make, gather_negatives) if accelerator.num_processes > 1 else None
    try:
        yield accelerator
    finally:
        _processes = before


def common_seed(seed: int) -> int:
    """Return process 0's seed inside `data_parallel`, else the seed itself."""
    if _processes is None:
        return seed
    seeds = [seed]
    dist.broadcast_object_list(seeds)
    return seeds[0]


@contextmanager
def divided(net, batches):
    """Give a net its part in the training on ``batches``, and yield the batches that it iterates over."""
    if _processes is None:
        yield batches
        return
    verbose = net.verbose
    net.verbose = verbose if _processes.rank == 0 else 0
    net.replica_ = Replica(net.module_, batches, _processes)
    try:
        yield net.replica_.batches
        for buffer in net.module_.buffers():  # a user's own may differ
            dist.broadcast(buffer, 0)
    finally:
        net.verbose, net.replica_ = verbose, None


class Processes:
    """The processes, and which of them this is."""

    def __init__(self, make_accelerator: Callable, gather_negatives: bool):
        self.make_accelerator, self.gather_negatives = make_accelerator, gather_negatives
        accelerator = make_accelerator()
        self.device = accelerator.device
        self.rank, self.count = accelerator.process_index, accelerator.num_processes

    def share(self, n: int, device=None) -> Tensor:
        """Return which of n rows are this process' own."""
        return torch.arange(n, device=device).tensor_split(self.count)[self.rank]

    def check(self, module: nn.Module, batches) -> None:
        """Refuse what cannot be divided."""
        rows = getattr(batches, "picks", batches)
        if not isinstance(rows, RowBatches):
            raise ValueError(
                "data_parallel divides the rows of a batch, but the batches of this estimator are parts of one graph. "
                "Fit it outside of data_parallel, in one process."
            )
        if self.gather_negatives and not module.divisible:
            raise ValueError(
                f"gather_negatives=True is for DIMTransformer and MutualInfoEstimator, not for {type(module).__name__}."
                " Use gather_negatives=False."
            )
        sizes = [None] * self.count
        dist.all_gather_object(sizes, (len(rows.rows), rows.batch_size, sum(p.numel() for p in module.parameters())))
        if len(set(sizes)) > 1:
            raise ValueError(
                f"processes differ in (rows, batch_size, weights to train): {sizes}. Call fit in all of them, with the "
                "same X and parameters."
            )
        if (smallest := len(rows.rows) // len(rows)) < 2 * self.count:
            raise ValueError(
                f"a batch of {smallest} rows leaves one of {self.count} processes fewer than the 2 rows that it needs. "
                "Raise batch_size, give more rows, or start fewer processes."
            )
        if (device := next(module.parameters()).device.type) != self.device.type:
            raise ValueError(
                f"the estimator is on device={device!r}, but the processes are on {self.device.type!r}. Pass "
                f"device={self.device.type!r}; to train on CPUs, start them with ACCELERATE_USE_CPU=true as well."
            )


class Replica:
    """This process' copy of a module, with the same weights in memory, whose gradients become those of all processes.

    Parameters
    ----------
    module : Module
    batches : RowBatches, or other batches whose ``picks`` are
    processes : Processes
    """

    def __init__(self, module: nn.Module, batches, processes: Processes):
        processes.check(module, batches)
        self.processes = processes
        self.seeds = torch.Generator().manual_seed(torch.initial_seed() + processes.rank)
        tensors = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
        copied = copy.deepcopy(module, tensors).train()
        if processes.gather_negatives:
            self.batches = batches
            for part in copied.divisible:
                self._join_batch_norms(part)
                part.forward = partial(self._encode_share, part.forward)
        else:
            self.batches = _shared(batches, processes)
            self._join_batch_norms(copied)
            copied.forward = partial(self._own_draws, copied.forward)
        # An accelerator keeps all that it prepared, so each net has its own.
        self.module = processes.make_accelerator().prepare_model(copied, device_placement=False)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return the means of numbers over the processes, the same bits in all of them."""
        numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=self.processes.device)
        dist.all_reduce(numbers)
        return dict(zip(values, (numbers / self.processes.count).tolist(), strict=True))

    def _join(self, rows: Tensor, n: int) -> Tensor:
        return JoinedRows.apply(rows, self.processes.share(n, rows.device), n)

    def _join_batch_norms(self, module: nn.Module) -> None:
        for norm in module.modules():
            if isinstance(norm, _BatchNorm):
                norm.forward = partial(batch_norm, norm, partial(self._join, n=self.processes.count))

    def _encode_share(self, forward: Callable, x: Tensor, *others):
        """Return what ``forward`` says of all rows of x, asked for this process' share alone.

        Others, a view or rows to be compared with all of x's, stay whole, unless they stand in blocks as x's do.
        """
        n = len(x)
        own = self.processes.share(n, x.device)
        others = [part.index_select(0, own) if getattr(part, "ndim", 0) == 3 else part for part in others]
        output = self._own_draws(forward, x.index_select(0, own), *others)
        if isinstance(output, Tensor):
            return self._join(output, n)
        # One exchange for all parts: several small ones take longer.
        joined = self._join(torch.cat([part.flatten(1) for part in output], 1), n)
        pieces = joined.split([part.shape[1:].numel() for part in output], 1)
        parts = (piece.unflatten(1, part.shape[1:]).to(part.dtype) for piece, part in zip(pieces, output, strict=True))
        return getattr(type(output), "_make", tuple)(parts)

    def _own_draws(self, forward: Callable, *inputs):
        """Call ``forward`` with random draws of this process' own; those outside stay common to all."""
        device = self.processes.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(int(torch.randint(2**62, (), generator=self.seeds)))
            return forward(*inputs)


def _shared(batches, processes: Processes):
    """Return batches of which this process takes its share."""
    shared = copy.copy(batches)
    if isinstance(batches, RowBatches):
        shared.share = processes.share
    else:
        shared.picks = _shared(batches.picks, processes)
    return shared
