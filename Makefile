# One verb, one command. Every target sets up what it needs; a second run only does what changed.

BIN := .venv/bin
TOUR := notebooks/01_tour.ipynb
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
BENCHMARKS := $(wildcard benchmarks/bench_*.py)
JS_SOURCES := $(shell find js/src -type f 2>/dev/null) $(wildcard js/*.json js/*.ts js/*.js js/*.mjs)

ENVIRONMENT := .venv/.synced
JS_MODULES := js/node_modules/.package-lock.json
BUNDLE := valechat/static/panel.js
OTHER_KERNEL := .cache/ipykernel-7.3/.ready
MARIMO := .cache/marimo/.ready

# The locked Node comes before the machine's.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix js
# JupyterLab does not start as root, in a container for example, unless it is told to.
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)

# The notebooks run as a person who has no keys, no keychain and no settings.
NOBODY := $(foreach name,ANTHROPIC GEMINI GOOGLE OPENAI OPENROUTER,-u $(name)_API_KEY) \
	VALECHAT_HOME="$(CURDIR)/.cache/notebooks/valechat" IPYTHONDIR="$(CURDIR)/.cache/notebooks/ipython" \
	PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

.PHONY: lab
lab: $(ENVIRONMENT) $(BUNDLE) ## Open JupyterLab on the tour
	$(BIN)/jupyter lab $(ROOT_FLAG) $(wildcard $(TOUR))

# Three at a time, the longest first, as tests wait nearly as long as they compute on two cores.
# What each says comes out in one piece at its end.
.PHONY: test
test: $(ENVIRONMENT) $(BUNDLE) ## Check and test everything: TypeScript, notebooks, Python, browser
	@$(MAKE) --jobs=3 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) --keep-going \
		test-browser test-python test-plugins lint test-js test-notebooks

.PHONY: lint
lint: $(ENVIRONMENT) $(JS_MODULES) ## Check style and types, in Python and TypeScript
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(NPM) run check

.PHONY: format
format: $(ENVIRONMENT) ## Bring the Python code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: test-js
test-js: $(BUNDLE) ## Run only the TypeScript tests
	$(NPM) test

.PHONY: test-notebooks
test-notebooks: $(ENVIRONMENT) $(BUNDLE) ## Run only the example notebooks
ifneq ($(NOTEBOOKS),)
	rm -rf .cache/notebooks
	env $(NOBODY) $(BIN)/pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=120 --quiet notebooks
endif

.PHONY: test-python
test-python: $(ENVIRONMENT) $(BUNDLE) $(OTHER_KERNEL) debian ## Run only the Python tests, those of plugins left out
	$(BIN)/pytest --ignore=tests/browser --ignore=tests/plugins --ignore=tests/sandbox

.PHONY: test-plugins
test-plugins: $(ENVIRONMENT) $(BUNDLE) $(OTHER_KERNEL) debian ## Run only the tests of plugins and what confines them
	$(BIN)/pytest tests/plugins tests/sandbox

.PHONY: test-browser
test-browser: $(ENVIRONMENT) $(BUNDLE) $(OTHER_KERNEL) $(MARIMO) debian ## Run only the tests in a browser
	$(BIN)/pytest tests/browser

.PHONY: debian
debian: $(ENVIRONMENT) ## Find what tests need besides, or install it from Debian's packages where that is allowed
	@$(BIN)/python -m scripts.debian

.PHONY: docs
docs: $(ENVIRONMENT) ## Build the documentation into site/
	rm -rf site
	$(BIN)/zensical build --strict # with --clean it would empty .cache, where more is than its own

.PHONY: bench
bench: $(ENVIRONMENT) $(BUNDLE) ## Measure what the documentation claims
	$(BIN)/uv sync --quiet --locked --all-extras --group bench
	UV_PROJECT_ENVIRONMENT=.cache/bench-litellm $(BIN)/uv sync --quiet --locked --only-group bench-litellm
	@set -e; for program in $(BENCHMARKS); do echo "== $$program"; $(BIN)/python $$program; done

.PHONY: clean
clean: ## Remove everything that was built or installed here
	rm -rf .venv .cache .artefacts .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist js/node_modules valechat/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENVIRONMENT): pyproject.toml uv.lock scripts/setup
	@sh scripts/setup

# npm leaves its own lock's time alone when nothing changed, so touch it.
$(JS_MODULES): js/package.json js/package-lock.json | $(ENVIRONMENT)
	$(NPM) ci --no-audit --no-fund
	@touch $@

$(BUNDLE): $(JS_SOURCES) $(JS_MODULES)
	$(NPM) run build
	@mkdir -p .venv/share/jupyter/labextensions && rm -rf .venv/share/jupyter/labextensions/valechat
	@ln -s "$(CURDIR)/valechat/static/labextension" .venv/share/jupyter/labextensions/valechat
	@touch $@

$(OTHER_KERNEL): tests/browser/ipykernel-7.3.txt | $(ENVIRONMENT)
$(MARIMO): tests/browser/marimo.txt | $(ENVIRONMENT)
$(OTHER_KERNEL) $(MARIMO):
	$(BIN)/uv pip install --quiet --no-deps --require-hashes --target $(@D) --requirement $<
	@touch $@
