"""Neural mutual information: `MutualInfoEstimator`, `mutual_info`."""

from sklearn_dim.mine._estimator import MutualInfoEstimator, mutual_info

__all__ = ["MutualInfoEstimator", "mutual_info"]
