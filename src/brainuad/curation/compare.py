"""How the labellers agree on the reports of a data set, and on a phantom with what its reports were made to say."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.curation.agreement import AGREEMENT_COLUMNS, agreement, classes_in
from brainuad.curation.label_reports import labelled_parts
from brainuad.curation.selection import STEPS
from brainuad.curation.selection_inputs import without_failed
from brainuad.curation.settings import LabellingSettings

COMPARISON_COLUMNS = ("labeller", "reference", *AGREEMENT_COLUMNS)
# The reference of a phantom: the labels that its reports were written from.
WRITTEN = "written"


def read_by(reports_csv: Path, settings: LabellingSettings, workers: int = 1) -> pd.DataFrame:
    """What a labeller reads in the reports of an export: report, label, class; without their sentences.

    A report that could not be read has no row.
    """
    rows = [
        (*row[:3], row[5])
        for part in labelled_parts(reports_csv, settings, workers)
        for report in part
        for row in report
    ]
    return without_failed(pd.DataFrame(rows, columns=["report", "label", "class", "status"]))


def compare_labellers(
    labels: Mapping[str, pd.DataFrame], selection: pd.DataFrame, truth: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The agreement of each labeller with the first one, report by report, and with the truth of a phantom.

    `labels` holds report, label and class by labeller; a report that one of them has no row for is left out. Scans are
    compared with the `truth` (scan, label, in_report), by the worst class of a label in the reports of a scan; one
    without a usable report, or with a report that was not labelled, is left out.
    """
    first, *others = labels
    parts = []
    for name in others:
        both = labels[first]["report"].isin(labels[name]["report"])
        named = labels[first]["report"][both].unique().tolist()
        if named:
            truths, found = (classes_in(labels[each], named) for each in (first, name))
            parts.append(_part(name, first, agreement(truths, found)))
    if truth is not None:
        usable = selection[selection["step"] != STEPS[0]]
        written = truth.rename(columns={"scan": "report", "in_report": "class"})
        for name, table in labels.items():
            read = _labelled_scans(usable, table)
            if len(read):
                classes = classes_in(written, read["scan"].tolist())
                parts.append(_part(name, WRITTEN, agreement(classes, _classes_of_scans(read, table))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COMPARISON_COLUMNS))


def _labelled_scans(selection: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The scans whose reports all have a row of labels."""
    known = set(labels["report"])
    labelled = selection["report"].map(lambda names: known.issuperset(names.split(";"))).astype(bool)
    return selection[labelled]


def _part(labeller: str, reference: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(labeller=labeller, reference=reference)[list(COMPARISON_COLUMNS)]


def _classes_of_scans(selection: pd.DataFrame, labels: pd.DataFrame) -> np.ndarray:
    """The worst class of each label in the reports of each scan, (scan, label)."""
    pairs = selection.assign(report=selection["report"].str.split(";")).explode("report")[["scan", "report"]]
    rows = pairs.merge(labels, on="report").drop(columns="report").rename(columns={"scan": "report"})
    return classes_in(rows, selection["scan"].tolist())
