"""Documents that come with every installation."""

import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType

import numpy as np

from sklearn_dim._arguments import checked

DOCUMENTED = (
    "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.random", "scipy.fft", "scipy.integrate", "scipy.interpolate",
    "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.spatial",
    "scipy.special", "scipy.stats", "sklearn.cluster", "sklearn.datasets", "sklearn.decomposition",
    "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.neighbors",
    "sklearn.preprocessing",
)  # fmt: skip


MIN_WORDS = 20  # of a document: shorter ones mostly refer to another docstring


@checked(length="[1, inf)", min_documents="[1, inf)")
def load_docstrings(
    modules: Sequence[str] = DOCUMENTED, *, length: int = 200, min_documents: int = 2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the docstrings of functions, classes and methods as word numbers; their modules are the classes.

    This is a real corpus that needs no download: about 2200 documents with the default modules. It depends on the
    installed versions. Words are runs of two or more letters, in lower case, without those of the modules' own names.
    Docstrings that occur more than once, and those of fewer than 20 words, are left out.

    Parameters
    ----------
    modules : sequence of str, default=24 modules of numpy, scipy and scikit-learn
    length : int, default=200
        Maximum length of a document: only the first words of a docstring are kept.
    min_documents : int, default=2
        Words that occur in fewer documents are left out.

    Returns
    -------
    X : ndarray of shape (n_documents, length)
        Word numbers, 1 for the word in most documents, and so on; 0 after the end of a document.
    y : ndarray of str of shape (n_documents,)
        The module.
    words : ndarray of str of shape (n_words + 1,)
        The word of each number; an empty one for 0.

    Raises
    ------
    TypeError
        If ``modules`` is not a list of names.
    ModuleNotFoundError
        If one of them is not installed.

    Examples
    --------
    >>> from sklearn_dim.datasets import load_docstrings
    >>> X, y, words = load_docstrings(["numpy.fft", "numpy.linalg"])
    >>> X.shape[1], sorted(set(y.tolist()))
    (200, ['numpy.fft', 'numpy.linalg'])
    """
    modules = list(modules) if isinstance(modules, Iterable) and not isinstance(modules, str) else []
    if not modules or not all(isinstance(module, str) for module in modules):
        raise TypeError("modules must be a list of the names of modules, such as ['numpy.fft', 'numpy.linalg'].")
    found: dict[str, list[str]] = {}
    for module in modules:
        for text in _docstrings(importlib.import_module(module)):
            found.setdefault(text, []).append(module)
    names = {part for module in modules for part in re.findall("[a-z]+", module)} | {"np"}
    texts, y = [], []
    for text, owners in found.items():
        words = [word for word in re.findall("[a-z]{2,}", text.lower()) if word not in names]
        if len(owners) == 1 and len(words) >= MIN_WORDS:
            texts.append(words)
            y.append(owners[0])
    counts = Counter(word for words in texts for word in set(words))  # documents with each word
    kept = sorted((word for word, n in counts.items() if n >= min_documents), key=lambda word: (-counts[word], word))
    number = {word: i for i, word in enumerate(kept, 1)}
    X = np.zeros((len(texts), length), dtype=np.int64)
    for row, words in zip(X, texts, strict=True):
        numbers = [number[word] for word in words if word in number][:length]
        row[: len(numbers)] = numbers
    return X, np.array(y), np.array(["", *kept])


def _docstrings(module: ModuleType) -> Iterator[str]:
    """Yield the docstrings of a module's public functions and classes, and of their public methods."""
    for name, member in sorted(vars(module).items(), key=lambda item: item[0]):
        if name.startswith("_") or not callable(member):
            continue
        methods = vars(member).items() if inspect.isclass(member) else ()
        for each in (member, *(method for key, method in sorted(methods) if not key.startswith("_"))):
            text = inspect.getdoc(each) if callable(each) else None
            if text:
                yield text
