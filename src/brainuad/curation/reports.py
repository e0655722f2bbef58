"""Reading an export of radiology reports, a part at a time.

Nothing that a report says, and no identifier, ever appears in a message: only the file and the row.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brainuad.errors import InputError

COLUMNS = ("report", "patient", "date", "text")
DELIMITERS = ",;\t"
BYTES = 1 << 20


@dataclass(frozen=True)
class Report:
    """One row of reports.csv, as it is written there apart from white space at its ends."""

    report: str
    patient: str
    date: str
    text: str


def read_reports(path: Path, chunk: int = 1000) -> Iterator[list[Report]]:
    """The reports of a file in the order of its rows, at most `chunk` at a time.

    The file is UTF-8 (with or without a byte order mark), UTF-16 with one, or Windows Latin-1. Its columns are
    separated by commas, semicolons or tabs, and texts in quotes may hold line breaks. Other columns are ignored.
    """
    path = Path(path)
    with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
        first = file.readline()
        file.seek(0)
        rows = csv.reader(file, delimiter=max(DELIMITERS, key=first.count), strict=True)
        try:
            part: list[Report] = []
            for report in _reports(path, rows):
                part.append(report)
                if len(part) == chunk:
                    yield part
                    part = []
            if part:
                yield part
        except csv.Error:
            raise InputError(
                f"{path}: the row that begins before line {rows.line_num} is not comma-separated text. A quote in "
                "a text is written twice, and the text as a whole in quotes; export the file again so."
            ) from None


def _reports(path: Path, rows: Iterator[list[str]]) -> Iterator[Report]:
    """The rows of a file as reports; a row is counted as a spreadsheet shows it, from 1 with the header."""
    header = [name.strip().lower() for name in next(rows, [])]
    if missing := [column for column in COLUMNS if column not in header]:
        raise InputError(
            f"{path}: the columns {', '.join(missing)} are missing; expected {', '.join(COLUMNS)} in the first row."
        )
    places = [header.index(column) for column in COLUMNS]
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise InputError(
                f"{path}: row {number} has {len(row)} columns, expected {len(header)}. Put texts that hold the "
                "separator, quotes or line breaks in quotes."
            )
        report = Report(*(row[place].strip() for place in places))
        if not report.report:
            raise InputError(f"{path}: row {number} names no report. Give each report a name of its own.")
        yield report


def encoding_of(path: Path) -> str:
    """The encoding of a text file: what its byte order mark says, else UTF-8 if all of it is, else Windows Latin-1."""
    try:
        with path.open("rb") as file:
            start = file.read(3)
            if start.startswith(codecs.BOM_UTF8):
                return "utf-8-sig"
            if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            file.seek(0)
            decoder = codecs.getincrementaldecoder("utf-8")()
            while block := file.read(BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    except OSError as error:
        raise InputError(f"{path}: the reports cannot be read ({error.strerror}).") from error
    return "utf-8"
