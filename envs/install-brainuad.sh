#!/usr/bin/env bash
# Snakemake runs this inside a new environment, from the folder where it was started. Snakemake copies environment
# files elsewhere, so a relative path to the repository inside them would point nowhere.
set -euo pipefail
if ! grep -q '^name = "brain-uad"' pyproject.toml 2>/dev/null; then
    echo "Start snakemake from the root of the brain-uad repository to make its conda environments." >&2
    exit 1
fi
python -m pip install --no-deps --editable .
