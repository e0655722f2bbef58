"""Whether two methods differ: permutation tests, effect sizes and intervals over the subjects of a data set.

Two tests stand side by side. The unpaired one is that of Behrendt 2023 (section 3.3): mlxtend's approximate
permutation test on per-volume Dice, 10,000 rounds. The paired one flips the signs of the per-subject
differences, because every method scores the same subjects. P values are corrected over the pairs of methods
of a data set (Holm 1979); the interval is a bias-corrected and accelerated bootstrap (Efron 1987).
"""

import warnings
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlxtend.evaluate import permutation_test
from scipy import stats

from brainuad.errors import InputError
from brainuad.evaluation.score_rows import MEAN, POOLED
from brainuad.evaluation.significance_settings import SignificanceSettings, Test
from brainuad.randomness import numpy_generator, seed_for

Values = npt.NDArray[np.float64]

COLUMNS = [
    "dataset",
    "metric",
    "protocol",
    "method_a",
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
    "test",
    "reason",
]
TEST_NAMES: dict[Test, str] = {
    "unpaired": "permutation (unpaired, mlxtend)",
    "paired": "permutation (paired)",
}
_SIGNS_AT_ONCE = 1 << 21  # signs held in memory at a time: 16 MiB as float64


def unpaired_p(a: Values, b: Values, rounds: int, seed: int) -> float:
    """Two-sided p of Behrendt 2023: mlxtend's approximate permutation test of |mean a - mean b|.

    `a` and `b` (subjects,) are shuffled together; p = (permutations as extreme + 1) / (rounds + 1).
    """

    def mean_distance(x: Values, y: Values) -> float:
        return abs(float(np.mean(x)) - float(np.mean(y)))

    p = permutation_test(
        a, b, func=mean_distance, method="approximate", num_rounds=rounds, seed=seed % 2**32, paired=False
    )
    return float(p)


def paired_p(differences: Values, rounds: int, generator: np.random.Generator) -> float:
    """Two-sided p of the mean of `differences` (subjects,) under random flips of their signs.

    When all 2**n sign patterns are no more than `rounds`, they are enumerated and p is exact; else
    p = (flips as extreme + 1) / (rounds + 1). Both are what mlxtend means by `paired=True`, ties included.
    """
    n = len(differences)
    observed = abs(float(np.sum(differences)))
    as_extreme = observed - (1e-8 * n + 1e-5 * observed)  # numpy.isclose of the means, as mlxtend has it
    exact = 2**n <= rounds
    patterns = _all_patterns(n) if exact else _random_patterns(n, rounds, generator)
    count = sum(int(np.sum(abs(_flipped_sums(flips, differences)) >= as_extreme)) for flips in patterns)
    return count / 2**n if exact else (count + 1) / (rounds + 1)


def _flipped_sums(flips: npt.NDArray[np.uint8], differences: Values) -> Values:
    kept = flips.astype(np.float64) @ differences  # (rounds, subjects) @ (subjects,)
    return 2 * kept - np.sum(differences)  # type: ignore[no-any-return]


def _all_patterns(n: int) -> Iterator[npt.NDArray[np.uint8]]:
    numbers = np.arange(2**n)
    yield (numbers[:, None] >> np.arange(n) & 1).astype(np.uint8)


def _random_patterns(n: int, rounds: int, generator: np.random.Generator) -> Iterator[npt.NDArray[np.uint8]]:
    at_once = max(1, _SIGNS_AT_ONCE // n)
    for start in range(0, rounds, at_once):
        count = min(at_once, rounds - start)
        drawn = np.frombuffer(generator.bytes(count * -(-n // 8)), dtype=np.uint8)
        yield np.unpackbits(drawn.reshape(count, -1), axis=1, count=n)


def holm(p: Values) -> Values:
    """P values corrected by Holm's step-down procedure; NaN entries are no tests and stay NaN."""
    corrected = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def mean_interval(
    differences: Values, confidence: float, resamples: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Bounds of the bootstrap interval (BCa) of the mean of `differences` (subjects,).

    Where the acceleration is undefined (differences that are all but constant) it is the percentile interval.
    """
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    for method in ("BCa", "percentile"):
        with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            interval = stats.bootstrap(
                (differences,),
                np.mean,
                n_resamples=resamples,
                batch=max(1, _SIGNS_AT_ONCE // len(differences)),
                confidence_level=confidence,
                method=method,
                rng=generator,
            ).confidence_interval
        if np.isfinite([interval.low, interval.high]).all():
            break
    return float(interval.low), float(interval.high)


def cohen_d_z(differences: Values) -> float:
    """Mean of `differences` in units of their standard deviation; 0 if all are 0, NaN if all are equal."""
    mean, deviation = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if deviation > 0:
        return mean / deviation
    return 0.0 if mean == 0 else float("nan")


def subject_values(scores: pd.DataFrame, dataset: str, metric: str, protocol: str) -> pd.DataFrame:
    """Values of a metric, (subjects, methods), averaged over the runs of a method that have a value.

    `scores` is the tidy table of all methods; rows of pooled values, means and strata are left out.
    """
    text = scores[["dataset", "metric", "protocol", "stratum"]].astype(object).fillna("").astype(str)
    wanted = (
        (text["dataset"] == dataset)
        & (text["metric"] == metric)
        & (text["protocol"] == protocol)
        & (text["stratum"] == "")
        & ~scores["subject"].isin((POOLED, MEAN))
    )
    rows = scores.loc[wanted, ["method", "run", "subject", "value"]]
    rows = rows.astype({"method": object, "subject": object})
    if rows.duplicated(["method", "run", "subject"]).any():
        raise InputError(
            f"scores of {dataset}, {metric}, {protocol or 'no threshold'}: the same method, run and subject "
            "occurs twice. Compare the methods of one study at a time."
        )
    rows["value"] = pd.to_numeric(rows["value"], errors="coerce")
    table = rows.groupby(["subject", "method"])["value"].mean().unstack("method")
    return table.reindex(columns=pd.unique(rows["method"]))


def compare_methods(
    scores: pd.DataFrame,
    dataset: str,
    settings: SignificanceSettings,
    seed: int,
    methods: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per pair of methods and test: n, means, difference a - b with interval, effect size, p.

    `scores` holds the tidy rows of one study, `methods` names those that must be compared, whether they have a value
    or not. Subjects without a value in either method are left out of that
    pair; below two common subjects the row has no p but a reason. Interval and effect size (Cohen's d_z) are
    of the per-subject differences under both tests.
    """
    values = subject_values(scores, dataset, settings.metric, settings.protocol)
    values = values.reindex(columns=list(dict.fromkeys([*methods, *values.columns])))
    rows = [
        row
        for method_a, method_b in combinations(values.columns, 2)
        for row in _compare_pair(values[[method_a, method_b]], settings, (seed, dataset))
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table[["dataset", "metric", "protocol"]] = [dataset, settings.metric, settings.protocol]
    for _, members in table.groupby("test"):
        table.loc[members.index, "p_holm"] = holm(members["p"].to_numpy(float))
    order = {TEST_NAMES[test]: position for position, test in enumerate(settings.tests)}
    return table.sort_values("test", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def _compare_pair(
    pair: pd.DataFrame, settings: SignificanceSettings, scope: tuple[int, str]
) -> list[dict[str, object]]:
    seed, dataset = scope
    method_a, method_b = pair.columns
    valueless = [method for method in pair.columns if pair[method].isna().all()]
    pair = pair.dropna()
    shared: dict[str, object] = {"method_a": method_a, "method_b": method_b, "n": len(pair), "reason": ""}
    if len(pair) < 2:
        of = f"{settings.metric} at {settings.protocol}" if settings.protocol else settings.metric
        reason = f"{len(pair)} common subjects, at least 2 are needed"
        reason = f"no subject has {of} by {' and '.join(valueless)}" if valueless else reason
        return [shared | {"test": TEST_NAMES[test], "p": np.nan, "reason": reason} for test in settings.tests]
    a, b = (pair[method].to_numpy(float) for method in pair.columns)
    purpose = (dataset, settings.metric, settings.protocol, method_a, method_b)
    low, high = mean_interval(
        a - b, settings.confidence, settings.resamples, numpy_generator(seed, "bootstrap", *purpose)
    )
    shared |= {"mean_a": a.mean(), "mean_b": b.mean(), "difference": (a - b).mean()}
    shared |= {"ci_low": low, "ci_high": high, "effect_size": cohen_d_z(a - b)}
    p_values: dict[Test, float] = {}
    if "unpaired" in settings.tests:
        p_values["unpaired"] = unpaired_p(a, b, settings.rounds, seed_for(seed, "permutation", *purpose))
    if "paired" in settings.tests:
        p_values["paired"] = paired_p(a - b, settings.rounds, numpy_generator(seed, "sign flips", *purpose))
    return [shared | {"test": TEST_NAMES[test], "p": p_values[test]} for test in settings.tests]
