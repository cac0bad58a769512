# The doors to Treegarth. Every target installs what it needs first; where nothing is missing that takes a second.

HTTP_PORT ?= 8042
DICOM_PORT ?= 4242
ONCE ?=
PYTEST_OPTIONS ?=
DEBIAN ?=

# Two processes more than there are cores: many tests wait for servers. The tests of one file share theirs, so they stay
# together; tests/conftest.py has the browser's beside Orthanc's, and the quick ones last, so that all end together.
pytest_options := -n $(shell expr $$(nproc) + 2) --dist loadfile --no-loadscope-reorder
# And with bytecode kept, also where the environment says not to: else each of hundreds of processes compiles everything.
pytest := env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m pytest $(pytest_options)

treegarth := .venv/bin/treegarth
server = --data '$(DATA)' --http-port $(HTTP_PORT) --dicom-port $(DICOM_PORT)
once = $(if $(filter-out 0 no false,$(ONCE)),--once)
install_runtime := @docker/steps/install.sh runtime
install_test := @docker/steps/install.sh test
install_newest := @docker/steps/install.sh newest

demo: DATA ?= .data/demo
run: DATA ?= .data/run

.PHONY: help demo run setup test soak lint check bench lock newest compat fresh clean
.DEFAULT_GOAL := help

help: ## list the targets
	@echo 'Treegarth: make TARGET'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

demo: ## a server with a made-up hospital day, until Ctrl-C (ONCE=1: check it and stop; HTTP_PORT= DICOM_PORT= DATA=)
	$(install_runtime)
	@exec $(treegarth) demo $(once) $(server)

run: ## a server without demonstration data, until Ctrl-C (HTTP_PORT= DICOM_PORT= DATA=)
	$(install_runtime)
	@exec $(treegarth) up $(server)

setup: ## only install what a server needs, for an Orthanc of your own
	$(install_runtime)

test: ## the tests; storms and mutations at reduced counts, the longest left to soak (PYTEST_OPTIONS=)
	$(install_test)
	@exec $(pytest) $(PYTEST_OPTIONS)

soak: ## every test; storms and mutations at their full counts, each page in both looks
	$(install_test)
	@exec env TREEGARTH_SOAK=1 $(pytest) --timeout 7200 $(PYTEST_OPTIONS)

lint: ## format, lint, types, import contracts
	$(install_test)
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

check: lint ## the same and the unit tests
	$(pytest) tests/unit

bench: ## measure the store path, freshness, index writing, memory, dose and the orders of lists; writes bench.json
	$(install_test)
	@exec .venv/bin/python -m tests.bench

lock: ## raise every Python package to the newest that the ranges in pyproject.toml allow, in requirements.lock
	@docker/steps/lock.sh

newest: ## every test on the newest Python packages that the ranges allow, in a venv of its own (PYTEST_OPTIONS=)
	$(install_newest)
	@exec env -u PYTHONDONTWRITEBYTECODE .cache/newest/venv/bin/python -m pytest $(pytest_options) $(PYTEST_OPTIONS)

compat: ## the Orthanc tests on another Debian's Orthanc and Python, in a folder of its own (root or sudo; DEBIAN=13|sid)
	$(install_test)
	@DEBIAN='$(DEBIAN)' docker/steps/compat.sh

fresh: ## `make demo ONCE=1` and `make test` in a new Debian 12, then 13, from the last commit (root or sudo; DEBIAN=)
	@DEBIAN='$(DEBIAN)' docker/steps/fresh.sh

clean: ## remove what the set-up made; data in .data/ stays
	@docker/steps/clean.sh
