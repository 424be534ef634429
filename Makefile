# One way to set up, used by people, by CI and by the Dockerfile alike.
# Nothing is done again while pyproject.toml and the locks stand unchanged; an interrupted set-up is
# repaired by the next `make`.

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
PIP_AUDIT_VERSION := 2.10.1
UV := UV_PYTHON=$(BIN)/python $(BIN)/uv
PYTHON ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help:
	@echo "make demo     set up everything, run the paper in miniature, serve it (ARGS=--exit ends instead)"
	@echo "make up       set up everything, then one server and one worker"
	@echo "make test     set up what the tests need and run them in three processes (ARGS goes to pytest; -n 0 for one)"
	@echo "make bench    measure what the probe costs, on a quiet machine (ARGS='--part body', --quick, --gpu)"
	@echo "make audit    ask PyPI for known weaknesses of what the locks hold (pip-audit)"
	@echo "make lint     ruff, mypy, import-linter and, where npm is, tsc"
	@echo "make format   let ruff rewrite what it can"
	@echo "make setup    packages and the project in $(VENV) (setup-server: without torch, setup-dev: with tools)"
	@echo "make lock     write requirements/*.lock anew (ARGS=--upgrade takes the newest versions)"
	@echo "make docs     write docs/settings.md, the tables of docs/benchmarks.md and docs/models.md, the figure of docs/criteria.md"
	@echo "make screenshots   take the pictures of docs/pages.md: every page, light and dark, wide and narrow"

# ---- running -----------------------------------------------------------------------------------------

.PHONY: demo up test bench
demo: setup
	@$(BIN)/eigenscope demo $(ARGS)

up: setup
	@$(BIN)/eigenscope up $(ARGS)

test: setup-dev
	@OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

# Threads wait as the trainer's do (worker/training/train.py), so that its costs are what is measured.
bench: setup-bench
	@OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks $(ARGS)

# Kills what can be killed while jobs run, sends wrong input, loads; on SQLite, and on a PostgreSQL and a Redis of its own.
.PHONY: drill
drill: setup-dev
	@OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.drills $(ARGS)

# TensorBoard and MLflow, which the dashboard's pages are measured beside, in an environment of their own.
.PHONY: setup-rivals
setup-rivals: $(VENV)-rivals/installed

$(VENV)-rivals/installed: $(VENV)/uv-$(UV_VERSION)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-rivals
	@$(BIN)/uv pip install --quiet --python $(VENV)-rivals/bin/python tensorboard==2.21.0 mlflow==3.17.0 numpy
	@touch $@

# ---- setting up --------------------------------------------------------------------------------------
# packages-X installs requirements/X.lock; setup, setup-server, setup-bench and setup-dev add the project itself.

.PHONY: setup setup-server setup-bench setup-dev packages-runtime packages-server packages-bench packages-dev
setup: $(VENV)/project-runtime
setup-server: $(VENV)/project-server
setup-bench: $(VENV)/project-bench
setup-dev: $(VENV)/project-dev
packages-runtime packages-server packages-bench packages-dev: packages-%: $(VENV)/packages-%

# A Python that was removed from the machine leaves a dead link: then nothing counts as installed.
$(shell [ -e $(BIN)/python ] || rm -f $(VENV)/uv-* $(VENV)/packages-* $(VENV)/project-*)

$(BIN)/python:
	@python="$(PYTHON)"; \
	for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if [ -z "$$python" ] && $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$candidate; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  found=$$(python3 --version 2>/dev/null || echo "no python3"); \
	  echo "Eigenscope needs Python 3.11 or newer and found $$found; install one, or name it: make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$python --version)" >&2; \
	$$python -m venv --clear $(VENV)

$(VENV)/uv-$(UV_VERSION): $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -f $(BIN)/python; $(MAKE) $(BIN)/python; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# The mark stays where an installation was cut off: half a package looks installed, so all are laid anew.
$(VENV)/packages-%: requirements/%.lock $(VENV)/uv-$(UV_VERSION)
	@again=; if [ -e $(VENV)/unfinished ]; then again=--reinstall; fi; \
	touch $(VENV)/unfinished; \
	$(UV) pip install $$again -r $<
	@rm -f $(VENV)/unfinished
	@touch $@

# As a folder on the path: a folder of the package's own name, such as this clone seen from beside it, would hide a finder.
$(VENV)/project-%: pyproject.toml $(VENV)/packages-%
	@$(UV) pip install --quiet --no-deps --no-build-isolation --config-setting editable_mode=compat --editable .
	@touch $@

.PRECIOUS: $(VENV)/packages-%

# ---- checking ----------------------------------------------------------------------------------------

.PHONY: lint format types
lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) types

# The largest lock holds all versions of the others (tests/deploy/test_locks.py).
.PHONY: audit
audit: $(VENV)/uv-$(UV_VERSION)
	@$(UV) tool run --quiet --from pip-audit==$(PIP_AUDIT_VERSION) pip-audit --strict --progress-spinner=off \
	  --no-deps --disable-pip --vulnerability-service=pypi -r requirements/dev.lock $(ARGS)

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# The pages' JavaScript is checked where npm is; CI demands it.
types:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) frontend/node_modules/installed && cd frontend && npm run --silent check; \
	elif [ "$$EIGENSCOPE_TEST_DEMAND" = 1 ]; then echo "make lint needs npm (Node 20 or newer) to run tsc" >&2; exit 1; \
	else echo "tsc skipped: it needs npm (Node 20 or newer)" >&2; fi

frontend/node_modules/installed: frontend/package.json frontend/package-lock.json
	@cd frontend && npm ci --silent --no-fund --no-audit
	@touch $@

# ---- writing what is generated ---------------------------------------------------------------------

.PHONY: lock docs screenshots
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	$(ARGS) pyproject.toml requirements/build.in

# The smaller locks take the largest one's versions, so that one environment can hold all of them.
lock: $(VENV)/uv-$(UV_VERSION)
	@$(COMPILE) --all-extras --output-file requirements/dev.lock
	@$(COMPILE) --extra worker --constraint requirements/dev.lock --output-file requirements/runtime.lock
	@$(COMPILE) --extra worker --extra bench --constraint requirements/dev.lock --output-file requirements/bench.lock
	@$(COMPILE) --constraint requirements/dev.lock --output-file requirements/server.lock

docs: setup-dev
	@$(BIN)/python docs/settings_table.py > docs/settings.md
	@$(BIN)/python -m benchmarks.page
	@$(BIN)/python -m benchmarks.sizes
	@$(BIN)/python docs/criteria_figure.py

screenshots: setup-dev
	@OMP_WAIT_POLICY=PASSIVE $(BIN)/python docs/screenshots.py
