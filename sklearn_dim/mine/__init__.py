"""Neural mutual information: `MutualInfoEstimator`, `mutual_info`."""

from sklearn_dim.mine._discrete import discrete_information
from sklearn_dim.mine._estimator import MutualInfoEstimator, mutual_info
from sklearn_dim.mine._neighbors import beyond_noise, neighbor_contributions

__all__ = ["MutualInfoEstimator", "mutual_info"]
