"""An estimator as a folder of two files: its arrays as safetensors, everything else as JSON."""

import hashlib
import json
import pathlib
from typing import Any

import numpy as np

from sklearn_dim.dgi import DGITransformer
from sklearn_dim.dim import DIMTransformer
from sklearn_dim.estimator import InfomaxEstimator, is_plain
from sklearn_dim.infograph import GraphInfomaxTransformer
from sklearn_dim.mine import MutualInfoEstimator

_CLASSES = DGITransformer, DIMTransformer, GraphInfomaxTransformer, MutualInfoEstimator
ESTIMATORS = {cls.__name__: cls for cls in _CLASSES}
JSON_FILE, ARRAY_FILE = "estimator.json", "arrays.safetensors"
# The keys that mark what a dict in the JSON file stands for. No parameter or attribute has such a name.
ARRAY, SCALAR, VALUES, TUPLE = "__array__", "__scalar__", "__values__", "__tuple__"


def save(estimator: Any, folder: str | pathlib.Path) -> None:
    """Save an estimator as JSON and safetensors, which other languages can read too.

    Parameters
    ----------
    estimator : DIMTransformer, DGITransformer, GraphInfomaxTransformer or MutualInfoEstimator
        Its parameters must be names, numbers or bounds of this package. Modules and functions of your own are code,
        which these files cannot store.
    folder : str or path
        Created if it does not exist. ``estimator.json`` and ``arrays.safetensors`` (weights and statistics, by name)
        are written to it.

    Raises
    ------
    TypeError
        If the estimator is of another class, or contains an object of your own. Nothing is written then.
    ImportError
        If safetensors is not installed.

    See Also
    --------
    load : Load the estimator.
    to_torch : Export the encoder alone, as a plain torch module.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn_dim import DIMTransformer
    >>> from sklearn_dim.persistence import load, save
    >>> X = np.random.default_rng(0).normal(size=(50, 4))
    >>> dim = DIMTransformer(n_components=3, max_iter=1, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(dim, folder)
    ...     again = load(folder)
    >>> np.testing.assert_array_equal(again.transform(X), dim.transform(X))
    """
    name = type(estimator).__name__
    if type(estimator) is not ESTIMATORS.get(name):
        raise TypeError(
            f"save() takes {', '.join(ESTIMATORS)}, but estimator is a {name}. If a step of it is one of these, save "
            "that step, or save all of it with skops.io.dump or joblib.dump."
        )
    arrays: dict[str, np.ndarray] = {}
    state = _to_json(estimator.__getstate__(), arrays, ())
    content = _safetensors().save(arrays)
    about = {"class": name, "arrays": ARRAY_FILE, "sha256": hashlib.sha256(content).hexdigest(), "state": state}
    text = json.dumps(about, indent=1)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARRAY_FILE).write_bytes(content)
    (folder / JSON_FILE).write_text(text)


def load(folder: str | pathlib.Path) -> InfomaxEstimator:
    """Load an estimator that `save` wrote. This runs no code from the files.

    Parameters
    ----------
    folder : str or path
        The folder that was given to `save`.

    Returns
    -------
    DIMTransformer, DGITransformer, GraphInfomaxTransformer or MutualInfoEstimator
        Its output is the same as that of the saved estimator, and it can be trained further.

    Raises
    ------
    FileNotFoundError
        If a file is missing from the folder.
    ValueError
        If a file is damaged, or was written in a format that this version cannot read.
    ImportError
        If safetensors is not installed.
    """
    folder = pathlib.Path(folder)
    try:
        text, content = (folder / JSON_FILE).read_bytes(), (folder / ARRAY_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(
            f"{error.filename} does not exist. Give load() a folder that save() wrote: it contains {JSON_FILE} and "
            f"{ARRAY_FILE}."
        ) from None
    about = _about(text, folder)
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise ValueError(
            f"{folder / ARRAY_FILE} is not the file that was written with {JSON_FILE}: it is damaged, or belongs to "
            "another estimator. Copy both files again."
        )
    cls = ESTIMATORS[about["class"]]
    estimator = cls.__new__(cls)
    try:
        estimator.__setstate__(_from_json(about["state"], _safetensors().load(content)))
    except ValueError:  # its message already says what is wrong
        raise
    except Exception as error:
        raise _damaged(folder, error) from error
    return estimator


def _about(text: bytes, folder: pathlib.Path) -> dict[str, Any]:
    """Return the content of the JSON file, checked."""
    try:
        about = json.loads(text)
        name, state, _ = about["class"], about["state"], about["sha256"]
        if not (isinstance(name, str) and isinstance(state, dict)):
            raise TypeError("class or state of the wrong type")
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    if name not in ESTIMATORS:
        raise ValueError(
            f"{folder / JSON_FILE} names the class {name!r}, but load() returns only {', '.join(ESTIMATORS)}. If it "
            "was saved by a newer sklearn-dim, upgrade."
        )
    return about


def _damaged(folder: pathlib.Path, error: Exception) -> ValueError:
    return ValueError(
        f"{folder / JSON_FILE} is not as save() wrote it ({type(error).__name__}: {error}). Copy the folder again, or "
        "save the estimator once more."
    )


def _to_json(value: Any, arrays: dict[str, np.ndarray], path: tuple[str, ...]) -> Any:
    """Return plain data as JSON; its arrays are added to ``arrays``, where their path is their name."""
    if type(value) is dict:
        return {str(key): _to_json(each, arrays, (*path, str(key))) for key, each in value.items()}
    if type(value) in (list, tuple):
        items = [_to_json(each, arrays, (*path, str(position))) for position, each in enumerate(value)]
        return items if type(value) is list else {TUPLE: items}
    if not is_plain(value):
        raise TypeError(
            f"{path[0]} contains a {type(value).__name__}, which is not data: JSON and safetensors cannot store it. "
            "Use joblib.dump, or to_torch(estimator) for the encoder alone, or a name or a number as the parameter."
        )
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
        items = [_to_json(each, arrays, path) for each in value.ravel().tolist()]
        return {VALUES: items, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.ndarray | np.number | np.bool_):
        name = ".".join(path)
        transposed = value.ndim > 1 and not value.flags.c_contiguous and value.T.flags.c_contiguous
        arrays[name] = np.array(value.T if transposed else value, order="C")
        return {SCALAR if isinstance(value, np.generic) else ARRAY: name, "transposed": transposed}
    return value


def _from_json(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return the plain data that `_to_json` was given."""
    if isinstance(value, list):
        return [_from_json(each, arrays) for each in value]
    if not isinstance(value, dict):
        return value
    if TUPLE in value:
        return tuple(_from_json(each, arrays) for each in value[TUPLE])
    if ARRAY in value:
        return arrays[value[ARRAY]].T if value["transposed"] else arrays[value[ARRAY]]
    if SCALAR in value:
        return arrays[value[SCALAR]][()]
    if VALUES in value:
        flat = np.empty(len(value[VALUES]), dtype=value["dtype"])
        flat[:] = _from_json(value[VALUES], arrays)
        return flat.reshape(value["shape"])
    return {key: _from_json(each, arrays) for key, each in value.items()}


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("save() and load() need safetensors: pip install safetensors") from error
    return safetensors.numpy
