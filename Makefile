# What this house can do: make demo · check · test · fix · bench · docs · site
#
# Each target installs what it needs into .venv; Python 3.11 or newer with venv, git and a C
# compiler's run-time are all it asks for. Another Python: make PYTHON=python3.12 check

SHELL      := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS  += --no-builtin-rules

SUITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	    $$each -c '$(SUITS)' 2>/dev/null && echo $$each; done) python3)
UV_VERSION := 0.13.9
BIN    := .venv/bin
UV     := $(BIN)/uv --quiet
CODE   := bot plugins adapters cache
SOURCES := $(CODE) tests bench docs examples
export MOABOT_TEST_LOCAL_DIR := $(CURDIR)/data/local

comma := ,

# $(call step,NAME,COMMAND): runs it and says how long it took.
step = @begin=$$(date +%s); printf '── %s\n' '$(1)'; $(2); printf '   %s: %d s\n' '$(1)' $$(($$(date +%s) - begin))

.PHONY: help demo check test honest fix bench docs format lint types imports dead spelling generated site weights \
        tests encoders both-encoders wheel pins

help:
	@echo 'make demo    one question answered by a panel of small local models, no key needed'
	@echo 'make check   everything that must hold before a commit'
	@echo 'make test    the tests alone, with coverage'
	@echo 'make honest  holds the fakes of tests/fakes against the vendors'' own JavaScript'
	@echo 'make fix     formats, and mends what can be mended by itself'
	@echo 'make bench   the figures of bench/'
	@echo 'make pins    tries the newest versions that pyproject.toml allows, and pins them'
	@echo 'make docs    writes the generated tables of README.md and docs/ anew'
	@echo 'make site    makes a static site of docs/'

# ── what is installed ────────────────────────────────────────────────────────────────────────

$(BIN)/uv:
	@$(PYTHON) -c '$(SUITS)' 2>/dev/null || { \
	  echo "moabot needs Python 3.11 or newer with venv; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "'$(PYTHON) -m venv' failed; see above" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -rf .venv; \
	  echo "uv could not be installed with pip; is the package index reachable?" >&2; exit 1; }

.venv/.run: $(BIN)/uv pyproject.toml constraints.txt
	$(call step,install moabot,$(UV) pip install --python $(BIN)/python -c constraints.txt -e .)
	@touch $@

.venv/.dev: .venv/.run
	$(call step,install tools,$(UV) pip install --python $(BIN)/python -c constraints.txt --group dev)
	@touch $@

# The same folder as `make demo` and `moabot demo` use here, so it is fetched once.
weights: .venv/.run
	$(call step,the small local model,$(BIN)/python -c 'from pathlib import Path; from moabot_providers.weights import fetch; fetch(Path("$(MOABOT_TEST_LOCAL_DIR)")$(comma) said=print)')

# ── what it shows ────────────────────────────────────────────────────────────────────────────

demo:
	@begin=$$(date +%s); $(MAKE) --no-print-directory .venv/.run; $(BIN)/moabot demo --yes; \
	seconds=$$(($$(date +%s) - begin)); \
	printf '\n%s\n' "make demo took $$((seconds / 60)) min $$((seconds % 60)) s, with everything it installed."

BENCHES := "peers.py --goals" stragglers.py zeroeval.py poisoned.py unreliable.py estimate.py caching.py

bench: .venv/.dev
	@for script in $(BENCHES); do printf '── %s\n' "$$script"; $(BIN)/python bench/$$script; done

# ── what must hold ───────────────────────────────────────────────────────────────────────────

check: .venv/.dev
	@begin=$$(date +%s); \
	$(MAKE) --no-print-directory format lint types imports dead spelling generated tests honest encoders wheel; \
	seconds=$$(($$(date +%s) - begin)); \
	printf '── all checks pass: %d min %d s\n' $$((seconds / 60)) $$((seconds % 60))

format: .venv/.dev
	$(call step,format,$(BIN)/ruff format --check --quiet $(SOURCES))

lint: .venv/.dev
	$(call step,lint,$(BIN)/ruff check --quiet $(SOURCES))

types: .venv/.dev
	$(call step,mypy,$(BIN)/mypy)
	$(call step,pyright,$(BIN)/pyright)

imports: .venv/.dev
	$(call step,imports,$(BIN)/lint-imports > .venv/imports.txt || { cat .venv/imports.txt; exit 1; })

dead: .venv/.dev
	$(call step,dead code,$(BIN)/vulture)
	$(call step,dependencies,$(BIN)/deptry $(CODE))

spelling: .venv/.dev
	$(call step,spelling,$(BIN)/codespell $$(git ls-files))

generated: .venv/.dev
	$(call step,generated tables,$(BIN)/cog --check -I docs README.md docs/reference/*.md)
	$(call step,the site of docs/,$(BIN)/sphinx-build -q -W --keep-going -E docs build/site)

site: .venv/.dev
	@$(BIN)/sphinx-build -q -W --keep-going docs build/site
	@echo 'Open build/site/index.html'

tests: .venv/.dev weights
	$(call step,tests,$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term)

honest: .venv/.dev
	$(call step,the fakes against the vendors,for job in tests/official/*/honest.py; do $(BIN)/python $$job; done)

# torch is 5 GB large, so it stands apart, and is installed anew only when versions change.
.venv/sentences/.done: $(BIN)/uv pyproject.toml constraints.txt
	$(call step,install sentence-transformers,$(UV) venv --allow-existing --python $(BIN)/python .venv/sentences && \
	  $(UV) pip install --python .venv/sentences/bin/python -c constraints.txt --group test -e '.[sentence-transformers]')
	@touch $@

# Where 5 GB cannot be had, the encoder that comes along is tested alone (by `tests`), and that is said.
encoders:
	@if $(MAKE) --no-print-directory .venv/sentences/.done; then $(MAKE) --no-print-directory both-encoders; \
	else echo '   sentence-transformers could not be installed here: ITS ENCODER WAS NOT TESTED'; fi

both-encoders:
	$(call step,both encoders,.venv/sentences/bin/python -m pytest --quiet tests/cache/test_encoder.py)

wheel: .venv/.dev weights
	$(call step,the built wheel,tests/wheel.sh)

test: tests

fix: .venv/.dev
	@$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

pins: $(BIN)/uv
	@{ echo '# The versions that were tested together, written by: make pins'; \
	  $(UV) pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --no-header --no-annotate; \
	} > constraints.new
	@mv constraints.new constraints.txt

docs: .venv/.dev
	@$(BIN)/cog -r -I docs README.md docs/reference/*.md
