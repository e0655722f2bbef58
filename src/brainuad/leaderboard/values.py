"""What the entrants of a contest scored, by subject, and which subjects may count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore
from brainuad.evaluation.attributes import age_group
from brainuad.evaluation.score_rows import MEAN, POOLED, read_score_rows
from brainuad.evaluation.settings import Attribute
from brainuad.leaderboard.inputs import Entrant
from brainuad.leaderboard.rescore import voxel_ml
from brainuad.leaderboard.settings import SIZES
from brainuad.storage import read_table

LOAD = "lesion load"  # all lesions of a patient together
COLUMNS = ["key", "run", "subject", "protocol", "metric", "stratum", "value"]


def eligible_subjects(split: pd.DataFrame, entrant: Entrant) -> set[str]:
    """The test subjects of a split whose scans have no other role in it under the name of another data set."""
    role = split["role"] == "test"
    tested = set(split.loc[(split["dataset"] == entrant.dataset) & role, "subject"])
    seen = split.loc[split["dataset"].isin(entrant.same_scans) & ~role, "subject"]
    return tested - set(seen)


@dataclass(frozen=True)
class ContestScores:
    """The tidy scores of one contest.

    `rows`: COLUMNS, `key` is study/method; single subjects are test subjects of that study and run.
    `tested`: the test subjects of each entrant in any of its finished runs. `runs`: how many finished.
    """

    rows: pd.DataFrame
    tested: dict[str, set[str]]
    runs: dict[str, int]

    @cached_property
    def of_subjects(self) -> pd.DataFrame:
        """The rows of single subjects."""
        return self.rows[~self.rows["subject"].isin((POOLED, MEAN))]

    def by_run(self, metric: str, protocol: str) -> pd.DataFrame:
        """Values of a metric, (subjects) × (key, run)."""
        rows = _of(self.of_subjects, metric, protocol)
        return rows.pivot(index="subject", columns=["key", "run"], values="value")

    def table(self, metric: str, protocol: str = "") -> pd.DataFrame:
        """Values of a metric, (subjects) × (key): means over the runs in which the subject is a test subject."""
        rows = _of(self.of_subjects, metric, protocol)
        return rows.groupby(["subject", "key"])["value"].mean().unstack("key")

    def pooled(self, metric: str, protocol: str, aggregate: str) -> pd.DataFrame:
        """Aggregated values (`aggregate` is `mean` or `pooled`) with columns key, run, stratum, value."""
        rows = self.rows[self.rows["subject"] == aggregate]
        return _of(rows, metric, protocol, stratum=None)[["key", "run", "stratum", "value"]]


def _of(rows: pd.DataFrame, metric: str, protocol: str, stratum: str | None = "") -> pd.DataFrame:
    wanted = (rows["metric"] == metric) & (rows["protocol"] == protocol)
    if stratum is not None:
        wanted &= rows["stratum"] == stratum
    return rows[wanted]


def read_contest(entrants: Iterable[Entrant]) -> ContestScores:
    """The scores that exist of the entrants of one contest."""
    parts = [pd.DataFrame(columns=COLUMNS)]
    tested: dict[str, set[str]] = {}
    runs: dict[str, int] = {}
    for entrant in entrants:
        finished = [run for run in range(entrant.runs) if entrant.scores(run).exists()]
        runs[entrant.key], tested[entrant.key] = len(finished), set()
        for run in finished:
            allowed = eligible_subjects(
                read_table(entrant.split(run), needs=("dataset", "subject", "role")), entrant
            )
            rows = read_score_rows(entrant.scores(run))
            rows = rows[rows["subject"].isin({*allowed, POOLED, MEAN})]
            parts.append(rows.assign(key=entrant.key, run=run)[COLUMNS])
            tested[entrant.key] |= allowed
    table = pd.concat(parts, ignore_index=True)
    table["value"] = pd.to_numeric(table["value"], errors="coerce").astype(float)
    return ContestScores(table, tested, runs)


def subject_groups(
    entrants: Sequence[Entrant], attributes: Sequence[Attribute], bounds_ml: tuple[float, float]
) -> pd.DataFrame:
    """The groups of each subject: (subjects) × (lesion load, attributes), empty where nothing is known.

    A subject's lesion volume is that on the finest grid, so that it is in one group for all methods.
    """
    stores = {entrant.arrays: ArrayStore(entrant.arrays) for entrant in entrants}
    existing = [store for path, store in stores.items() if (path / "index.tsv").exists()]
    found = pd.DataFrame(columns=[LOAD, *attributes], dtype=object)
    for store in sorted(existing, key=voxel_ml):
        index = store.index[store.index["status"] == "ok"]
        volume = index["lesion_voxels"].astype("Float64").to_numpy(float, na_value=np.nan) * voxel_ml(store)
        groups = pd.DataFrame({LOAD: [size_group(ml, bounds_ml) for ml in volume]}, index=index.index)
        for attribute in attributes:
            text = index[attribute] if attribute in index else pd.Series("", index=index.index)
            groups[attribute] = text.map(age_group) if attribute == "age" else text
        found = found.combine_first(groups.replace("", None).astype(object))
    return found.fillna("")


def size_group(volume_ml: float, bounds_ml: tuple[float, float]) -> str:
    """small, medium or large; empty without a lesion."""
    return SIZES[int(np.digitize(volume_ml, bounds_ml, right=True))] if volume_ml > 0 else ""
