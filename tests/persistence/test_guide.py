"""The guide's blocks run, one after the other."""

import pathlib
import re

import pytest

GUIDE = pathlib.Path(__file__).parents[2] / "docs" / "guide" / "persistence.md"


def test_the_blocks_of_the_guide_run(tmp_path, monkeypatch):
    pytest.importorskip("skops.io")
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 5
    exec("\n".join(blocks), {})
    assert {path.name for path in tmp_path.iterdir()} == {"dim.joblib", "dim.skops", "encoder.pt", "model"}
