# Everything a developer runs. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
CARGO ?= cargo
PYTHON := .venv/bin/python

.PHONY: help
help: ## Show this list.
	@echo "Weir: stream computing on your own machine. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: ## Install what the build and the tests need (says what).
	@sh scripts/setup_rust.sh
	@sh scripts/setup_python.sh
	@sh scripts/setup_servers.sh
	@sh scripts/setup_keystone.sh >/dev/null
	@sh scripts/setup_go.sh

.PHONY: build
build: ## Build the release binary.
	@sh scripts/setup_rust.sh
	$(CARGO) build --release --locked --package weir

.PHONY: demo
demo: build ## Build, then show the product on real flights (a few seconds); make demo KEEP=1 leaves the service up.
	@"$$($(CARGO) metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/weir" demo $(if $(KEEP),--keep)

.PHONY: test
test: setup ## Install what the tests need and run all of them.
	@CARGO="$(CARGO)" sh scripts/test.sh

.PHONY: crash
crash: setup ## The long crash test: kill the worker 100 times and the service 20 times.
	WEIR_CRASH_KILLS=100 WEIR_CRASH_SERVER_KILLS=20 $(CARGO) test --locked --package weir --test crash -- --nocapture

.PHONY: model
model: setup ## The long model test: random calls, and 500 kills of the service (half an hour); DATABASE=postgres for metadata there.
	WEIR_MODEL_KILLS=500 WEIR_MODEL_DATABASE=$(or $(DATABASE),sqlite) $(CARGO) test --locked --package weir --test model -- --nocapture

.PHONY: bench
bench: build ## Measure Nexmark queries and check their results against DuckDB; make bench ARGS="--help" for options.
	@sh scripts/setup_python.sh
	$(PYTHON) bench/run.py $(ARGS)

.PHONY: bench-check
bench-check: setup ## Measure the check of a job of 10,000 bytes; fails above 20 ms.
	$(CARGO) bench --locked --package weir-sql

.PHONY: expected
expected: setup ## Compare the expected results of the flights jobs with DuckDB; ARGS=--write refreshes them.
	$(PYTHON) scripts/duckdb_expected.py $(ARGS)

.PHONY: conformance
conformance: setup ## Install Apache Flink and run every job of tests/conformance on three engines; ARGS=--write refreshes the page.
	@sh scripts/setup_flink.sh >/dev/null
	$(CARGO) build --locked --package weir
	$(PYTHON) scripts/conformance $(ARGS)

.PHONY: random
random: setup ## Run random jobs as streams under stress and as batch queries; ARGS="--count 10000 --seed 7" for more, or for others.
	$(CARGO) build --locked --package weir
	$(PYTHON) scripts/random_jobs --weir "$$($(CARGO) metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/debug/weir" --stress $(ARGS)

.PHONY: fuzz-api
fuzz-api: setup ## Random calls of the API for 20 minutes, checked against its description; ARGS="--seconds 60 --seed 7" for others.
	$(CARGO) build --locked --package weir
	$(PYTHON) scripts/fuzz_api --weir "$$($(CARGO) metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/debug/weir" --phases coverage,fuzzing,stateful --seconds 1200 $(ARGS)

.PHONY: docs
docs: setup ## Build the API documentation of the crates into target/doc.
	$(CARGO) doc --locked --workspace --no-deps

.PHONY: check
check: setup ## Format, lints, layers: what .ci/run does before the tests.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) xtask all
