"""The import law of docs/architecture.md, read from the syntax trees."""

import ast
import pathlib
import subprocess
import sys

import pytest

import sklearn_dim

ROOT = pathlib.Path(sklearn_dim.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
FACES = {"dim", "dgi", "features", "infograph", "mine"}
# What each room may import, besides itself and other packages.
MAY_IMPORT = {
    "bounds": set(),
    "critics": set(),
    "encoders": set(),
    "graphs": set(),
    "views": set(),
    "datasets": set(),
    "objectives": {"bounds", "critics"},
    "training": set(),
    "_sklearn": {"bounds", "training"},
    "_dim_estimator": {"_dim_objective", "_dim_rows", "_sklearn", "objectives", "training", "views"},
    "_dim_objective": {"bounds", "critics", "encoders", "objectives", "views"},
    "_dim_rows": {"training"},
    "_node_columns": set(),
    "_nodes": {"_sklearn", "graphs"},
    "_node_objective": {"bounds", "critics", "encoders", "graphs", "objectives"},
    "_cross_fit": {"objectives", "training"},
    "_pair_estimator": {"_cross_fit", "_sklearn", "bounds", "critics", "objectives", "training"},
}
ROOMS = set(MAY_IMPORT)
MAY_IMPORT |= {face: ROOMS for face in FACES}
MAY_IMPORT["metrics"] = ROOMS | FACES  # and nothing imports it
MAY_IMPORT["inspection"] = {"_sklearn", "mine"}  # nor this
MAY_IMPORT["persistence"] = ROOMS | FACES
PACKAGES = {  # which other packages a room may use
    "bounds": {"torch"},
    "critics": {"torch"},
    "encoders": {"torch"},
    "views": {"torch"},
    "graphs": {"numpy", "scipy", "torch", "pandas", "sklearn", "networkx"},
    "objectives": {"torch"},
    "metrics": {"numpy", "pandas", "scipy", "sklearn", "torch"},
    "inspection": {"matplotlib", "numpy", "pandas", "scipy", "sklearn"},
    "datasets": {"numpy", "scipy", "sklearn"},
    "persistence": {"numpy", "safetensors", "sklearn", "torch"},
    "training": {"accelerate", "torch", "skorch", "numpy", "pandas", "sklearn"},
}


def room_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_modules(path: pathlib.Path):
    """Yield the dotted name of every module imported anywhere in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_what_its_room_may(path):
    room = room_of(path)
    for module in imported_modules(path):
        package, *inner = module.split(".")
        if package == "sklearn_dim":
            assert room != "__init__" and inner, f"{path} imports the whole package"
            assert inner[0] == room or inner[0] in MAY_IMPORT[room], f"{room} must not import {inner[0]}"
            assert inner[0] == room or not any(part.startswith("_") for part in inner[1:]), f"{module} is private"
        elif room in PACKAGES and package not in sys.stdlib_module_names:
            assert package in PACKAGES[room], f"{room} must not import {package}"


def test_every_room_has_a_law():
    assert {room_of(path) for path in FILES} - {"__init__"} == set(MAY_IMPORT)


def test_importing_the_package_does_not_load_torch():
    code = "import sys, sklearn_dim; assert 'torch' not in sys.modules and 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_are_all_there():
    for name in sklearn_dim.__all__:
        assert getattr(sklearn_dim, name).__module__.startswith("sklearn_dim")
        assert name in dir(sklearn_dim)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sklearn_dim.nothing  # noqa: B018
