"""Through how many files a call passes: `python benchmarks/trace.py [--files]` prints one row per call.

A file counts if a Python function of it is called, a function likewise; what runs only because a module is imported
does not count. A change of file is a call from one file of sklearn_dim into another, whatever lies between them.
"""

import argparse
import os
import pathlib
import sys
import warnings

import numpy as np

import sklearn_dim
from sklearn_dim import DIMTransformer, MutualInfoEstimator

ROOT = str(pathlib.Path(sklearn_dim.__file__).parent) + os.sep
NO_CALLS = {"<module>", "<listcomp>", "<dictcomp>", "<setcomp>"}  # comprehensions have frames up to Python 3.11 only


class Trace:
    """Listens to the calls within a block.

    Attributes
    ----------
    functions : dict
        From the code of each function of the package to its file, in the order of first calls.
    changes : int
        Calls out of one file of the package into another.
    """

    def __init__(self):
        self.functions, self.changes, self._stack = {}, 0, []

    def __enter__(self):
        sys.setprofile(self._listen)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def _listen(self, frame, event, argument):
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(ROOT) or code.co_name in NO_CALLS:
            return
        if event == "return":
            if self._stack:
                self._stack.pop()
            return
        file = code.co_filename[len(ROOT) :]
        self.changes += bool(self._stack) and self._stack[-1] != file
        self._stack.append(file)
        self.functions.setdefault(code, file)

    @property
    def files(self):
        """The files, in the order in which they are first entered."""
        return list(dict.fromkeys(self.functions.values()))


def traces():
    """Yield the name and the trace of each call, on a small table, after a first one that imported what it needs."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2, 200, 5))
    dim = DIMTransformer(max_iter=2, device="cpu", random_state=0)
    mi = MutualInfoEstimator(cv=2, max_iter=2, device="cpu", random_state=0)
    calls = {
        "DIMTransformer.fit": lambda: dim.fit(X),
        "DIMTransformer.transform": lambda: dim.transform(X),
        "MutualInfoEstimator.fit": lambda: mi.fit(X, y),
    }
    for name, call in calls.items():
        call()
        with Trace() as trace:
            call()
        yield name, trace


def main():
    """Print the table, and with --files the names."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--files", action="store_true", help="name the files, and how many functions each has a part in"
    )
    options = options.parse_args()
    warnings.simplefilter("ignore")
    print("| call | files | functions | changes of file |\n|---|---|---|---|")
    for name, trace in traces():
        print(f"| {name} | {len(trace.files)} | {len(trace.functions)} | {trace.changes} |")
        if options.files:
            homes = list(trace.functions.values())
            print("\n".join(f"    {file}: {homes.count(file)}" for file in trace.files))


if __name__ == "__main__":
    main()
