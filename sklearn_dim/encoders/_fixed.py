"""What features that need no training are, and modules whose state is plain data."""

from typing import Any, Self

from torch import Tensor, nn, tensor


class PlainModule(nn.Module):
    """A module whose state, in a file, is its attributes, its buffers as arrays, and the modules inside it."""

    def __getstate__(self) -> dict[str, Any]:
        settings = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        arrays = {name: None if value is None else value.cpu().numpy() for name, value in self._buffers.items()}
        return {"settings": settings, "arrays": arrays, "modules": dict(self._modules)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        nn.Module.__init__(self)
        vars(self).update(state["settings"])
        for name, array in state["arrays"].items():
            self.register_buffer(name, None if array is None else tensor(array))
        for name, module in state["modules"].items():
            self.add_module(name, module)


class FixedFeatures(PlainModule):
    """The protocol of features that need no training: statistics of some samples, and then a fixed map.

    ``fit(x)`` sets buffers from standardised samples, by torch's random numbers; ``forward(x)`` maps samples to their
    features.
    """

    def fit(self, x: Tensor) -> Self:
        """Set the buffers from standardised samples, ``(n, *sample_shape)``."""
        raise NotImplementedError(f"{type(self).__name__} has no fit(x).")

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, n_features_out) of standardised samples, ``(n, *sample_shape)``."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(x) that returns features.")
