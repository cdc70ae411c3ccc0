"""A GPU that is not there: tensors of a device of its own, computed on the CPU, which obey the rules of a real one.

    with emulated_gpu() as gpu:
        DIMTransformer(device=gpu.device).fit(X)
    gpu.log.waits_per_step()      # what made the host wait for the device inside training steps, with the line
    gpu.log.operations_per_step   # how many operations the host launched per training step

Tensors of two devices do not mix. What would make the host wait, and every tensor made on the CPU inside a step, is
logged with the line of the package that asked for it. Random numbers are those of the CPU, so that a fit gives the
numbers of one on the CPU, up to the order of sums. ``rules`` add what MPS, XPU or old CUDA releases refuse.

It cannot see which kernels a device lacks otherwise, what its sparse library does, the precision of its products,
memory, streams, or speed.

Files: `backend` (torch is told of the device), `tensors` (what a tensor is), `rules` (which operations wait, and which
are refused), `autocast` (which are computed in low precision), `log` (what happened where), `device` (all of it).
"""

from emulated.backend import WHY_NOT
from emulated.device import DEVICE, emulated_gpu
from emulated.log import Log
from emulated.phases import phases_of_training
from emulated.rules import Refused

__all__ = ["DEVICE", "Log", "Refused", "WHY_NOT", "emulated_gpu", "phases_of_training"]
