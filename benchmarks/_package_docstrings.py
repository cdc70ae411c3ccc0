"""Docstrings of installed packages, as documents with classes."""

import ast
import functools
import importlib.util
import pathlib

PACKAGES = "networkx", "numpy", "pandas", "scipy", "sklearn", "torch"


@functools.cache
def package_docstrings(at_least=200):
    """Return docstrings of functions and classes of so many characters, with their package and submodule."""
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
