"""The documentation: no public name is missing, no link is broken, and the code on the pages runs."""

import importlib
import importlib.util
import pathlib
import pkgutil
import re
import shutil
import subprocess
import sys

import pytest

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
WITH_CODE = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]
QUICK = {"recipes.md", "install.md", "faq.md"}  # pages whose code the default suite runs; that of all takes minutes

OPTIONAL = ["sklearn.callback", "PIL", "dask", "networkx", "torch_geometric", "accelerate"]


def page_name(page: pathlib.Path) -> str:
    return str(page.relative_to(ROOT))


def listed_names() -> dict[str, set[str]]:
    """Return the names that the API page lists, by module."""
    listed, module = {}, None
    pages = [page for page in sorted((DOCS / "api").glob("*.rst")) if page.stem != "index"]
    lines = [line for page in pages for line in page.read_text("utf-8").splitlines()]
    for line in lines:
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
        assert not missing, f"docs/api lacks {sorted(missing)} of sklearn_dim.{room}"
        assert not unknown, f"docs/api has {sorted(unknown)}, which sklearn_dim.{room} keeps to itself"
    assert set(listed) <= {"sklearn_dim", *(f"sklearn_dim.{room}" for room in ROOMS)}
    # A room without a public name is not on the page: say here that it has none.
    assert {room for room in ROOMS if not importlib.import_module(f"sklearn_dim.{room}").__all__} == {
        "data",
        "devices",
        "estimator",
        "files",
    }


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


SITE = "https://sklearn-dim.readthedocs.io/en/stable/"
FILES = "https://github.com/sklearn-dim/sklearn-dim/blob/main/"
RAW = "https://raw.githubusercontent.com/sklearn-dim/sklearn-dim/main/"


def test_links_of_the_readme_work_from_a_package_index():
    """They are absolute, and lead to pages and files that are here."""
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 20
    for link in links:
        assert link.startswith("https://"), link
        if link.startswith(SITE):
            page = DOCS / link.removeprefix(SITE)
            assert page.with_suffix(".md").exists() or page.with_suffix(".rst").exists(), link
        elif link.startswith((FILES, RAW)):
            assert (ROOT / link.removeprefix(FILES).removeprefix(RAW)).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_files_that_a_page_names_are_there(page):
    """Such as `bounds/_base.py`, below the package or the repository."""
    named = set(re.findall(r"(?<![\w/.-])(?:[\w.]+/)+[\w.]+\.(?:py|md|rst)\b", page.read_text(encoding="utf-8")))
    gone = {name for name in named if not any((at / name).exists() for at in (ROOT, PACKAGE, page.parent))}
    assert not gone


def script(name: str):
    """Return a script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run_pages = script("run_pages")


def test_the_link_check_finds_what_is_broken(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="sub/a.html#here">a</a> <img src="sub/"> <a href="http://x.y/z">z</a>'
    )
    (tmp_path / "sub" / "index.html").write_text("<p>")
    (tmp_path / "sub" / "a.html").write_text('<p id="here"><a href="../index.html">back</a> <a href="#here">me</a>')
    assert script("check_links").broken_links(tmp_path) == ([], 4)
    (tmp_path / "sub" / "a.html").write_text('<p id="there"><a href="../gone.html">back</a> <a href="#here">me</a>')
    broken, _ = script("check_links").broken_links(tmp_path)
    assert [line.split()[1] for line in broken] == ["sub/a.html#here", "../gone.html", "#here"]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[] if page.name in QUICK else pytest.mark.slow, id=page_name(page))
        for page in WITH_CODE
    ],
)
def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch, request):
    """The blocks of a page run one after the other, with no other names than those that they make themselves."""
    blocks = run_pages.blocks(page.read_text(encoding="utf-8"))
    assert len(blocks) == page.read_text(encoding="utf-8").count("```python")
    if importlib.util.find_spec("anndata") is None:  # an extra of its own; the rest of a page runs without
        blocks = [block for block in blocks if not re.search(r"\b(anndata|adata)\b", block.code)]
    for package in OPTIONAL:
        if any(re.search(rf"(from|import) {re.escape(package)}\b", block.code) for block in blocks):
            pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    if any("MUTAG.txt" in block.code for block in blocks):
        (tmp_path / "MUTAG.txt").symlink_to(request.getfixturevalue("data_dir") / "graphs" / "MUTAG.txt")
    names = {"__name__": "page"}
    for block in blocks:
        printed = run_pages.run(block.code, names, page_name(page))
        if block.shown is not None:
            assert run_pages.alike(block.shown, printed), f"line {block.line} shows\n{block.shown}but prints\n{printed}"
    if page.name == "recipes.md":  # the last recipe: "in another program"
        code = "import joblib, numpy as np; print(joblib.load('digits.joblib').predict(np.zeros((1, 1, 8, 8))).shape)"
        done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
        assert done.stdout == "(1,)\n"


def test_recipes_have_ten_lines():
    blocks = run_pages.blocks((DOCS / "guide" / "recipes.md").read_text(encoding="utf-8"))
    lengths = [sum(bool(line.strip()) for line in block.code.splitlines()) for block in blocks[1:]]
    assert len(lengths) == 7  # five recipes, and what is looked at after two of them
    assert max(lengths) <= 10


@pytest.mark.parametrize("page", WITH_CODE, ids=page_name)
def test_code_of_pages_is_narrow(page):
    """So that no box is cut: at most 79 characters."""
    for block in run_pages.blocks(page.read_text(encoding="utf-8")):
        wide = [line for line in block.code.splitlines() if len(line) > 79]
        assert not wide, f"after line {block.line}: {wide}"


def test_estimators_that_the_choice_names_can_be_made():
    text = (DOCS / "guide" / "which.md").read_text(encoding="utf-8")
    calls = re.findall(r"`((?:DIM|DGI|GraphInfomax)Transformer[(.].*?|MutualInfo\w+\(.*?\))`", text)
    assert len(calls) >= 12
    for call in calls:
        eval(call, vars(sklearn_dim) | {name: getattr(sklearn_dim, name) for name in sklearn_dim.__all__})


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("accuracy 0.93\n", "accuracy  0.95\n\n", True),
        ("accuracy 0.93", "accuracy 0.73", False),
        ("accuracy 0.93", "precision 0.93", False),
        ("(100, 8)", "(100, 9)", False),
        ("loss -1.5", "loss -2.5", False),
        ("a ... z", "a b c z", True),
        ("a ... z", "a b c", False),
        ("one 1.0", "one 1.0 2.0", False),
    ],
)
def test_outputs_are_compared_but_for_the_last_digits(shown, printed, same):
    assert run_pages.alike(shown, printed) is same


def test_blocks_are_read_with_what_they_print():
    text = (
        "# Title\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\nx = 2\n```\n\nWords.\n\n```text\n3\n```\n"
    )
    assert run_pages.blocks(text) == [("print(1)\n", "1\n", 4), ("x = 2\n", None, 12)]
    assert run_pages.run("print(1)\n", {}) == "1\n"


@pytest.mark.slow  # starts a browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_the_widths_check_finds_what_is_cut(tmp_path):
    (tmp_path / "good.html").write_text("<meta name=viewport content='width=device-width'><pre>x = 1</pre>")
    (tmp_path / "wide.html").write_text("<div style='width: 2000px'>x</div>")
    (tmp_path / "cut.html").write_text(f"<pre style='overflow: auto; width: 200px'>{'x' * 200}</pre>")
    (tmp_path / "loud.html").write_text("<script>console.error('no')</script>")
    command = [sys.executable, str(DOCS / "check_widths.py"), str(tmp_path)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    failed = {line.split()[0] for line in done.stderr.splitlines()[:-1]}
    assert failed == {"wide.html", "cut.html", "loud.html"}
