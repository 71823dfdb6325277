# Everything a person does here, by name. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= first-run
ARGS ?=
PIP = $(BIN)/python -m pip
PYTEST := $(BIN)/python -m pytest
# A file's tests share what it has made; the files that take longest come first (tests/conftest.py).
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help run test check slow slow-docker slow-others soak test-model bench docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.stamp  ## the main job: evolve agents in three domains, offline (RUN=name, ARGS="--proposals 60 --seconds 600")
	@test ! -e archive/$(RUN) || { echo "archive/$(RUN) is there already: \`make run RUN=another\` begins a new run, \`$(BIN)/dgm resume $(RUN)\` goes on with this one" >&2; exit 2; }
	$(BIN)/dgm run $(RUN) --seconds 100 $(ARGS)

test: $(VENV)/dev.stamp  ## the tests
	$(PYTEST) $(SPREAD) -m "not slow and not soak" $(ARGS)

check: $(VENV)/dev.stamp  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: slow-others slow-docker  ## the tests that take longer than a few seconds

slow-others: $(VENV)/dev.stamp
	$(PYTEST) $(SPREAD) -m "slow and not docker" $(ARGS)

slow-docker: $(VENV)/dev.stamp
	$(PYTEST) -m "slow and docker" $(ARGS)

soak: $(VENV)/dev.stamp  ## kills, restarts and long runs
	$(PYTEST) -m "soak" --timeout 0 $(ARGS)

test-model: $(VENV)/dev.stamp  ## a run on a real, small language model on this machine (compiles its server once: ten minutes)
	nice -n 5 $(BIN)/python -m tests.model.server
	$(PYTEST) -m model --timeout 0 tests/model -rA $(ARGS)

bench: $(VENV)/dev.stamp  ## how fast it all is (ARGS="--json", ARGS="generation gateway")
	$(BIN)/python -m tests.bench $(ARGS)

docs: $(VENV)/dev.stamp  ## the documentation as a site, in dist/site
	$(BIN)/python -m mkdocs build --strict -f docs/mkdocs.yml

clean:  ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dgm needs Python 3.11 or newer; name one with make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

# --no-compile: heavy dependencies are imported lazily, so most of their bytecode would never be used.
$(VENV)/run.stamp: pyproject.toml | $(BIN)/python
	@echo "installing dgm and what it needs into $(VENV): a minute, once"
	@$(PIP) install --quiet --no-compile --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@echo "installing dgm and what its tests need into $(VENV): two minutes, once"
	@$(PIP) install --quiet --no-compile --editable '.[dev]'
	@touch $@ $(VENV)/run.stamp
