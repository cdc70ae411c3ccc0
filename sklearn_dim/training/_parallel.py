"""Training in several processes: each encodes its share of a batch, and all take the same step."""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sklearn_dim.training._batches import Batches
from sklearn_dim.training._joined import JoinedRows, batch_norm

if TYPE_CHECKING:
    from accelerate import Accelerator

    from sklearn_dim.training._net import InformationNet

# Set inside `data_parallel`. Where it is None, nothing here is called.
processes: "Processes | None" = None


@contextmanager
def data_parallel(*, gather_negatives: bool = False) -> Iterator["Accelerator"]:
    """Divide every fit inside among the processes that `torchrun` started.

    Each process runs the whole script. All are given the same X, take the seed of process 0 if ``random_state`` is not
    a number, train on their share of each batch, and end with the same weights. ``batch_size`` is the size of the whole
    batch, and BatchNorm layers use its mean and variance. Gradients are averaged by torch's
    ``DistributedDataParallel``, through accelerate. With CUDA each process has a device of its own, without it all are
    on the CPU: leave the estimator's ``device="auto"``.

    Parameters
    ----------
    gather_negatives : bool, default=False
        Whether the negatives of a row are all other rows of the batch, as in one process, or only those in its own
        process' share. With gathered negatives the loss and the steps are those of one process, up to rounding: the
        work of the encoder is divided, that of the critics is not, unless there is no encoder (`MutualInfoEstimator`).
        Random draws inside an encoder (dropout; the views of tokens) differ from those of one process.
        `DGITransformer` gathers the nodes that its summary is the mean of, and its corrupted nodes: every process
        draws and reads the neighbourhoods of the whole batch, and encodes those of its share.

    Yields
    ------
    accelerate.Accelerator
        Its ``print`` and ``is_main_process`` let only one process print or save.

    Raises
    ------
    ImportError
        If accelerate is not installed.
    RuntimeError
        If the process was not started by `torchrun`, or accelerate was set up for other processes before. A single
        process started by `torchrun` runs as without `data_parallel`.
    ValueError
        In a fit that cannot be divided: fewer than two rows of a batch per process, a graph that is trained on as a
        whole (`DGITransformer` without a ``batch_size`` below its number of nodes), other X or parameters than in
        another process, another kind of device than accelerate's; with ``gather_negatives``,
        `GraphInfomaxTransformer`, or an encoder of nodes that does not say how many hops it has.

    Notes
    -----
    A fit waits for all processes: never fit in only one of them. `torch.compile` is not used inside.

    Examples
    --------
    Run by ``torchrun --nproc_per_node=2 script.py``:

    >>> from sklearn_dim.training import data_parallel
    >>> with data_parallel(gather_negatives=True) as processes:  # doctest: +SKIP
    ...     dim = DIMTransformer(random_state=0).fit(X)
    ...     processes.print(dim.mutual_info_)
    """
    global processes
    try:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs
    except ImportError as error:
        raise ImportError("data_parallel needs accelerate: pip install accelerate") from error
    if "RANK" not in os.environ:
        raise RuntimeError(
            "data_parallel divides the work among processes, but only this one was started. Run the script by "
            "`torchrun --nproc_per_node=2 script.py`, or fit without data_parallel."
        )
    # Every step uses the same parameters, but not always all of them: a user's encoder may leave some unused.
    # Buffers are alike: BatchNorm's take the moments of all rows, and those of others are sent once, at the end.
    options = DistributedDataParallelKwargs(static_graph=True, broadcast_buffers=False)
    _check_devices(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    cpu = not torch.cuda.is_available()  # unless accelerate is told, each process believes it is the only one
    make = partial(Accelerator, cpu=cpu, mixed_precision="no", kwargs_handlers=[options])
    accelerator = make()
    if accelerator.num_processes != int(os.environ["WORLD_SIZE"]):
        raise RuntimeError(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, but accelerate knows of "
            f"{accelerator.num_processes}. Do not create an Accelerator before data_parallel, or pass cpu=True to it."
        )
    before = processes
    processes = Processes(make, gather_negatives) if accelerator.num_processes > 1 else None
    try:
        yield accelerator
    finally:
        processes = before


def _check_devices(count: int) -> None:
    """Raise RuntimeError if there are fewer GPUs than processes on this machine, unless it trains on CPUs."""
    if not torch.cuda.is_available() or os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes"):
        return
    if count > (n := torch.cuda.device_count()):
        raise RuntimeError(
            f"torchrun started {count} processes on a machine with {n} GPUs, but each needs one of its own. Use "
            f"--nproc_per_node={n}, or set ACCELERATE_USE_CPU=true to train on CPUs."
        )


@contextmanager
def divided(net: "InformationNet", batches: Any, processes: "Processes") -> Iterator[Batches]:
    """Let a net train its share of ``batches``, and yield the batches that it iterates over."""
    verbose = net.verbose
    net.verbose = verbose if processes.rank == 0 else 0
    net.replica_ = Replica(net.module_, batches, processes)
    try:
        yield net.replica_.batches
        for buffer in net.module_.buffers():  # those of a user's own layers may differ
            dist.broadcast(buffer, 0)
    finally:
        net.verbose, net.replica_ = verbose, None


class Processes:
    """All processes, and which of them this is."""

    def __init__(self, make_accelerator: Callable[[], "Accelerator"], gather_negatives: bool):
        self.make_accelerator, self.gather_negatives = make_accelerator, gather_negatives
        accelerator = make_accelerator()
        self.device: torch.device = accelerator.device
        self.rank: int = accelerator.process_index
        self.count: int = accelerator.num_processes

    def common_seed(self, seed: int) -> int:
        """Return the seed of process 0."""
        seeds = [seed]
        dist.broadcast_object_list(seeds)
        return seeds[0]

    def share(self, n: int, device: torch.device) -> Tensor:
        """Return the indices of this process' share of n rows."""
        return torch.arange(n, device=device).tensor_split(self.count)[self.rank]

    def check(self, module: nn.Module, batches: Any) -> None:
        """Refuse what cannot be divided."""
        if not isinstance(batches, Batches):
            raise ValueError(
                "data_parallel divides the rows of a batch, but this fit trains on a whole graph at once. Set "
                "batch_size below its number of nodes, or fit it outside of data_parallel, in one process."
            )
        if self.gather_negatives and not module.divisible:
            raise ValueError(
                "gather_negatives=True is for DIMTransformer, MutualInfoEstimator, and DGITransformer with an encoder "
                f"whose n_hops is known, not for this {type(module).__name__}. Use gather_negatives=False."
            )
        sizes = [None] * self.count
        dist.all_gather_object(sizes, (batches.n_rows, len(batches), sum(p.numel() for p in module.parameters())))
        if len(set(sizes)) > 1:
            raise ValueError(
                f"processes differ in (rows, batches, weights to train): {sizes}. Call fit in all of them, with the "
                "same X and parameters."
            )
        if (smallest := batches.n_rows // len(batches)) < 2 * self.count:
            raise ValueError(
                f"a batch of {smallest} rows leaves one of {self.count} processes fewer than the 2 rows that it needs. "
                "Raise batch_size, give more rows, or start fewer processes."
            )
        device = next(module.parameters()).device
        if device.type != self.device.type:
            raise ValueError(
                f"the estimator is on device={device.type!r}, but the processes are on {self.device.type!r}. Pass "
                f"device={self.device.type!r}; to train on CPUs, start them with ACCELERATE_USE_CPU=true as well."
            )
        if None not in (device.index, self.device.index) and device.index != self.device.index:
            raise ValueError(
                f"the estimator is on device={str(device)!r}, but this process has {str(self.device)!r}: each process "
                "trains on a GPU of its own. Pass device='auto'."
            )


@runtime_checkable
class Divisible(Protocol):
    """The matrices of a sampled graph, outermost hop first; the rows of the last are the nodes that are encoded."""

    def __getitem__(self, hop: int) -> Any:
        """Return one of them."""
        ...

    def part(self, X: Any, own: Tensor) -> tuple[Any, Any]:
        """Return what the nodes ``own`` depend on, of X and of the matrices."""
        ...


class Replica:
    """A copy of a module that shares its weights in memory, and whose gradients are averaged over all processes.

    Parameters
    ----------
    module : Module
    batches : Batches
    processes : Processes
    """

    def __init__(self, module: nn.Module, batches: Any, processes: Processes):
        processes.check(module, batches)
        self.processes = processes
        self.seeds = torch.Generator().manual_seed(torch.initial_seed() + processes.rank)
        tensors = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
        copied = copy.deepcopy(module, tensors).train()
        self.batches: Batches
        if processes.gather_negatives:
            self.batches = batches
            for part in copied.divisible:  # type: ignore[union-attr]
                self._join_batch_norms(part)
                part.forward = partial(self._encode_share, part.forward)
        else:
            self.batches = batches.shared(processes.share)
            self._join_batch_norms(copied)
            copied.forward = partial(self._own_draws, copied.forward)
        # An accelerator keeps everything it prepared, so each net has its own.
        self.module: nn.Module = processes.make_accelerator().prepare_model(copied, device_placement=False)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return means over all processes, with the same bits in each of them."""
        numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=self.processes.device)
        dist.all_reduce(numbers)
        return dict(zip(values, (numbers / self.processes.count).tolist(), strict=True))

    def _join(self, rows: Tensor, n: int) -> Tensor:
        """Return all n rows, of which this process has its share."""
        return JoinedRows.apply(rows, self.processes.share(n, rows.device), n)

    def _join_batch_norms(self, module: nn.Module) -> None:
        """Have BatchNorm layers take the moments of all processes' rows; their weights and buffers stay shared."""
        if self.processes.device.type == "cuda" and not isinstance(module, _BatchNorm):
            nn.SyncBatchNorm.convert_sync_batchnorm(module)  # in place, and in a third of the operations
            return
        for norm in module.modules():
            if isinstance(norm, _BatchNorm):
                join = partial(self._join, n=self.processes.count)
                norm.forward = partial(batch_norm, norm, join)  # type: ignore[method-assign]

    def _encode_share(self, forward: Callable, x: Any, *others: Any) -> Any:
        """Return ``forward`` of all rows of x, computing it for this process' share only.

        The other arguments, a view or rows that are compared with all of x, stay whole, unless they are split into
        blocks with those of x (three axes). What is returned is a tensor, or a NamedTuple of tensors. Hops of a sampled
        graph know which rows of x, and of themselves, the share depends on.
        """
        if others and isinstance(others[0], Divisible):
            (hops,) = others
            n = len(hops[-1])
            own = self.processes.share(n, x.device)
            return self._join(self._own_draws(forward, *hops.part(x, own)), n)
        n = len(x)
        own = self.processes.share(n, x.device)
        others = tuple(
            part.index_select(0, own) if isinstance(part, Tensor) and part.ndim == 3 else part for part in others
        )
        rows = x.index_select(0, own)
        output = self._own_draws(forward, rows.coalesce() if rows.is_sparse else rows, *others)
        if isinstance(output, Tensor):
            return self._join(output, n)
        # One exchange for all parts: several small ones take longer. Hidden layers, a tuple, are not trained on.
        tensors = {name: part for name, part in output._asdict().items() if isinstance(part, Tensor)}
        joined = self._join(torch.cat([part.flatten(1) for part in tensors.values()], 1), n)
        pieces = joined.split([part.shape[1:].numel() for part in tensors.values()], 1)
        parts = {
            name: piece.unflatten(1, part.shape[1:]).to(part.dtype)
            for (name, part), piece in zip(tensors.items(), pieces, strict=True)
        }
        return type(output)(**parts)

    def _own_draws(self, forward: Callable, *inputs: Any) -> Any:
        """Call ``forward`` with random numbers of this process; those drawn elsewhere stay common to all processes."""
        device = self.processes.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(int(torch.randint(2**62, (), generator=self.seeds)))
            return forward(*inputs)
