"""Rules for numbers, tables, targets and graphs."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import _check_feature_names, _check_n_features, validate_data


def check_numbers(
    estimator, X, *, dtype=(np.float64, np.float32), cure="Encode it first, say with OneHotEncoder.", **rules
):
    """Validate X as dense or CSR numbers; an error about text says the cure."""
    try:
        return validate_data(estimator, X, accept_sparse="csr", dtype=list(dtype), **rules)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"X holds text, but {type(estimator).__name__} takes numbers ({error}). {cure}") from error


def check_nodes(estimator, graph, *, reset: bool) -> None:
    """Set or compare the number and names of a graph's features, as `validate_data` does for rows."""
    if graph.names is not None:
        _check_feature_names(estimator, pd.DataFrame(columns=graph.names), reset=reset)
    elif reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    _check_n_features(estimator, graph, reset=reset)


def check_table(estimator, X, *, reset: bool) -> pd.DataFrame:
    """Validate X and return it as a DataFrame of columns; those of a DataFrame may hold categories or strings."""
    if isinstance(X, pd.DataFrame) and not _all_numeric(X):
        X = validate_data(estimator, X, reset=reset, skip_check_array=True)
        return _check_columns(X, "X")
    X = check_numbers(estimator, X, reset=reset, cure="Pass a DataFrame, whose columns may be text.")
    return pd.DataFrame(X.toarray() if issparse(X) else X)


def check_targets(y, name: str = "y") -> pd.DataFrame:
    """Validate y, one column or several, of numbers, classes or strings, and return it as a DataFrame."""
    if isinstance(y, pd.DataFrame | pd.Series):
        return _check_columns(pd.DataFrame(y), name)
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name=name)
    y = y if y.ndim == 2 and y.shape[1] > 1 else column_or_1d(y, warn=False)
    return _check_columns(pd.DataFrame(y), name)


def _all_numeric(table: pd.DataFrame) -> bool:
    return all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)


def _check_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Refuse missing and infinite values, column by column."""
    for label, column in table.items():
        if column.dtype == object:
            column = column.infer_objects()
        if column.isna().any():
            raise ValueError(f"Input {name} contains NaN (column {label!r}). Fill or drop the rows first.")
        if pd.api.types.is_float_dtype(column.dtype) and not np.isfinite(column.to_numpy(dtype=float)).all():
            raise ValueError(f"Input {name} contains infinity (column {label!r}). Clip or drop the rows first.")
    return table
