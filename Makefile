# Every verb starts from nothing: a python3 (3.11 or newer) is all that must be there.
.DEFAULT_GOAL := help
PY := .venv/bin/python
export PYTHONUNBUFFERED := 1
# What was compiled is kept, though an image's environment may say otherwise: each start of ours would compile it all.
export PYTHONDONTWRITEBYTECODE :=
export DB ?= sqlite

CHECKS := types style templates security layers migrations production packages
.PHONY: help run start demo-reset test check $(CHECKS:%=check-%) soak bench shots messages requirements format

help: ## what each verb does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.run: requirements.txt
	@bin/venv requirements.txt && touch $@

.venv/.dev: requirements-dev.txt
	@bin/venv requirements-dev.txt && touch .venv/.run $@

run: .venv/.run ## the demo: sandbox, web and worker on this machine, nothing is sent to WeChat
	@$(PY) -m sandbox.demo

demo-reset: .venv/.run ## forget the demo's data and start it over
	@$(PY) -m sandbox.demo --anew

start: .venv/.run ## web and worker on your .env
	@test -f .env || { echo "No .env yet: cp .env.example .env, fill it in, then make start."; exit 1; }
	@$(PY) manage.py migrate --verbosity 0 && $(PY) manage.py collectstatic --no-input --verbosity 0
	@$(PY) manage.py serve

test: .venv/.dev ## the suite on SQLite, its heart on PostgreSQL; DB=postgres: all of it there; LONG=1: long forms too
	@bin/suite $(ARGS)

PARTS := config wechat merchants shipping sandbox
check: .venv/.dev ## lint, security, templates, lengths, types, layers, migrations, production settings
	@$(MAKE) --no-print-directory -j2 -O $(CHECKS:%=check-%)

check-types:
	@bin/with-secrets .venv/bin/mypy $(PARTS) bench tests manage.py bin/shots.py
check-style:
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && bin/lengths
check-templates:
	@.venv/bin/djade --check $$(git ls-files 'templates/*.html') && .venv/bin/djlint --lint --quiet templates
check-security:
	@# On its error stream it tells of exceptions that hold; what it finds is on the other.
	@.venv/bin/bandit -q -c pyproject.toml -r $(PARTS) bin manage.py 2>/dev/null
check-packages:
	@$(PY) -m pip check
check-layers:
	@bin/with-secrets .venv/bin/lint-imports
check-migrations:
	@bin/with-secrets $(PY) manage.py makemigrations --check --dry-run
check-production:
	@bin/with-secrets env DEBUG=0 PUBLIC_URL=https://desk.example.com \
		$(PY) manage.py check --deploy --fail-level WARNING

soak: .venv/.dev ## kill and stop workers for a long time, the ledger is the truth; ARGS="--kills 100 --packages 1000"
	@$(PY) -m tests.soak $(ARGS)

# The peers have a virtual environment of their own: nothing that is raced against is ever installed with the product.
.venv-bench/.made: requirements-bench.txt
	@[ -x .venv-bench/bin/python ] || python3 -m venv .venv-bench
	@.venv-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $< && touch $@

bench: .venv-bench/.made ## the races against named peers, for docs/PERFORMANCE.md; ARGS="--short", ARGS="sending lists fairness"
	@.venv-bench/bin/python -m bench $(ARGS)

shots: .venv/.dev ## docs/PAGES.md and the pictures of docs/img, from a demo of their own
	@bin/browser
	@$(PY) bin/shots.py

# Needs GNU gettext (apt install gettext). What is found is still to be put into English, in locale/en.
messages: .venv/.run ## gather the words on screen for locale/en and compile it, needs gettext
	@bin/with-secrets $(PY) manage.py makemessages -l en --no-location --no-obsolete --no-wrap -i .venv -i var -i staticfiles -i tests
	@bin/with-secrets $(PY) manage.py compilemessages -l en -i .venv

format: .venv/.dev ## format the Python files and the templates
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .
	@.venv/bin/djade $$(git ls-files 'templates/*.html') || true

requirements: ## pin and hash requirements*.in again
	@.venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@.venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes requirements-scale.in -o requirements-scale.txt
	@.venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt
	@.venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes requirements-bench.in -o requirements-bench.txt
