# `make run` and `make test` do all their own set-up; nothing else has to be called first.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DEV := DEBUG=1 SITE_URL=http://127.0.0.1:$(PORT)

.PHONY: run test deploy-test restore-drill test-quick test-sqlite test-postgres test-browser fuzz lint audit bench screenshots messages requirements

run: $(VENV)/run
	@echo "2/4 translations" && $(BIN)/pybabel -q compile -D django -d locale
	@echo "3/4 database (var/campaign.sqlite3)" && $(DEV) $(BIN)/python manage.py migrate -v 0
	@echo "4/4 demo coordinator" && $(DEV) $(BIN)/python manage.py demo_coordinator > var/coordinator
	@echo
	@echo "  site          http://127.0.0.1:$(PORT)/"
	@echo "  letters       http://127.0.0.1:$(PORT)/dev/mail/"
	@echo "  coordinators  http://127.0.0.1:$(PORT)/admin/   $$(cat var/coordinator)"
	@echo
	@echo "  Ctrl+C stops it."
	@$(DEV) $(BIN)/python manage.py mailer & mailer=$$!; \
	  $(DEV) $(BIN)/python manage.py sweeper & sweeper=$$!; \
	  $(DEV) $(BIN)/python manage.py historian & historian=$$!; \
	  $(DEV) $(BIN)/python manage.py runserver --noreload 127.0.0.1:$(PORT) & site=$$!; \
	  trap "kill $$mailer $$sweeper $$historian $$site 2>/dev/null" EXIT INT TERM; wait $$site

# Each part says its ten slowest at the end. `TESTS=tests/signing` runs a part of each.
TESTS ?= tests
PYTEST := $(BIN)/pytest -n auto --dist worksteal --durations=10
WITH := $(BIN)/python -m tests.equipment

test: test-sqlite test-postgres test-browser

test-sqlite: $(VENV)/dev
	$(PYTEST) -m "not postgres and not browser and not deploy" $(TESTS)

test-postgres: $(VENV)/dev
	@$(WITH) postgres -- $(PYTEST) -m "not browser and not once and not deploy" $(TESTS)

# One more than there are cores: a browser often waits.
BROWSERS ?= $(shell expr $$(nproc) + 1)
test-browser: $(VENV)/dev
	@$(WITH) chromium -- $(PYTEST) -n $(BROWSERS) -m browser $(TESTS)

# The files of deploy/ on loopback, with their faults. Needs nginx, pgbouncer and redis-server.
deploy-test: $(VENV)/dev
	@$(WITH) durable -- $(BIN)/pytest -m deploy --durations=5 tests/deploy

# A backup restored to a moment, and compared. Needs pgbackrest.
restore-drill: $(VENV)/dev
	$(BIN)/pytest -m deploy -rs tests/deploy/test_restore.py

# The inner loop: what is quick, on SQLite.
test-quick: $(VENV)/dev
	$(PYTEST) -m "not postgres and not browser and not deploy and not slow" $(TESTS)

# The property tests at length: FUZZ=100 takes a night.
FUZZ ?= 1
fuzz: $(VENV)/dev
	@rm -rf var/fuzz
	FUZZ=$(FUZZ) $(PYTEST) -m property $(TESTS)
	@echo "Inputs of the corpus that were answered as they should be: $$(cat var/fuzz/* 2>/dev/null | wc -c)"

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	DEBUG=1 $(BIN)/mypy
	DEBUG=1 $(BIN)/python manage.py check
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/dev
	@REQUIRE_ALL=1 $(WITH) durable -- $(BIN)/python -m bench
	@$(BIN)/python -m bench.log_check

# After a change of requirements.in. Another uv may be named: make requirements UV=uv
UV ?= $(BIN)/uv
requirements: $(VENV)/dev
	$(UV) pip compile -q --generate-hashes --universal --python-version 3.11 --no-annotate \
	  --custom-compile-command "make requirements" requirements.in -o requirements.txt

audit: $(VENV)/dev
	@REQUIRE_ALL=1 $(WITH) chromium -- $(BIN)/python -m bench.audit
	@$(BIN)/python -m bench.observatory
	@$(BIN)/python -m bench.supply

screenshots: $(VENV)/dev
	@REQUIRE_ALL=1 $(WITH) chromium -- $(BIN)/python -m bench.screenshots
	@REQUIRE_ALL=1 $(WITH) chromium -- $(BIN)/python -m bench.guide
	@REQUIRE_ALL=1 $(WITH) chromium -- $(BIN)/python -m bench.journey

# After a change of words: collects them, for translation by hand, and compiles. Needs gettext.
messages: $(VENV)/dev
	DEBUG=1 $(BIN)/python manage.py makemessages -l ar -l fr -e html,txt,py,svg --no-location --no-obsolete -i .venv -i var
	$(BIN)/pybabel -q compile -D django -d locale

$(VENV)/run: requirements.txt
	@echo "1/4 virtual environment and requirements"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed. Name one: make PYTHON=python3.12 run" >&2; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt
	@mkdir -p var && touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@
