"""The quality table of a cohort, its mosaic, and the stop when too many subjects fail."""

import logging
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

log = logging.getLogger(__name__)

COHORT_PART = ("subject", "participant", "group", "age", "sex", "site", "condition", "held_out")
QUALITY_COLUMNS = (*COHORT_PART, "status", "reason", "note", *QUALITY_NUMBERS)
# `held_out` is empty where no curation has said who is healthy.
NOT_HELD_OUT = "no"


def summarise(derivatives: Path, cohort: pd.DataFrame) -> pd.DataFrame:
    """The quality table, one row per row of the cohort, after writing `quality.tsv` and the mosaic pages."""
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
    log.info("%s: %s", Path(derivatives).name, table["status"].value_counts().to_dict())
    return table


def check_failed_share(quality_tsv: Path, table: pd.DataFrame, max_failed_share: float) -> None:
    """Raises `InputError`, with the reasons counted, where more of the selected subjects failed than are allowed.

    The stage that makes the table must not do this: Snakemake removes what a failed job has written.
    """
    failed = table.loc[table["status"] == "excluded", "reason"].tolist()
    selected = int((table["status"] != NOT_SELECTED).sum())
    if len(failed) > max_failed_share * selected:
        raise InputError(_too_many(quality_tsv, failed, selected, max_failed_share))


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
        if record["status"] == "ok":
            # What the index says of a usable subject, such as which of several scans is taken.
            notes = (cohort_row["reason"], record.get("note", ""))
            record = record | {"note": "; ".join(filter(None, notes))}
        return row | record
    return row | {"status": "excluded", "reason": "preprocessing did not finish"}


def _too_many(quality_tsv: Path, reasons: list[str], total: int, share: float) -> str:
    counted = "; ".join(f"{count} x {reason}" for reason, count in Counter(reasons).most_common(10))
    return (
        f"{quality_tsv.parent.name}: {len(reasons)} of {total} subjects failed preprocessing, more than the allowed "
        f"share of {share:g} (max_failed_share). Reasons: {counted}. Look at {quality_tsv} and mosaic.png; "
        "correct the scans or the settings, or raise the share."
    )
