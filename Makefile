# gamtune: make run, make test, make ui
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
CORES ?= all
CONFIG ?= config/config.yaml
PORT ?= 5000
BIN := .venv/bin
SNAKEMAKE = $(BIN)/snakemake --cores "$(CORES)" $(if $(filter-out config/config.yaml,$(CONFIG)),--configfile "$(CONFIG)")
# Test processes: one more than cores, since many tests wait for other processes part of the time
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))

# Snakemake keeps a cache in HOME and does not start if HOME is not writable
ifndef XDG_CACHE_HOME
ifneq ($(shell mkdir -p "$$HOME/.cache" 2> /dev/null && test -w "$$HOME/.cache" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif
endif

.PHONY: help run ui test test-fast test-long attack lint benchmark reference lock clean

help:
	@echo "make run        run the study CONFIG=$(CONFIG) on CORES=$(CORES) and print a summary of the results"
	@echo "make ui         show its runs in MLflow, on this machine only, PORT=$(PORT)"
	@echo "make test       run all tests (about 10 minutes on 2 cores); make test-fast: without Snakemake runs (about 3 minutes)"
	@echo "make attack     kill runs, mutate input and damage files (about 85 minutes); ATTACK='storm --number 20 --seed 3': a part"
	@echo "make benchmark  compare the speed with other tools (several hours); installs them into .venv-benchmark"

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("gamtune needs Python 3.11 or later, $(PYTHON) is " + sys.version.split()[0] + "; use another: make run PYTHON=python3.12")'
	@echo "Setting up .venv (a few minutes, only once)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q workflow
	@touch $@

run: .venv/installed
	@$(BIN)/gamtune check "$(CONFIG)"
	@exec $(SNAKEMAKE)
	@echo; $(BIN)/gamtune show "$(CONFIG)"

ui: .venv/installed
	@$(BIN)/gamtune ui "$(CONFIG)" --port "$(PORT)"

lint: .venv/installed
	$(BIN)/ruff check workflow tests
	$(BIN)/ruff format --check workflow tests
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/codespell
	$(BIN)/python -m pytest -q --noconftest -p no:cacheprovider tests/unit/test_prose.py

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-fast: .venv/installed
	$(BIN)/python -m pytest -n $(WORKERS) -m "not (workflow or slow or browser or team or tables or long)" tests/unit workflow/gamtune

# Tests that require other programs or much time; they are skipped if a program is not installed
test-long: .venv/installed
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "browser or team or tables or long"

attack: .venv/installed
	PYTHONPATH=workflow:tests $(BIN)/python -m attack $(ATTACK)

.venv-benchmark/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv-benchmark
	.venv-benchmark/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv-benchmark/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[benchmark]'
	.venv-benchmark/bin/python -m compileall -q workflow
	@touch $@

benchmark: .venv-benchmark/installed
	.venv-benchmark/bin/python tests/benchmarks/loop.py
	.venv-benchmark/bin/python tests/benchmarks/operations.py
	.venv-benchmark/bin/python tests/benchmarks/trial_cost.py
	.venv-benchmark/bin/python tests/benchmarks/phases.py
	.venv-benchmark/bin/python tests/benchmarks/profile.py
	.venv-benchmark/bin/python tests/benchmarks/scale.py
	.venv-benchmark/bin/python tests/benchmarks/strategies.py
	.venv-benchmark/bin/python tests/benchmarks/no_op.py
	.venv-benchmark/bin/python tests/benchmarks/same_trials.py
	.venv-benchmark/bin/python tests/benchmarks/time_to_error.py
	.venv-benchmark/bin/python tests/benchmarks/parity.py
	.venv-benchmark/bin/python tests/benchmarks/gam.py
	.venv-benchmark/bin/python tests/benchmarks/false_alarms.py
	.venv-benchmark/bin/python tests/benchmarks/tracking.py

reference: .venv/installed
	$(BIN)/python -m gamtune.config.reference

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra test --custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .venv-benchmark .snakemake
	find results -mindepth 1 ! -name README.md -delete
