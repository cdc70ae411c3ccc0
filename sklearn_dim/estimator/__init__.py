"""What the estimators share: the template of a fit, training parameters, callbacks, and saved state.

================= =====================================================================
`_base.py`        one `fit` for all: read, seed, split, build, run, publish
`_parameters.py`  training parameters: accepted values and documentation
`_callbacks.py`   callbacks of scikit-learn and skorch
`_state.py`       what a file stores of an estimator
`_declared.py`    which attributes a file may set, and of which types
`_compat.py`      the only importer of private names of scikit-learn
================= =====================================================================
"""

from sklearn_dim.estimator._base import InfomaxEstimator, Split
from sklearn_dim.estimator._callbacks import subtask
from sklearn_dim.estimator._compat import (
    HasMethods,
    Interval,
    StrOptions,
    check_feature_names,
    check_n_features,
    fit_context,
    output_container,
    validate_params,
)
from sklearn_dim.estimator._declared import Array, Each, other_names
from sklearn_dim.estimator._parameters import documented, training_constraints
from sklearn_dim.estimator._state import PlainState, is_plain

__all__: list[str] = []  # for the estimators; nothing here is for users
