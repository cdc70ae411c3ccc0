"""Documents that every installation has."""

import importlib
import inspect
import re

import numpy as np

DOCUMENTED = (
    "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.random", "scipy.fft", "scipy.integrate", "scipy.interpolate",
    "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.spatial",
    "scipy.special", "scipy.stats", "sklearn.cluster", "sklearn.datasets", "sklearn.decomposition",
    "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.neighbors",
    "sklearn.preprocessing",
)  # fmt: skip


def load_docstrings(modules=DOCUMENTED, *, length=200, min_documents=2):
    """Return the docstrings of functions, classes and methods as word numbers; the module is the class.

    A real corpus that needs no download: about 2200 documents with the default modules. It changes with the versions
    installed. Words are runs of two letters or more, in lower case; those of the modules' own names are left out.
    Docstrings that occur twice, or with fewer than 20 words, are left out too.

    Parameters
    ----------
    modules : sequence of str, default=24 modules of numpy, scipy and scikit-learn
    length : int, default=200
        Longest document: the first words of a docstring.
    min_documents : int, default=2
        Words in fewer documents than these are left out.

    Returns
    -------
    X : ndarray of shape (n_documents, length)
        Word numbers, the commonest word first, from 1; 0 after a document's end.
    y : ndarray of str of shape (n_documents,)
        The module.
    words : ndarray of str of shape (n_words + 1,)
        The word of each number; that of 0 is empty.

    Examples
    --------
    >>> from sklearn_dim.datasets import load_docstrings
    >>> X, y, words = load_docstrings(["numpy.fft", "numpy.linalg"])
    >>> X.shape[1], sorted(set(y.tolist()))
    (200, ['numpy.fft', 'numpy.linalg'])
    """
    found = {}
    for module in modules:
        for text in _docstrings(importlib.import_module(module)):
            found.setdefault(text, []).append(module)
    names = {part for module in modules for part in re.findall("[a-z]+", module)} | {"np"}
    texts, y = [], []
    for text, owners in found.items():
        of_text = [word for word in re.findall("[a-z]{2,}", text.lower()) if word not in names]
        if len(owners) == 1 and len(of_text) >= 20:
            texts.append(of_text)
            y.append(owners[0])
    counts = {}
    for text in texts:
        for word in dict.fromkeys(text):
            counts[word] = counts.get(word, 0) + 1
    kept = sorted((word for word, n in counts.items() if n >= min_documents), key=lambda word: (-counts[word], word))
    number = {word: i for i, word in enumerate(kept, 1)}
    X = np.zeros((len(texts), length), dtype=np.int64)
    for row, text in zip(X, texts, strict=True):
        numbers = [number[word] for word in text if word in number][:length]
        row[: len(numbers)] = numbers
    return X, np.array(y), np.array(["", *kept])


def _docstrings(module):
    """Yield the docstrings of a module's public functions, classes and their methods."""
    for name in sorted(vars(module)):
        thing = getattr(module, name)
        if name.startswith("_") or not callable(thing):
            continue
        methods = vars(thing).items() if inspect.isclass(thing) else ()
        for what in (thing, *(method for key, method in sorted(methods) if not key.startswith("_"))):
            text = inspect.getdoc(what) if callable(what) else None
            if text:
                yield text
