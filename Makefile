# Each target is one command; what they need is installed on first use, from the lock files, into .tools and .venv.
#   make run                               the sample configuration, from its source to four stores
#   make run SOURCE=<folder|git URL[@ref]|.zip> [NAME=x]
#   make test · make dev · make check · make bench · make lock

UV_VERSION := 0.13.8
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
UV_INSTALLED := $(filter .tools/bin/uv,$(UV))

export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: run test dev check bench lock
.DEFAULT_GOAL := run

run: .venv/runtime
	@.venv/bin/python -m ai_stack_assets run $(if $(SOURCE),"$(SOURCE)") $(if $(NAME),--name "$(NAME)") $(ARGS)

dev: .venv/runtime
	@.venv/bin/python -m ai_stack_assets dev $(ARGS)

test: .venv/development
	.venv/bin/python -m pytest $(ARGS)

check: .venv/development
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/ty check
	.venv/bin/lint-imports
	.venv/bin/dg check defs

bench: .venv/bench
	.venv/bin/python -m bench $(ARGS)

# all that tests need; torch is 5 GB and for GPUs: a lock of its own, for the images of pods
lock: EXTRAS := --extra kubernetes --extra ray
lock: $(UV_INSTALLED)
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml -o requirements.lock
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml $(EXTRAS) --group dev \
		-c requirements.lock -o requirements-dev.lock
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml $(EXTRAS) --group dev --group bench \
		-c requirements-dev.lock -o requirements-bench.lock
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml --all-extras \
		-c requirements-dev.lock -o requirements-torch.lock

# Stamps: the environment equals this lock file. Each holds all of the one before it.
.venv/runtime: requirements.lock $(UV_INSTALLED)
	$(call install,requirements.lock)
	@rm -f .venv/development && touch $@

.venv/development: requirements-dev.lock $(UV_INSTALLED)
	$(call install,requirements-dev.lock)
	@touch .venv/runtime $@

.venv/bench: requirements-bench.lock $(UV_INSTALLED)
	$(call install,requirements-bench.lock)
	@touch .venv/runtime .venv/development $@

define install
	@echo "Installing $(1) into .venv"
	@test -x .venv/bin/python || $(UV) venv --quiet --python '>=3.11,<3.14' .venv
	@$(UV) pip sync --quiet --require-hashes --python .venv/bin/python $(1)
	@.venv/bin/python -c "import site, pathlib; pathlib.Path(site.getsitepackages()[0], 'project.pth').write_text('$(CURDIR)')"
endef

.tools/bin/uv:
	@echo "Installing uv $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv .tools || { echo "'$(PYTHON) -m venv' does not work: install the python3-venv package"; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
