# The front door. Each target installs what it needs and keeps what it makes in build/.
#
#   make run          build and start a server with its defaults
#   make test         everything that runs on every submission
#   make check        what to run before a push: lint, test, sanitize

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

BUILD := build
FUZZ_SECONDS ?= 600
TEST_FUZZ_SECONDS ?= 20
JOBS ?= $(shell nproc)

.PHONY: run build test bench fuzz lint sanitize check conformance clean build-packages test-tools

build-packages:
	@scripts/install-packages.sh build

build: build-packages
	@scripts/build.sh $(BUILD) muster

run: build
	@scripts/run.sh $(BUILD)/muster

# Debian's packages for the tests, then the SDKs that play the devices.
test-tools:
	@scripts/install-packages.sh test
	@scripts/install-sdks.sh $(BUILD)

test: test-tools
	@scripts/build.sh $(BUILD) all -DMUSTER_FUZZ_SECONDS=$(TEST_FUZZ_SECONDS)
	@scripts/test.sh $(BUILD)

bench: build
	@scripts/install-packages.sh test
	python3 bench/run.py

fuzz: test-tools
	@scripts/fuzz.sh all $(FUZZ_SECONDS) $(JOBS)

lint: test-tools
	@scripts/lint.sh $(JOBS)

sanitize: test-tools
	@scripts/sanitize.sh

check: lint test sanitize

# Writes docs/conformance.md from the results of the last `make test`.
conformance:
	python3 scripts/conformance.py $(BUILD)/results docs/conformance.md

clean:
	rm -rf $(BUILD)
