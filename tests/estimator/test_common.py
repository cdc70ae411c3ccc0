"""scikit-learn's own checks on the estimators, most with their default arguments, and no expected failure."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_dim import DGITransformer, DIMTransformer, MutualInfoEstimator, MutualInfoSelector

pytestmark = pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")  # the checks provoke it

ESTIMATORS = [DIMTransformer, DGITransformer, MutualInfoEstimator, MutualInfoSelector]

# What scikit-learn runs on its own estimators without yielding it to those of others.
NOT_YIELDED = [
    "check_dataframe_column_names_consistency",
    "check_param_validation",
]
NOT_YIELDED_FOR_TRANSFORMERS = [
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
]


@parametrize_with_checks(
    [
        *(estimator() for estimator in (DIMTransformer, DGITransformer, MutualInfoEstimator)),
        # Of few rows as well it takes 600 steps for each half. k is 1 as scikit-learn has it for its own selectors.
        MutualInfoSelector(k=1, max_iter=2, n_permutations=19),
    ]
)
def test_yielded_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", NOT_YIELDED)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_check_scikit_learn_keeps_to_itself(estimator, name):
    getattr(estimator_checks, name)(estimator.__name__, estimator())


@pytest.mark.parametrize("name", NOT_YIELDED_FOR_TRANSFORMERS)
@pytest.mark.parametrize("estimator", [DIMTransformer, DGITransformer, MutualInfoSelector])
def test_transformer_check_scikit_learn_keeps_to_itself(estimator, name):
    """They ask for names and types, and fit a dozen times: two epochs tell as much as all."""
    getattr(estimator_checks, name)(estimator.__name__, estimator(max_iter=2))
