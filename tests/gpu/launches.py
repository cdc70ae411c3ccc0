"""Operations that a training step launches on a GPU, counted on the emulated one: `python tests/gpu/launches.py`.

An epoch's own operations are divided among its steps; a first epoch, in which Adam makes its state, does not count. On
CUDA all of a step of `DIMTransformer` is one CUDA graph, that is one launch.
"""

import warnings
from functools import partial

import emulated
import numpy as np
from cases import GRAPH, GRAPHS, LARGE, TABLE

from sklearn_dim import DGITransformer, DIMTransformer, GraphInfomaxTransformer

COLOURS = np.repeat(LARGE, 3, axis=1)
local = partial(DIMTransformer.published, "local", batch_size=16, mixed_precision=False)
# name: the estimator, X, and what commit 62ba78a launched, before steps were thinned out
STEPS = {
    "published local 32 × 32, float32": (local, LARGE, 200),
    "published local 32 × 32, bfloat16": (partial(local, mixed_precision=True), LARGE, 275),
    "published local 32 × 32, InfoNCE": (partial(local, mi_estimator="infonce"), LARGE, 206),
    "published local 3 × 32 × 32, two views": (partial(local, augmentation="auto"), COLOURS, 473),
    "DIMTransformer(), a table": (partial(DIMTransformer, batch_size=20, mixed_precision=False), TABLE, 283),
    "DGITransformer()": (DGITransformer, GRAPH, 129),
    "DGITransformer.published()": (DGITransformer.published, GRAPH, 79),
    "DGITransformer.published(critic='group')": (partial(DGITransformer.published, critic="group"), GRAPH, 69),
    "GraphInfomaxTransformer()": (partial(GraphInfomaxTransformer, batch_size=4), GRAPHS, 170),
}


def launches(make, X):
    """Return the operations of a step and of what it needs around it, and the waits in a step."""
    counts = []
    for epochs in (2, 4):
        with emulated.emulated_gpu() as gpu:
            make(max_iter=epochs, device=gpu.device, random_state=0).fit(X)
        counts.append((gpu.log.operations().total(), gpu.log.steps))
    (fewer, steps), (more, more_steps) = counts
    return (more - fewer) / (more_steps - steps), gpu.log.waits_per_step()


def main():
    """Print the table."""
    warnings.simplefilter("ignore")
    print("| a step of | before | now | waits |\n|---|---|---|---|")
    for name, (make, X, before) in STEPS.items():
        found, waits = launches(make, X)
        print(f"| {name} | {before} | {found:.0f} | {len(waits) or 'none'} |", flush=True)


if __name__ == "__main__":
    main()
