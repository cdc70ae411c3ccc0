"""What all displays refuse, and that matplotlib is loaded by plot alone."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_dim import DIMTransformer, MutualInfoEstimator
from sklearn_dim.inspection import (
    EmbeddingDisplay,
    InformationDisplay,
    PointwiseInformationDisplay,
    TrainingCurveDisplay,
)

X = np.zeros((4, 2))
DRAW = {
    "curve": TrainingCurveDisplay.from_estimator,
    "pointwise": lambda estimator: PointwiseInformationDisplay.from_estimator(estimator, X, X),
    "information": lambda estimator: InformationDisplay.from_estimators([estimator]),
    "embedding": lambda estimator: EmbeddingDisplay.from_estimator(estimator, X),
}


@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        ("curve", DIMTransformer()),
        ("pointwise", MutualInfoEstimator()),
        ("information", MutualInfoEstimator()),
        ("embedding", DIMTransformer()),
    ],
)
def test_unfitted_is_refused(name, estimator):
    with pytest.raises(NotFittedError):
        DRAW[name](estimator)


@pytest.mark.parametrize(
    ("name", "estimator", "message"),
    [
        ("curve", PCA(), "draws one of sklearn_dim's estimators; got PCA"),
        ("pointwise", DIMTransformer(), "draws MutualInfoEstimator; got DIMTransformer"),
        ("information", PCA(), "draws MutualInfoEstimator; got PCA"),
        ("embedding", LogisticRegression(), "LogisticRegression.* has no method transform"),
    ],
)
def test_another_kind_is_refused(name, estimator, message):
    with pytest.raises(TypeError, match=message):
        DRAW[name](estimator)


def test_without_matplotlib_a_sentence_says_what_to_install(dim, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"TrainingCurveDisplay.plot needs.*pip install matplotlib"):
        TrainingCurveDisplay.from_estimator(dim)


@pytest.mark.slow
def test_importing_the_displays_does_not_load_matplotlib():
    code = "import sys, sklearn_dim.inspection; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
