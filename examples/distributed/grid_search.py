"""
A grid search on a cluster
==========================

`GridSearchCV` hands its fits to joblib, and joblib to dask: the same lines serve the cores of one machine and a
cluster. The scores are those of a search in one process, to the last bit.
"""

import joblib
import numpy as np
from dask import array as da
from dask.distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_dim import DIMTransformer

# %%
# A pipeline and what to try
# --------------------------
# Handwritten digits; each bound is tried with three folds.


def make_search():
    dim = DIMTransformer(16, image_shape=(1, 8, 8), max_iter=2, random_state=0)
    pipeline = Pipeline([("dim", dim), ("clf", LogisticRegression())])
    return GridSearchCV(
        pipeline, {"dim__mi_estimator": ["jsd", "infonce"]}, cv=3
    )


# %%
# The cluster
# -----------
# ``LocalCluster`` starts workers on this machine; ``Client("tcp://scheduler:8786")`` reaches a cluster whose machines
# have sklearn-dim installed. Workers have one thread each: fits in one process wait for each other, since torch has one
# random stream per process.
# For ray, write ``joblib.parallel_config("ray", n_jobs=-1)`` after ``ray.util.joblib.register_ray()``.


def search_on_dask(X, y):
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        return make_search().fit(X, y)


# %%
# Codes of many rows
# ------------------
# A fitted transformer encodes the blocks of a dask array, each where it lies.


def codes_by_blocks(dim, X):
    blocks = da.from_array(X, chunks=(600, X.shape[1]))
    chunks = (blocks.chunks[0], (len(dim.get_feature_names_out()),))
    return blocks.map_blocks(
        dim.transform, dtype=X.dtype, chunks=chunks
    ).compute()


# %%
# Run it
# ------
# New processes import this file, so what starts them stands behind this line.

if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    alone, on_dask = make_search().fit(X, y), search_on_dask(X, y)
    for bound, score in zip(
        ["jsd", "infonce"], on_dask.cv_results_["mean_test_score"], strict=True
    ):
        print(f"{bound:8} accuracy {score:.3f}")
    same = np.array_equal(
        alone.cv_results_["mean_test_score"],
        on_dask.cv_results_["mean_test_score"],
    )
    print(f"scores equal those of one process: {same}")
    dim = on_dask.best_estimator_["dim"]
    same = np.array_equal(codes_by_blocks(dim, X), dim.transform(X))
    print(f"codes by blocks equal those of all rows: {same}")
