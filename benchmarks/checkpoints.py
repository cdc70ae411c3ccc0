"""CPU time that `ResumableCheckpoint` adds to a fit on digits: digest, file and fingerprint included.

    python benchmarks/checkpoints.py

The time is taken inside of the callback, as two fits differ by more than what is measured.
"""

import tempfile
import time

from sklearn.datasets import load_digits

from sklearn_dim import DIMTransformer
from sklearn_dim.training import ResumableCheckpoint


class Timed(ResumableCheckpoint):
    """Adds up the CPU seconds of its own methods."""

    def __init__(self, folder, spent, every=1):
        super().__init__(folder, every)
        self.spent = spent

    def _timed(self, method, *args, **kwargs):
        begin = time.process_time()
        method(*args, **kwargs)
        self.spent.append(time.process_time() - begin)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self._timed(super().on_train_begin, net, X, y, **kwargs)

    def on_epoch_end(self, net, **kwargs):
        self._timed(super().on_epoch_end, net, **kwargs)

    def forget(self):
        self._timed(super().forget)


def main():
    X, _ = load_digits(return_X_y=True)
    for name, settings in {"table": {}, "images": {"image_shape": (1, 8, 8)}}.items():
        with tempfile.TemporaryDirectory() as folder:
            spent: list[float] = []
            begin = time.process_time()
            dim = DIMTransformer(callbacks=[Timed(folder, spent)], random_state=0, **settings).fit(X)
            seconds = time.process_time() - begin
        without = seconds - sum(spent)
        print(f"{name}: {dim.n_iter_} epochs, {without:.2f} s CPU and {sum(spent):.2f} s for checkpoints,", end=" ")
        print(f"{seconds / without:.3f} times a fit without")


if __name__ == "__main__":
    main()
