"""A running mean of the weights, steadier than those of the last step."""

import copy

from skorch.callbacks import Callback
from torch.optim.swa_utils import get_ema_multi_avg_fn


class AverageWeights(Callback):
    """Validate and keep an exponential mean of the weights (Polyak & Juditsky, 1992); training itself goes on without.

    Parameters
    ----------
    decay : float in [0, 1)
        Memory of the mean; the first 1/(1 − decay) steps count equally.
    """

    def __init__(self, decay):
        self.decay = decay

    def on_train_begin(self, net, **kwargs):
        """Start from the weights as they are."""
        net.judge(copy.deepcopy(net.module_).requires_grad_(False))
        self.steps_ = 0
        self.weights_ = list(net.averaged_.parameters()), list(net.module_.parameters())
        self.buffers_ = list(zip(net.averaged_.buffers(), net.module_.buffers(), strict=True))
        self.update_ = get_ema_multi_avg_fn(self.decay)

    def on_batch_end(self, net, training=False, **kwargs):
        """Take in the weights of one step."""
        if not training:
            return
        self.steps_ += 1
        young = self.steps_ / (self.steps_ + 1) < self.decay
        update = get_ema_multi_avg_fn(self.steps_ / (self.steps_ + 1)) if young else self.update_
        update(*self.weights_, None)
        for mean, buffer in self.buffers_:
            mean.copy_(buffer)

    def on_train_end(self, net, **kwargs):
        """Give the net its mean weights."""
        net.module_.load_state_dict(net.averaged_.state_dict())
        net.judge(None)
