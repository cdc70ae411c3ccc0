"""What scikit-learn composes of estimators: all of it works, and repeats to the last bit."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dim import DGITransformer, DIMTransformer, MutualInfoEstimator, MutualInfoSelector

pytestmark = pytest.mark.filterwarnings("ignore")
QUICK = {"max_iter": 1, "device": "cpu", "random_state": 0}
X = np.random.default_rng(0).normal(size=(40, 4))
y = (X[:, 0] > 0).astype(int)
TRANSFORMERS = {
    "dim": DIMTransformer(2, representation="code", **QUICK),
    "dgi": DGITransformer(2, inductive=True, representation="code", **QUICK),
    "selector": MutualInfoSelector(2, n_permutations=9, **QUICK),
}


def classifier(transformer):
    return make_pipeline(StandardScaler(), transformer, LogisticRegression())


def searched(transformer):
    name, values = ("k", [1, 2]) if "k" in transformer.get_params() else ("learning_rate_init", [1e-3, 1e-2])
    return {f"{type(transformer).__name__.lower()}__{name}": values}


COMPOSITIONS = {  # transformer, folder → what it predicts, or makes of X
    "pipeline": lambda t, _: classifier(t).fit(X, y).predict_proba(X),
    "cached pipeline": lambda t, folder: [
        make_pipeline(t, Ridge(), memory=str(folder)).fit(X, y).predict(X) for _ in range(2)
    ],
    "union": lambda t, _: FeatureUnion([("it", t), ("pca", PCA(1))]).fit(X, y).transform(X),
    "columns": lambda t, _: ColumnTransformer([("it", t, [0, 1, 2])], remainder="passthrough").fit_transform(X, y),
    "frames": lambda t, _: make_pipeline(StandardScaler(), t).set_output(transform="pandas").fit(X, y).transform(X),
    "search": lambda t, _: GridSearchCV(classifier(t), searched(t), cv=2).fit(X, y).predict_proba(X),
    "random search": lambda t, _: (
        RandomizedSearchCV(classifier(t), searched(t), n_iter=1, cv=2, random_state=0).fit(X, y).predict_proba(X)
    ),
    "stacking": lambda t, _: StackingClassifier([("it", classifier(t))], cv=2).fit(X, y).predict_proba(X),
    "voting": lambda t, _: VotingClassifier([("it", classifier(t))], voting="soft").fit(X, y).predict_proba(X),
    "bagging": lambda t, _: BaggingClassifier(classifier(t), 2, random_state=0).fit(X, y).predict_proba(X),
    "calibration": lambda t, _: CalibratedClassifierCV(classifier(t), cv=2).fit(X, y).predict_proba(X),
    "one against the rest": lambda t, _: OneVsRestClassifier(classifier(t)).fit(X, y).predict_proba(X),
    "other targets": lambda t, _: (
        TransformedTargetRegressor(make_pipeline(t, Ridge()), func=np.cbrt, inverse_func=lambda z: z**3)
        .fit(X, X[:, 0])
        .predict(X)
    ),
    "predictions of folds": lambda t, _: cross_val_predict(classifier(t), X, y, cv=2),
}


@pytest.mark.parametrize("composition", COMPOSITIONS)
@pytest.mark.parametrize("name", ["dim", *(pytest.param(n, marks=pytest.mark.slow) for n in ("dgi", "selector"))])
def test_compositions_repeat(name, composition, tmp_path):
    first, second = (
        np.asarray(COMPOSITIONS[composition](clone(TRANSFORMERS[name]), tmp_path / folder)) for folder in "ab"
    )
    assert np.isfinite(first.astype(float)).all()
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_union_has_what_its_part_has_alone(name):
    alone = clone(TRANSFORMERS[name]).fit(X, y).transform(X)
    np.testing.assert_array_equal(COMPOSITIONS["union"](clone(TRANSFORMERS[name]), None)[:, :-1], alone)


def test_estimates_are_searched_and_scored():
    mi = MutualInfoEstimator(cv=2, **QUICK)
    assert np.isfinite(cross_val_score(mi, X, y, cv=2)).all()
    search = GridSearchCV(mi, {"critic": ["gaussian", "separable"]}, cv=2).fit(X, X[:, 0])
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
