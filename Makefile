# Everything a contributor or a newcomer runs. `make` alone prints this list.
# Needs npm, git and make; installs the rest inside this folder.

BUN_VERSION := $(shell sed -n 's/.*"bun": "\([0-9.]*\)".*/\1/p' package.json | tail -n 1)
SYSTEM_BUN := $(shell command -v bun 2>/dev/null)
ifeq ($(shell $(SYSTEM_BUN) --version 2>/dev/null),$(BUN_VERSION))
BUN := $(SYSTEM_BUN)
else
BUN := $(CURDIR)/.tools/node_modules/.bin/bun
endif
export PATH := $(dir $(BUN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup build release image dev demo demo-valkey playground check format test-quick test test-heavy test-all simulate soak bench bench-quick clean

help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: node_modules/.installed ## Install the Bun that package.json names (inside .tools, unless you have it) and the dependencies

node_modules/.installed: package.json bun.lock
	@command -v npm >/dev/null || { echo "npm is needed: install Node.js with npm, then run this again" >&2; exit 1; }
	@sh scripts/install-bun.sh "$(BUN)" "$(BUN_VERSION)"
	@echo "Installing dependencies"
	@"$(BUN)" install --frozen-lockfile --silent
	@touch $@

build: setup ## Build dist/chinmina-bridge, one hardened binary for this machine
	@"$(BUN)" scripts/build.ts

release: setup ## Build what a release consists of into dist/release: binaries for x64 and arm64, SBOM, licences, checksums
	@"$(BUN)" scripts/release.ts

image: ## Build the container image with docker, podman or buildah (IMAGE=name:tag, IMAGE_ARGS=more options)
	@sh scripts/image.sh "$(IMAGE)" $(IMAGE_ARGS)

dev: setup ## Run the service from source, restarting on changes (configuration from the environment)
	@"$(BUN)" --watch src/main.ts serve

demo: build ## Vend a token end to end against simulated GitHub, Buildkite and OIDC, and check each step
	@"$(BUN)" scripts/demo.ts

demo-valkey: build ## Two instances share a real Valkey: the second serves the first one's token without asking GitHub
	@"$(BUN)" scripts/demo-valkey.ts

playground: build ## Start the demo's world, keep it up, and print commands to try by hand
	@"$(BUN)" scripts/demo.ts --stay

check: setup ## Types, lint, format, unused code and dependencies
	@"$(BUN)" run check:types
	@"$(BUN)" run check:lint
	@"$(BUN)" run check:format
	@"$(BUN)" run check:unused

format: setup ## Format and apply safe lint fixes
	@"$(BUN)" run format

test-quick: setup ## Tests that need neither the binary nor sockets, in seconds
	@"$(BUN)" scripts/run-tests.ts quick

test: build ## All tests that run without heavy tools, against the source and the binary
	@"$(BUN)" scripts/run-tests.ts default

test-heavy: build ## Tests with outside servers and emulators alone, which they install
	@"$(BUN)" scripts/run-tests.ts heavy

test-all: build ## Everything, outside servers and emulators included
	@"$(BUN)" scripts/run-tests.ts all

simulate: setup ## A million interleavings of two instances in a simulated world (SEEDS=how many, SEED=one of them again)
	@"$(BUN)" scripts/simulate.ts $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM))

soak: build ## Two instances under load for half an hour while everything they depend on breaks and recovers (MINUTES=how many)
	@"$(BUN)" bench/soak.ts $(MINUTES)

bench: build ## Load tests of everything (half an hour): bench/results and the tables of docs; PEER=COMMAND for another server
	@"$(BUN)" bench/all.ts $(BENCH_SECONDS) $(BENCH_ROUNDS)

bench-quick: build ## The same in a few minutes, with figures that mean little, into dist/bench
	@BENCH_RESULTS=dist/bench "$(BUN)" bench/all.ts 1 1

clean: ## Remove what was built
	rm -rf dist coverage
