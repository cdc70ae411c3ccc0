"""What a view is."""

from typing import ClassVar

from torch import Tensor


class View:
    """The protocol of a view: a call makes a random change of a standardised batch, which keeps what the samples are.

    Any function of a batch will do as a parameter ``augmentation``. A subclass can say more about itself.

    Attributes
    ----------
    takes_sparse : bool, default=False
        Whether a batch may be a sparse COO tensor, as bags of words are.
    """

    takes_sparse: ClassVar[bool] = False

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of a batch (n, *sample_shape), in its shape."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(x) that returns a view of x.")
