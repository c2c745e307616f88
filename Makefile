.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help:  ## What there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ContentOpt needs Python 3.11 or newer; say PYTHON=/path/to/python3.x"; exit 1; }
	$(PYTHON) -m venv .venv

.setup-run: .venv/bin/python requirements.txt requirements-embedded.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt -r requirements-embedded.txt
	@test -f .env || cp .env.example .env
	@touch $@

.setup-dev: .setup-run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt -r requirements-embedded.txt -r requirements-dev.txt
	@touch $@

run: .setup-run  ## Start everything on this machine; PORT=8001 changes the port, Ctrl-C stops it
	@$(BIN)/python -m contentopt.supervisor

test: .setup-dev  ## Run the test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

chaos: .setup-dev  ## Kill processes at random in the middle of ten runs
	@CHAOS_ROUNDS=10 $(BIN)/python -m pytest tests/races/test_run_survives_kills.py -k whatever -rP

histories: .setup-dev  ## 500 random histories of a customer, with workers killed and the database away
	@HISTORIES=500 $(BIN)/python -m pytest tests/races/test_billing_histories.py -n 2

slow-receivers: .setup-dev  ## Webhooks to servers that drip, hang and flood, with the product's own time limits
	@REAL_LIMITS=1 $(BIN)/python -m pytest tests/webhooks/test_sending.py -k "holds_nobody or for_long" --durations=0

schemathesis: .setup-dev  ## Ten minutes of requests, made up from the API's document, to a running product
	@$(BIN)/python -m tests.contract 600

stripe-cli:  ## Stripe's own client, for the tests that let it ask our stand-in
	npm install --silent --no-audit --no-fund --prefix .local/stripe-cli @stripe/cli@1.52.0

localstripe:  ## Somebody else's stand-in for Stripe, for the tests that compare ours with it
	$(PYTHON) -m venv .local/localstripe
	.local/localstripe/bin/python -m pip install --quiet localstripe==1.15.10

screenshots: .setup-dev  ## Take the README's pictures from a running `make run`
	@$(BIN)/python docs/take_screenshots.py

check: .setup-dev  ## What CI runs
	@bash .ci/run

lock: .setup-dev  ## Compile requirements*.in to their locks
	for name in requirements requirements-embedded requirements-dev requirements-benchmark; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $$name.in -o $$name.txt; done

.PHONY: help run test chaos histories slow-receivers schemathesis stripe-cli localstripe screenshots check lock
