"""Leaderboards: every method of a study on a data set, all thresholds side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainuad.reporting.colours import colour_of
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.names import (
    AGGREGATES,
    HIGHER_IS_BETTER,
    LOWER_IS_BETTER,
    PROTOCOLS,
    metric_name,
    protocol_name,
)
from brainuad.reporting.summary import summarise
from brainuad.reporting.table_text import number_text

VOXEL_METRICS = ("auprc", "dice", "dice_mean_volumes")
# Ranked metrics, but for those that repeat another number.
SHOWN = (HIGHER_IS_BETTER | LOWER_IS_BETTER) - {
    *("dice_grid", "dice_mean_volumes_grid", "precision", "recall", "lesion_precision")
}
AGGREGATE_ORDER = ("pooled", "mean")
QUANTITY = ["metric", "aggregate", "stratum", "protocol"]


@dataclass(frozen=True)
class Column:
    """One sortable column; `bound` marks thresholds that were chosen on the test data."""

    group: str
    label: str
    metric: str
    protocol: str
    bound: bool
    lower: bool


# Rows of scores that say that a threshold was not found as its protocol has it: their sign, and what it means.
SIGNS = {
    "threshold_fallback": (
        "‡",
        "The data set has no validation patients with lesions; the threshold comes from healthy scans.",
    ),
    "threshold_beyond_grid": (
        "§",
        "No threshold of the paper's grid is high enough; this is the exact one beyond it.",
    ),
}


@dataclass(frozen=True)
class Cell:
    """One number as text, the value it sorts by, its share of the column's range for a bar, and signs of notes."""

    text: str
    value: float | None
    share: float
    best: bool
    signs: str


@dataclass(frozen=True)
class Row:
    """One method."""

    label: str
    colour: str
    runs: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Board:
    """A table of methods; `groups` are the spans of columns under one heading."""

    title: str
    groups: tuple[tuple[str, int], ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def boards(study: StudyEntry, scores: pd.DataFrame, dataset: str) -> list[Board]:
    """The leaderboards of one data set: voxels; lesions and images; strata. Empty ones are left out.

    So is a quantity that no compared method has, as every Dice of a data set without lesion masks.
    """
    compared = [method.name for method in study.compared_methods]
    summary = summarise(scores[(scores["dataset"] == dataset) & scores["method"].isin(compared)])
    summary = summary[summary.groupby(QUANTITY)["mean"].transform("count") > 0]
    ranked = summary[summary["metric"].isin(SHOWN)]
    plain = ranked[ranked["stratum"] == ""]
    voxels = plain["metric"].isin(VOXEL_METRICS)
    strata = ranked[ranked["stratum"] != ""]
    parts = (("Voxels", plain[voxels]), ("Lesions and images", plain[~voxels]), ("By group", strata))
    signs = _signs(summary)
    return [_board(title, part, study, signs) for title, part in parts if len(part)]


def _signs(summary: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The signs of (method, protocol) whose threshold is not as the protocol has it."""
    rows = summary[summary["metric"].isin(SIGNS) & (summary["mean"] > 0)]
    found: dict[tuple[str, str], str] = {}
    for method, protocol, metric in zip(rows["method"], rows["protocol"], rows["metric"], strict=True):
        found[method, protocol] = found.get((method, protocol), "") + SIGNS[metric][0]
    return found


def _board(title: str, part: pd.DataFrame, study: StudyEntry, signs: dict[tuple[str, str], str]) -> Board:
    quantities = sorted(
        part[QUANTITY].drop_duplicates().itertuples(index=False, name=None),
        key=lambda quantity: _place(*quantity),
    )
    columns = tuple(_column(*quantity) for quantity in quantities)
    known = [method for method in study.compared_methods if method.name in set(part["method"])]
    values = part.set_index(["method", *QUANTITY])
    grid = [[_lookup(values, (method.name, *quantity)) for quantity in quantities] for method in known]
    means = np.array([[cell[0] for cell in row] for row in grid], float).reshape(len(grid), len(columns))
    rows = []
    for number, method in enumerate(known):
        cells = tuple(
            _cell(grid[number][j], means[:, j], column, signs.get((method.name, column.protocol), ""))
            for j, column in enumerate(columns)
        )
        runs = sorted({int(cell[2]) for cell in grid[number] if cell[2]})
        span = "–".join(str(n) for n in dict.fromkeys([runs[0], runs[-1]])) if runs else "0"
        rows.append(Row(method.label, colour_of(method.name), span, cells))
    used = {sign for row in rows for cell in row.cells for sign in cell.signs}
    notes = tuple(f"{sign} {meaning}" for sign, meaning in SIGNS.values() if sign in used)
    return Board(title, tuple(_spans(column.group for column in columns)), columns, tuple(rows), notes)


def _place(metric: str, aggregate: str, stratum: str, protocol: str) -> tuple[Any, ...]:
    protocols = list(PROTOCOLS)
    order = ("auprc", "dice", "dice_mean_volumes", "auroc", "lesion_recall", "lesion_f1", "box_f1")
    return (
        order.index(metric) if metric in order else len(order),
        metric,
        stratum,
        AGGREGATE_ORDER.index(aggregate),
        protocols.index(protocol) if protocol in protocols else len(protocols),
    )


def _column(metric: str, aggregate: str, stratum: str, protocol: str) -> Column:
    group = metric_name(metric) + (f", {AGGREGATES[aggregate]}" if protocol else "")
    label = protocol_name(protocol).removesuffix(" threshold") or AGGREGATES[aggregate]
    group += f", {stratum}" if stratum else ""
    return Column(group, label, metric, protocol, protocol == "oracle", metric in LOWER_IS_BETTER)


def _lookup(values: pd.DataFrame, key: tuple[Any, ...]) -> tuple[float, float, int]:
    if key not in values.index:
        return float("nan"), float("nan"), 0
    row = values.loc[key]
    return float(row["mean"]), float(row["sd"]), int(row["runs"])


def _cell(found: tuple[float, float, int], column_means: np.ndarray, column: Column, signs: str) -> Cell:
    mean, sd, _ = found
    if not np.isfinite(mean):
        return Cell("–", None, 0.0, False, "")
    finite = column_means[np.isfinite(column_means)]
    top = max(float(finite.max()), 1e-12)
    best = finite.min() if column.lower else finite.max()
    ranked = len(finite) > 1 and not column.bound
    digits = 3 if top >= 0.1 else 4 if top >= 0.01 else 6
    text = number_text(mean, sd, digits)
    share = max(0.0, mean) / (1.0 if top <= 1 else top)
    return Cell(text, mean, share, ranked and mean == best, signs)


def _spans(groups: Iterable[str]) -> list[tuple[str, int]]:
    spans: list[tuple[str, int]] = []
    for group in groups:
        if spans and spans[-1][0] == group:
            spans[-1] = (group, spans[-1][1] + 1)
        else:
            spans.append((group, 1))
    return spans
