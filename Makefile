# Type `make` for the list of what this file can do.

# DeepChem sets the Python version: 3.11. Another name or path: make install PYTHON=...
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Extra arguments for a target, as in: make test ARGS="-m 'not slow'"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install app test check format bench bench-smoke weights probes corpus screenshot clean

help: ## show this list
	@echo "cmim-chem: predictions for molecules from their SMILES. Usage: make TARGET"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Everything is installed into $(VENV) the first time it is needed (a few minutes)."

install: $(STAMP) ## create .venv and install the package and the tools of its developers

$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	    || { echo "Python 3.11 is needed; say where it is: make install PYTHON=/path/to/python3.11" >&2; exit 2; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $(STAMP)

app: $(STAMP) ## open the app in the browser, on the shipped model
	$(BIN)/cmim app $(ARGS)

# A process per core has one thread. Browsers come last and among themselves, in an app per process:
# beside tests that fill the cores a page would keep its visitor waiting. No test left by ARGS is no
# failure (pytest's exit code 5).
test: $(STAMP) ## run all tests, a process per core (ARGS="-m 'not slow'" for the quick ones)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --ignore-glob='*/test_browser*.py' $(ARGS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto tests/ui/test_browser*.py $(ARGS) || test $$? -eq 5

check: $(STAMP) ## formatting, lint, docstrings (ruff) and types (mypy, strict)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP) ## let ruff format the code and sort the imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## run the full MoleculeNet suite (hours; resumes) and write its report
	$(BIN)/cmim benchmark $(ARGS)
	$(BIN)/cmim benchmark --report

bench-smoke: $(STAMP) ## run a few cells of the suite and compare with the stored results
	@test -d "$(CMIM_DATA)/moleculenet" \
	    || { echo "Say where moleculenet/ is: make bench-smoke CMIM_DATA=path/to/data" >&2; exit 2; }
	CMIM_DATA="$(CMIM_DATA)" $(BIN)/python -m benchmarks.smoke

corpus: $(STAMP) ## build the pretraining corpus under data/processed (CMIM_DATA names the raw tables)
	$(BIN)/python -m data.prepare_zinc $(ARGS)

weights: $(STAMP) ## rebuild everything shipped from a checkpoint: make weights CHECKPOINT=runs/small
	@test -n "$(CHECKPOINT)" \
	    || { echo "Say which checkpoint: make weights CHECKPOINT=path/to/checkpoint" >&2; exit 2; }
	$(BIN)/python -m data.build_weights --checkpoint "$(CHECKPOINT)" $(ARGS)

probes: $(STAMP) ## fit the shipped probes anew, on the encoder that ships (CMIM_DATA names the tables)
	$(BIN)/python -m data.build_weights $(ARGS)

screenshot: $(STAMP) ## retake the README's pictures of the app (needs Chromium): ARGS="--table FILE" for all
	$(BIN)/python -m app.screenshot --out app/screenshots $(ARGS)

clean: ## remove the environment, caches and build products; data and runs stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
