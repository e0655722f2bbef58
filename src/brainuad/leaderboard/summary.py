"""The rows of the ranking: means over common subjects, ranks and their stability, groups of patients, cost."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.score_rows import MEAN, POOLED
from brainuad.leaderboard.field import Field
from brainuad.leaderboard.inputs import Entrant
from brainuad.leaderboard.origins import HealthyScans
from brainuad.leaderboard.quantities import HEALTHY, LESIONS, PATIENTS, RANKED, STRATA, Quantity
from brainuad.leaderboard.ranks import rank_stability, resampling_weights
from brainuad.leaderboard.settings import SIZES, LeaderboardSettings
from brainuad.leaderboard.values import ContestScores
from brainuad.randomness import numpy_generator
from brainuad.storage import read_table
from brainuad.training.cost import read_cost

RANKING_COLUMNS = [
    "contest",
    "study",
    "method",
    "metric",
    "protocol",
    "stratum",
    "subjects",
    "scope",
    "runs",
    "mean",
    "sd",
    "fallback",
    "borrowed",
    "rank",
    "rank_mean",
    "rank_low",
    "rank_high",
    "first",
]
RANKS = RANKING_COLUMNS[-5:]
# Whose subjects a mean is over: those that all ranked methods share, or all of the method's own.
COMMON, OWN = "common", "own"


def score_rows(scores: ContestScores, field: Field) -> Iterator[dict[str, object]]:
    """Means over the common patients where a method scored them all, over its own patients where not."""
    for quantity in PATIENTS:
        values = scores.by_run(quantity.metric, quantity.protocol)
        for key in scores.tested:
            own = _runs_of(values, key).dropna(how="all")
            common = bool(field.subjects) and set(field.subjects) <= set(own.index)
            own = own.loc[list(field.subjects)] if common else own
            if len(own):
                yield _patient_row(key, quantity, own, COMMON if common else OWN)


def _runs_of(values: pd.DataFrame, key: str) -> pd.DataFrame:
    """The runs of one method, (subjects) × (runs)."""
    return values.loc[:, values.columns.get_level_values("key") == key]


def _patient_row(
    key: str, quantity: Quantity, values: pd.DataFrame, scope: str, stratum: str = ""
) -> dict[str, object]:
    """The mean over patients of their means over runs; the spread is that of the runs' means."""
    row = _row(key, quantity, values.mean(axis=0), scope, stratum)
    return row | {"mean": values.mean(axis=1).mean(), "subjects": len(values)}


def _row(
    key: str, quantity: Quantity, of_runs: pd.Series, scope: str, stratum: str = ""
) -> dict[str, object]:
    study, method = key.split("/", 1)
    finite = of_runs.dropna()
    return {
        "study": study,
        "method": method,
        "metric": quantity.metric,
        "protocol": quantity.protocol,
        "stratum": stratum,
        "scope": scope,
        "runs": len(finite),
        "mean": finite.mean(),
        "sd": finite.std(ddof=1),
    }


def rank_columns(
    scores: ContestScores, field: Field, settings: LeaderboardSettings, seed: int, contest: str
) -> pd.DataFrame:
    """Ranks by each ranked quantity, with their stability; one row per method of the field that has a value."""
    parts = [pd.DataFrame(columns=["study", "method", "metric", "protocol", *RANKS])]
    for quantity in RANKED if field.subjects else ():
        table = scores.table(quantity.metric, quantity.protocol)
        table = table.reindex(index=list(field.subjects), columns=list(field.methods)).dropna(axis=1)
        if table.shape[1] == 0:
            continue
        generator = numpy_generator(seed, "ranks", contest, quantity.metric, quantity.protocol)
        weights = resampling_weights(len(table), settings.resamples, generator)
        found = rank_stability(table.to_numpy(float), weights, settings.confidence)
        keys = [str(key).split("/", 1) for key in table.columns]
        part = pd.DataFrame(keys, columns=["study", "method"])
        part["metric"], part["protocol"] = quantity.metric, quantity.protocol
        part["rank"], part["rank_mean"], part["first"] = found.rank, found.mean, found.first
        part["rank_low"], part["rank_high"] = found.low, found.high
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    return table.astype(dict.fromkeys(RANKS, float))


def stratum_rows(scores: ContestScores, field: Field, groups: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Means over the common patients of each group (columns of `groups`), for ranked methods."""
    members = groups.reindex(list(field.subjects)).fillna("")
    for quantity in STRATA:
        values = scores.by_run(quantity.metric, quantity.protocol).reindex(members.index)
        for column in members:
            for name in sorted(set(members[column]) - {""}):
                inside = values[members[column] == name]
                for key in field.methods:
                    own = _runs_of(inside, key)
                    if own.notna().any(axis=None):
                        yield _patient_row(key, quantity, own, COMMON, f"{column} {name}")


def own_rows(scores: ContestScores, healthy: Mapping[str, HealthyScans]) -> Iterator[dict[str, object]]:
    """What is known of each method's own subjects alone: errors in healthy scans, lesions found by their size."""
    for quantity in HEALTHY:
        rows = scores.pooled(quantity.metric, quantity.protocol, MEAN)
        for key, scans in healthy.items():
            found = rows[(rows["key"] == key) & (rows["stratum"] == scans.stratum)]
            if found["value"].notna().any():
                yield _row(key, quantity, found["value"], OWN) | {"subjects": scans.count}
    for quantity in LESIONS:
        rows = scores.pooled(quantity.metric, quantity.protocol, POOLED)
        rows = rows[rows["stratum"].isin(SIZES)]
        for group, found in rows.groupby(["key", "stratum"], sort=False):
            key, size_name = map(str, group)
            if found["value"].notna().any():
                row = _row(key, quantity, found["value"], OWN, f"lesion {size_name}")
                yield row | {"subjects": len(scores.tested[key])}


def cost_rows(entrants: Sequence[Entrant]) -> Iterator[dict[str, object]]:
    """Median seconds per volume over all runs, and mean hours of training."""
    for entrant in entrants:
        manifests = [path for run in range(entrant.runs) if (path := entrant.manifest(run)).exists()]
        seconds = pd.concat([pd.Series(dtype=float), *map(_seconds, manifests)])
        if len(seconds):
            row = _row(entrant.key, Quantity("seconds_per_volume"), pd.Series([seconds.median()]), OWN)
            yield row | {"subjects": len(seconds)}
        costs = [entrant.cost(run) for run in range(entrant.runs)] if entrant.model else []
        hours = pd.Series(
            [read_cost(path, ["training_hours"])["training_hours"] for path in costs if path.exists()],
            dtype=float,
        )
        if len(hours):
            yield _row(entrant.key, Quantity("training_hours"), hours, OWN)


def _seconds(manifest: Path) -> pd.Series:
    table = read_table(manifest)
    given = table["seconds"] if "seconds" in table else pd.Series(dtype=float)
    seconds = pd.to_numeric(given, errors="coerce")
    return seconds[seconds > 0]
