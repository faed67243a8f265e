# Everything needs only Python ≥ 3.11, pip and make. All targets share one environment, .venv in this checkout.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.PHONY: demo test browser tools pictures up lint types contracts docs docs-check build bench clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || { echo "Making .venv …"; $(PYTHON) -m venv .venv; }
	@echo "Installing what uv.lock pins …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
	@$(BIN)/uv sync --frozen --quiet --python $(BIN)/python
	@touch $@

demo: $(READY)  ## three partnerships from need to renewal, in simulated time
	@$(BIN)/lifecycle demo

test: $(READY)  ## the whole test suite
	@$(BIN)/pytest -q -n 2 --dist loadscope

tools:  ## what the browser and sign-in tests bring along from npm
	@npm ci --no-audit --no-fund --silent --prefix tests/browser
	@npm ci --no-audit --no-fund --silent --prefix tests/portal/idp

browser: $(READY)  ## the portal in Chromium (Debian's chromium; make tools before), screenshots in screenshots/
	@$(BIN)/pytest -q -n 2 tests/browser

pictures: $(READY)  ## make the README's screenshots anew
	@$(BIN)/python -m tests.browser.pictures docs/pictures

up: $(READY)  ## the engine with its own Prefect server, until Ctrl-C
	@$(BIN)/lifecycle up

lint: $(READY)  ## ruff, format and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(READY)  ## mypy, strict
	@$(BIN)/mypy

contracts: $(READY)  ## imports point one way
	@$(BIN)/lint-imports

docs: $(READY)  ## regenerate the generated pages and the catalogues of messages
	@$(BIN)/python -m lifecycle.reference docs
	@$(BIN)/python -m lifecycle.catalogue update

docs-check: $(READY)  ## fail when a generated page is stale, or a message is not translated
	@$(BIN)/python -m lifecycle.reference docs --check
	@$(BIN)/python -m lifecycle.catalogue check

build: $(READY)  ## wheel and sdist
	@rm -rf dist
	@$(BIN)/python -m build --installer uv --outdir dist

bench: $(READY)  ## the ratios of facts.md, W1 to W3
	@$(BIN)/python -m benchmarks.transition
	@$(BIN)/python -m benchmarks.sweep
	@$(BIN)/python -m benchmarks.api
	@$(BIN)/python -m benchmarks.portal
	@$(BIN)/python -m benchmarks.startup

clean:  ## remove what was built or installed here
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
