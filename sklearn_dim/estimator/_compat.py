"""The private names of scikit-learn that are used here, and nowhere else.

`tests/estimator/test_compat.py` says of each which version it was read from, and what it is relied on for.
"""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import _check_n_features as check_n_features

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's before 1.9, which has no callbacks."""


# What scikit-learn 1.9 keeps on an estimator: the callbacks that it was given, the task of the fit that runs, and the
# callbacks that await the end of a fit.
CALLBACKS, FIT_TASK, TO_TEAR_DOWN = "_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown"

__all__ = [
    "CALLBACKS",
    "CallbackSupportMixin",
    "FIT_TASK",
    "Interval",
    "StrOptions",
    "TO_TEAR_DOWN",
    "check_feature_names",
    "check_n_features",
    "fit_context",
    "validate_params",
]
