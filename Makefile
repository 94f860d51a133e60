# Everything that one does with this project. `make` alone lists it.

PYTHON3 ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
POSTGRES ?= postgres://postgres@127.0.0.1:5432/tributary_check
REDIS ?= redis://127.0.0.1:6379

.PHONY: help setup demo run test check lint test-services bench format lock

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

setup: $(STAMP)  ## a virtual environment with the pinned dependencies

$(STAMP): requirements-dev.txt
	@$(PYTHON3) -c "$(NEW_ENOUGH)" || \
		{ echo "Tributary needs Python 3.11 or later; name one: make PYTHON3=python3.12 …"; exit 1; }
	@$(BIN)/python -c "$(NEW_ENOUGH)" 2>/dev/null || rm -rf .venv
	@echo "Installing the pinned dependencies into .venv (once, about a minute)"
	$(PYTHON3) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $(STAMP)

demo: $(STAMP)  ## everything with a simulated Bitbucket, nothing else needed
	@exec $(BIN)/python manage.py demo

run: $(STAMP)  ## the same without the simulated Bitbucket, for a real workspace
	@exec $(BIN)/python manage.py run

test: $(STAMP)  ## all tests, on SQLite
	$(BIN)/pytest -n 2 --dist loadgroup

check: lint test test-services  ## everything that CI checks

lint: $(STAMP)  ## style, types, import rules, templates, migrations, production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --cache-dir=/dev/null  # its plugin for Django finds relations only in one go
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	VAR_DIR=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run
	VAR_DIR=$$(mktemp -d) SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	FERNET_KEYS=only-for-this-check PUBLIC_URL=https://tributary.example.com DATABASE_URL=$(POSTGRES) \
	CELERY_BROKER_URL=$(REDIS)/0 CACHE_URL=$(REDIS)/1 TRUSTED_PROXY_COUNT=1 \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

test-services: $(STAMP)  ## the tests again, on PostgreSQL and Redis
	DATABASE_URL=$(POSTGRES) CELERY_BROKER_URL=$(REDIS)/2 TEST_CACHE_URL=$(REDIS) \
	$(BIN)/pytest -n 2 --dist loadgroup -m "not browser and not processes"

bench: $(STAMP)  ## measure it, beside what is aimed at; ONLY=sync measures one subject
	$(BIN)/python -m tests.benchmarks $(ONLY)

format: $(STAMP)  ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP)  ## write the lock files anew, for Python 3.11 to 3.13
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra parquet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate -o requirements-dev.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate -c requirements-dev.txt -o requirements.txt
