"""The private names of scikit-learn that `_compat` imports: what is relied on, and the versions it was read from."""

from numbers import Integral
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator

from sklearn_dim.estimator import _compat

READ_FROM = "1.6.0", "1.9.1"  # the oldest and the newest scikit-learn that was read


class Model(BaseEstimator):
    _parameter_constraints: ClassVar[dict] = {
        "n": [_compat.Interval(Integral, 1, None, closed="left")],
        "kind": [_compat.StrOptions({"a"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(self, n=1, kind="a", verbose=0, random_state=None):
        self.n, self.kind, self.verbose, self.random_state = n, kind, verbose, random_state

    @_compat.fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        return self


def test_fit_context_validates_parameters_and_wraps_fit_once():
    """`_fit_context`: warnings count on one frame of it between `fit` and its caller."""
    assert Model().fit(None).n == 1
    with pytest.raises(ValueError, match="The 'n' parameter of Model must be an int"):
        Model(n=0).fit(None)
    with pytest.raises(ValueError, match=r"The 'kind' parameter of Model must be a str among \{'a'\}"):
        Model(kind="b").fit(None)
    assert Model.fit.__wrapped__.__name__ == "fit"


@_compat.validate_params(
    {"n": [_compat.Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True
)
def doubled(n=1):
    return 2 * n


def test_validate_params_validates_a_function():
    assert doubled(n=2) == 4
    with pytest.raises(ValueError, match=r"The 'n' parameter of .*doubled must be an int"):
        doubled(n=0)


def test_names_and_number_of_features_are_set_and_compared():
    """`_check_feature_names`, `_check_n_features`: what `validate_data` does, without reading X."""
    model, frame = Model(), pd.DataFrame(np.zeros((2, 2)), columns=["a", "b"])
    _compat.check_feature_names(model, frame, reset=True)
    _compat.check_n_features(model, frame, reset=True)
    assert list(model.feature_names_in_) == ["a", "b"] and model.n_features_in_ == 2
    with pytest.raises(ValueError, match="feature names should match"):
        _compat.check_feature_names(model, frame.rename(columns={"a": "z"}), reset=False)
    with pytest.raises(ValueError, match="X has 3 features, but Model is expecting 2"):
        _compat.check_n_features(model, np.zeros((2, 3)), reset=False)


@pytest.mark.skipif(not hasattr(sklearn, "callback") and sklearn.__version__ < "1.9", reason="callbacks came with 1.9")
def test_callbacks_are_kept_where_we_look():
    """The callback protocol of 1.9: three attributes of an estimator, and two methods of `CallbackSupportMixin`."""
    callback = pytest.importorskip("sklearn.callback")

    class Watched(_compat.CallbackSupportMixin, Model):
        seen = ()

        @callback.with_callbacks  # it ends what the callbacks began, such as the thread of a progress bar
        def fit(self, X, y=None):
            task = self._init_callback_context(max_subtasks=1)
            task = task.call_on_fit_task_begin(estimator=self, X=X)
            self.seen = {_compat.FIT_TASK} & set(vars(self))
            task.call_on_fit_task_end(estimator=self, reconstruction_attributes={})
            return self

    model = Watched()
    assert _compat.CALLBACKS not in vars(model)
    model.set_callbacks(callback.ProgressBar())
    assert len(vars(model)[_compat.CALLBACKS]) == 1
    model.fit(None)
    assert model.seen == {_compat.FIT_TASK}
