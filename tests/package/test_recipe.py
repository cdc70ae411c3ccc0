"""The conda recipe asks for what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def floors(lines):
    return {name: floor for name, floor in (re.fullmatch(r"([\w-]+) ?>=([\d.]+)", line).groups() for line in lines)}


def test_the_conda_recipe_has_the_floors_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    recipe = (ROOT / "conda" / "meta.yaml").read_text()
    run = re.search(r"  run:\n((?:    - .*\n)+)", recipe).group(1)
    found = floors(line.removeprefix("    - ") for line in run.splitlines())
    expected = floors([*project["dependencies"], f"python{project['requires-python']}"])
    assert {("torch" if name == "pytorch" else name): floor for name, floor in found.items()} == expected
    assert project["description"] in recipe
