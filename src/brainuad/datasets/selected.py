"""Who is healthy according to the reports: the selection of a cohort, laid over its table."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from brainuad.curation.selection_settings import HELD_OUT
from brainuad.datasets.base import alphanumeric
from brainuad.errors import InputError
from brainuad.spreadsheets import identifier
from brainuad.storage import read_table

if TYPE_CHECKING:
    import pandas as pd

# The status of a scan that a selection leaves out. It is no failure.
NOT_SELECTED = "not selected"
KEPT = ("yes", "no")


def read_groups(selection_tsv: Path) -> "pd.DataFrame":
    """The group of each subject of a selection, whether it is `held_out`, and the `step` at which it left or the last.

    A scan is healthy if it is kept, or held out of the training cohort ("yes"): then it may validate and test. It is a
    patient if its report names a positive label that may not be. Of the others nobody knows: they have no report, say,
    or an uncertain one, or were rejected. `kept` is yes or no, in capitals or not; anything else is an `InputError`,
    and so are rows of one scan that differ.
    """
    table = read_table(selection_tsv, needs=("scan", "kept", "step", "reason"), quoting=csv.QUOTE_NONE)
    table["subject"] = table["scan"].map(identifier).map(alphanumeric)
    for column in ("kept", "reason"):
        table[column] = table[column].str.strip().str.lower()
    # What stands there is not repeated: a shifted cell could be a sentence of a report.
    if wrong := table.index[~table["kept"].isin(KEPT)].tolist():
        raise InputError(
            f"{selection_tsv}: data row {wrong[0] + 1}: `kept` is neither yes nor no ({len(wrong)} such rows). Write "
            "one of the two, and run again."
        )
    held_out = table["reason"] == HELD_OUT.lower()
    table["held_out"] = held_out.map({True: "yes", False: ""})
    table["group"] = "unknown"
    table.loc[table["reason"].str.contains("(positive)", regex=False), "group"] = "patient"
    table.loc[(table["kept"] == "yes") | held_out, "group"] = "healthy"
    known = table[["subject", "group", "held_out", "step"]].drop_duplicates()
    if twice := int(known["subject"].duplicated().sum()):
        raise InputError(
            f"{selection_tsv}: {twice} scans have several rows that differ. Keep one row per scan."
        )
    return known.set_index("subject")


def used_subjects(selection_tsv: Path) -> set[str]:
    """The subjects of a selection that are healthy or patients; no others are used."""
    groups = read_groups(selection_tsv)["group"]
    return set(groups.index[groups != "unknown"])


def apply_selection(cohort: "pd.DataFrame", selection_tsv: Path) -> "pd.DataFrame":
    """The cohort table with the groups of a selection, and a column `held_out`.

    Subjects of unknown group have the status `not selected`, and the step at which they left as their reason, with the
    defect of the scan where it has one.
    """
    known = read_groups(selection_tsv)
    if len(known) and not cohort["subject"].isin(known.index).any():
        raise InputError(
            f"{selection_tsv}: none of its {len(known)} rows is about a scan of this data set. Delete it and run again."
        )
    chosen = known.reindex(cohort["subject"])
    cohort = cohort.assign(
        group=chosen["group"].fillna("unknown").to_numpy(), held_out=chosen["held_out"].fillna("").to_numpy()
    )
    left = cohort["group"] == "unknown"
    steps = chosen["step"].fillna("not in the selection").to_numpy()
    defects = cohort["reason"].where(cohort["status"] != "ok", "").to_numpy()
    cohort.loc[left, "reason"] = [
        "; ".join(filter(None, (f"{NOT_SELECTED}: {step}", defect)))
        for step, defect in zip(steps[left], defects[left], strict=True)
    ]
    cohort.loc[left, "status"] = NOT_SELECTED
    return cohort
