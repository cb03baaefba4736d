# `make run` and `make test` do all their own set-up; nothing else has to be called first.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DEV := DEBUG=1 SITE_URL=http://127.0.0.1:$(PORT)

.PHONY: run test test-sqlite test-postgres test-browser lint audit bench screenshots messages

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

test: test-sqlite test-postgres test-browser

test-sqlite: $(VENV)/dev
	$(BIN)/pytest -m "not postgres and not browser"

test-postgres: $(VENV)/dev
	@tests/with_postgres $(BIN)/pytest -m "not browser and not once"

test-browser: $(VENV)/dev
	@tests/with_chromium $(BIN)/pytest -m browser

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	DEBUG=1 $(BIN)/python manage.py check
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/dev
	@tests/with_postgres $(BIN)/python -m bench

audit: $(VENV)/dev
	@tests/with_chromium $(BIN)/python -m bench.audit

screenshots: $(VENV)/dev
	@tests/with_chromium $(BIN)/python -m bench.screenshots

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
