"""Every example of the gallery runs as a script and warns of nothing."""

import os
import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("plot_*.py"))


def test_there_is_a_gallery():
    assert SCRIPTS and (EXAMPLES / "README.txt").exists()


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_example_runs(script):
    result = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout
    warned = [line for line in result.stderr.splitlines() if "Warning:" in line]
    assert not [line for line in warned if "torch" not in line], result.stderr
