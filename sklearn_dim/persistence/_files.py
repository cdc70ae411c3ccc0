"""An estimator as a folder of two files: its arrays as safetensors, everything else as JSON."""

import pathlib
from contextlib import suppress
from typing import Any

import numpy as np

from sklearn_dim.dgi import DGITransformer
from sklearn_dim.dim import DIMTransformer
from sklearn_dim.estimator import PlainState, other_names
from sklearn_dim.features import MutualInfoSelector
from sklearn_dim.files import UNFINISHED, digest, forget_leftovers, read_json, read_page, replaced, write_page
from sklearn_dim.infograph import GraphInfomaxTransformer
from sklearn_dim.mine import MutualInfoEstimator
from sklearn_dim.persistence._plain import arrays_named_in, from_json, to_json

_CLASSES = DGITransformer, DIMTransformer, GraphInfomaxTransformer, MutualInfoEstimator, MutualInfoSelector
ESTIMATORS: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}
JSON_FILE, ARRAY_FILE = "estimator.json", "arrays.safetensors"
VERSION_KEYS = "_sklearn_dim_version", "_sklearn_dim_format"  # in a state, beside parameters and attributes


def save(estimator: Any, folder: str | pathlib.Path) -> None:
    """Save an estimator as JSON and safetensors, which other languages can read too.

    Parameters
    ----------
    estimator : DIMTransformer, DGITransformer, GraphInfomaxTransformer, MutualInfoEstimator or MutualInfoSelector
        Its parameters must be names, numbers or bounds of this package. Modules and functions of your own are code,
        which these files cannot store.
    folder : str or path
        Created if it does not exist. ``estimator.json`` and ``arrays.safetensors`` (weights and statistics, by name)
        are written to it. A model that is there is replaced at once, or stays if saving fails.

    Raises
    ------
    TypeError
        If the estimator is of another class, or contains an object of your own. Nothing is written then.
    ValueError
        If a parameter is not valid, or the estimator has an attribute that is not one of its class. Nothing is written
        then.
    OSError
        If a file cannot be written, as on a full disk. A model that was there is still there.
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
    state = estimator.__getstate__()
    _check_names(ESTIMATORS[name], state)
    arrays: dict[str, np.ndarray] = {}
    plain = to_json(state, arrays)
    estimator._validate_params()  # as load() does
    content = _safetensors().save(arrays)
    sha256 = digest(content).hex()
    text = write_page({"class": name, "arrays": ARRAY_FILE, "sha256": sha256, "state": plain})
    folder = pathlib.Path(folder)
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / _interim(sha256)
    try:
        with replaced(written) as file:
            file.write(content)
        with replaced(folder / JSON_FILE) as file:
            file.write(text)
    except BaseException:
        written.unlink(missing_ok=True)
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise
    written.replace(folder / ARRAY_FILE)
    for pattern in (_interim("*"), f"{_interim('*')}.*{UNFINISHED}", f"{JSON_FILE}.*{UNFINISHED}"):
        forget_leftovers(folder, pattern)


def _interim(sha256: str) -> str:
    """Return the name of the arrays until they take the place of older ones, which belong to the JSON until then."""
    return f"{ARRAY_FILE.removesuffix('.safetensors')}.{sha256}.safetensors"


def load(folder: str | pathlib.Path) -> PlainState:
    """Load an estimator that `save` wrote. This runs no code from the files.

    Only parameters and the fitted attributes of the class are taken from the files, after their types are checked; the
    parameters' own checks run too.

    Parameters
    ----------
    folder : str or path
        The folder that was given to `save`.

    Returns
    -------
    DIMTransformer, DGITransformer, GraphInfomaxTransformer, MutualInfoEstimator or MutualInfoSelector
        Its output is the same as that of the saved estimator, and it can be trained further.

    Raises
    ------
    FileNotFoundError
        If a file is missing from the folder.
    ValueError
        If a file is damaged, has other content than `save` writes, or was written in a format that this version cannot
        read. The message names the file.
    ImportError
        If safetensors is not installed.
    """
    folder = pathlib.Path(folder)
    try:
        about = _about((folder / JSON_FILE).read_bytes(), folder)
        content = _array_bytes(folder, about["sha256"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(
            f"{error.filename} does not exist. Give load() a folder that save() wrote: it contains {JSON_FILE} and "
            f"{ARRAY_FILE}."
        ) from None
    cls = ESTIMATORS[about["class"]]
    estimator = cls.__new__(cls)
    try:
        _check_header(content, arrays_named_in(about["state"]))
        state = from_json(about["state"], _safetensors().load(content))
        _check_names(cls, state)
        estimator.__setstate__(state)
        estimator._validate_params()
    except Exception as error:  # what wrong content makes NumPy and safetensors raise is of any kind
        raise _damaged(folder, error) from error
    return estimator


def _about(text: bytes, folder: pathlib.Path) -> dict[str, Any]:
    """Return the content of the JSON file, checked."""
    try:
        about = read_page(text)
        name, state, sha256 = about["class"], about["state"], about["sha256"]
        if not (isinstance(name, str) and isinstance(state, dict) and isinstance(sha256, str)):
            raise TypeError("class or state or sha256 of the wrong type")
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    if name not in ESTIMATORS:
        raise ValueError(
            f"{folder / JSON_FILE} names the class {name[:80]!r}, but load() returns only {', '.join(ESTIMATORS)}. If "
            "it was saved by a newer sklearn-dim, upgrade."
        )
    return about


def _array_bytes(folder: pathlib.Path, sha256: str) -> bytes:
    """Return the content of the arrays that belong to the JSON; a save that was killed leaves them at another name."""
    content = (folder / ARRAY_FILE).read_bytes() if (folder / ARRAY_FILE).exists() else b""
    if digest(content).hex() == sha256:
        return content
    for file in folder.glob(ARRAY_FILE.replace(".", ".*.")):
        if file.name == _interim(sha256) and digest(content := file.read_bytes()).hex() == sha256:
            return content
    if not (folder / ARRAY_FILE).exists():
        raise FileNotFoundError(2, "No such file", str(folder / ARRAY_FILE))
    raise ValueError(
        f"{folder / ARRAY_FILE} is not the file that was written with {JSON_FILE}: it is damaged, or belongs to "
        "another estimator. Copy both files again."
    )


def _check_header(content: bytes, names: set[str]) -> None:
    """Raise ValueError unless a safetensors file has just these arrays; each costs memory, however small it is."""
    length = int.from_bytes(content[:8], "little")
    header = read_json(content[8 : 8 + length])
    if not isinstance(header, dict) or header.keys() - {"__metadata__"} != names:
        raise ValueError(f"{ARRAY_FILE} has other arrays than {JSON_FILE} names")


def _check_names(cls: Any, state: dict[str, Any]) -> None:
    names = set(state) - set(VERSION_KEYS)
    if others := other_names(cls, names, strict=True):
        raise ValueError(
            f"{str(others[0])[:80]!r} is no parameter and no fitted attribute of a {cls.__name__}: load() would not "
            "take it. Delete it, or use joblib.dump."
        )
    if missing := sorted(set(cls._get_param_names()) - names):
        raise ValueError(f"the parameter {missing[0]} of {cls.__name__} is missing")


def _damaged(folder: pathlib.Path, error: Exception) -> ValueError:
    why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return ValueError(
        f"{folder / JSON_FILE} is not as save() wrote it ({why[:500]}). Copy the folder again, or save the estimator "
        "once more."
    )


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("save() and load() need safetensors: pip install safetensors") from error
    return safetensors.numpy
