"""The sortable tables of one contest: ranks, thresholds, lesions, groups of patients, cost."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from brainuad.leaderboard.quantities import FIXED, HEALTHY, RANKED, Quantity
from brainuad.leaderboard.settings import SIZES
from brainuad.reporting.names import metric_name, protocol_name
from brainuad.reporting.pages.cost import duration_text
from brainuad.reporting.pages.ranking_tables import Competitor, Tables
from brainuad.reporting.table_text import number_text

Row = Mapping[Hashable, Any]
# A map that marks the whole brain finds every lesion, and its one component touches one.
LESION_NOTE = (
    "A method that marks everything finds every lesion with a single component: read these values beside the "
    "false-positive rate. That rate and lesions by size are of each study's own scans, not of common ones."
)
WITH_WINNER = ("auprc", "dice")


@dataclass(frozen=True)
class Cell:
    """One number as text and the value it sorts by; `share` is the length of its bar, None for no bar.

    `own`: over the method's own patients where the column is over the common ones; `fallback`: its threshold
    comes from healthy scans.
    """

    text: str = "–"
    value: float | None = None
    share: float | None = None
    best: bool = False
    fallback: bool = False
    own: bool = False


@dataclass(frozen=True)
class Column:
    """One sortable column: where its number is, and how it is written."""

    group: str
    label: str
    quantity: Quantity
    write: Callable[[Row], Cell]
    stratum: str = ""
    lower: bool = False
    compared: bool = False

    @property
    def bound(self) -> bool:
        """Whether its threshold was chosen on the test data itself."""
        return self.quantity.bound

    @property
    def has_winner(self) -> bool:
        """Whether its best value is marked."""
        return self.compared and not self.bound and self.quantity.metric in WITH_WINNER


@dataclass(frozen=True)
class Sheet:
    """One table; `groups` are the spans of columns under one heading."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Competitor, tuple[Cell, ...]], ...]
    note: str = ""

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings with the number of their columns."""
        return [(name, len(list(columns))) for name, columns in groupby(c.group for c in self.columns)]

    def has(self, mark: str) -> bool:
        """Whether any cell is marked `fallback` or `own`."""
        return any(getattr(cell, mark) for _, cells in self.rows for cell in cells)


def sheets(tables: Tables, contest: str) -> list[Sheet]:
    """The tables of a contest that have any number."""
    competitors = tables.competitors(contest)
    parts = {
        "Ranks": _rank_columns(),
        "Lesions and healthy scans": _lesion_columns(),
        "Groups of patients": _group_columns(tables, contest),
    }
    made = [_sheet(title, columns, competitors, tables, contest) for title, columns in parts.items()]
    return [
        sheet for sheet in made if any(cell.value is not None for _, cells in sheet.rows for cell in cells)
    ]


def _sheet(
    title: str, columns: Sequence[Column], competitors: Sequence[Competitor], tables: Tables, contest: str
) -> Sheet:
    found = [
        [tables.record(contest, c.key, column.quantity, column.stratum) for column in columns]
        for c in competitors
    ]
    grid = [[_cell(column, row) for column, row in zip(columns, line, strict=True)] for line in found]
    kept = [j for j in range(len(columns)) if any(line[j].value is not None for line in grid)]
    ranked = [line for line, competitor in zip(grid, competitors, strict=True) if not competitor.reason]
    for j in (j for j in kept if columns[j].has_winner):
        _mark_best(ranked, j)
    rows = tuple((c, tuple(line[j] for j in kept)) for c, line in zip(competitors, grid, strict=True))
    note = LESION_NOTE if any(columns[j].quantity.metric == "lesion_f1" for j in kept) else ""
    return Sheet(title, tuple(columns[j] for j in kept), rows, note)


def _mark_best(ranked: list[list[Cell]], column: int) -> None:
    """Marks the highest value of a column; a single one is no winner."""
    values = [value for line in ranked if (value := line[column].value) is not None]
    for line in ranked if len(values) > 1 else ():
        line[column] = replace(line[column], best=line[column].value == max(values))


def _cell(column: Column, row: Row) -> Cell:
    if not row:
        return Cell()
    cell = column.write(row)
    fallback = row["fallback"] == "True" and column.write is _mean
    return replace(cell, fallback=fallback, own=column.compared and row["scope"] == "own")


def _mean(row: Row) -> Cell:
    digits = 4 if 0 < row["mean"] < 0.01 else 3
    return Cell(number_text(row["mean"], row["sd"], digits), row["mean"], min(1.0, max(0.0, row["mean"])))


def _rank(row: Row) -> Cell:
    return Cell() if np.isnan(row["rank"]) else Cell(f"{row['rank']:g}", row["rank"])


def _interval(row: Row) -> Cell:
    if np.isnan(row["rank"]):
        return Cell()
    return Cell(f"{row['rank_low']:.3g} to {row['rank_high']:.3g}", row["rank_mean"])


def _first(row: Row) -> Cell:
    return (
        Cell() if np.isnan(row["rank"]) else Cell(f"{100 * row['first']:.0f} %", row["first"], row["first"])
    )


def _duration(row: Row) -> Cell:
    seconds = row["mean"] * (3600 if row["metric"] == "training_hours" else 1)
    return Cell(duration_text(seconds), seconds)


def _label(protocol: str) -> str:
    return protocol_name(protocol).removesuffix(" threshold")


def _rank_columns() -> list[Column]:
    columns = []
    for quantity in RANKED:
        group = metric_name(quantity.metric)
        group += f", {protocol_name(quantity.protocol)}" if quantity.protocol else ""
        columns += [
            Column(group, "rank", quantity, _rank, lower=True),
            Column(group, "interval", quantity, _interval, lower=True),
            Column(group, "first", quantity, _first),
            Column(group, "mean", quantity, _mean, compared=True),
        ]
    others = (Quantity("dice", protocol) for protocol in ("oracle", "healthy-fpr", "yen"))
    columns += [Column("Dice, other thresholds", _label(q.protocol), q, _mean, compared=True) for q in others]
    columns.append(Column("Cost", "training", Quantity("training_hours"), _duration, lower=True))
    columns.append(Column("Cost", "a volume", Quantity("seconds_per_volume"), _duration, lower=True))
    return columns


def _lesion_columns() -> list[Column]:
    columns = [
        Column(metric_name(metric), _label(protocol), Quantity(metric, protocol), _mean, compared=True)
        for metric in ("lesion_recall", "lesion_f1")
        for protocol in FIXED
    ]
    group = f"{metric_name('fpr')}, own scans"
    columns += [Column(group, _label(q.protocol), q, _mean, lower=True) for q in HEALTHY]
    group = "Lesions found by their size (validation), own patients"
    quantity = Quantity("lesion_recall", "validation")
    return columns + [Column(group, size, quantity, _mean, stratum=f"lesion {size}") for size in SIZES]


def _group_columns(tables: Tables, contest: str) -> list[Column]:
    rows = tables.ranking[(tables.ranking["contest"] == contest) & (tables.ranking["scope"] == "common")]
    counts = rows[rows["stratum"] != ""].groupby("stratum", sort=False)["subjects"].max()
    names = sorted(counts.index, key=_group_place)
    return [
        Column(
            f"{name} (n = {counts[name]:.0f})",
            " ".join(filter(None, (metric_name(q.metric), _label(q.protocol)))),
            q, _mean, stratum=name, compared=True,
        )
        for name in names
        for q in RANKED
    ]  # fmt: skip


def _group_place(name: str) -> tuple[int, str]:
    """Small, medium, large; then the others by name."""
    size = name.rsplit(" ", 1)[-1]
    return (SIZES.index(size), "") if name.startswith("lesion load") else (len(SIZES), name)
