"""Paired permutation tests between all pairs of methods of a contest, on the subjects that both scored."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from brainuad.evaluation.significance import cohen_d_z, holm
from brainuad.leaderboard.ranks import resampling_weights
from brainuad.leaderboard.settings import LeaderboardSettings
from brainuad.randomness import numpy_generator

Values = npt.NDArray[np.float64]

COLUMNS = [
    "contest",
    "metric",
    "protocol",
    "study_a",
    "method_a",
    "study_b",
    "method_b",
    "n",
    "mean_a",
    "mean_b",
    "difference",
    "ci_low",
    "ci_high",
    "effect_size",
    "p",
    "p_holm",
    "reason",
]
_SUMS_AT_ONCE = 1 << 20


def paired_p_values(values: Values, rounds: int, generator: np.random.Generator) -> Values:
    """Two-sided p of every pair of methods under random exchanges of the two within subjects.

    `values` (subjects, methods) gives (methods, methods), 1 on the diagonal. It is the test of
    `brainuad.evaluation.significance.paired_p` with the same flips for all pairs: a signed sum of differences
    is the difference of signed sums, so one product serves them all. Exact where all patterns fit into
    `rounds`, else p = (flips as extreme + 1) / (rounds + 1).
    """
    subjects, methods = values.shape
    observed = np.abs(values.sum(axis=0)[:, None] - values.sum(axis=0))
    as_extreme = observed - (1e-8 * subjects + 1e-5 * observed)
    exact = 2**subjects <= rounds
    total = 2**subjects if exact else rounds
    counts = np.zeros((methods, methods))
    step = max(1, _SUMS_AT_ONCE // max(subjects, methods))
    for start in range(0, total, step):
        signs = _signs(start, min(step, total - start), subjects, None if exact else generator)
        sums = signs @ values  # (flips, methods)
        for method in range(methods):
            counts[method] += (np.abs(sums[:, [method]] - sums) >= as_extreme[method]).sum(axis=0)
    p = counts / total if exact else (counts + 1) / (total + 1)
    return p.astype(np.float64)


def _signs(start: int, count: int, subjects: int, generator: np.random.Generator | None) -> Values:
    """Rows of ±1: the patterns numbered from `start`, or random ones."""
    if generator is None:
        bits = np.arange(start, start + count)[:, None] >> np.arange(subjects) & 1
    else:
        bits = generator.integers(0, 2, size=(count, subjects), dtype=np.int8)
    return (2 * bits - 1).astype(np.float64)


def compare_pairs(
    values: pd.DataFrame, quantity: tuple[str, str, str], settings: LeaderboardSettings, seed: int
) -> pd.DataFrame:
    """One row (COLUMNS) per pair of methods; p values are corrected by Holm's procedure over all pairs.

    `values` (subjects) × (study/method); `quantity` names contest, metric and protocol. A pair is compared on
    the subjects that both have; below `minimum_subjects` it has a reason and no test.
    """
    have = values.notna().to_numpy()
    groups: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for a, b in combinations(range(values.shape[1]), 2):
        groups[(have[:, a] & have[:, b]).tobytes()].append((a, b))
    rows = []
    for mask, pairs in groups.items():
        shared = values.to_numpy(float)[np.frombuffer(mask, dtype=bool)]
        rows += _compare_group(shared, pairs, settings, numpy_generator(seed, "pairs", *quantity))
    table = pd.DataFrame(rows, columns=["a", "b", *COLUMNS]).sort_values(["a", "b"], ignore_index=True)
    table[["contest", "metric", "protocol"]] = quantity
    for side in "ab":
        names = [tuple(values.columns[i].split("/", 1)) for i in table[side]]
        table[[f"study_{side}", f"method_{side}"]] = pd.DataFrame(names, columns=range(2), index=table.index)
    table["p_holm"] = holm(table["p"].to_numpy(float))
    return table[COLUMNS]


def _compare_group(
    shared: Values,
    pairs: list[tuple[int, int]],
    settings: LeaderboardSettings,
    generator: np.random.Generator,
) -> list[dict[str, object]]:
    """The rows of pairs that have the same subjects; `shared` (subjects, all methods)."""
    n = len(shared)
    if n < settings.minimum_subjects:
        reason = f"{n} common test subjects, at least {settings.minimum_subjects} are needed"
        return [{"a": a, "b": b, "n": n, "p": np.nan, "reason": reason} for a, b in pairs]
    members = sorted({method for pair in pairs for method in pair})
    place = {method: position for position, method in enumerate(members)}
    values = shared[:, members]
    p = paired_p_values(values, settings.rounds, generator)
    means = values.mean(axis=0)
    drawn = resampling_weights(n, settings.resamples, generator) @ values  # (resamples, methods)
    tail = 50 * (1 - settings.confidence)
    rows: list[dict[str, object]] = []
    for a, b in pairs:
        i, j = place[a], place[b]
        low, high = np.percentile(drawn[:, i] - drawn[:, j], [tail, 100 - tail])
        row = {"a": a, "b": b, "n": n, "mean_a": means[i], "mean_b": means[j], "p": p[i, j], "reason": ""}
        row |= {"difference": means[i] - means[j], "ci_low": low, "ci_high": high}
        row["effect_size"] = cohen_d_z(values[:, i] - values[:, j]) if n > 1 else np.nan
        rows.append(row)
    return rows
