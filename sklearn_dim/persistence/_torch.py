"""The trained encoder as a module that does not need scikit-learn."""

from typing import Any

from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklearn_dim.dim import DIMTransformer
from sklearn_dim.training import own_modes


def to_torch(estimator: Any) -> nn.Module:
    """Return a plain torch module that maps samples to the output of the `transform` of a `DIMTransformer`.

    Parameters
    ----------
    estimator : DIMTransformer
        A fitted estimator.

    Returns
    -------
    Module
        On the CPU and in eval mode; it shares nothing with the estimator. It takes a batch of samples as `transform`
        does, but as a dense tensor, and returns the float dtype of the batch (float32 for integers). It computes in
        float32; `transform` computes float64 tables in float64, as ``module.double()`` does.

    Raises
    ------
    TypeError
        If the estimator is not a DIMTransformer.
    ValueError
        If it was fitted on documents as strings, or on a table that has categories, dates or missing cells, which no
        tensor holds.
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
            f"to_torch() takes a DIMTransformer, but estimator is a {type(estimator).__name__}. For other estimators, "
            "use net_.module_, the trained module, or save(), which saves the whole estimator."
        )
    check_is_fitted(estimator)
    if estimator.input_kind_ == "documents":
        raise ValueError(
            "to_torch() exports modules that take numbers, but estimator was fitted on strings. Use save() for the "
            "whole estimator, or fit it on the rows of a TfidfVectorizer."
        )
    if estimator._coder is not None:
        raise ValueError(
            "to_torch() exports modules that take numbers, but estimator was fitted on a table that has categories, "
            "dates or missing cells. Use save() for the whole estimator, or fit it on complete numbers, say behind "
            "SimpleImputer and OneHotEncoder."
        )
    with own_modes():  # inside torch.inference_mode() its weights could never be trained again
        return estimator._output().exported()
