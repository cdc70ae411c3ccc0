"""Checks in environments of their own, made and filled by nox (``pip install nox``):

    nox -s lint      ruff, its formatter and mypy
    nox -s oldest    the suite on the oldest release of each dependency
    nox -s newest    the suite on the newest
    nox -s slow      the tests marked "slow", which take an hour or two
    nox -s wheel     sdist and wheel built into dist/ and checked, the wheel used alone
    nox -s docs      the documentation; warnings and broken links are errors

What follows ``--`` goes to pytest: ``nox -s oldest -- tests/dim/test_dim.py -x``.
"""

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["newest", "wheel"]
TESTED = ".[plot,graph,test]"


@nox.session
def lint(session):
    """Check style, format and types with the releases of constraints.txt, as `make lint` does."""
    session.install("--constraint", "constraints.txt", "torch")
    session.install("--constraint", "constraints.txt", "--editable", TESTED)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def oldest(session):
    """Run the suite on the releases of constraints-oldest.txt, the floors of pyproject.toml."""
    session.install("--constraint", "constraints-oldest.txt", "--editable", ".[plot,graph,spatial,test]")
    session.run("pytest", "-q", *session.posargs)


@nox.session
def newest(session):
    """Run the suite on the newest releases; torch is that of constraints.txt."""
    session.install("--constraint", "constraints.txt", "torch")
    session.install("--constraint", "constraints.txt", "--editable", TESTED)
    session.run("pytest", "-q", *session.posargs)


@nox.session
def slow(session):
    """Run the tests that the default suite leaves out."""
    session.install("--constraint", "constraints.txt", "torch")
    session.install("--constraint", "constraints.txt", "--editable", TESTED)
    session.run("pytest", "-q", "-m", "slow", *session.posargs)


@nox.session
def wheel(session):
    """Build sdist and wheel into dist/, and use the wheel without any extra in a bare environment."""
    session.install("build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    (built,) = Path("dist").glob("*.whl")
    bare = Path(session.create_tmp()).resolve() / "bare"
    session.run("python", "-m", "venv", "--clear", str(bare))
    python = str(bare / "bin" / "python")
    session.run(python, "-m", "pip", "install", "-q", "--constraint", "constraints.txt", str(built), external=True)
    session.run(python, "tests/package/smoke.py", external=True)


@nox.session
def docs(session):
    """Build the documentation into docs/_build/html, as `make docs` does."""
    session.install("--constraint", "constraints.txt", "torch")
    session.install("--constraint", "constraints.txt", "--editable", ".[docs,plot,graph]")
    session.run("sphinx-build", "-W", "--keep-going", "-n", "-q", "-b", "html", "docs", "docs/_build/html")
    session.run("python", "docs/check_links.py", "docs/_build/html")
