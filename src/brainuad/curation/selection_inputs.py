"""What the selection reads: scans, facts about reports, labels, decisions of a review, and a phantom's truth.

Messages name files, rows and counts, never an identifier or a word of a report.
"""

import hashlib
import logging
import os
import posixpath
import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from brainuad.curation.english import is_english
from brainuad.curation.follow_up import refers_to_earlier
from brainuad.curation.labels import CLASSES, FAILED, LABELS
from brainuad.curation.matching import hint
from brainuad.curation.reports import read_reports
from brainuad.curation.selection_settings import FollowUpPattern
from brainuad.datasets.base import relative_path
from brainuad.errors import InputError, ScanError
from brainuad.spreadsheets import identifier, read_spreadsheet

log = logging.getLogger(__name__)

REJECTED = "rejected"
DECISIONS = ("accepted", REJECTED)
NAMES = ("scan", "patient", "report")
ROWS_TOLD = 5
# `Report to follow.`, `CT head: not reported`, `Awaiting formal report`, `See other report`
_KIND = r"(?:(?:a|an|the|this|other|another|formal|full|final|separate|earlier|later|attached|ct|scan|radiology) )"
_REPORT = rf"{_KIND}{{0,3}}(?:report|reporting|result|addendum)"
_PLACEHOLDERS = (
    rf"(?:{_REPORT} )?(?:is |will )?(?:to follow|follows|follow|pending|awaited|awaiting|unavailable|not available)",
    rf"(?:currently |still )?(?:awaits|await|awaiting|pending) {_REPORT}",
    rf"(?:please )?(?:see|refer to) (?:{_REPORT}|below|above|pacs)",
    r"(?:not (?:yet |formally )?|un|no )report(?:ed)?(?: yet| available)?",
    r"n a|none|nil|test",
)
PLACEHOLDER = re.compile(rf"(?:(?:ct )?(?:(?:head|brain) )?(?:{'|'.join(_PLACEHOLDERS)})(?: |$))+")
PLACEHOLDER_WORDS = 8


def read_rows(path: Path, needs: Collection[str], others: Collection[str] = ()) -> pd.DataFrame:
    """The columns that are needed, and `others` (empty where the file lacks them), as text without outer spaces.

    Names of scans, patients and reports are in one form (`identifier`). The index is the row's number in the file.
    """
    wanted = [*needs, *others]
    cells, numbers = [], []
    for number, row in read_spreadsheet(path, needs, others):
        cells.append([identifier(row[column]) if column in NAMES else row[column] for column in wanted])
        numbers.append(number)
    return pd.DataFrame(cells, columns=wanted, index=numbers, dtype=str)


def read_scans(path: Path) -> pd.DataFrame:
    """The rows of scans.csv: scan, patient, date, report, path, series; a row per scan and report it names."""
    rows = read_rows(path, ("scan", "patient"), ("date", "report", "path", "series"))
    nameless = rows.index[rows["scan"] == ""]
    if len(nameless):
        raise InputError(f"{path}: row {nameless[0]} names no scan. Give each scan a name of its own.")
    if rows.empty:
        raise InputError(f"{path}: no scan below the first row.")
    repeated = rows.duplicated()
    _note(path, repeated, "repeat an earlier row and are read once")
    return rows[~repeated]


def with_places(scans: pd.DataFrame, root: Path) -> pd.DataFrame:
    """The rows of scans.csv, and as `place` where the path of each leads: one place for all ways to write it.

    Empty where a row has no path. A path outside `root`, which is never read, is compared as it is written.
    """
    top = Path(os.path.realpath(root))
    places = {path: _place(top, path) if path else "" for path in scans["path"].unique()}
    return scans.assign(place=scans["path"].map(places))


def _place(root: Path, path: str) -> str:
    try:
        return os.path.realpath(root / relative_path(root, path))
    except ScanError:
        return posixpath.normpath(path.replace("\\", "/"))


def read_report_facts(path: Path, patterns: Collection[FollowUpPattern]) -> pd.DataFrame:
    """What the selection needs to know of each report: report, patient, date, empty, english, earlier.

    `earlier` is the follow-up pattern that fired. Texts are read once and not kept. Rows that repeat a report word
    for word count once; the same report with different texts keeps a row for each. The index is the row's number.
    """
    facts = []
    for part in read_reports(path):
        for report in part:
            digest = hashlib.blake2b(report.text.encode(), digest_size=16).hexdigest()
            empty = is_empty(report.text)
            english = not empty and is_english(report.text)
            earlier = refers_to_earlier(report.text, report.date, patterns) if english else ""
            key = (report.report, report.patient, report.date)
            facts.append((*key, empty, english, earlier, digest, report.row))
    columns = ["report", "patient", "date", "empty", "english", "earlier", "digest", "row"]
    table = pd.DataFrame(facts, columns=columns).set_index("row")
    repeated = table.duplicated(["report", "patient", "digest"])
    if repeated.any():
        log.warning("%s: %d rows repeat a report word for word; each counts once.", path, repeated.sum())
    return table[~repeated].drop(columns="digest")


def read_report_names(path: Path) -> pd.DataFrame:
    """The table of `read_report_facts` as if each report could be read: enough to tell which scan has one."""
    reports = [report for part in read_reports(path) for report in part]
    names = [(report.report, report.patient, report.date) for report in reports]
    table = pd.DataFrame(names, columns=["report", "patient", "date"], index=[each.row for each in reports])
    return table.assign(empty=False, english=True, earlier="")


def is_empty(text: str) -> bool:
    """True if a report has no words, or is as a whole is a few words that stand for a report."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return not words or (len(words) <= PLACEHOLDER_WORDS and bool(PLACEHOLDER.fullmatch(" ".join(words))))


def read_labels(path: Path, reports: Iterable[str]) -> pd.DataFrame:
    """The rows of labels.tsv for the `reports` that exist: report, label (may be empty), class.

    An empty label says that the report was read and nothing is mentioned in it. One that could not be read, which
    its status says, has no row, unless its row was given a label by hand.
    """
    rows = read_labelled_rows(path)
    rows["label"] = rows["label"].str.lower()
    rows["class"] = rows["class"].str.lower()
    _check_names(path, rows["label"], "label", ("", *LABELS))
    _check_names(path, rows["class"].where(rows["label"] != "", CLASSES[-1]), "class", CLASSES)
    repeated = rows.duplicated()
    _note(path, repeated, "repeat an earlier row and are read once")
    rows = rows[~repeated]
    known = set(reports)
    unknown = ~rows["report"].isin(known)
    remark = hint(rows["report"][unknown], known)
    if len(rows) and unknown.all():
        raise InputError(
            f"{path}: none of its {len(rows)} rows names a report of the reports file. Are both from the same export?"
            f"{remark}"
        )
    _note(path, unknown, "name reports that the reports file lacks and are ignored", remark)
    return rows[~unknown]


def read_labelled_rows(path: Path) -> pd.DataFrame:
    """The rows of labels.tsv about reports that were read: report, label, class."""
    return without_failed(read_rows(path, ("report", "label", "class"), ("status",)))


def without_failed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of labels without those of reports that could not be read, and without the column of the status.

    The row of such a report has no label; one that was filled in by hand has. A report that is there with two texts,
    one of which could not be read, has no row either.
    """
    failed = rows["report"][(rows["status"] == FAILED) & (rows["label"] == "")]
    return rows[~rows["report"].isin(set(failed))].drop(columns="status")


def read_review(path: Path, shown: dict[str, str]) -> dict[str, str]:
    """The decision (accepted or rejected) on each reviewed scan.

    `shown` gives the scan for each name by which a review may call it. A scan that is rejected in one row and
    accepted in another is rejected; one without a decision is not reviewed. A rejection that names no scan is an
    `InputError`, for the scan that was meant would stay.
    """
    rows = read_rows(path, ("scan", "decision"))
    rows["decision"] = rows["decision"].str.lower()
    rows = rows[rows["decision"] != ""]
    _check_names(path, rows["decision"], "decision", DECISIONS)
    scans = rows["scan"].map(shown)
    unknown = scans.isna()
    _refuse_lost_rejections(path, rows.loc[unknown & (rows["decision"] == REJECTED), "scan"], shown)
    remark = hint(rows["scan"][unknown], shown)
    _note(path, unknown, "name scans that the scans file lacks and are ignored", remark)
    decided = pd.DataFrame({"scan": scans, "decision": rows["decision"]}).dropna().drop_duplicates()
    both = decided["scan"].duplicated()
    _note(path, both, "decide again, and differently, on a scan, which is taken as rejected")
    return dict(decided.groupby("scan")["decision"].max())  # "rejected" sorts after "accepted"


def _refuse_lost_rejections(path: Path, lost: pd.Series, known: Collection[str]) -> None:
    """Raises `InputError` if there are rejections of scans that are `lost` among the known ones."""
    if lost.empty:
        return
    rows = ", ".join(map(str, lost.index[:ROWS_TOLD])) + (", …" if len(lost) > ROWS_TOLD else "")
    raise InputError(
        f"{path}: {len(lost)} rejections name no scan of the scans file (row {rows}). A scan that somebody rejected "
        f"must not stay.{hint(lost, known)} Correct the names; a spreadsheet drops leading zeros unless it reads the "
        "column as text. If these scans are no longer in the export, delete the rows or empty their decisions."
    )


def read_truth(path: Path, scans: Iterable[str]) -> pd.DataFrame:
    """What was simulated in the `scans` of a phantom: scan, label, certainty (or in_image).

    A normal scan may have no row.
    """
    rows = read_rows(path, ("scan", "label"), ("certainty", "in_image"))
    rows["certainty"] = rows["certainty"].where(rows["certainty"] != "", rows["in_image"])
    _check_names(path, rows["label"], "label", ("", *LABELS))
    _check_names(path, rows["certainty"].where(rows["label"] != "", CLASSES[-1]), "certainty", CLASSES)
    unknown = ~rows["scan"].isin(set(scans))
    _note(path, unknown, "name scans that the scans file lacks and are ignored")
    return rows[~unknown]


def _check_names(path: Path, names: pd.Series, column: str, known: tuple[str, ...]) -> None:
    """Raises `InputError` at the first name that is not known.

    The name itself is not repeated: where columns are mixed up it could be a sentence of a report.
    """
    wrong = names[~names.isin(known)]
    if wrong.empty:
        return
    near = get_close_matches(wrong.iloc[0], known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    others = f" ({len(wrong)} rows in all)" if len(wrong) > 1 else ""
    expected = ", ".join(name for name in known if name)
    raise InputError(
        f"{path}: row {wrong.index[0]}{others}: the {column} is not one of {expected}.{hint} Correct it and run again."
    )


def _note(path: Path, found: pd.Series, what: str, remark: str = "") -> None:
    if found.any():
        first = found.index[found][0]
        log.warning("%s: %d rows (the first is row %s) %s.%s", path, found.sum(), first, what, remark)
