# Every target does its own set-up: Python 3.11 or newer and make are all that a machine needs.
#   make demo     a year of batches in a database of its own, and what went wrong in it
#   make test     every test
# PYTHON=/path/to/python3 chooses the interpreter that .venv is made with.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench bench-peers test-peers test-grafana generate lock clean

VENV := .venv
RUN := $(VENV)/bin/python
# The folder's own path stands in the virtual environment: a checkout that was moved gets a new one.
PLACE := $(shell printf '%s' '$(CURDIR)' | cksum | cut -d ' ' -f 1)
LOCKED := $(VENV)/.locked-$(PLACE)
READY := $(VENV)/.ready-$(PLACE)
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check
LOCKER := build/locker
UV := 0.13.9

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(READY)  ## run the demo: a year of flights, two models
	@$(RUN) -m exporter demo $(DEMO)

test: $(READY)  ## run every test; TESTS=path narrows, PYTEST="-k word" is handed on
	$(RUN) -m exporter generate --check
	$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadgroup $(PYTEST) $(TESTS)

lint: $(READY)  ## check style, types and the rules between rooms
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/python -c 'from importlinter.cli import lint_imports_command as check; check()'

format: $(READY)  ## let ruff format the code and mend what it can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

generate: $(READY)  ## write every generated file anew
	$(RUN) -m exporter generate

bench: $(READY)  ## measure, print the ratios, write benchmarks/RESULTS.md (ten minutes)
	$(RUN) -m benchmarks $(BENCH)

bench-peers: $(READY)  ## measure Evidently and NannyML in environments of their own; ROWS=1000000
	PYTHON='$(PYTHON)' $(RUN) -m benchmarks.peers $(if $(ROWS),--rows $(ROWS))

test-peers: $(READY)  ## compare every figure with Evidently's on frames at random; SEEDS=3 (half an hour)
	PYTHON='$(PYTHON)' $(RUN) -m benchmarks.peers.agreement $(if $(SEEDS),--seeds $(SEEDS))

test-grafana: $(READY)  ## open every dashboard and fire alerts in a real Grafana; GRAFANA_HOME=folder (six minutes)
	@$(RUN) -c 'import sys; from exporter.stack.settings import GET_GRAFANA as how; \
	  sys.argv[1] or sys.exit("which Grafana? " + how.replace("--grafana-home ", "GRAFANA_HOME="))' '$(GRAFANA_HOME)'
	GRAFANA_HOME='$(GRAFANA_HOME)' $(RUN) -m pytest tests_grafana $(PYTEST)

lock: $(LOCKER)/.uv-$(UV)  ## choose the newest versions again and write the locks
	$(LOCKER)/bin/uv pip compile pyproject.toml $(COMPILE) --python-version 3.11 --universal \
	  --extra embedded --extra demo --extra text --group build --group test --group lint \
	  --upgrade --output-file requirements.lock
	for peer in evidently nannyml; do \
	  $(LOCKER)/bin/uv pip compile benchmarks/peers/$$peer.in $(COMPILE) --python-version 3.11 \
	    --python-platform x86_64-manylinux_2_28 --upgrade --output-file benchmarks/peers/$$peer.lock \
	  || exit 1; done

COMPILE := --quiet --generate-hashes \
  --custom-compile-command 'make lock'

$(LOCKER)/.uv-$(UV):
	@$(FIND_PYTHON); "$$python" -m venv --clear $(LOCKER)
	$(LOCKER)/bin/python -m pip install --quiet uv==$(UV)
	touch $@

clean:  ## remove what the targets made: environments, caches, builds, benchmark data, the demo
	rm -rf $(VENV) build dist demo benchmarks/data benchmarks/peers/.venv-*
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: exactly what the lock says, then this checkout, editable.
$(READY): $(LOCKED) pyproject.toml
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(RUN) -m compileall -q exporter  # once: where PYTHONDONTWRITEBYTECODE is set no run would keep it
	@touch $@

$(LOCKED): requirements.lock
	@if ! $(RUN) -m pip --version >/dev/null 2>&1; then \
	  $(FIND_PYTHON); \
	  echo "making $(VENV) with $$python: a minute or two, once" >&2; \
	  "$$python" -m venv --clear $(VENV); \
	fi
	@$(INSTALL) --no-deps --require-hashes --requirement requirements.lock
	@touch $@

# Sets $python to the chosen interpreter, or the first that fits, and says what to do where none does.
FIND_PYTHON = \
  for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
    python=; \
  done; \
  if [ -z "$$python" ]; then \
    echo "no Python 3.11 or newer found (looked for: $(or $(PYTHON),python3 python3.11 ... 3.14)):" \
      "install one, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; \
  fi; \
  if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
    echo "$$python cannot make virtual environments: install its venv module" \
      "(Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; \
  fi
