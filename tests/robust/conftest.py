"""Tests marked "alone" run in a process of their own."""

import os
import subprocess
import sys

ALONE = "SKLEARN_DIM_TEST_ALONE"


def pytest_pyfunc_call(pyfuncitem):
    """Run pytest on such a test, in the place of its body."""
    if pyfuncitem.get_closest_marker("alone") is None or os.environ.get(ALONE):
        return None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "", pyfuncitem.nodeid]
    done = subprocess.run(
        command, cwd=pyfuncitem.config.rootpath, env={**os.environ, ALONE: "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return True
