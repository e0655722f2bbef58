"""An export of head CTs from a hospital: `scans.csv`, and the DICOM folders or NIfTI files that it names.

Columns of scans.csv: scan, patient, age, sex, date, report, path (below the folder), and if wanted series (the number
or UID of one in a DICOM folder), mask (a NIfTI file) and condition (what is found in the scan, several joined by ";").
A scan has a row for each of its reports. `scan` and `patient` become names of files and rows of tables, so they are
pseudonyms. Who is healthy is not said here: the curation of reports.csv decides that (see selected.py).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PureWindowsPath

from brainuad.datasets.base import Dataset, SubjectRow, alphanumeric, relative_path
from brainuad.datasets.participants import age_of, sex_of, unread_columns
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.settings import HEAD_CT
from brainuad.spreadsheets import identifier, read_spreadsheet, whole_number

NEEDED = ("scan", "patient", "path")
OTHERS = ("age", "sex", "series", "mask", "condition")
CLEANED = ("scan", "patient", "age", "sex")
# Rows of one scan may differ in the rest.
SAME = ("patient", "path", "series", "mask", "condition")

Row = Mapping[str, str]


class HospitalCt(Dataset):
    """Head CTs of a hospital: nobody is healthy until a selection says so."""

    name = "hospital_ct"
    layout = "scans.csv (scan, patient, age, sex, date, report, path) and the folders or files that it names"
    modalities = ("ct",)
    spreadsheet = "scans.csv"
    reports = "reports.csv"
    preprocessing = HEAD_CT

    def subjects(self, root: Path) -> list[str]:
        """The names of the scans, letters and digits only."""
        return sorted(self._scans(root))

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per scan; one whose patient or path is missing, or given in two ways, is excluded."""
        for subject, rows in sorted(self._scans(root).items()):
            first = rows[0]
            files = {"ct": first["path"], "mask": first["mask"]}
            yield SubjectRow(
                subject=subject,
                participant=first["patient"],
                group="unknown",
                files={column: _stored(Path(root), path) for column, path in files.items() if path},
                age=age_of(first["age"]),
                sex=sex_of(first["sex"]),
                unread=unread_columns(first),
                reason=_contradiction(Path(root), rows) or _defect(Path(root), first),
                condition=first["condition"],
                series=first["series"],
            )

    def _scans(self, root: Path) -> dict[str, list[Row]]:
        """The rows of scans.csv by subject. Two scans with the same letters and digits are an `InputError`."""
        self.entries(root)  # says which key to correct where the root is missing
        path = Path(root) / self.spreadsheet
        scans: dict[str, list[Row]] = {}
        for number, written in read_spreadsheet(path, NEEDED, OTHERS):
            row = {**written, **{column: identifier(written[column]) for column in CLEANED}}
            subject = alphanumeric(row["scan"])
            if not subject:
                raise InputError(
                    f"{path}: row {number}: scan has no letter (a to z) or digit. Give it a name."
                )
            if subject in scans and scans[subject][0]["scan"] != row["scan"]:
                raise InputError(
                    f"{path}: row {number}: another scan has the same letters and digits. Rename one of them."
                )
            scans.setdefault(subject, []).append(row)
        return scans


def _contradiction(root: Path, rows: list[Row]) -> str:
    """Which columns differ between the rows of one scan, however they are written; empty if none does."""
    ways: dict[str, Callable[[str], str]] = {
        "path": lambda text: os.path.realpath(root / _stored(root, text)) if text else "",
        "series": whole_number,
    }
    differing = [column for column in SAME if len({ways.get(column, str)(row[column]) for row in rows}) > 1]
    return f"scans.csv: rows of this scan differ in {', '.join(differing)}" if differing else ""


def _stored(root: Path, written: str) -> str:
    """A path of scans.csv for the cohort table, which says what is wrong with one outside the root."""
    try:
        return relative_path(root, written)
    except ScanError:
        return written


def _defect(root: Path, row: Row) -> str:
    """Why a row of scans.csv cannot be used; empty if it can as far as names tell."""
    if not row["patient"]:
        return "scans.csv names no patient, so the scan could come into training and test"
    if not row["path"]:
        return "scans.csv gives no path"
    try:
        path = root / relative_path(root, row["path"])
        if not path.exists():
            return f"the path in scans.csv does not exist{_hint(row['path'])}"
        return "the folder is empty" if path.is_dir() and not any(path.iterdir()) else ""
    except ScanError as error:
        return f"scans.csv: {error}{_hint(row['path'])}"
    except OSError as error:
        return f"the path in scans.csv cannot be read ({error.strerror})"


def _hint(written: str) -> str:
    """What to do about a path of Windows that begins with a drive or a server; empty if it does not."""
    drive = PureWindowsPath(written).drive
    named = "a server" if drive.startswith("\\\\") else "a drive"
    return f"; it names {named}: write it from the folder of scans.csv on" if drive else ""
