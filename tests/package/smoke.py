"""What must work where nothing but the wheel and its dependencies is installed: `nox -s wheel` runs this file."""

import importlib.resources
import importlib.util
import io
import pickle

import numpy as np

EXTRAS = ["accelerate", "dask", "matplotlib", "polars", "ray", "safetensors", "skops", "torch_geometric"]


def main():
    present = [name for name in EXTRAS if importlib.util.find_spec(name)]
    assert not present, f"not an environment without extras: it has {present}"
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = X[:, 0] + 0.5 * rng.normal(size=60)
    check_estimators(X, y)
    check_inspection(X)
    assert (importlib.resources.files("sklearn_dim") / "py.typed").is_file(), (
        "type checkers would not read the annotations"
    )
    print("all there")


def check_estimators(X, y):
    from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator

    ring = np.roll(np.eye(6), 1, axis=0)
    graphs = [Graph(X[i : i + 6], ring) for i in range(0, 60, 6)]
    for estimator, samples in [
        (DIMTransformer(n_components=8, max_iter=2, random_state=0), X),
        (DIMTransformer(n_components=8, max_iter=2, random_state=0), np.resize(X, (20, 1, 8, 8))),
        (DGITransformer(n_components=8, max_iter=2, random_state=0), X),
        (GraphInfomaxTransformer(n_components=12, max_iter=2, random_state=0), graphs),
    ]:
        codes = estimator.fit(samples).transform(samples)
        assert np.isfinite(codes).all() and len(codes) == len(samples)
        assert np.array_equal(pickled(estimator).transform(samples), codes)
    mi = MutualInfoEstimator(max_iter=50, random_state=0).fit(X, y)
    assert np.isfinite(mi.mutual_info_)
    assert pickled(mi).score(X, y) == mi.score(X, y)


def pickled(estimator):
    """Return the estimator as it comes back from a file."""
    return pickle.load(io.BytesIO(pickle.dumps(estimator)))


def check_inspection(X):
    """Pictures need matplotlib, and say so."""
    from sklearn_dim import DIMTransformer, inspection

    dim = DIMTransformer(n_components=8, max_iter=2).fit(X)
    try:
        inspection.TrainingCurveDisplay.from_estimator(dim)
    except ImportError as error:
        assert "pip install matplotlib" in str(error), error
    else:
        raise AssertionError("a picture without matplotlib")


if __name__ == "__main__":
    main()
