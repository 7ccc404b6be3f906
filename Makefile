# Set-up and daily work. Everything is installed on first use and again when its list changes.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
export PORT_OFFSET ?= 0
# Compiled modules are kept, wherever make was called from: services start in a third of the time.
export PYTHONDONTWRITEBYTECODE :=

PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m deploy.local
# One installation at a time in a checkout, whoever typed make.
ONE := mkdir -p .local && flock .local/install.lock

.PHONY: help demo test screens chaos bench compose-test up down status clean check words format lock install assets

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: install ## one engagement from request to report, then keep serving; ONESHOT=1 ends after it
	@ONESHOT=$(ONESHOT) $(PYTHON) -m deploy.local.demo

test: install ## all tests, those against the real broker and database included; ARGS="tests/shared -x" for some
	@sh deploy/local/need.sh kcat kafkacat || echo "Going on without kcat: the test that reads with it is skipped."
	@sh deploy/local/need.sh chromium chromium || echo "Going on without Chromium: the tests that look at pages are skipped."
	@sh deploy/local/need.sh promtool prometheus || echo "Going on without Prometheus: the tests of alerts and dashboards are skipped."
	@sh deploy/local/need.sh faketime faketime || echo "Going on without faketime: clocks stay right."
	@$(PYTHON) -m pytest $(ARGS)

screens: install ## a picture of every page, light and dark, phone and desktop, into out/screens/
	@sh deploy/local/need.sh chromium chromium
	@rm -rf out/screens && mkdir -p out/screens
	@SCREENS=out/screens $(PYTHON) -m pytest tests/browser/test_pages.py tests/browser/test_operations.py -q $(ARGS)

chaos: install ## break things under load and compare; ROUNDS=n faults or MINUTES=n, SEED=s repeats them, KINDS="kill freeze:mongo" for some, EACH=1 each kind briefly, CLUSTER=1 for those of a cluster
	@sh deploy/local/need.sh faketime faketime || echo "Going on without faketime: clocks stay right."
	@EACH="$(EACH)" ROUNDS="$(ROUNDS)" MINUTES="$(MINUTES)" SEED="$(SEED)" RATE="$(RATE)" SLACK="$(SLACK)" KINDS="$(or $(KINDS),$(if $(CLUSTER),cluster))" \
		CHAOS_SABOTAGE="$(CHAOS_SABOTAGE)" $(PYTHON) -m tests.chaos

bench: install ## measure speed beside baselines, about 15 minutes; ARGS="ingest" for a part, "memory" alone on demand; writes out/bench/
	@$(PYTHON) -m tests.bench $(ARGS)

compose-test: install ## docker-compose.yml and the image on a real Docker daemon, about 10 minutes; as root it starts one if need be
	@$(PYTHON) -m pytest tests/compose -s --timeout=3600 $(ARGS)

up: install ## start Kafka, mongod, the mail sink, the login, the four services and the site in front of them; PORT_OFFSET=n moves all ports
	@$(LOCAL) up

down: .venv/.project ## stop them; data stays in .local/
	@$(LOCAL) down

status: .venv/.project ## what runs, and where
	@$(LOCAL) status

clean: .venv/.project ## stop them and drop their data, the reports in out/ too
	@$(LOCAL) clean
	@rm -rf out

check: .venv/.project ## linters, types, import rules, dead code, dependencies
	@echo "ruff" && .venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check . || { echo "run \`make format\`"; exit 1; }
	@echo "mypy" && .venv/bin/mypy --no-error-summary
	@echo "import rules" && .venv/bin/lint-imports --no-logo >.local/lint-imports.log 2>&1 || { cat .local/lint-imports.log; exit 1; }
	@echo "page texts" && $(PYTHON) -m deploy.words check
	@echo "dead code" && .venv/bin/vulture
	@echo "dependencies" && .venv/bin/deptry . >.local/deptry.log 2>&1 || { cat .local/deptry.log; exit 1; }
	@echo "all checks passed"

words: .venv/.project ## collect the text of the pages into the English catalogs, locale/en.po
	@$(PYTHON) -m deploy.words

format: .venv/.project ## put the code into its form
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format --quiet .

lock: ## resolve the dependencies anew into requirements*.txt (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: run \`pip install uv\` and repeat."; exit 1; }
	@uv pip compile --quiet pyproject.toml --extra motor --extra local --group dev --generate-hashes \
		--no-emit-index-url --no-header --upgrade --output-file requirements-dev.txt
	@uv pip compile --quiet pyproject.toml --extra motor --constraint requirements-dev.txt --generate-hashes \
		--no-emit-index-url --no-header --upgrade --output-file requirements.txt

install: .venv/.project assets ## whatever is missing: Python packages, Java, Kafka, mongod, Caddy, front-end assets
	@$(LOCAL) install

.venv/.packages: requirements-dev.txt deploy/local/venv.sh
	@$(ONE) sh deploy/local/venv.sh

.venv/.project: .venv/.packages pyproject.toml
	@$(ONE) sh deploy/local/venv.sh project

assets: $(if $(wildcard package-lock.json),node_modules/.assets) # the front end's files out of npm's packages

node_modules/.assets: package-lock.json $(wildcard deploy/assets.mjs)
	@$(ONE) sh deploy/local/assets.sh
