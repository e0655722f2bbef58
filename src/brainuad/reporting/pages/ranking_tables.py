"""The tables of the leaderboard across studies, read from the files that the rule `rank` wrote."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.leaderboard.quantities import Quantity
from brainuad.reporting.colours import colour_of
from brainuad.storage import read_table

NAMES = ("ranking", "entrants", "across", "agreement", "not_scored")
NUMBERS = (
    *("subjects", "runs", "mean", "sd", "rank", "rank_mean", "rank_low", "rank_high", "first"),
    *("runs_finished", "test_subjects", "common_subjects", "lesion_subjects"),
    *("contests", "mean_rank", "compared", "ahead", "tied", "methods", "tau"),
    *("n", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "effect_size", "p", "p_holm"),
)


@dataclass(frozen=True)
class Competitor:
    """One method of one study, as it is written."""

    key: str
    label: str
    study: str
    colour: str
    supervised: bool
    reason: str


@dataclass(frozen=True)
class Tables:
    """All tables, with numbers as numbers; `pairs` has one per contest."""

    ranking: pd.DataFrame
    entrants: pd.DataFrame
    across: pd.DataFrame
    agreement: pd.DataFrame
    not_scored: pd.DataFrame
    pairs: Mapping[str, pd.DataFrame]

    @property
    def contests(self) -> list[str]:
        """The names of the contests."""
        return list(dict.fromkeys(self.entrants["contest"]))

    @cached_property
    def _records(self) -> dict[tuple[str, str, Quantity, str], dict[Hashable, Any]]:
        records = {}
        for row in self.ranking.to_dict("records"):
            quantity = Quantity(row["metric"], row["protocol"])
            records[row["contest"], f"{row['study']}/{row['method']}", quantity, row["stratum"]] = row
        return records

    def record(self, contest: str, key: str, quantity: Quantity, stratum: str = "") -> dict[Hashable, Any]:
        """The row of the ranking; empty where there is none."""
        return self._records.get((contest, key, quantity, stratum), {})

    @cached_property
    def _entrants(self) -> dict[tuple[str, str], dict[Hashable, Any]]:
        rows = self.entrants.to_dict("records")
        return {(row["contest"], f"{row['study']}/{row['method']}"): row for row in rows}

    def entrant(self, contest: str, key: str) -> dict[Hashable, Any]:
        """What is known of a method in a contest; empty where it does not compete."""
        return self._entrants.get((contest, key), {})

    def competitors(self, contest: str) -> list[Competitor]:
        """Everybody in a contest: by rank and, without one, by mean; those without a result last."""
        rows = self.entrants[self.entrants["contest"] == contest].to_dict("records")
        found = [_competitor(row) for row in rows]

        def place(competitor: Competitor) -> tuple[float, float]:
            row = self.record(contest, competitor.key, Quantity("auprc"))
            return _or_last(row.get("rank")), _or_last(-row.get("mean", np.nan))

        return sorted(found, key=place)


def _or_last(value: float | None) -> float:
    return np.inf if value is None or np.isnan(value) else value


def _competitor(row: Mapping[Hashable, Any]) -> Competitor:
    return Competitor(
        key=f"{row['study']}/{row['method']}",
        label=row["label"],
        study=row["study"],
        colour=colour_of(row["method"]),
        supervised=row["supervised"] == "True",
        reason=row["reason"],
    )


def read_tables(folder: Path | None) -> Tables | None:
    """The tables in results/leaderboard; None where they were not made."""
    if folder is None or not all((folder / f"{name}.tsv").exists() for name in NAMES):
        return None
    pairs = {path.stem: _read(path) for path in sorted((folder / "pairs").glob("*.tsv"))}
    ranking, entrants, across, agreement, not_scored = (_read(folder / f"{name}.tsv") for name in NAMES)
    return Tables(ranking, entrants, across, agreement, not_scored, pairs)


def _read(path: Path) -> pd.DataFrame:
    table = read_table(path)
    for column in table.columns.intersection(list(NUMBERS)):
        table[column] = pd.to_numeric(table[column], errors="coerce").astype(float)
    return table
