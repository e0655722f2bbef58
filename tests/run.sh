#!/usr/bin/env bash
# All tests: tests/run.sh PYTHON WORKERS [arguments of pytest]
#
# Those of SLURM have the machine's only cluster, so they run one by one. They mostly wait: the others run beside them
# and let them go first. What they print follows at the end.
set -euo pipefail

python=$1 workers=$2
shift 2
# A shell lets its background processes ignore an interrupt, on which pytest would stop the cluster.
pytest='import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main(sys.argv[1:]))'
printed=$(mktemp)
"$python" -c "$pytest" -m slurm "$@" >"$printed" 2>&1 &
slurm=$!
OMP_NUM_THREADS=1 nice "$python" -c "$pytest" -m 'not slurm' \
    -n "$workers" --dist loadfile --no-loadscope-reorder "$@" &
others=$!

finish() {
    wait "$slurm" "$others" || true
    cat "$printed"
    rm -f "$printed"
}
trap finish EXIT
# An interrupt from the keyboard reaches all processes; a second one would stop pytest from stopping the cluster.
trap 'exit 130' INT
trap 'kill -INT "$slurm" "$others" 2>/dev/null || true; exit 143' TERM

failed=0
wait "$others" || failed=$?
none_chosen=5
wait "$slurm" || [ $? = $none_chosen ] || failed=1
exit "$failed"
