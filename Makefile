# The vocabulary of this project; `make help` lists it. Needs Python 3.11 or newer, git and make.
.DEFAULT_GOAL := help
.PHONY: help run test stack-test lint format bench clean clean-data lock embedded dev
MAKEFLAGS += --no-print-directory

PYTHON ?= python3.13 python3.12 python3.11 python3
VENV := .venv/bin
export PATH := $(CURDIR)/$(VENV):$(PATH)
export PYTHONUNBUFFERED := 1
# Kept even where somebody has said otherwise: tests and benches start our processes again and again.
export PYTHONDONTWRITEBYTECODE :=

comma := ,
heading = @printf '\n== %s\n' "$(1)"

help: ## List the vocabulary
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

run: embedded ## Run everything and print one address (PORT= VEHICLES= INTERVAL= SIMULATOR=off SEARCH=elasticsearch DATA_DIR=)
	@exec $(VENV)/python -m embedded

# Java that compiles quickly: half of what an Elasticsearch of a test ever does is start.
test: export ES_JAVA_OPTS ?= -XX:TieredStopAtLevel=1
test: dev ## Test everything that can be tested, on real servers
	@ops/ensure-chromium
	@$(MAKE) --jobs 2 --output-sync=target dashboard-checks python-lint elasticsearch
	$(call heading,Python: tests on real servers)
	$(VENV)/python -m pytest tests/contract tests/integration tests/unit -n 2 --dist loadfile --no-loadscope-reorder --cov
	$(call heading,Python: a real browser$(comma) and faults; nothing else beside them$(comma) for they are timed)
	$(VENV)/python -m pytest tests/chaos tests/e2e -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: dashboard-checks elasticsearch
dashboard-checks: dashboard-lint
	$(call heading,Dashboard: unit tests)
	cd frontend && npm test -- --watch=false

elasticsearch:
	$(call heading,Elasticsearch: fetched once)
	$(VENV)/python -m embedded.elasticsearch

stack-test: dev ## Deploy docker-stack.yml on a real engine, under load (not part of `make test`)
	@ops/ensure-docker
	$(VENV)/python -m pytest tests/stack --timeout 900

lint: dev ## Check style, types and the arrows between packages
	@$(MAKE) python-lint dashboard-lint

.PHONY: python-lint dashboard-lint
python-lint:
	$(call heading,Python: lint)
	$(VENV)/python -m ruff check
	$(VENV)/python -m ruff format --check
	$(VENV)/python -m mypy
	$(VENV)/lint-imports

dashboard-lint:
	$(call heading,Dashboard: build and lint)
	$(VENV)/python -m embedded.dashboard
	cd frontend && npm run lint

format: dev ## Rewrite the sources in the one style
	$(VENV)/python -m ruff check --fix
	$(VENV)/python -m ruff format
	$(VENV)/python -m embedded.dashboard
	cd frontend && npm run format

bench: dev ## Measure heartbeats per second on this machine
	@exec $(VENV)/python -m bench

bench-million: ## Carry a million vehicles on this machine (ARGS="--vehicles 100000 --minutes 2")
bench-%: dev
	@exec $(VENV)/python -m bench.$* $(ARGS)

clean: ## Forget what was built and installed, not the data
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov
	rm -rf frontend/node_modules frontend/dist frontend/.angular
	rm -f .coverage .coverage.*

clean-data: ## Forget the data of `make run`
	@python=$$(ops/find-python $(PYTHON)) && exec "$$python" -m embedded.forget

lock: dev ## Resolve setup.cfg again into requirements/*.lock
	@ops/lock

embedded dev:
	@python=$$(ops/find-python $(PYTHON)) && exec "$$python" -m embedded.install $@
