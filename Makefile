# The commands a newcomer needs: `make run`, `make quick` and `make test`.
PYTHON ?= python3
VENV := .venv
# The versions of Debian 13, which the SD image uses. The suite runs against them too.
TRIXIE := .venv-trixie
TRIXIE_PINS := "flask==3.1.1" "gunicorn==23.0.0" "paho-mqtt==2.1.0" "tinydb==4.8.2" "meshtastic==2.6.0" \
	"prometheus_client==0.21.1" "pillow==11.1.0" "osmium==4.0.2"
IMAGE_HOST := git mmdebstrap qemu-user-static binfmt-support arch-test debian-archive-keyring uidmap squashfs-tools \
	dosfstools mtools fdisk bmap-tools xz-utils rdiff
# What an island is, without threads, sockets and processes; the store without the tests that kill one.
CORE_TESTS := $(addprefix tests/,model textpack replica store sync board ical transfer test_architecture.py)
# What meets those libraries: the rest imports none of them, and would only be run twice.
LIBRARY_TESTS := $(addprefix tests/,cli daemon image/test_front.py radio store/test_documents.py streets web)
# What is compiled is kept, also where containers say otherwise: reading the tests is else two thirds compiling them.
unexport PYTHONDONTWRITEBYTECODE
SECONDS ?= 60
PYTEST_ARGS ?= -n auto --dist worksteal
MINUTES ?= 30

.PHONY: run quick test test-newest test-trixie test-web lint prove mutants bench image image-test clean help fuzz load release same-base lock

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

run: $(VENV)/installed ## three islands with simulated radios on this machine
	@$(VENV)/bin/archipel demo $(ARGS)

quick: $(VENV)/installed-dev ## the core's tests: no process, under a minute
	$(VENV)/bin/pytest --quick $(PYTEST_ARGS) $(CORE_TESTS)

test: test-newest test-trixie ## the whole suite against PyPI's newest libraries, what meets them against Debian 13's too

test-newest: $(VENV)/installed-dev mosquitto
	$(VENV)/bin/pytest $(PYTEST_ARGS)

test-trixie: $(TRIXIE)/installed mosquitto
	$(TRIXIE)/bin/pytest --one-case $(PYTEST_ARGS) $(LIBRARY_TESTS)

test-web: $(VENV)/installed-dev tests/web/node_modules ## the pages in real browsers: axe, pa11y, html-validate, vnu, Lighthouse, captive portal
	@.ci/need chromium firefox-esr default-jre-headless w3m iproute2 nginx nftables dnsmasq-base uidmap
	$(VENV)/bin/python tests/web/check.py $(LANGUAGES)
	$(VENV)/bin/python tests/web/paper.py
	$(VENV)/bin/python tests/web/courier.py
	$(VENV)/bin/python tests/web/captive.py
	$(VENV)/bin/python tests/web/slow.py
	$(VENV)/bin/python tests/web/safe.py

prove: $(VENV)/installed-fuzz mosquitto ## all proofs for MINUTES (30), fresh seeds: worlds, fuzzing, mutants, the store, packets ...; one page
	$(VENV)/bin/python -m tests.prove --minutes $(MINUTES) $(ARGS)

mutants: $(VENV)/installed-dev ## faults planted on purpose: each must be noticed (10 minutes); ARGS="--sample 300" for small ones
	$(VENV)/bin/python -m tests.mutants $(ARGS)

fuzz: $(VENV)/installed-fuzz ## every parser and form, SECONDS=60 of fuzzing each, then which branches their corpora reach
	$(VENV)/bin/python -m tests.fuzz --seconds $(SECONDS)
	$(VENV)/bin/python -m tests.fuzz --coverage

load: $(VENV)/installed-dev mosquitto ## load and soak: phones in a flood of records, slow clients, hostile packets, fresh keys, a year
	$(VENV)/bin/python -m tests.load $(ARGS)

bench: $(VENV)/installed-dev ## every bench, one after the other
	@for bench in store liveset text texts air events portal carry broker; do echo "== $$bench"; $(VENV)/bin/python -m tests.bench.$$bench || exit 1; done

lint: $(VENV)/installed-dev ## style, imports, complexity (ruff); types (mypy); code that nothing calls (vulture)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/vulture

.PHONY: mosquitto
mosquitto:
	@.ci/need mosquitto nginx openssl systemd squashfs-tools e2fsprogs dosfstools mtools iproute2 zxing-cpp-tools fonts-dejavu-core libfribidi0 espeak-ng opus-tools  # systemd-analyze reads the image's units
	@command -v node >/dev/null || .ci/need nodejs  # tests/second: the protocol, read by a second implementation

tests/web/node_modules: tests/web/package.json
	@command -v npm >/dev/null || .ci/need nodejs npm
	cd tests/web && PUPPETEER_SKIP_DOWNLOAD=1 npm install --no-package-lock --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || .ci/need python3-venv
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/installed-fuzz: $(VENV)/installed-dev
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev,fuzz]'
	@touch $@

$(TRIXIE)/installed: pyproject.toml Makefile
	$(PYTHON) -m venv $(TRIXIE)
	$(TRIXIE)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]' $(TRIXIE_PINS)
	@touch $@

image: $(VENV)/installed ## the SD card image, in build/ (12 to 21 minutes the first time)
	@.ci/need $(IMAGE_HOST)
	PYTHONPATH=image-build $(VENV)/bin/python -m archipel_image.build $(ARGS)

release: $(VENV)/installed ## what is published of a release, signed, in build/release (ARGS="--before FOLDER": small updates from that one)
	@.ci/need $(IMAGE_HOST)
	PYTHONPATH=image-build $(VENV)/bin/python -m archipel_image.build build/release --release $(ARGS)

same-base: $(VENV)/installed ## the image's base made a second time and compared, octet by octet (half an hour)
	@.ci/need $(IMAGE_HOST)
	PYTHONPATH=image-build $(VENV)/bin/python -m archipel_image.same_base

lock: ## requirements.lock anew: what PyPI has today of the Python dependencies, with their hashes
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet pip-tools
	env -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null build/lock/bin/pip-compile --quiet --generate-hashes --strip-extras \
		--allow-unsafe --no-header --no-annotate --no-emit-options --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --upgrade --output-file requirements.lock pyproject.toml

image-test: $(VENV)/installed ## the built image in QEMU: power cuts, sticks, radio, updates, the desk (an hour and a half)
	@.ci/need qemu-system-arm qemu-utils mtools dosfstools exfatprogs ntfs-3g e2fsprogs fdisk squashfs-tools \
		openssh-client u-boot-qemu device-tree-compiler
	PYTHONPATH=image-build $(VENV)/bin/python -m archipel_image.boottest $$(ls -t build/archipel-*.img | head -1) $(ARGS)

clean: ## remove what the other targets made
	rm -rf $(VENV) $(TRIXIE) node_modules tests/web/node_modules demo-data build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
