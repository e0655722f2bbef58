"""An export of head CTs from a hospital: `scans.csv`, and the DICOM folders or NIfTI files that it names.

Columns of scans.csv: scan, patient, age, sex, date, report, path (below the folder), and if wanted series (the number
or UID of one in a DICOM folder) and mask (a NIfTI file). A scan has a row for each of its reports. `scan` and `patient`
become names of files and rows of tables, so they are pseudonyms. Who is healthy is not said here: the curation of
reports.csv decides that (see selected.py).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, alphanumeric, path_inside
from brainuad.datasets.participants import SEX
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.settings import HEAD_CT

NEEDED = ("scan", "patient", "path")
# Rows of one scan may differ in the rest.
SAME = ("patient", "path", "series", "mask")
DELIMITERS = ",;\t"
OLDEST = 120

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
            files = {"ct": first["path"], "mask": first.get("mask", "")}
            yield SubjectRow(
                subject=subject,
                participant=first["patient"],
                group="unknown",
                files={column: path for column, path in files.items() if path},
                age=_age(first.get("age", "")),
                sex=SEX.get(first.get("sex", "").lower(), ""),
                reason=_contradiction(rows) or _defect(Path(root), first),
                series=first.get("series", ""),
            )

    def _scans(self, root: Path) -> dict[str, list[Row]]:
        """The rows of scans.csv by subject. Two scans with the same letters and digits are an `InputError`."""
        self.entries(root)  # says which key to correct where the root is missing
        path = Path(root) / "scans.csv"
        scans: dict[str, list[Row]] = {}
        for number, row in _read(path):
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


def _read(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows of a table as a spreadsheet counts them, the header being row 1, without white space at the ends."""
    try:
        text = _text(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Expected the table of the scans, with the columns "
            f"{', '.join(NEEDED)}."
        ) from error
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip().lower() for name in next(table, [])]
        if missing := [column for column in NEEDED if column not in header]:
            raise InputError(f"{path}: the columns {', '.join(missing)} are missing in its first row.")
        for number, cells in enumerate(table, start=2):
            if any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}: row {number} has {len(cells)} columns, expected {len(header)}."
                    )
                yield number, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise InputError(f"{path}: not a table of separated values. Export it again as CSV.") from error


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _contradiction(rows: list[Row]) -> str:
    """Which columns differ between the rows of one scan; empty if none does."""
    differing = [column for column in SAME if len({row.get(column, "") for row in rows}) > 1]
    return f"scans.csv: rows of this scan differ in {', '.join(differing)}" if differing else ""


def _defect(root: Path, row: Row) -> str:
    """Why a row of scans.csv cannot be used; empty if it can as far as names tell."""
    if not row["patient"]:
        return "scans.csv names no patient, so the scan could come into training and test"
    if not row["path"]:
        return "scans.csv gives no path"
    try:
        path = path_inside(root, row["path"])
    except ScanError as error:
        return f"scans.csv: {error}"
    if not path.exists():
        return "the path in scans.csv does not exist"
    return "the folder is empty" if path.is_dir() and not any(path.iterdir()) else ""


def _age(text: str) -> str:
    number = text.rstrip("+").removesuffix("Y").strip()
    try:
        return f"{float(number):g}" if 0 < float(number) < OLDEST else ""
    except ValueError:
        return ""
