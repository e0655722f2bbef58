"""The tables of the papers: our value beside the published one, and why a cell is empty where it is.

`build_table` returns tidy rows; `table_text` lays them out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainuad.evaluation.score_rows import POOLED
from brainuad.reporting.settings import Published, TableColumn, TableRow, TableSettings
from brainuad.reporting.summary import Quantity, over_runs, select
from brainuad.reporting.table_text import table_as_latex, table_as_markdown
from brainuad.storage import atomic_path, write_text

NAN = float("nan")
# Beside a value whose threshold could not be chosen as the protocol says.
FALLBACK_NOTE = "threshold from healthy scans"


@dataclass(frozen=True)
class _Ours:
    mean: float = NAN
    sd: float = NAN
    runs: int = 0
    note: str = ""


def build_table(
    settings: TableSettings,
    scores: pd.DataFrame,
    phantoms: Collection[str] = (),
    remarks: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """One row per cell: ours (mean, sd over runs, number of runs), published, difference, note.

    `scores` holds the tidy scores of all runs of the study; `phantoms` names the simulated data sets, whose
    cells are marked: a difference between a simulation and a paper means nothing. `remarks` says by method what
    its readers must know.
    """
    rows = [
        _cell(row, column, _published(settings, row, position), scores)
        for row in settings.rows
        for position, column in enumerate(settings.columns)
    ]
    table = pd.DataFrame(rows)
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


def _cell(
    row: TableRow, column: TableColumn, published: Published, scores: pd.DataFrame
) -> dict[str, object]:
    method = column.method.format(method=row.method)
    ours = _ours(row, column, method, scores)
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
        "published_mean": mean,
        "published_sd": sd,
        "difference": ours.mean - mean,
        "upper_bound": column.upper_bound,
        "note": ours.note,
    }


def _ours(row: TableRow, column: TableColumn, method: str, scores: pd.DataFrame) -> _Ours:
    of_method = scores[(scores["method"] == method) & (scores["dataset"] == column.dataset)]
    if of_method.empty:
        return _Ours(note=row.unavailable or column.unavailable or "not run")
    quantity = Quantity(column.dataset, column.metric, column.protocol, column.aggregate, column.stratum)
    values = select(of_method, quantity)["value"]
    if values.empty:
        return _Ours(note="not evaluated")
    mean, sd, runs = over_runs(values * column.scale)
    if runs == 0:
        return _Ours(note="undefined")
    notes = [] if runs == len(values) else [f"{runs} of {len(values)} runs"]
    fallback = Quantity(column.dataset, "threshold_fallback", column.protocol, POOLED)
    if column.protocol and (select(of_method, fallback)["value"] > 0).any():
        notes.append(FALLBACK_NOTE)
    return _Ours(mean, sd, runs, "; ".join(notes))


def write_tables(settings: TableSettings, table: pd.DataFrame, folder: Path, name: str) -> None:
    """Writes `table` as {name}.csv (tidy), {name}.md and {name}.tex (laid out) into `folder`."""
    with atomic_path(folder / f"{name}.csv") as temporary:
        table.to_csv(temporary, index=False)
    write_text(table_as_markdown(settings, table), folder / f"{name}.md")
    write_text(table_as_latex(settings, table, name), folder / f"{name}.tex")
