# On a fresh machine with Python 3.11 to 3.13: `make run` shows it working, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What the demonstration needs is a third of what the tests do, and there in half a minute.
DEMO := $(VENV)/.demo-installed
# Not compiled beforehand: most of it is never imported. A lock is all of it, so nothing is resolved.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

# Tests that only compute, or start a server now and then, run beside those of a fleet of workers; of
# these, the ones that watch the clock come last, when the others are nearly through.
COMPUTING := unit contract alerting grafana properties browser chain
WATCHING := integration faults
TESTED := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard tests/*/test_*.py)))))
SERVING := $(filter-out $(COMPUTING) $(WATCHING),$(TESTED)) $(WATCHING)
# Several commands at once: each prints in one piece, where make can do that.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

.PHONY: run test computing serving check lint unit contract bench lock clean

run: $(DEMO)  ## everything on this machine, with simulated traffic
	$(BIN)/engage demo

test: $(STAMP)  ## all tests, with a real Kafka (Java, Maven) and a real Redis (redis-server)
	@+$(MAKE) --no-print-directory -j 2 computing serving

computing: $(STAMP)
	$(BIN)/python -m pytest -q -p no:cacheprovider --durations=15 $(addprefix tests/,$(COMPUTING))

serving: $(STAMP)
	$(BIN)/python -m pytest --durations=30 $(addprefix tests/,$(SERVING))

check: $(STAMP)  ## what must hold before a commit, in under a minute
	@+$(MAKE) --no-print-directory -j 3 $(SYNC) lint unit contract

unit contract: $(STAMP)
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/$@

lint: $(STAMP)  ## style, types, imports, and that what is generated is current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check

bench: $(STAMP) .venv-peers/.installed  ## our cost and the peers', from one run, as ratios
	$(BIN)/python -m tests.bench --json bench.json

lock: $(STAMP)  ## renews the lock files: of the tests, the image and its build, the demonstration, of the tools of tests/deploy
	$(BIN)/python -m pip install --quiet pip-tools
	$(COMPILE) --extra embedded --extra experiments --extra test --output-file deploy/locks/tests.lock pyproject.toml
	$(COMPILE) --constraint deploy/locks/tests.lock --output-file deploy/locks/runtime.lock pyproject.toml
	$(COMPILE) --constraint deploy/locks/tests.lock --extra embedded --output-file deploy/locks/demo.lock \
	  pyproject.toml
	$(COMPILE) --constraint deploy/locks/tests.lock --build-deps-for wheel --only-build-deps \
	  --output-file deploy/locks/build.lock pyproject.toml
	cd tests/deploy && ../../$(COMPILE) --output-file requirements-tools.lock requirements-tools.in

clean:
	rm -rf $(VENV) .venv-peers build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11 to 3.13 is needed; call make with PYTHON=/path/to/python3.11"; exit 1; }
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
