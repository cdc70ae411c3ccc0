"""The private names of scikit-learn that the package uses; no other module imports any.

`tests/estimator/test_compat.py` says which version each was read from, and what we rely on it for.
"""

import pandas as pd
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_feature_names
from sklearn.utils.validation import _check_n_features as check_n_features

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces the class of scikit-learn 1.9; earlier versions have no callbacks."""


def check_feature_names(estimator: object, X: object, *, reset: bool) -> None:
    """Record or compare the names of columns as scikit-learn does, and refuse those that occur twice."""
    if isinstance(X, pd.DataFrame) and not X.columns.is_unique:
        twice = X.columns[X.columns.duplicated()].tolist()[0]
        raise ValueError(
            f"X has several columns with the name {twice!r}. Rename them, or keep the first of each name: "
            "X.loc[:, ~X.columns.duplicated()]."
        )
    _check_feature_names(estimator, X, reset=reset)


def output_container(estimator: object) -> str:
    """Return what `set_output`, or scikit-learn's configuration, asks of `transform`: "default", "pandas", "polars"."""
    return _get_output_config("transform", estimator=estimator)["dense"]


# Attributes that scikit-learn 1.9 sets on an estimator: its callbacks, the task of the running fit, and the callbacks
# that have yet to be told that the fit has ended.
CALLBACKS, FIT_TASK, TO_TEAR_DOWN = "_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown"

__all__ = [
    "CALLBACKS",
    "CallbackSupportMixin",
    "FIT_TASK",
    "HasMethods",
    "Interval",
    "StrOptions",
    "TO_TEAR_DOWN",
    "check_feature_names",
    "check_n_features",
    "fit_context",
    "output_container",
    "validate_params",
]
