# Each target sets up what it needs: a fresh machine needs python3 (3.11 or newer, with venv), git and make.
# PYTHON=… chooses the Python that .venv is made with.

PYTHON ?= python3
VENV := .venv/bin
STAMP := .venv/.installed
NOTEBOOK := build/demo/01_quickstart.ipynb

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo lab model test check lint types fast docs pictures bench bench-live bench-cache bench-inspector torture clean
.DELETE_ON_ERROR:

# What a shell may have set for other projects has no say here.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONDONTWRITEBYTECODE VIRTUAL_ENV CONDA_PREFIX
unexport PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV
export PYTHONNOUSERSITE := 1

help:
	@echo "make demo       run notebooks/01_quickstart.ipynb with a real model, here in the terminal"
	@echo "make lab        open JupyterLab on the notebooks"
	@echo "make check      the quick loop: make lint, types and fast (tests)"
	@echo "make test       all tests, with the real model and a real browser"
	@echo "make docs       build the site of README, docs and notebooks, into build/docs/site"
	@echo "make pictures   take the pictures in docs anew, in a real browser"
	@echo "make bench      measure how fast it is beside others, into benchmarks/RESULTS.md; ONLY=stream chooses"
	@echo "make bench-live measure the live output in a real browser, into benchmarks/LIVE.md; ONLY=stop chooses"
	@echo "make bench-inspector measure the inspector in a real browser, into benchmarks/INSPECTOR.md; ONLY=slide chooses"
	@echo "make bench-cache ask caches whether what they give is right, into benchmarks/CACHE.md; ONLY=helper chooses"
	@echo "make torture    kill, starve and interrupt what saves, for long, into benchmarks/RELIABILITY.md; ONLY=kill chooses"
	@echo "make clean      remove what was built (the demo's session too); .venv stays"

demo: model
	@$(VENV)/python tools/demo.py

lab: model
	@PATH="$(CURDIR)/$(VENV):$$PATH" $(VENV)/python -m jupyterlab --ServerApp.root_dir="$(CURDIR)" $(if $(filter 0,$(shell id -u)),--allow-root) \
		--LabApp.default_url=/lab/tree/$(firstword $(wildcard $(NOTEBOOK)) notebooks/01_quickstart.ipynb)

model: $(STAMP)
	@$(VENV)/python tools/system.py libgomp1
	@$(VENV)/wf models pull smollm2

test: $(STAMP)
	@$(VENV)/python tools/test.py -n 2

check: lint types fast

lint: $(STAMP)
	@$(VENV)/python -m ruff check --output-format concise .
	@$(VENV)/python -m ruff format --quiet --check .

types: $(STAMP)
	@$(VENV)/python -m mypy

fast: $(STAMP)
	@$(VENV)/python -m pytest -q -n 2 -m "not model and not browser and not postgres and not slow"

docs: $(STAMP)
	@$(VENV)/python tools/site.py

pictures: model
	@$(VENV)/python -m pytest -q -n 0 -m picture tests
	@for picture in docs/*.png; do cp build/screenshots/$${picture##*/} docs/ || exit 1; done

bench: $(STAMP)
	@$(VENV)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

bench-live: $(STAMP)
	@$(VENV)/python -m benchmarks.live $(if $(ONLY),--only "$(ONLY)")

bench-inspector: $(STAMP)
	@$(VENV)/python -m benchmarks.inspector $(if $(ONLY),--only "$(ONLY)")

bench-cache: $(STAMP)
	@$(VENV)/python -m benchmarks.stale $(if $(ONLY),--only "$(ONLY)")

torture: $(STAMP)
	@$(VENV)/python -m benchmarks.torture $(if $(ONLY),--only "$(ONLY)")

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache

# The stamp says where .venv was made, and for which Python: a copy of this folder, or a new Python, makes it again.
ifneq ($(file <$(STAMP)),$(CURDIR) $(shell $(VENV)/python -V 2>/dev/null))
.PHONY: $(STAMP)
endif
$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "$(PYTHON) is %d.%d, 3.11 or newer is needed:" \
		" on Debian 12 and later, apt-get install python3 python3-venv; or name another one, make PYTHON=..." % v[:2])'
	@$(PYTHON) tools/environment.py
