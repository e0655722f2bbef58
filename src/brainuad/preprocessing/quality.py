"""The quality table of a cohort, its mosaic, and the stop when too many subjects fail."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.datasets.selected import NOT_SELECTED
from brainuad.errors import InputError
from brainuad.preprocessing.derivatives import quality_path, strip_path
from brainuad.preprocessing.measures import QUALITY_NUMBERS
from brainuad.preprocessing.mosaic import draw_pages
from brainuad.storage import read_json, write_table

COHORT_PART = ("subject", "participant", "group", "age", "sex", "site", "condition", "held_out")
QUALITY_COLUMNS = (*COHORT_PART, "status", "reason", "note", *QUALITY_NUMBERS)
# `held_out` is empty where no curation has said who is healthy.
NOT_HELD_OUT = "no"


def summarise(derivatives: Path, cohort: pd.DataFrame, max_failed_share: float = 0.2) -> pd.DataFrame:
    """The quality table, one row per row of the cohort, after writing `quality.tsv` and the mosaic pages.

    More failures than `max_failed_share` are an `InputError` that counts the reasons; the table and the mosaic
    are there by then.
    """
    rows = [_row(Path(derivatives), row) for row in cohort.to_dict("records")]
    table = pd.DataFrame(rows, columns=list(QUALITY_COLUMNS))
    write_table(table, Path(derivatives) / "quality.tsv")
    # The mosaic goes into the HTML report, so it names rows of the table and not subjects.
    strips = [
        (f"row {number}", strip_path(derivatives, row["subject"]), row["reason"])
        for number, row in enumerate(rows, start=1)
        if row["status"] != NOT_SELECTED
    ]
    draw_pages(strips, Path(derivatives))
    failed = [row["reason"] for row in rows if row["status"] == "excluded"]
    selected = sum(row["status"] != NOT_SELECTED for row in rows)
    if len(failed) > max_failed_share * selected:
        raise InputError(_too_many(Path(derivatives), failed, selected, max_failed_share))
    return table


def _row(derivatives: Path, cohort_row: Mapping[Any, Any]) -> dict[str, Any]:
    row = {column: cohort_row.get(column, "") for column in COHORT_PART}
    if "held_out" in cohort_row:
        row["held_out"] = cohort_row["held_out"] or NOT_HELD_OUT
    if cohort_row["status"] != "ok":
        return row | {"status": cohort_row["status"], "reason": cohort_row["reason"]}
    path = quality_path(derivatives, cohort_row["subject"])
    if path.is_file():
        record = read_json(path)
        if not isinstance(record, dict) or not {"status", "reason"} <= record.keys():
            raise InputError(f"{path}: no status and reason in it. Delete it and run again.")
        return row | record
    return row | {"status": "excluded", "reason": "preprocessing did not finish"}


def _too_many(derivatives: Path, reasons: list[str], total: int, share: float) -> str:
    counted = "; ".join(f"{count} x {reason}" for reason, count in Counter(reasons).most_common(10))
    return (
        f"{derivatives.name}: {len(reasons)} of {total} subjects failed preprocessing, more than the allowed share "
        f"of {share:g} (max_failed_share). Reasons: {counted}. Look at {derivatives / 'quality.tsv'} and "
        "mosaic.png; correct the scans or the settings, or raise the share."
    )
