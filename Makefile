# The front door. `make demo` and `make test` set up what they need on a fresh Debian-like machine.
PYTHON ?= python3
VENV := .venv
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 5 --dist loadfile --no-loadscope-reorder
WORKERS := $(shell expr $$(nproc) + 1)
BIN := $(VENV)/bin
export UV_PROJECT_ENVIRONMENT := $(VENV)
unexport PYTHONDONTWRITEBYTECODE  # hundreds of processes start during the tests; compiling all they import is most of their start

.PHONY: help setup demo test test-all lint fix bench screenshots clean

help:             ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 16

setup: $(VENV)/.ready  ## the environment with everything

$(VENV)/.ready: pyproject.toml uv.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv sync --quiet --frozen --all-extras --inexact
	touch $@

demo: setup       ## make a sample deposition, ingest it, serve it (ARGS="--port 8080")
	$(BIN)/tomoportal demo $(ARGS)

test: setup       ## lint, types and all tests (what CI runs)
	tests/prepare
	$(MAKE) --no-print-directory lint
	$(PYTEST)

test-all: setup   ## the same with the long random suites whole
	tests/prepare
	$(MAKE) --no-print-directory lint
	TOMOPORTAL_TEST_ALL=1 $(PYTEST)

lint: setup       ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup        ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup      ## the figures of benchmarks/README.md
	$(BIN)/uv sync --quiet --frozen --all-extras --group bench --inexact
	$(BIN)/python benchmarks/run.py

screenshots: setup  ## the pictures in docs/, and every page in .cache/screenshots
	$(BIN)/python docs/screenshots.py

clean:            ## remove the environment and the demo portal
	rm -rf $(VENV) .cache demo-portal
