#!/usr/bin/env bash
# All benchmarks that need no finished study and no labelled reports, one after the other: `make benchmarks`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

while read -r name arguments; do
    echo "== $name $arguments"
    # shellcheck disable=SC2086  # the arguments are words
    python "benchmarks/$name.py" $arguments </dev/null
done <<'LIST'
dry_run
dry_run --studies behrendt2023 bercea2023-autoddpm bercea2023-ra frotscher2023 kascenas2023
simplex_noise
permutation_test
streaming_auprc
streaming_auprc --scores 6e8 --ours-alone
evaluation_speed --volumes 25
report_building
report_speed
training_speed
large_arrays
large_arrays --network paper --steps 20
inference_speed --study every-method --slices 1 --steps 3
timestep_batching --network paper --slices 1
training_cost
LIST
