# Every habit of this repository by name; `make` alone lists them. run.py makes .venv on first use.

BIN := .venv/bin
# `make test ARGS="-k ledger"` hands options on to the command of any target below that runs one.
ARGS :=
.DEFAULT_GOAL := help
.PHONY: help setup demo test soak dev check lint types imports sql snapshots-check fix bench snapshots lock

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

setup:
	@python3 run.py test --version > /dev/null

demo: ## Play the main job on real bank data and verify it
	python3 run.py demo $(ARGS)

test: ## Run the tests
	python3 run.py test $(ARGS)

soak: ## Run the tests that take minutes
	python3 run.py test -m soak -n 0 --timeout 900 $(ARGS)

dev: setup ## Serve the sandbox and start again when the source changes
	$(BIN)/watchfiles --filter python '$(BIN)/python -m bursar serve $(ARGS)' src

check: lint types imports sql snapshots-check ## Run every check that CI runs after the tests

lint: setup ## Check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## Check types
	$(BIN)/basedpyright

imports: setup ## Check that imports go down the floors
	$(BIN)/lint-imports --no-logo

sql: setup ## Check the migrations
	$(BIN)/squawk src/bursar/migrations/*.sql

snapshots-check: setup
	$(BIN)/python tools/snapshots.py --check

snapshots: setup ## Write schema.sql and openapi.json anew
	$(BIN)/python tools/snapshots.py

fix: setup ## Mend what style and format can mend by themselves
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Measure everything and write docs/performance.md; ARGS=payments measures and prints one thing
	$(BIN)/python -m bench $(or $(ARGS),all)

lock: setup ## Choose dependencies anew and pin them with hashes
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
