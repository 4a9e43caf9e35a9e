# Each target has its one-line help after two hashes; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
COMPANIES ?= 4000
MONTH ?= 2026-10

export DAGSTER_HOME := $(CURDIR)/.dagster
export SF_DATA_DIR ?= $(CURDIR)/data

.PHONY: help demo ui test lint bench evaluate faults docs lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-7s %s\n", $$1, $$2}'

$(VENV)/installed: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "expected Python 3.11 to 3.13, found $$(python3 --version)"; exit 1; }
	@python3 -m venv $(VENV) || { echo "python3 cannot make virtual environments: apt-get install python3-venv"; exit 1; }
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.dagster/dagster.yaml: dagster.yaml
	@mkdir -p .dagster && cp $< $@

demo: $(VENV)/installed .dagster/dagster.yaml ## from nothing to a list: synthetic companies through the whole graph
	@$(PYTHON) -m sf_assets.demo --month $(MONTH) --companies $(COMPANIES)

ui: $(VENV)/installed .dagster/dagster.yaml ## open the graph at http://127.0.0.1:3000
	@$(VENV)/bin/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port 3000

test: $(VENV)/installed ## the whole test suite, without network
	@$(PYTHON) -m pytest -n 2 --dist loadfile

lint: $(VENV)/installed ## format, lint, types and SQL
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/sqlfluff lint --disable-progress-bar sf_assets

bench: $(VENV)/installed ## rows per second, seconds and memory of each stage at 4,000 and 50,000 companies
	@$(PYTHON) -m sf_assets.bench

evaluate: $(VENV)/installed .dagster/dagster.yaml ## what the methods are worth: backtest, champion, utility, drift; a report and docs/evaluation.md
	@$(PYTHON) -m sf_assets.evaluate --month $(MONTH) --page docs/evaluation.md

faults: $(VENV)/installed ## play every fault of the catalogue and print what caught, stopped and cleared it
	@$(PYTHON) -m sf_assets.faults run

docs: $(VENV)/installed ## write the pages derived from the declarations
	@$(PYTHON) -m sf_assets.documentation

lock: $(VENV)/installed ## compile requirements.lock again after a change of pyproject.toml
	@$(VENV)/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --quiet --output-file requirements.lock

clean: ## remove what the demonstration made: environment, data, instance
	rm -rf $(VENV) .dagster data/incoming data/warehouse data/models data/lists data/exports data/quarantine data/oracle data/explanations \
		data/evaluation
