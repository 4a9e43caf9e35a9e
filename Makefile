# The text after two hashes is the help of a target; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
SF := $(PYTHON) -m sf_assets
PORT ?= 3000
COMPANIES ?= 4000
MONTH ?= 2026-10
BENCH_COMPANIES ?= 350000
REGISTER ?= 1
KILLS ?= 20
SEED ?= 1

# Targets work on the demonstration's own folder, unless SF_DATA_DIR names the folder of a deployment.
DEMO := $(CURDIR)/data/demo
OPEN := $(CURDIR)/data/demo-open
ifdef SF_DATA_DIR
export SF_DATA_DIR := $(abspath $(SF_DATA_DIR))
export DAGSTER_HOME ?= $(abspath $(SF_DATA_DIR))/dagster
else
export SF_DATA_DIR := $(DEMO)
export DAGSTER_HOME := $(DEMO)/dagster
endif

.PHONY: help demo demo-open ui test coverage lint bench bench-country evaluate faults life chaos scale docs lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

$(VENV)/installed: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "expected Python 3.11 to 3.13, found $$(python3 --version)"; exit 1; }
	@echo 'making the environment: 2 GB, some minutes'
	@python3 -m venv $(VENV) || { echo "python3 cannot make virtual environments: apt-get install python3-venv"; exit 1; }
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# An existing Dagster home keeps its own settings.
$(DAGSTER_HOME)/dagster.yaml $(OPEN)/dagster/dagster.yaml:
	@umask 077 && mkdir -p $(@D) && cp sf_assets/dagster.yaml $@

demo: $(VENV)/installed $(DAGSTER_HOME)/dagster.yaml ## compute a list from synthetic companies, through the whole graph (MONTH=, COMPANIES=)
	@$(SF) demo --month $(MONTH) --companies $(COMPANIES)

demo-open: $(VENV)/installed $(OPEN)/dagster/dagster.yaml ## the same from open data alone, in a folder of its own
	@SF_DATA_DIR=$(OPEN) DAGSTER_HOME=$(OPEN)/dagster $(SF) demo --open --month $(MONTH) --companies $(COMPANIES)

ui: $(VENV)/installed $(DAGSTER_HOME)/dagster.yaml ## open the graph of the demonstration, or of SF_DATA_DIR, at http://127.0.0.1:3000 (PORT=)
	@$(SF) ui --port $(PORT)

# Two processes, a file of tests in one of them, in the order of sf_assets_tests/conftest.py.
TWO := -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/installed ## run the whole test suite, without network
	@$(PYTHON) -m pytest $(TWO)

coverage: $(VENV)/installed ## the test suite once more, slower, with the lines and branches that no test reaches
	@$(PYTHON) -m pytest $(TWO) --cov

lint: $(VENV)/installed ## check format, lint, types and SQL
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/sqlfluff lint --disable-progress-bar sf_assets

bench: $(VENV)/installed ## measure seconds, rows per second and memory of each stage at 4,000 and 50,000 companies
	@$(SF) bench

bench-country: $(VENV)/installed ## the same with 350,000 companies and INSEE's whole register: hours, and 60 GB below TMPDIR (BENCH_COMPANIES=, REGISTER=)
	@$(SF) bench --companies $(BENCH_COMPANIES) --register-share $(REGISTER)

evaluate: $(VENV)/installed $(DAGSTER_HOME)/dagster.yaml ## evaluate the methods (backtest, champion, utility, drift): a report; rewrites the tables of docs/evaluation.md, a committed page
	@$(SF) evaluate $(MONTH) --page docs/evaluation.md

faults: $(VENV)/installed ## play every fault of the catalogue; print what caught, stopped and cleared each
	@$(SF) faults run

life: $(VENV)/installed ## live three months with their mishaps; rewrites docs/reliability.md, a committed page, when all of them end well
	@$(SF) life --page docs/reliability.md

chaos: $(VENV)/installed ## kill writers at random moments, restart or stop their servers; print what was torn, doubled or left (KILLS=, SEED=)
	@$(SF) chaos --kills $(KILLS) --seed $(SEED)

scale: $(VENV)/installed ## the same month on PostgreSQL and an object store (S3), history by two runs at once, compared with one machine
	@$(SF) scale

docs: $(VENV)/installed ## rewrite the committed pages that are derived from the declarations
	@$(SF) docs

COMPILE = $(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --quiet

lock: $(VENV)/installed ## compile the locks again after a change of pyproject.toml: with the development tools, without, and of the image
	@$(COMPILE) --extra dev --extra s3 --output-file requirements.lock
	@$(COMPILE) --extra s3 --constraint requirements.lock --output-file requirements-run.lock
	@$(COMPILE) --extra s3 --extra kubernetes --constraint requirements.lock --output-file deploy/requirements-kubernetes.lock

# The folders that runs and verbs make; whatever else is below the demonstration's folder has been put there.
MADE := oracle warehouse models lists published answers exports notices dagster evaluation explanations quarantine

clean: ## remove the folders of the demonstrations and the environment; ask before any file that they did not make
	@others=$$(for place in '$(DEMO)' '$(OPEN)'; do \
		cd "$$place" 2> /dev/null && find . \( $(MADE:%=-path ./% -o) -false \) -prune -o -type f -printf '%P\0' | sort -z \
		| xargs -0r -n 1 sh -c 'sha256sum "$$0" 2> /dev/null || printf "%064d  %s\n" 0 "$$0"' \
		| grep -vxFf <(cat oracle/*.sha256 2> /dev/null) | cut -c67- | sed "s|^|$$place/|"; \
	done); \
	if [ -n "$$others" ]; then \
		printf 'not made by the demonstrations:\n%s\n' "$$others"; \
		read -r -p 'remove them too? [y/N] ' answer; \
		[ "$$answer" = y ] || { echo 'nothing was removed'; exit 1; }; \
	fi
	@chmod -Rf u+w '$(DEMO)/published' '$(OPEN)/published' || true
	rm -rf '$(DEMO)' '$(OPEN)' $(VENV)
