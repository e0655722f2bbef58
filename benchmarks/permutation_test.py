"""Time of the paired permutation test against mlxtend's, on as many subjects as BraTS 2021 has for testing.

    python benchmarks/permutation_test.py

Prints seconds, the ratio and both p values (1,151 subjects, 10,000 rounds, best of three).
"""

from time import perf_counter

import numpy as np
from mlxtend.evaluate import permutation_test

from brainuad.evaluation.significance import paired_p

SUBJECTS, ROUNDS, REPEATS = 1151, 10_000, 3


def main() -> None:
    """Prints one line per implementation."""
    rng = np.random.default_rng(0)
    a = rng.beta(4, 5, SUBJECTS)
    b = a + rng.normal(0.004, 0.1, SUBJECTS)
    runs = {
        "mlxtend": lambda: permutation_test(
            a, b, method="approximate", num_rounds=ROUNDS, seed=0, paired=True
        ),
        "brainuad": lambda: paired_p(a - b, ROUNDS, np.random.default_rng(0)),
    }
    seconds = {}
    for name, run in runs.items():
        times = []
        for _ in range(REPEATS):
            start = perf_counter()
            p = run()
            times.append(perf_counter() - start)
        seconds[name] = min(times)
        print(f"{name:9} {seconds[name]:7.3f} s   p = {p:.4f}")
    print(f"ratio     {seconds['mlxtend'] / seconds['brainuad']:7.1f}")


if __name__ == "__main__":
    main()
