"""Tables and sparse rows with labels for tables.py."""

import ast
import functools
import importlib.util
import pathlib

import numpy as np
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from sklearn_dim.datasets import make_grouped_features

PACKAGES = "networkx", "numpy", "pandas", "scipy", "sklearn", "torch"


def grouped(seed, **parameters):
    """Return a table of redundant groups, another for each seed."""
    return make_grouped_features(1000, random_state=seed, **parameters)[:2]


def topics(seed, n=3000, n_words=10_000, n_topics=10):
    """Return bags of words: three tenths of a text's words are from its topic, a fifth from a few."""
    rng = np.random.default_rng(seed)
    common = 1 / np.arange(1, n_words + 1)
    words = common * rng.gamma(0.15, size=(n_topics, n_words))
    common, words = common / common.sum(), words / words.sum(1, keepdims=True)
    y = np.arange(n) % n_topics
    texts = [
        rng.multinomial(rng.poisson(60) + 5, 0.5 * common + 0.3 * words[topic] + 0.2 * rng.dirichlet(share) @ words)
        for topic, share in zip(y, np.full((n, n_topics), 0.3), strict=True)
    ]
    return sparse.csr_matrix(np.array(texts), dtype=np.float64), y


def docstrings(seed, vectorizer, n=3000, n_classes=10):
    """Return docstrings of installed packages as sparse rows, and the package and submodule they come from."""
    texts, labels = zip(*_docstrings(), strict=True)
    _, y, counts = np.unique(labels, return_inverse=True, return_counts=True)
    largest = np.argsort(-counts)[:n_classes]
    rows = np.flatnonzero(np.isin(y, largest))
    rows = np.random.default_rng(seed).permutation(rows)[:n]
    X = vectorizer(max_features=10_000, token_pattern=r"[A-Za-z]{2,}").fit_transform([texts[i] for i in rows])
    return X.astype(np.float64), y[rows]


@functools.cache
def _docstrings(at_least=200):
    """Return docstrings of functions and classes with their package and submodule."""
    found = []
    for package in PACKAGES:
        folder = pathlib.Path(importlib.util.find_spec(package).origin).parent
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            if "tests" in parts:
                continue
            try:
                tree = ast.parse(path.read_text(encoding="utf-8", errors="ignore"))
            except SyntaxError:  # of a newer Python
                continue
            for node in ast.walk(tree):
                text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else None
                if text and len(text) > at_least:
                    found.append((text, f"{package}.{parts[0]}"))
    return found


DENSE = {
    "digits": lambda seed: load_digits(return_X_y=True),
    "breast cancer": lambda seed: load_breast_cancer(return_X_y=True),
    "wine": lambda seed: load_wine(return_X_y=True),
    "groups, linear classes": lambda seed: grouped(seed),
    "groups, curved classes": lambda seed: grouped(seed, n_factors=3, linear=False, noise=0.7),
    "groups and 40 of noise": lambda seed: grouped(seed, n_factors=4, group_size=6, n_noise=40, curved=0.7),
}
SPARSE = {
    "topics": topics,
    "docstrings, TF-IDF": lambda seed: docstrings(seed, TfidfVectorizer),
    "docstrings, counts": lambda seed: docstrings(seed, CountVectorizer),
}
