"""An estimator as a folder of two files: its arrays in safetensors, all else in JSON."""

import hashlib
import json
import pathlib

import numpy as np

from sklearn_dim.dgi import DGITransformer
from sklearn_dim.dim import DIMTransformer
from sklearn_dim.estimator import InfomaxEstimator, is_plain
from sklearn_dim.infograph import GraphInfomaxTransformer
from sklearn_dim.mine import MutualInfoEstimator

_CLASSES = DGITransformer, DIMTransformer, GraphInfomaxTransformer, MutualInfoEstimator
ESTIMATORS = {cls.__name__: cls for cls in _CLASSES}
JSON_FILE, ARRAY_FILE = "estimator.json", "arrays.safetensors"
ARRAY, SCALAR, VALUES, TUPLE = "__array__", "__scalar__", "__values__", "__tuple__"


def save(estimator, folder) -> None:
    """Write an estimator as JSON and safetensors, which other languages read as well.

    Parameters
    ----------
    estimator : DIMTransformer, DGITransformer, GraphInfomaxTransformer or MutualInfoEstimator
        Its parameters are names, numbers, and bounds of this package; modules and functions of your own are code, which
        these files do not hold.
    folder : str or path
        Made if need be. It gets ``estimator.json`` and ``arrays.safetensors`` (weights and statistics, by name).

    Raises
    ------
    TypeError
        If the estimator is of another class, or holds an object of your own. Nothing is written then.

    See Also
    --------
    load : Reads the folder.
    to_torch : The encoder alone, as a module of plain torch.

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
            f"save() writes {', '.join(ESTIMATORS)}, but estimator is a {name}. Save the step of a pipeline that is "
            "one of them, or the whole with skops.io.dump or joblib.dump."
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


def load(folder) -> InfomaxEstimator:
    """Return the estimator that `save` wrote. No code of the files is run.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    estimator
        It transforms to the same numbers, and may be trained further.

    Raises
    ------
    FileNotFoundError
        If the folder lacks a file.
    ValueError
        If a file is damaged, or was written in a format that this version does not read.
    """
    folder = pathlib.Path(folder)
    try:
        text, content = (folder / JSON_FILE).read_bytes(), (folder / ARRAY_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(
            f"{error.filename} does not exist. Give load() a folder that save() wrote: it holds {JSON_FILE} and "
            f"{ARRAY_FILE}."
        ) from None
    about = _about(text, folder)
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise ValueError(
            f"{folder / ARRAY_FILE} is not the file that was written with {JSON_FILE}: it is damaged, or of another "
            "estimator. Copy both again."
        )
    cls = ESTIMATORS[about["class"]]
    estimator = cls.__new__(cls)
    try:
        estimator.__setstate__(_from_json(about["state"], _safetensors().load(content)))
    except ValueError:  # says itself what is the matter
        raise
    except Exception as error:
        raise _damaged(folder, error) from error
    return estimator


def _about(text: bytes, folder: pathlib.Path) -> dict:
    """Return what the JSON file says, checked."""
    try:
        about = json.loads(text)
        name, state, _ = about["class"], about["state"], about["sha256"]
        if not (isinstance(name, str) and isinstance(state, dict)):
            raise TypeError("class or state of the wrong type")
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    if name not in ESTIMATORS:
        raise ValueError(
            f"{folder / JSON_FILE} names the class {name!r}; load() makes {', '.join(ESTIMATORS)}. If it is of a newer "
            "sklearn-dim, upgrade."
        )
    return about


def _damaged(folder: pathlib.Path, error: Exception) -> ValueError:
    return ValueError(
        f"{folder / JSON_FILE} is not as save() wrote it ({type(error).__name__}: {error}). Copy the folder again, or "
        "save the estimator again."
    )


def _to_json(value, arrays: dict, path: tuple):
    """Return plain data as JSON, its arrays put into ``arrays`` by the path that leads to them."""
    if type(value) is dict:
        return {str(key): _to_json(each, arrays, (*path, str(key))) for key, each in value.items()}
    if type(value) in (list, tuple):
        items = [_to_json(each, arrays, (*path, str(place))) for place, each in enumerate(value)]
        return items if type(value) is list else {TUPLE: items}
    if not is_plain(value):
        raise TypeError(
            f"{path[0]} holds a {type(value).__name__}, which is not data: JSON and safetensors cannot hold it. Use "
            "joblib.dump, or to_torch(estimator) for the encoder alone, or give the parameter a name or a number."
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


def _from_json(value, arrays: dict):
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


def _safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("save() and load() need safetensors: pip install 'sklearn-dim[persist]'") from error
    return safetensors.numpy
