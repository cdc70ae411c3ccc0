"""The documentation: no public name is missing, no link is broken, and the code on the pages runs."""

import importlib
import importlib.util
import pathlib
import pkgutil
import re

import pytest
from sklearn.datasets import load_digits

import sklearn_dim
from sklearn_dim.bounds import BOUNDS

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "sklearn_dim"
ROOMS = [room.name for room in pkgutil.iter_modules(sklearn_dim.__path__) if room.ispkg and room.name[0] != "_"]
PAGES = [
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
    if not {"_build", "auto_examples"} & set(page.relative_to(ROOT).parts)
]
SEVERAL_PROCESSES = {"data_parallel.md", "scaling.md"}  # pages whose code has examples/distributed and tests of its own
WITH_CODE = [
    page for page in PAGES if page.name not in SEVERAL_PROCESSES and "```python" in page.read_text(encoding="utf-8")
]

OPTIONAL = ["sklearn.callback", "PIL"]  # not in every environment that the tests run in


def page_name(page: pathlib.Path) -> str:
    return str(page.relative_to(ROOT))


def listed_names() -> dict[str, set[str]]:
    """Return the names that the API page lists, by module."""
    listed, module = {}, None
    for line in (DOCS / "api" / "index.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif found := re.fullmatch(r"(?:   |\.\. py:data:: )(\w+)", line):
            listed.setdefault(module, set()).add(found[1])
    return listed


def test_the_api_page_has_every_public_name():
    listed = listed_names()
    top = listed["sklearn_dim"]
    assert top == set(sklearn_dim.__all__)
    for room in ROOMS:
        public = set(importlib.import_module(f"sklearn_dim.{room}").__all__)
        of_room = listed.get(f"sklearn_dim.{room}", set())
        missing, unknown = public - of_room - top, of_room - public
        assert not missing, f"docs/api/index.rst lacks {sorted(missing)} of sklearn_dim.{room}"
        assert not unknown, f"docs/api/index.rst has {sorted(unknown)}, which sklearn_dim.{room} keeps to itself"
    assert set(listed) <= {"sklearn_dim", *(f"sklearn_dim.{room}" for room in ROOMS)}
    empty = {room for room in ROOMS if not importlib.import_module(f"sklearn_dim.{room}").__all__}
    assert empty == {"data", "estimator", "files"}, (
        "a room without a public name is not on the page: say here that it has none"
    )


def test_the_mathematics_has_every_bound():
    text = (DOCS / "mathematics.md").read_text(encoding="utf-8")
    for name, bound in BOUNDS.items():
        assert f'`"{name}"`' in text
        assert f"`{bound.__name__}`" in text


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_between_the_pages_lead_to_files(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link and not link.startswith("#"):
            assert (page.parent / link.split("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_files_that_a_page_names_are_there(page):
    """Such as `bounds/_base.py`, below the package or the repository."""
    named = set(re.findall(r"(?<![\w/.])(?:[\w.]+/)+[\w.]+\.(?:py|md|rst)\b", page.read_text(encoding="utf-8")))
    gone = {name for name in named if not any((at / name).exists() for at in (ROOT, PACKAGE, page.parent))}
    assert not gone


def check_links():
    spec = importlib.util.spec_from_file_location("check_links", DOCS / "check_links.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_link_check_finds_what_is_broken(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="sub/a.html#here">a</a> <img src="sub/"> <a href="http://x.y/z">z</a>'
    )
    (tmp_path / "sub" / "index.html").write_text("<p>")
    (tmp_path / "sub" / "a.html").write_text('<p id="here"><a href="../index.html">back</a> <a href="#here">me</a>')
    assert check_links().broken_links(tmp_path) == ([], 4)
    (tmp_path / "sub" / "a.html").write_text('<p id="there"><a href="../gone.html">back</a> <a href="#here">me</a>')
    broken, _ = check_links().broken_links(tmp_path)
    assert [line.split()[1] for line in broken] == ["sub/a.html#here", "../gone.html", "#here"]


@pytest.mark.slow  # the code of all pages takes minutes
@pytest.mark.parametrize("page", WITH_CODE, ids=page_name)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, request):
    """The blocks of a page run one after the other; X and y are there for those that do not say whence."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for package in OPTIONAL:
        if any(f"from {package} import" in block for block in blocks):
            pytest.importorskip(package)
    if importlib.util.find_spec("anndata") is None:  # an extra of its own; the rest of a page runs without
        blocks = [block for block in blocks if not re.search(r"\b(anndata|adata)\b", block)]
    monkeypatch.chdir(tmp_path)
    if any("MUTAG.txt" in block for block in blocks):
        (tmp_path / "MUTAG.txt").symlink_to(request.getfixturevalue("data_dir") / "graphs" / "MUTAG.txt")
    X, y = load_digits(return_X_y=True)
    names = {"X": X[:400], "y": y[:400]}
    for block in blocks:
        exec(compile(block, page_name(page), "exec"), names)
