# `make` alone lists the targets. Everything happens in .venv, made from requirements/dev.lock on first use;
# a target whose environment is up to date starts at once.

PYTHON ?= python3
ARGS ?=
# What `make test` does before pytest may be left out: EXTENSION=no, E2E=no, MODEL=no.
EXTENSION ?= yes
E2E ?= yes
MODEL ?= yes

BIN := .venv/bin
LOCKS := requirements/runtime.lock requirements/dev.lock requirements/encoder.lock
EXT := vscode-extension
NODE := 20

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

.PHONY: help
help: ## List the targets
	@echo 'make TARGET [ARGS="…"]'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo 'PYTHON=… chooses the Python (3.11 or later) that .venv is made with.'

# ---------------------------------------------------------------- environment

.PHONY: setup
setup: .venv/.installed local-model ## Make .venv (done by the other targets when it is missing or old)
	@echo 'Ready: $(BIN)/tacit'

.venv/.locked: $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Tacit needs Python 3.11 or later; '$(PYTHON) --version' says: $$($(PYTHON) --version 2>&1 | head -n 1)" >&2; \
	  echo "Name another Python: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) (once, about a minute)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements/encoder.lock
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What can run the local model: built once for this machine, kept in ~/.cache/tacit/wheels. Never in the way of the rest.
.PHONY: local-model
local-model: .venv/.installed
ifeq ($(MODEL),no)
	@echo 'The local model: not set up, as asked.'
else
	@$(BIN)/python requirements/install_model.py
endif

.PHONY: model
model: .venv/.installed ## Try again to install what runs the local model, where that failed
	@$(BIN)/python requirements/install_model.py --again

.PHONY: lock
lock: ## Resolve requirements/*.in again (ARGS=--upgrade takes newer versions)
	@test -x .cache/lock/bin/uv || { $(PYTHON) -m venv .cache/lock && .cache/lock/bin/python -m pip install -qq uv; }
	@for name in runtime dev encoder model model-build model-run audit; do \
	  .cache/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --strip-extras \
	    --no-header --no-emit-index-url --no-emit-find-links $(ARGS) \
	    $$(case $$name in encoder|model) echo --no-deps;; dev) echo --no-emit-package llama-cpp-python;; esac) \
	    requirements/$$name.in --output-file requirements/$$name.lock || exit 1; \
	done

# ---------------------------------------------------------------- what Tacit is made of

.PHONY: licences
licences: .venv/.installed ## Write docs/licences.md: every package that Tacit is given away with, and its licence
	@$(BIN)/python requirements/licences.py

.cache/audit/.installed: requirements/audit.lock
	@rm -rf .cache/audit && $(PYTHON) -m venv .cache/audit
	@.cache/audit/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/audit.lock
	@touch $@

.PHONY: audit
audit: .cache/audit/.installed ## Ask whether what is locked has known faults; what cannot be asked is said
	@.cache/audit/bin/python requirements/audit.py .cache/audit/bin/pip-audit

.PHONY: sbom
sbom: .cache/audit/.installed ## List what a release holds in dist/, as CycloneDX
	@mkdir -p dist
	@.cache/audit/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --of JSON -o dist/tacit.cdx.json requirements/runtime.lock
	@if command -v npm >/dev/null; then \
	  cd $(EXT) && npm sbom --sbom-format cyclonedx --package-lock-only 2>/dev/null >../dist/tacit-vscode.cdx.json; \
	else echo 'The extension: not listed, because there is no npm here.'; fi
	@ls -s dist/*.cdx.json

# ---------------------------------------------------------------- use

.PHONY: demo
demo: .venv/.installed local-model ## Close the demo goals, then search what is there; MATHLIB=path adds Mathlib (ARGS go to `tacit demo`)
	@$(BIN)/tacit demo $(ARGS)

.PHONY: bench
bench: .venv/.installed local-model ## Measure how many goals are closed, and how fast
	@$(BIN)/python tests/bench/run.py $(ARGS)

.PHONY: faults
faults: .venv/.installed local-model ## Put faults into a running sidecar, seeded (ARGS='--seed 7 --rounds 40 --kind lean'; minutes)
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: fuzz
fuzz: .venv/.installed ## Random attempts at the checker, 5 minutes of them (ARGS='--minutes 60 --lean', '--seed 7 --rounds 1')
	@$(BIN)/python -W ignore -m tests.fuzz $(ARGS)

# ---------------------------------------------------------------- checks

.PHONY: test
test: lint local-model extension e2e-setup ## Lint, then run every test that can run here (ARGS go to pytest)
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: lint
lint: .venv/.installed ## ruff and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check --output-format concise . || { echo "'make format' formats them." >&2; exit 1; }
	@$(BIN)/mypy

.PHONY: format
format: .venv/.installed ## Format the Python code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: extension
extension: ## Lint, type-check and build the VS Code extension, where Node is present
ifeq ($(EXTENSION),no)
	@echo 'VS Code extension: not checked, as asked.'
else
	@if ! command -v npm >/dev/null; then \
	  echo 'VS Code extension: not checked, because there is no Node with npm here.'; \
	elif ! node -e 'process.exit(parseInt(process.versions.node) < $(NODE) ? 1 : 0)'; then \
	  echo "VS Code extension: not checked, because its tools need Node $(NODE) or later and this is $$(node --version)."; \
	elif [ ! -f $(EXT)/package-lock.json ]; then \
	  echo 'VS Code extension: not checked, because there is no $(EXT)/package-lock.json.'; \
	elif ! $(MAKE) --silent $(EXT)/node_modules/.installed; then \
	  echo "VS Code extension: not checked, because 'npm ci' failed (see above)."; \
	else \
	  cd $(EXT) && npm run --silent lint && npm run --silent typecheck && npm run --silent build && \
	    { npm run --silent test >/dev/null || npm run --silent test; } && \
	    echo 'VS Code extension: linted, type-checked, built and unit-tested.'; \
	fi
endif

$(EXT)/node_modules/.installed: $(EXT)/package-lock.json
	@echo 'VS Code extension: installing its packages (once)'
	@cd $(EXT) && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

.PHONY: vsix
vsix: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1700000000)
vsix: .venv/.installed $(EXT)/node_modules/.installed ## Package the VS Code extension, with the sidecar that it can set up by itself
	@rm -rf build $(EXT)/sidecar && mkdir $(EXT)/sidecar # what an older build left would get into the wheel
	@$(BIN)/python -m pip wheel -qq --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir $(EXT)/sidecar .
	@cp requirements/runtime.lock requirements/encoder.lock $(EXT)/sidecar/
	@mkdir $(EXT)/sidecar/model # what builds llama.cpp there, for the local model
	@cp requirements/install_model.py requirements/model.lock requirements/model-build.lock requirements/model-run.lock requirements/model.cmake $(EXT)/sidecar/model/
	@cd $(EXT) && npm run --silent package && ls -sh *.vsix

.PHONY: e2e-setup
e2e-setup: ## Get the VS Code that the end-to-end tests drive; without it they are skipped
ifeq ($(E2E),no)
	@echo 'End-to-end tests: not set up, as asked.'
else
	@if [ ! -x tests/e2e/setup.sh ]; then \
	  echo 'End-to-end tests: skipped, because there is no tests/e2e/setup.sh.'; \
	else \
	  tests/e2e/setup.sh || echo "End-to-end tests: skipped, because their setup failed (exit status $$?)."; \
	fi
endif

.PHONY: soak
soak: .venv/.installed local-model ## Edit large files for an hour with requests in flight: does the memory stay flat? (ARGS='--minutes 10 --seed 7')
	@$(BIN)/python -m tests.storms.soak $(ARGS)

.PHONY: record
record: .venv/.installed ## Run the Lean tests and the demo on a real Lean and keep its answers
	@$(BIN)/python -m pytest tests/lean --record $(ARGS)
	@$(BIN)/tacit demo --record

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info
	rm -rf $(EXT)/node_modules $(EXT)/out $(EXT)/sidecar $(EXT)/*.vsix
	find index retrieval training server tests -name __pycache__ -type d -prune -exec rm -rf {} +
