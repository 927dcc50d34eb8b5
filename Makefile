# The two commands a newcomer needs: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
# The versions of Debian 13, which the SD image uses. The suite runs against them too.
TRIXIE := .venv-trixie
TRIXIE_PINS := "flask==3.1.1" "gunicorn==23.0.0" "paho-mqtt==2.1.0" "tinydb==4.8.2" "meshtastic==2.6.0"
PYTEST_ARGS ?= -n auto --dist worksteal

.PHONY: run test test-newest test-trixie test-web lint prove bench clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

run: $(VENV)/installed ## three islands with simulated radios on this machine
	@$(VENV)/bin/archipel demo $(ARGS)

test: test-newest test-trixie ## the whole suite, against PyPI's newest libraries and against Debian 13's

test-newest: $(VENV)/installed-dev mosquitto
	$(VENV)/bin/pytest $(PYTEST_ARGS)

test-trixie: $(TRIXIE)/installed mosquitto
	$(TRIXIE)/bin/pytest $(PYTEST_ARGS)

lint: $(VENV)/installed-dev ## style, imports, complexity
	$(VENV)/bin/ruff check .

.PHONY: mosquitto
mosquitto:
	@.ci/need mosquitto

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(TRIXIE)/installed: pyproject.toml Makefile
	$(PYTHON) -m venv $(TRIXIE)
	$(TRIXIE)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]' $(TRIXIE_PINS)
	@touch $@

clean: ## remove what the other targets made
	rm -rf $(VENV) $(TRIXIE) node_modules tests/web/node_modules demo-data build dist .pytest_cache .ruff_cache .hypothesis
