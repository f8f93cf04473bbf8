# Every command installs what it needs; Python 3.13, git and make are all that must be there.
PYTHON ?= python3.13
BIN := .venv/bin
export SAM := $(CURDIR)/.venv-sam/bin/sam
export PYTHONPATH := $(CURDIR):$(CURDIR)/lambda_src
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
ARGS ?=
ARCH ?= arm64
TEMPLATES := template.yaml infra/access-entry.yaml infra/spoke-role.yaml infra/pull-role.yaml infra/kms-key.yaml

# What an environment is made with; whatever is missing for it is said before anything is installed.
define INSTALL
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "There is no $(PYTHON) here, which all of this runs on (as the function does)." >&2; \
		echo "Install Python 3.13 (uv python install 3.13, pyenv install 3.13, your system's packages), or name it: make PYTHON=/path/to/python3.13" >&2; \
		exit 1; }
	@"$(PYTHON)" infra/tools/install.py $(@D) $(1)
	@touch $@
endef

.PHONY: help linux run test environments check lint types imports workflows templates fix unit coverage build package lock release schemas reference pictures bench plots soak bill clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/'

# Lambda's emulator is a Linux program: said before anything is installed.
linux:
	@[ "$$(uname -s)" = Linux ] || { echo "make run needs Linux, and this is $$(uname -s). In a container, from this folder:" >&2; \
		echo "  docker run --rm -it -v \"$$PWD\":/work -w /work public.ecr.aws/docker/library/python:3.13 make run" >&2; \
		echo "or open the folder in its devcontainer (.devcontainer/devcontainer.json)." >&2; exit 1; }

run: linux .venv/.done .venv-sam/.done ## the built function at its real job, on a local AWS and two local clusters (ARGS="--help" for more)
	@$(BIN)/python -m infra.local run $(ARGS)

# The checks and the build side by side, each one's output as a whole; then the tests, which take every processor.
test: environments ## every check and test
	@$(MAKE) --no-print-directory -j3 --output-sync=target check build
	@$(MAKE) --no-print-directory unit

# Side by side: each waits for the network more than for the processor.
environments:
	@$(MAKE) --no-print-directory -j3 .venv/.done .venv-sam/.done .venv-checkov/.done

check: lint types imports workflows templates ## the checks (.pre-commit-config.yaml has the same)

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

fix: .venv/.done ## what the checks can correct by themselves: lint, form, the generated parts of docs/
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(MAKE) --no-print-directory schemas reference

build: .venv-sam/.done ## sam build, for the template's own architecture
	$(SAM) build

package: .venv/.done ## the function's zip by pip alone, for infra/terraform (ARCH=x86_64 for the other processor)
	@$(BIN)/python -m infra.tools.package --arch $(ARCH) $(ARGS)

lock: .venv-lock/.done ## uv.lock from pyproject.toml, and from it what pip reads (ARGS="--upgrade-package NAME")
	@.venv-lock/bin/python infra/tools/lock.py $(ARGS)

release: .venv/.done .venv-lock/.done ## what a release offers, in dist/: zips, wheel, SBOMs, checksums
	@$(BIN)/python -m infra.tools.release $(ARGS)

unit: .venv/.done .venv-sam/.done ## the tests (ARGS=tests/function for some of them)
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder -m "not alone" $(ARGS)
	$(BIN)/python -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]  # 5: none of them is alone

coverage: .venv/.done .venv-sam/.done ## the tests once more, half as slow again: lines and branches not reached, and the floor
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder -m "not alone" --cov --cov-report= $(ARGS)
	$(BIN)/python -m coverage report

schemas: .venv/.done ## the JSON Schemas of the configuration, written anew into docs/
	@$(BIN)/python -m infra.tools.schemas

reference: .venv/.done ## the tables of docs/ that follow from the model and the template, written anew
	@$(BIN)/python -m infra.tools.reference

pictures: .venv/.done .venv-sam/.done ## docs/status.svg: the status table of a local stack, drawn anew
	@$(BIN)/python -m infra.tools.pictures

bench: .venv/.done ## the push beside a bare loop and beside other ways (some 15 minutes; ARGS="--help" for more)
	$(BIN)/python -m tests.bench $(ARGS)

plots: .venv/.done .venv-bench/.done ## the same, drawn into docs/
	$(BIN)/python -m tests.bench --save .venv-bench/results.json $(ARGS)
	.venv-bench/bin/python -m tests.bench.plots .venv-bench/results.json docs

soak: .venv/.done .venv-sam/.done ## 500 invocations of one warm function: does it grow? (minutes)
	$(BIN)/python -m tests.soak $(ARGS)

bill: .venv/.done .venv-sam/.done ## what the stack costs a month, by the work measured on the built function (minutes)
	$(BIN)/python -m tests.bench.bill $(ARGS)

clean: ## removes what the other commands made
	rm -rf .venv .venv-sam .venv-checkov .venv-bench .venv-lock .aws-sam dist .mypy_cache .ruff_cache .pytest_cache .coverage

.venv/.done: requirements.txt requirements-dev.txt
	$(call INSTALL,requirements-dev.txt)

.venv-sam/.done: infra/local/requirements-sam.txt
	$(call INSTALL,infra/local/requirements-sam.txt)

.venv-bench/.done: tests/bench/requirements.txt
	$(call INSTALL,tests/bench/requirements.txt)

.venv-checkov/.done: infra/local/requirements-checkov.txt
	$(call INSTALL,infra/local/requirements-checkov.txt)

.venv-lock/.done: infra/requirements-lock.txt
	$(call INSTALL,infra/requirements-lock.txt)
