"""The trained encoder as a module that needs no scikit-learn."""

import copy

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from sklearn_dim.dim import DIMTransformer


def to_torch(estimator) -> nn.Module:
    """Return what a `DIMTransformer` has learnt as a module of plain torch: rows in, `transform`'s numbers out.

    Parameters
    ----------
    estimator : DIMTransformer
        Fitted.

    Returns
    -------
    Module
        On the CPU, in eval mode, with no tie to the estimator. It takes a batch as `transform` does, as a dense tensor,
        and standardises it itself; the output has the batch's float dtype (float32 of integers). It computes in
        float32: of float64 tables `transform` computes in float64, as ``module.double()`` does.

    Raises
    ------
    TypeError
        If the estimator is of another class.
    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_dim import DIMTransformer
    >>> from sklearn_dim.persistence import to_torch
    >>> X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    >>> dim = DIMTransformer(n_components=3, max_iter=1, random_state=0).fit(X)
    >>> with torch.no_grad():
    ...     codes = to_torch(dim)(torch.as_tensor(X)).numpy()
    >>> np.testing.assert_allclose(codes, dim.transform(X), atol=1e-5)
    """
    if not isinstance(estimator, DIMTransformer):
        raise TypeError(
            f"to_torch() takes a DIMTransformer, but estimator is a {type(estimator).__name__}. Of the others, "
            "net_.module_ is the trained module; save() keeps the whole estimator."
        )
    check_is_fitted(estimator)
    return SampleEncoder(estimator)


class SampleEncoder(nn.Module):
    """Samples → the standardised rows of a layer of a fitted `DIMTransformer`."""

    def __init__(self, estimator: DIMTransformer):
        super().__init__()
        self.encoder = copy.deepcopy(estimator.net_.module_.encoder).cpu()
        self.layer = {"code": "code", "fc": "fc", "conv": "locations"}[estimator.representation_]
        self.shape, self.last = estimator.input_shape_, estimator.channels == "last"
        self.register_buffer("mean", torch.tensor(estimator.mean_, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(estimator.scale_, dtype=torch.float32))
        # Numbers far from zero lose their differences in float32 unless they are moved before.
        offset = estimator._offset
        self.register_buffer("offset", None if offset is None else torch.tensor(offset, dtype=torch.float64))
        self.eval()
        self.zero_grad()

    def forward(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features_out) of a batch as `DIMTransformer.transform` takes it."""
        dtype = x.dtype if x.is_floating_point() else torch.float32
        x = self.arranged(x)
        x = x if self.offset is None else x.double() - self.offset
        rows = getattr(self.encoder(x), self.layer).flatten(1)
        return ((rows - self.mean) / self.scale).to(dtype)

    def arranged(self, x: Tensor) -> Tensor:
        """Return flat images with their shape, and channels at the front."""
        if len(self.shape) != 3:
            return x
        channels, height, width = self.shape
        if x.ndim == 2:
            x = x.view(-1, height, width, channels) if self.last else x.view(-1, *self.shape)
        if x.shape[1:] == (height, width, channels) and (self.last or x.shape[1:] != self.shape):
            x = x.movedim(3, 1)
        return x
