#!/usr/bin/env bash
# All tests: tests/run.sh PYTHON WORKERS [arguments of pytest]
#
# Those of SLURM have the machine's only cluster, so they run one by one. They mostly wait: the others run beside them
# and let them go first. What they print follows at the end.
set -euo pipefail

python=$1 workers=$2
shift 2
printed=$(mktemp)
"$python" -m pytest -m slurm "$@" >"$printed" 2>&1 &
slurm=$!
trap 'kill "$slurm" 2>/dev/null || true; rm -f "$printed"' EXIT

failed=0
OMP_NUM_THREADS=1 nice "$python" -m pytest -m 'not slurm' -n "$workers" --dist loadfile --no-loadscope-reorder "$@" ||
    failed=$?
none_chosen=5
wait "$slurm" || [ $? = $none_chosen ] || failed=1
cat "$printed"
exit "$failed"
