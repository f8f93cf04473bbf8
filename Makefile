# Every command installs what it needs. You need only Python 3.13, git and make.
PYTHON ?= python3.13
BIN := .venv/bin
export SAM := $(CURDIR)/.venv-sam/bin/sam
export PYTHONPATH := $(CURDIR):$(CURDIR)/lambda_src
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
ARGS ?=
ARCH ?= arm64
TEMPLATES := template.yaml infra/access-entry.yaml infra/spoke-role.yaml infra/pull-role.yaml infra/kms-key.yaml

# The programs that create an environment. A missing one is reported before anything is installed.
define INSTALL
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "There is no $(PYTHON) here, which all of this runs on (as the function does)." >&2; \
		echo "Install Python 3.13 (uv python install 3.13, pyenv install 3.13, your system's packages), or name it: make PYTHON=/path/to/python3.13" >&2; \
		exit 1; }
	@"$(PYTHON)" infra/tools/install.py $(@D) $(1)
	@touch $@
endef

.PHONY: help linux run test environments check lint types imports workflows templates fix unit coverage build package lock release schemas reference chart pictures bench plots mutation fuzz estates soak chaos month bill scale clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/'

# Lambda's emulator is a Linux program: check this before anything is installed.
linux:
	@[ "$$(uname -s)" = Linux ] || { echo "make run needs Linux, and this is $$(uname -s). In a container, from this folder:" >&2; \
		echo "  docker run --rm -it -v \"$$PWD\":/work -w /work public.ecr.aws/docker/library/python:3.13 make run" >&2; \
		echo "or open the folder in its devcontainer (.devcontainer/devcontainer.json)." >&2; exit 1; }

# GNU make takes --keep for its own -k (--keep-going), and would run without it.
ifneq (,$(filter run,$(MAKECMDGOALS)))
ifneq (,$(findstring k,$(firstword -$(MAKEFLAGS))))
$(error make takes --keep for its own option -k (--keep-going). Give it to the run: make run ARGS=--keep)
endif
endif

run: linux .venv/.done .venv-sam/.done ## run the built function with a local AWS and two local clusters (ARGS="--help" for more)
	@$(BIN)/python -m infra.local run $(ARGS)

# The checks and the build side by side, each one's output as a whole; then the tests, which take every processor.
test: environments ## run every check and test
	@$(MAKE) --no-print-directory -j3 --output-sync=target check build
	@$(MAKE) --no-print-directory unit

# Concurrently: each waits more for the network than for the processor.
environments:
	@$(MAKE) --no-print-directory -j3 .venv/.done .venv-sam/.done .venv-checkov/.done

check: lint types imports workflows templates ## run the checks (the same as in .pre-commit-config.yaml)

lint: .venv/.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.done
	$(BIN)/mypy

imports: .venv/.done
	$(BIN)/lint-imports --no-cache

workflows: .venv/.done
	$(BIN)/zizmor --offline --quiet --persona auditor .github

templates: .venv/.done .venv-sam/.done .venv-checkov/.done
	$(BIN)/cfn-lint --include-checks I -- $(TEMPLATES)
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint
	.venv-checkov/bin/checkov --framework cloudformation --compact --quiet --skip-download --file $(TEMPLATES)

fix: .venv/.done ## correct what can be corrected automatically: lint, format, the generated parts of docs/
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(MAKE) --no-print-directory schemas reference chart

build: .venv-sam/.done ## run sam build, for the template's default architecture
	$(SAM) build

package: .venv/.done ## build the function's zip with pip only, for infra/terraform (ARCH=x86_64 for the other architecture)
	@$(BIN)/python -m infra.tools.package --arch $(ARCH) $(ARGS)

lock: .venv-lock/.done ## write uv.lock from pyproject.toml, and pip's files from uv.lock (ARGS="--upgrade-package NAME")
	@.venv-lock/bin/python infra/tools/lock.py $(ARGS)

release: .venv/.done .venv-lock/.done ## build the release files, in dist/: zips, wheel, SBOMs, checksums
	@$(BIN)/python -m infra.tools.release $(ARGS)

unit: .venv/.done .venv-sam/.done ## run the tests (ARGS=tests/function for a part of them)
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder -m "not alone" $(ARGS)
	$(BIN)/python -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]  # 5: none of them is alone

coverage: .venv/.done .venv-sam/.done ## run the tests with coverage, which takes half as long again: show the lines and branches without tests, and enforce the floor
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder -m "not alone" --cov --cov-report= $(ARGS)
	$(BIN)/python -m coverage report

schemas: .venv/.done ## write the JSON Schemas of the configuration into docs/
	@$(BIN)/python -m infra.tools.schemas

reference: .venv/.done ## write the generated tables of docs/ from the model and the template
	@$(BIN)/python -m infra.tools.reference

chart: .venv/.done ## write the Helm chart in infra/chart from infra/rbac
	@$(BIN)/python -m infra.tools.chart

pictures: .venv/.done .venv-sam/.done ## draw docs/status.svg, the status table of a local stack
	@$(BIN)/python -m infra.tools.pictures

bench: .venv/.done ## compare the push with a bare loop and other clients (about 15 minutes; ARGS="--help" for more)
	$(BIN)/python -m tests.bench $(ARGS)

plots: .venv/.done .venv-bench/.done ## draw the bench's results into docs/
	$(BIN)/python -m tests.bench --save .venv-bench/results.json $(ARGS)
	.venv-bench/bin/python -m tests.bench.plots .venv-bench/results.json docs
	@$(BIN)/python -m tests.bench.scale --save .venv-bench/scale.json
	.venv-bench/bin/python -m tests.bench.scale_plot .venv-bench/scale.json docs/scale.svg

mutation: .venv/.done .venv-mutation/.done ## plant small faults in copies of the function, and run the tests (an hour; ARGS="--help" for more)
	@.venv-mutation/bin/python -m tests.mutation $(ARGS)

fuzz: .venv-fuzz/.done ## give arbitrary input to each parser of bytes that others write, under atheris (an hour; ARGS="--help" for more)
	@.venv-fuzz/bin/python -m tests.fuzz $(ARGS)

estates: .venv/.done ## run the tests of random estates with 20,000 examples each (minutes; ESTATES_EXAMPLES for another number)
	ESTATES_EXAMPLES=$${ESTATES_EXAMPLES:-20000} $(BIN)/python -m pytest --timeout=0 $(shell find tests -name 'test_random_*.py') $(ARGS)

soak: .venv/.done .venv-sam/.done ## invoke one warm function 500 times, to detect memory growth (minutes)
	$(BIN)/python -m tests.soak $(ARGS)

month: .venv/.done ## simulate four weeks of several stacks with outages: no Secret may end unnoticed (minutes; ARGS="--help" for more)
	$(BIN)/python -m tests.month $(ARGS)

chaos: .venv/.done ## break everything around the function at random, 100 rounds, and check what it leaves behind (seven minutes; ARGS="--help" for more)
	$(BIN)/python -m tests.chaos $(ARGS)

bill: .venv/.done .venv-sam/.done ## calculate the stack's monthly cost from the work measured on the built function (minutes)
	$(BIN)/python -m tests.bench.bill $(ARGS)

scale: .venv/.done ## show what 10 to 10,000 clusters take, by a model: time, quotas, money (ARGS="--help" for more)
	@$(BIN)/python -m tests.bench.scale $(ARGS)

clean: ## remove what the other commands created
	rm -rf .venv .venv-sam .venv-checkov .venv-bench .venv-mutation .venv-fuzz .venv-lock .aws-sam dist .mypy_cache .ruff_cache .pytest_cache .coverage

.venv/.done: requirements.txt requirements-dev.txt
	$(call INSTALL,requirements-dev.txt)

.venv-sam/.done: infra/local/requirements-sam.txt
	$(call INSTALL,infra/local/requirements-sam.txt)

.venv-bench/.done: tests/bench/requirements.txt
	$(call INSTALL,tests/bench/requirements.txt)

.venv-mutation/.done: tests/mutation/requirements.txt
	$(call INSTALL,tests/mutation/requirements.txt)

.venv-fuzz/.done: tests/fuzz/requirements.txt
	$(call INSTALL,tests/fuzz/requirements.txt)

.venv-checkov/.done: infra/local/requirements-checkov.txt
	$(call INSTALL,infra/local/requirements-checkov.txt)

.venv-lock/.done: infra/requirements-lock.txt
	$(call INSTALL,infra/requirements-lock.txt)
