"""The sortable tables of one contest: ranks, thresholds, lesions, groups of patients, cost."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from brainuad.leaderboard.quantities import FIXED, HEALTHY, RANKED, Quantity
from brainuad.leaderboard.settings import SIZES
from brainuad.reporting.names import metric_name, protocol_name
from brainuad.reporting.pages.cost import duration_text
from brainuad.reporting.pages.ranking_origins import healthy_note, origin_note
from brainuad.reporting.pages.ranking_reasons import (
    CHOSEN_ON,
    NO_RANK,
    NOT_COMMON,
    no_rank,
    why_empty,
    why_unranked,
)
from brainuad.reporting.pages.ranking_tables import Competitor, Tables
from brainuad.reporting.table_text import number_text

Row = Mapping[Hashable, Any]
# A map that marks the whole brain finds every lesion, and its one component touches one.
LESION_NOTE = (
    "A method that marks everything finds every lesion with a single component: read these values beside the "
    "false-positive rate. That rate and lesions by size are of each study's own scans, not of common ones."
)
WITH_WINNER = ("auprc", "dice")
FALLBACK = "‡ No validation patient with a lesion mask; the threshold comes from healthy scans instead"
BORROWED = "† The test set has no such scans, so that the threshold is borrowed within the study"
OWN_NOTE = "* Over the method's own test patients, not the common ones: not comparable with the others."


@dataclass(frozen=True)
class Cell:
    """One number as text and the value it sorts by; `share` is the length of its bar, None for no bar.

    `own`: over the method's own patients where the column is over the common ones; `fallback`: its threshold
    comes from healthy scans in place of patients; `borrowed`: from scans that the study does not name for it.
    A cell without a number has a `reason`, of which its text is what stands before the colon.
    """

    text: str
    value: float | None = None
    share: float | None = None
    best: bool = False
    fallback: bool = False
    borrowed: bool = False
    own: bool = False
    reason: str = ""


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
    def of_rank(self) -> bool:
        """Whether it shows a rank, which only a method has that is compared with others."""
        return self.write in (_rank, _interval, _first)

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
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings with the number of their columns."""
        return [(name, len(list(columns))) for name, columns in groupby(c.group for c in self.columns)]

    def has(self, mark: str) -> bool:
        """Whether any cell is marked `fallback`, `borrowed` or `own`."""
        return any(getattr(cell, mark) for _, cells in self.rows for cell in cells)


def sheets(tables: Tables, contest: str) -> list[Sheet]:
    """The tables of a contest in which any method has finished; a quantity that nobody has says why."""
    competitors = tables.competitors(contest)
    if not any(tables.entrant(contest, c.key)["runs_finished"] for c in competitors):
        return []
    parts = {
        "Ranks": _rank_columns(),
        "Lesions and healthy scans": _lesion_columns(),
        "Groups of patients": _group_columns(tables, contest),
    }
    return [
        _sheet(title, columns, competitors, tables, contest) for title, columns in parts.items() if columns
    ]


def _sheet(
    title: str, columns: Sequence[Column], competitors: Sequence[Competitor], tables: Tables, contest: str
) -> Sheet:
    grid = [[_cell(column, tables, contest, c.key) for column in columns] for c in competitors]
    ranked = [line for line, competitor in zip(grid, competitors, strict=True) if not competitor.reason]
    for j in (j for j, column in enumerate(columns) if column.has_winner):
        _mark_best(ranked, j)
    rows = tuple((c, tuple(line)) for c, line in zip(competitors, grid, strict=True))
    sheet = Sheet(title, tuple(columns), rows)
    return replace(sheet, notes=tuple(filter(None, _notes(sheet, tables, contest))))


def _notes(sheet: Sheet, tables: Tables, contest: str) -> Iterator[str]:
    """What must be said under a table: what its marks mean, whose scans count, why cells are empty."""
    metrics = {column.quantity.metric for column in sheet.columns}
    if "lesion_f1" in metrics:
        yield LESION_NOTE
    if "fpr" in metrics:
        yield healthy_note([tables.entrant(contest, competitor.key) for competitor, _ in sheet.rows])
    for mark, meaning in (("fallback", FALLBACK), ("borrowed", BORROWED)):
        yield origin_note(meaning, _marked(sheet, mark, tables, contest))
    if sheet.has("own"):
        yield OWN_NOTE
    reasons = dict.fromkeys(cell.reason for _, cells in sheet.rows for cell in cells if ":" in cell.reason)
    told = [reason for reason in reasons if not reason.startswith(NO_RANK) or reason == NOT_COMMON]
    if told:
        yield f"{'; '.join(told).capitalize()}."


def _marked(sheet: Sheet, mark: str, tables: Tables, contest: str) -> Iterator[tuple[str, str, str]]:
    """Protocol, names of scans and study of each threshold that is marked."""
    for competitor, cells in sheet.rows:
        entrant = tables.entrant(contest, competitor.key)
        for column, cell in zip(sheet.columns, cells, strict=True):
            if getattr(cell, mark):
                protocol = column.quantity.protocol
                yield protocol, entrant[CHOSEN_ON[protocol][0]], competitor.study


def _mark_best(ranked: list[list[Cell]], column: int) -> None:
    """Marks the highest value of a column; a single one is no winner."""
    values = [value for line in ranked if (value := line[column].value) is not None]
    for line in ranked if len(values) > 1 else ():
        line[column] = replace(line[column], best=line[column].value == max(values))


def _cell(column: Column, tables: Tables, contest: str, key: str) -> Cell:
    """The number of a method in a column, or why there is none."""
    row = tables.record(contest, key, column.quantity, column.stratum)
    if not row or np.isnan(row["rank" if column.of_rank else "mean"]):
        reason = _reason(column, tables, contest, key)
        return Cell(reason.partition(":")[0], reason=reason)
    fallback, borrowed = (row[mark] == "True" and not column.of_rank for mark in ("fallback", "borrowed"))
    own = column.compared and row["scope"] == "own"
    return replace(column.write(row), fallback=fallback, borrowed=borrowed, own=own)


def _reason(column: Column, tables: Tables, contest: str, key: str) -> str:
    if column.of_rank:
        return why_unranked(tables, contest, key, column.quantity)
    left_out = tables.entrant(contest, key)["reason"]
    if column.stratum and column.compared and left_out:
        return no_rank(left_out)  # groups are those of the common patients
    return why_empty(tables, contest, key, column.quantity, column.stratum)


def _mean(row: Row) -> Cell:
    digits = 4 if 0 < row["mean"] < 0.01 else 3
    return Cell(number_text(row["mean"], row["sd"], digits), row["mean"], min(1.0, max(0.0, row["mean"])))


def _rank(row: Row) -> Cell:
    return Cell(f"{row['rank']:g}", row["rank"])


def _interval(row: Row) -> Cell:
    return Cell(f"{row['rank_low']:.3g} to {row['rank_high']:.3g}", row["rank_mean"])


def _first(row: Row) -> Cell:
    return Cell(f"{100 * row['first']:.0f} %", row["first"], row["first"])


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
        ]
        if not quantity.protocol:
            columns.append(Column(group, "mean", quantity, _mean, compared=True))
    dice = (Quantity("dice", protocol) for protocol in ("oracle", *FIXED))
    columns += [Column("Dice, by threshold", _label(q.protocol), q, _mean, compared=True) for q in dice]
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
