# make demo      the whole story on data and models that come as packages
# make test      style, types, layers and the fast tests
# make test-all  the same and the slow tests (real models, browsers, databases)
# make faults    the full tables: every fault, every combination, all real rows
# make fuzz      every reader of binary formats under atheris, SECONDS=600 each, and 2,000 examples per line format
# make clean     remove the environment and every cache in this folder; runs/ stays
#
# Needs only make and Python 3.11 or newer: everything else is installed into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.DEFAULT_GOAL := test
.PHONY: demo test test-all lint fast slow faults fuzz clean

demo: .venv/.installed
	$(BIN)/isoglot demo $(ARGS)

test: lint fast

test-all: test slow

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: .venv/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not faults and not fuzz" $(ARGS)

slow: .venv/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile -m "slow and not faults and not fuzz" $(ARGS)

faults: .venv/.installed-dev
	$(BIN)/pytest -m faults $(ARGS)

# SECONDS per reader; READERS="mo tmx" to choose; what is found lies in runs/fuzz
SECONDS ?= 600
fuzz: .venv/.installed-fuzz
	$(BIN)/pytest -m fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(SECONDS) $(if $(READERS),--readers $(READERS)) $(ARGS)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'isoglot needs Python 3.11 or newer; give one with: make PYTHON=/path/to/python3.11'; exit 1; }
	"$(PYTHON)" -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	@echo 'Installing isoglot into .venv; the first time takes some minutes.'
	$(PIP) -e .
	@touch $@

.venv/.installed-fuzz: .venv/.installed-dev
	$(PIP) -e '.[fuzz]'
	@touch $@

.venv/.installed-dev: .venv/bin/python pyproject.toml constraints.txt
	@echo 'Installing isoglot and its tools into .venv; the first time takes some minutes.'
	$(PIP) -e '.[dev]'
	@touch .venv/.installed $@
