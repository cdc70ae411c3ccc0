"""One measurement of `cifar10.py speed`, in a process of its own: prints a line of JSON.

`python benchmarks/_cifar10_speed.py {plain,float32,ours} {jsd,infonce} BATCH_SIZE STEPS DEVICE THREADS`
"""

import json
import resource
import sys
from functools import partial

import numpy as np
import torch
from _cifar10 import clock
from _published import PublishedTraining
from skorch.callbacks import Callback

WARM_UP = 2


def images(n):
    """Return what looks like images to the clock."""
    return np.random.default_rng(0).integers(256, size=(n, 3, 32, 32), dtype=np.uint8)


def plain(measure, batch_size, steps, device):
    """Return the clock after each step of the published version."""
    training = PublishedTraining(measure, 0, device)
    X = torch.as_tensor(images(batch_size * (WARM_UP + steps + 1))).to(device)
    return [clock(device) for _ in training.epoch(X, batch_size)]


class Clock(Callback):
    """Note the clock after each step."""

    def on_train_begin(self, net, **kwargs):
        """Forget an earlier training."""
        self.ticks_ = []

    def on_batch_end(self, net, training=False, **kwargs):
        """Note it."""
        self.ticks_.append(clock(net.device))


def ours(measure, batch_size, steps, device, mixed_precision="auto"):
    """Return the clock after each step of DIMTransformer with the published networks."""
    from sklearn_dim import DIMTransformer

    X = images(batch_size * (WARM_UP + steps + 1))
    dim = DIMTransformer.published(
        mi_estimator=measure, batch_size=batch_size, max_iter=1, device=device, callbacks=[Clock()],
        mixed_precision=mixed_precision,
    ).fit(X)  # fmt: skip
    return next(callback for _, callback in dim.net_.callbacks_ if isinstance(callback, Clock)).ticks_


if __name__ == "__main__":
    kind, measure, batch_size, steps, device, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    ticks = {"plain": plain, "ours": ours, "float32": partial(ours, mixed_precision=False)}[kind](
        measure, int(batch_size), int(steps), device
    )
    seconds = np.diff(ticks[WARM_UP - 1 :])[: int(steps)]
    cuda = torch.device(device).type == "cuda"
    peak = torch.cuda.max_memory_allocated() if cuda else 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds.tolist(), "peak_mb": peak / 2**20}))
