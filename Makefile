# Commands, each from a bare clone: `make demo`, `make test` and `make docs`. All set up what they need once.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.ready-docs

.PHONY: demo test lint docs clean

demo: $(READY)
	@echo "The quickstart: digits, a network, mutual information, a grid search. One to two minutes."
	$(VENV)/bin/python examples/quickstart.py

test: $(READY) lint
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -q --numprocesses auto --maxprocesses 4

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# Warnings are errors, and so are broken links between the pages. The start page is docs/_build/html/index.html.
docs: $(DOCS_READY)
	@echo "Running the gallery's examples and building the pages: two to four minutes."
	$(VENV)/bin/python -m sphinx -W --keep-going -n -q -b html docs docs/_build/html
	$(VENV)/bin/python docs/check_links.py docs/_build/html

$(DOCS_READY): $(READY)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[docs,plot,graph]"
	@touch $@

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sklearn-dim needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV), once: torch and what else is needed are about 1 GB to download."
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[plot,graph,test]"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis .nox build dist docs/_build docs/auto_examples docs/api/generated
