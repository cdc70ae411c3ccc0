"""The trained encoder as a module that needs no scikit-learn."""

from sklearn.utils.validation import check_is_fitted
from torch import nn

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
        A copy of what `transform` computes, on the CPU, in eval mode, with no tie to the estimator. It takes a batch
        as `transform` does, but as a dense tensor; the output has the batch's float dtype (float32 for integers). It
        computes in float32; for float64 tables `transform` computes in float64, as ``module.double()`` does.

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
    return estimator._output().exported()
