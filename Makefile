# Needs Python 3.11 or newer with pip, and make. Everything else is fetched into .venv by the first target you run.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
OLDEST := .venv-oldest
PROXY := .venv-proxy
PACKAGES := src integrations/langchain/src integrations/litellm/src
TREE := $(PACKAGES) tests $(wildcard integrations/*/tests) examples benchmarks

# Without these uv trusts only the certificates it carries, and fails behind a company's proxy.
export UV_SYSTEM_CERTS := 1
export UV_NATIVE_TLS := 1
# Importing litellm would otherwise fetch a price map from the network.
export LITELLM_LOCAL_MODEL_COST_MAP := True

.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest test-hosts check fix bench docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## Watch a LangChain chain and a LiteLLM router survive dead keys (no real key, no network)
	@$(BIN)/sparekey demo

test: $(READY) $(PROXY)/.ready ## Prove it: every test, over real HTTP on loopback
	@$(BIN)/python -m pytest -n 2 --dist loadfile

test-oldest: $(OLDEST)/.ready ## Prove the LangChain adapter with the oldest packages it supports
	@$(OLDEST)/bin/python -m pytest -n 2 --dist loadfile tests/langchain $(wildcard integrations/langchain/tests)

test-hosts: $(READY) ## Prove the LiteLLM adapter on the oldest LiteLLM it supports and on the newest
	@$(BIN)/python tests/hosts.py 1.102.0 newest

check: $(READY) ## Lint, formatting, strict types, import direction
	$(BIN)/ruff check $(TREE)
	$(BIN)/ruff format --check $(TREE)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_direction.py

fix: $(READY) ## Put right what can be put right by itself
	$(BIN)/ruff check --fix $(TREE)
	$(BIN)/ruff format $(TREE)

bench: $(READY) ## Measure, side by side with the peers
	@for program in benchmarks/[a-z]*.py; do $(BIN)/python $$program || exit 1; done

docs: $(READY) ## Build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean: ## Forget everything that was built
	rm -rf .venv .venv-* docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): pyproject.toml integrations/langchain/pyproject.toml integrations/litellm/pyproject.toml | $(BIN)/uv
	@# --inexact, or uv would remove itself.
	@$(BIN)/uv sync --quiet --inexact --upgrade --all-packages --all-extras --all-groups
	@touch $@

# What we depend on, at the lowest versions we name; the providers' SDKs and LangGraph, at the lowest that LangChain's
# packages name; what only tests use, as it is today. Wheels only: nobody has to build what is older than their Python.
$(OLDEST)/.ready: Makefile pyproject.toml integrations/langchain/pyproject.toml | $(BIN)/uv
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	@$(BIN)/uv pip install --quiet --python $(OLDEST) --only-binary :all: --resolution lowest-direct \
	  -e '.[cli,simulator]' -e 'integrations/langchain[anthropic,openai,providers]' anthropic langgraph openai
	@$(BIN)/uv pip install --quiet --python $(OLDEST) \
	  hypothesis langchain-tests pytest pytest-asyncio pytest-timeout pytest-xdist
	@touch $@

# LiteLLM's proxy pins a hundred packages, so it has an environment to itself: the newest release that can be had whole.
$(PROXY)/.ready: Makefile pyproject.toml integrations/litellm/pyproject.toml | $(BIN)/uv
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(PROXY)
	@$(BIN)/uv pip install --quiet --python $(PROXY) -e '.[cli,redis,simulator]' -e integrations/litellm 'litellm[proxy]'
	@touch $@

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "sparekey needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
