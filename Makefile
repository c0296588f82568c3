# On a fresh machine with Python 3.11 to 3.14: `make run` shows it working, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The demonstration installs a third of what the tests need, in half a minute.
DEMO := $(VENV)/.demo-installed
# --no-compile: most modules are never imported. --no-deps: a lock names everything.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
# pip-compile resolves for the machine it runs on, uv for every platform that the demonstration
# runs on. Only Windows needs colorama.
UNIVERSAL := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-package colorama

# `make test` runs two lists of tests at a time. COMPUTING start a server now and then. SERVING run
# fleets of workers; those that watch the clock (WATCHING) come last, when the other list is nearly done.
COMPUTING := unit contract reported alerting grafana properties browser chain
WATCHING := integration faults
TESTED := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard tests/*/test_*.py)))))
SERVING := $(filter-out $(COMPUTING) $(WATCHING),$(TESTED)) $(WATCHING)
# Commands that run at once each print in one piece, if make can do that.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

.PHONY: run test computing serving check lint unit contract generate bench lock clean

run: $(DEMO)  ## run everything on this machine, with simulated traffic
	$(BIN)/engage demo

test: $(STAMP)  ## run all tests, on a real Kafka (Java, Maven) and a real Redis (redis-server)
	@+$(MAKE) --no-print-directory -j 2 computing serving

computing: $(STAMP)
	$(BIN)/python -m pytest -q -p no:cacheprovider --durations=15 $(addprefix tests/,$(COMPUTING))

serving: $(STAMP)
	$(BIN)/python -m pytest --durations=30 $(addprefix tests/,$(SERVING))

check: $(STAMP)  ## check what must hold before a commit, in less than a minute
	@+$(MAKE) --no-print-directory -j 3 $(SYNC) lint unit contract

unit contract: $(STAMP)
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/$@

lint: $(STAMP)  ## check style, types, imports and generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m agents.generate --check

generate: $(STAMP)  ## write every generated file: schemas, pages, rules, dashboards
	$(BIN)/python -m agents.generate

# About an hour, most of it for each event type alone.
bench: $(STAMP) .venv-peers/.installed  ## compare our cost with raw aiokafka and the peers', as ratios of one run
	rm -rf build/bench
	$(BIN)/python -m tests.bench.workloads --compiled build/bench --json bench-workloads.json
	$(BIN)/python -m tests.bench.hot_people --compiled build/bench
	$(BIN)/python -m tests.bench --compiled build/bench --json bench.json
	$(BIN)/python -m tests.bench.ads --compiled build/bench --json bench-ads.json

lock: $(STAMP)  ## renew all lock files: tests, image, build, demonstration, tools of tests/deploy
	$(BIN)/python -m pip install --quiet pip-tools uv
	$(COMPILE) --extra embedded --extra experiments --extra test --output-file deploy/locks/tests.lock pyproject.toml
	$(COMPILE) --constraint deploy/locks/tests.lock --output-file deploy/locks/runtime.lock pyproject.toml
	$(UNIVERSAL) --constraint deploy/locks/tests.lock --extra embedded --group checkout \
	  --output-file deploy/locks/demo.lock pyproject.toml
	$(COMPILE) --constraint deploy/locks/tests.lock --build-deps-for wheel --only-build-deps \
	  --output-file deploy/locks/build.lock pyproject.toml
	cd tests/deploy && ../../$(COMPILE) --output-file requirements-tools.lock requirements-tools.in

clean:
	rm -rf $(VENV) .venv-peers build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
	  { echo "Python 3.11 to 3.14 is needed; call make with PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(STAMP): deploy/locks/tests.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (once, about a minute)"
	@$(INSTALL) --require-hashes -r deploy/locks/tests.lock
	@$(INSTALL) --no-build-isolation -e .
	@touch $@ $(DEMO)

$(DEMO): deploy/locks/demo.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (once, about half a minute)"
	@$(INSTALL) --require-hashes -r deploy/locks/demo.lock
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

.venv-peers/.installed: tests/bench/requirements-peers.txt
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
