"""The import law of docs/architecture.md, read from the syntax trees."""

import ast
import pathlib
import subprocess
import sys

import pytest

import sklearn_dim

ROOT = pathlib.Path(sklearn_dim.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
HOUSES = {"dim", "dgi", "features", "infograph", "mine"}
LEAVES = {"bounds", "critics", "data", "devices", "encoders", "files", "views"}
# What each room may import, besides itself and other packages.
COMMON = {"_arguments", "_warnings"}  # what every room may import: they import none
MAY_IMPORT = {
    **{name: set() for name in COMMON},
    **{leaf: set() for leaf in LEAVES},
    "datasets": {"files"},
    "encoders": {"devices"},
    "graphs": {"devices", "files"},
    "views": {"devices"},
    "objectives": {"bounds", "critics", "devices"},
    "training": {"data", "devices", "files"},
    "estimator": {"bounds", "devices", "training"},
}
ROOMS = set(MAY_IMPORT)
MAY_IMPORT |= {house: ROOMS for house in HOUSES}
MAY_IMPORT["features"] = ROOMS | {"mine"}  # information of one column and y needs no critic of its own
# The package names its public objects for type checkers; it loads none of them, see below.
MAY_IMPORT |= {"__init__": ROOMS | HOUSES}
# These look at fitted estimators, or make them; nothing imports them.
MAY_IMPORT |= {"metrics": ROOMS | HOUSES, "inspection": {"estimator", "mine"}, "persistence": ROOMS | HOUSES}
PACKAGES = {  # which other packages a room may use
    "bounds": {"torch"},
    "files": set(),
    "critics": {"numpy", "scipy", "sklearn", "torch"},  # closed forms are fitted by what others keep well
    "encoders": {"numpy", "scipy", "sklearn", "torch"},  # as critics: leading axes
    "views": {"torch"},
    "graphs": {"numpy", "scipy", "torch", "pandas", "sklearn", "networkx"},
    "devices": {"torch"},
    "objectives": {"torch"},
    "metrics": {"numpy", "pandas", "scipy", "sklearn", "torch"},
    "inspection": {"matplotlib", "numpy", "pandas", "scipy", "sklearn"},
    "datasets": {"numpy", "scipy", "sklearn"},
    "persistence": {"numpy", "safetensors", "sklearn", "torch"},
    "training": {"accelerate", "torch", "skorch", "numpy", "pandas", "scipy", "sklearn"},
    "data": {"numpy", "pandas", "scipy", "sklearn", "torch"},
    "estimator": {"numpy", "pandas", "scipy", "sklearn", "skorch", "torch"},
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
            assert inner, f"{path} imports the whole package"
            assert inner[0] == room or inner[0] in MAY_IMPORT[room] | COMMON, f"{room} must not import {inner[0]}"
            assert inner[0] == room or not any(part.startswith("_") for part in inner[1:]), f"{module} is private"
        elif room in PACKAGES and package not in sys.stdlib_module_names:
            assert package in PACKAGES[room], f"{room} must not import {package}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_private_names_of_scikit_learn_have_one_importer(path):
    if path.relative_to(ROOT).as_posix() == "estimator/_compat.py":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("sklearn", "skorch"):
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            assert not any(name.startswith("_") for name in names), f"{path}:{node.lineno} belongs into _compat"


def test_every_room_has_a_law():
    assert {room_of(path) for path in FILES} == set(MAY_IMPORT)


def test_importing_the_package_does_not_load_torch():
    code = "import sys, sklearn_dim; assert 'torch' not in sys.modules and 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_are_all_there():
    for name in sklearn_dim.__all__:
        assert getattr(sklearn_dim, name).__module__.startswith("sklearn_dim")
        assert name in dir(sklearn_dim)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sklearn_dim.nothing  # noqa: B018
