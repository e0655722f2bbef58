"""The tidy rows of a score table: one value per subject, protocol, metric and stratum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.errors import InputError
from brainuad.evaluation.catalogue import MEAN, POOLED
from brainuad.storage import read_table

SCORE_COLUMNS = [
    "study",
    "method",
    "run",
    "dataset",
    "subject",
    "protocol",
    "metric",
    "stratum",
    "value",
    "threshold",
]
NUMBERS = ("run", "value", "threshold")
MEANS_PER_STRATUM = ("auprc", "dice")


def read_score_rows(path: Path) -> pd.DataFrame:
    """The rows of a score table; `run`, `value` and `threshold` are numbers, where there are none NaN."""
    table = read_table(path, needs=SCORE_COLUMNS)
    for column in NUMBERS:
        numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
        if numbers[table[column] != ""].isna().any() or (column == "run" and (numbers % 1 != 0).any()):
            raise InputError(f"{path}: {column} is not a number in every row. Delete it and run again.")
        table[column] = numbers
    return table


@dataclass
class ScoreRows:
    """Collects rows; thresholds are given in stored units and written in true ones (divided by `scale`)."""

    scale: float
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        subject: str,
        values: Mapping[str, float],
        protocol: str = "",
        threshold: float = float("nan"),
        stratum: str = "",
    ) -> None:
        """Adds one row per metric in `values`."""
        place = {"subject": subject, "protocol": protocol, "stratum": stratum}
        self._rows += [
            {**place, "metric": metric, "value": float(value), "threshold": threshold / self.scale}
            for metric, value in values.items()
        ]

    def add_means(self, strata: Mapping[str, Sequence[str]]) -> None:
        """Adds means over subjects, without undefined values, and those of each stratum of subjects.

        `strata` names the strata that each subject belongs to.
        """
        rows = self.table()
        rows = rows[~rows["subject"].isin((POOLED, MEAN)) & rows["value"].notna()]
        self._add_means_of(rows)
        in_strata = rows[rows["metric"].isin(MEANS_PER_STRATUM) & (rows["stratum"] == "")]
        in_strata = in_strata.assign(
            stratum=in_strata["subject"].map({s: list(n) for s, n in strata.items()})
        )
        self._add_means_of(in_strata.explode("stratum").dropna(subset=["stratum"]))

    def _add_means_of(self, rows: pd.DataFrame) -> None:
        for key, group in rows.groupby(["protocol", "metric", "stratum"]):
            protocol, metric, stratum = map(str, key)
            common = group["threshold"].iloc[0] if group["threshold"].nunique() == 1 else float("nan")
            self.add(MEAN, {metric: group["value"].mean()}, protocol, common * self.scale, stratum)

    def table(self) -> pd.DataFrame:
        """All rows so far."""
        return pd.DataFrame(self._rows, columns=SCORE_COLUMNS[4:])
