"""The tables of the papers: our value beside the published one, and why a cell is empty where it is.

`build_table` returns tidy rows; `table_text` lays them out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainuad.evaluation.catalogue import POOLED, Quantity
from brainuad.reporting.reasons import reason_for_none, reason_for_undefined
from brainuad.reporting.row_tests import compare_rows
from brainuad.reporting.settings import (
    AnyTableSettings,
    Published,
    Spread,
    TableColumn,
    TableRow,
    TableSettings,
)
from brainuad.reporting.summary import over_runs, select, subject_means
from brainuad.reporting.table_text import table_as_latex, table_as_markdown
from brainuad.storage import atomic_path, write_text

NAN = float("nan")
# Beside a value whose threshold could not be chosen as the protocol says.
FALLBACK_NOTE = "threshold from healthy scans"
BEYOND_GRID_NOTE = "threshold beyond the grid of the paper"
_THRESHOLD_NOTES = {"threshold_fallback": FALLBACK_NOTE, "threshold_beyond_grid": BEYOND_GRID_NOTE}


@dataclass(frozen=True)
class _Ours:
    mean: float = NAN
    sd: float = NAN
    runs: int = 0
    note: str = ""
    subjects: int = 0  # behind the spread; 0 where it is that of the runs


@dataclass(frozen=True)
class _Source:
    scores: pd.DataFrame
    spread: Spread
    methods: frozenset[str]  # those that the study has


def build_table(
    settings: TableSettings,
    scores: pd.DataFrame,
    phantoms: Collection[str] = (),
    remarks: Mapping[str, str] | None = None,
    methods: Collection[str] = (),
) -> pd.DataFrame:
    """One row per cell: ours (mean over runs, sd, number of runs), published, difference, test, note.

    The deviation is that over runs, or with `spread: subjects` that over subjects, of which there are `n_subjects`.

    `scores` holds the tidy scores of all runs of the study; `phantoms` names the simulated data sets, whose
    cells are marked: a difference between a simulation and a paper means nothing. `remarks` says by method what
    its readers must know. `methods` are those that the study has, scored on these data sets or not.
    """
    source = _Source(scores, settings.spread, frozenset(methods).union(scores["method"]))
    rows = [
        _cell(row, column, _published(settings, row, position), source)
        for row in settings.rows
        for position, column in enumerate(settings.columns)
    ]
    table = pd.DataFrame(rows)
    table = pd.concat([table, compare_rows(settings, table, scores)], axis=1)
    table["phantom"] = table["dataset"].isin(list(phantoms))
    table["remark"] = table["method"].map(remarks or {}).where(table["n_runs"] > 0).fillna("")
    return table


def split_published(value: Published) -> tuple[float, float]:
    """Mean and standard deviation of a published value, NaN where it has none."""
    if value is None:
        return NAN, NAN
    return (float(value), NAN) if isinstance(value, int | float) else (value[0], value[1])


def _published(settings: TableSettings, row: TableRow, position: int) -> Published:
    values = settings.published.get(row.method)
    return values[position] if values else None


def _cell(row: TableRow, column: TableColumn, published: Published, source: _Source) -> dict[str, object]:
    method = column.method.replace("{method}", row.method)
    ours = _ours(row, column, method, source)
    mean, sd = split_published(published)
    return {
        "row": row.label,
        "column": column.label,
        "method": method,
        "dataset": column.dataset,
        "metric": column.metric,
        "protocol": column.protocol,
        "aggregate": column.aggregate,
        "stratum": column.stratum,
        "ours_mean": ours.mean,
        "ours_sd": ours.sd,
        "n_runs": ours.runs,
        "n_subjects": ours.subjects,
        "published_mean": mean,
        "published_sd": sd,
        "difference": ours.mean - mean,
        "upper_bound": column.upper_bound,
        "note": ours.note,
    }


def _ours(row: TableRow, column: TableColumn, method: str, source: _Source) -> _Ours:
    scores = source.scores
    of_method = scores[(scores["method"] == method) & (scores["dataset"] == column.dataset)]
    typed = row.unavailable or column.unavailable
    if of_method.empty:
        missing = "not scored on this data set" if method in source.methods else "not run"
        return _Ours(note=typed or missing)
    quantity = Quantity(column.dataset, column.metric, column.protocol, column.aggregate, column.stratum)
    values = select(of_method, quantity)["value"]
    if values.empty:
        return _Ours(note=typed or reason_for_none(of_method, quantity))
    mean, sd, runs = over_runs(values * column.scale)
    if runs == 0:
        return _Ours(note=typed or reason_for_undefined(of_method, quantity))
    notes = [] if runs == len(values) else [f"{runs} of {len(values)} runs"]
    for fact, said in _THRESHOLD_NOTES.items() if column.protocol else ():
        changed = Quantity(column.dataset, fact, column.protocol, POOLED)
        if (select(of_method, changed)["value"] > 0).any():
            notes.append(said)
    if source.spread == "runs":
        return _Ours(mean, sd, runs, "; ".join(notes))
    _, sd, subjects = over_runs(subject_means(of_method, quantity, method) * column.scale)
    return _Ours(mean, sd, runs, "; ".join(notes), subjects)


def write_tables(settings: AnyTableSettings, table: pd.DataFrame, folder: Path, name: str) -> None:
    """Writes `table` as {name}.csv (tidy), {name}.md and {name}.tex (laid out) into `folder`."""
    with atomic_path(folder / f"{name}.csv") as temporary:
        table.to_csv(temporary, index=False)
    write_text(table_as_markdown(settings, table), folder / f"{name}.md")
    write_text(table_as_latex(settings, table, name), folder / f"{name}.tex")
