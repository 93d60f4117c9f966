# Every target sets up what it needs: a fresh machine wants only Python 3.11+ and make
# (Node 20+ and npm for the GraphiQL page and the tests; without them the API runs all the same).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CLIENTS := tests/clients/node_modules/.installed
PAGES  := app/http/static/graphiql/index.html

.PHONY: install run test properties faults bench bench-reports lint format schema clean
.DEFAULT_GOAL := help

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed $(PAGES) ## the virtual environment and the pages

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) scripts/check_python.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]' --group dev
	@touch $@

$(PAGES): $(shell find web/graphiql -type f -not -path '*/node_modules/*' 2>/dev/null)
	@scripts/build_pages

run: install ## start everything, with data to look at
	@$(BIN)/footfall serve --demo

lint: $(VENV)/.installed ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed ## mend the style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(CLIENTS): tests/clients/package-lock.json
	npm ci --prefix tests/clients --no-audit --no-fund --loglevel=error
	@touch $@

test: install lint $(CLIENTS) ## lint, types and all tests
	@scripts/ensure_chromium
	npm test --silent --prefix web/graphiql
	$(BIN)/pytest

properties: $(VENV)/.installed ## look for examples that contradict a property (EXAMPLES=10 times as many as make test tries)
	EXAMPLES=$(or $(EXAMPLES),10) $(BIN)/pytest -m hypothesis --hypothesis-profile=searching --timeout=0

faults: $(VENV)/.installed ## kill, freeze and cut off everything, and count (ONLY=name for one; docs/reliability.md)
	$(BIN)/python -m tests.faults $(if $(ONLY),--only $(ONLY))

bench: $(VENV)/.installed ## how fast it is on this machine (EVENTS, DURATION, ROUNDS, PATIENCE, RECORD=1; docs/performance.md)
	@$(BIN)/python -m tests.bench $(if $(RECORD),--record)

bench-reports: $(VENV)/.installed ## what reports cost, every figure checked (EVENTS, CALLS, KEEP, RECORD=1; docs/performance.md)
	@$(BIN)/python -m tests.bench.reports $(if $(RECORD),--record)

schema: $(VENV)/.installed ## print schema.graphql anew
	$(BIN)/footfall schema > schema.graphql

clean: ## remove what install and the tests made; the data folder stays
	rm -rf $(VENV) dist build app/http/static web/*/node_modules tests/clients/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
