"""Reading an export of radiology reports, a part at a time.

Nothing that a report says, and no identifier, ever appears in a message: only the file and the row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from brainuad.curation.plain_text import plain_text
from brainuad.errors import InputError
from brainuad.spreadsheets import identifier, read_spreadsheet

COLUMNS = ("report", "patient", "date", "text")


@dataclass(frozen=True)
class Report:
    """One row of reports.csv, as it is written there apart from white space at its ends and what `plain_text` mends.

    `report` and `patient` are in one form (`identifier`). `row` is its number in the file.
    """

    report: str
    patient: str
    date: str
    text: str
    row: int = field(default=0, compare=False)


def read_reports(path: Path, chunk: int = 1000) -> Iterator[list[Report]]:
    """The reports of a file in the order of its rows, at most `chunk` at a time.

    The file is UTF-8 (with or without a byte order mark), UTF-16 with one, or Windows Latin-1. Its columns are
    separated by commas, semicolons or tabs, and texts in quotes may hold line breaks. Other columns are ignored.
    Line breaks that are written as `\\n`, `\\r\\n`, `\\r`, `<br>` or `<p>` become real ones; a backslash for a
    slash stays. Texts are without invisible characters, character references and hyphenation (`plain_text`).
    """
    reports = _reports(Path(path))
    while part := list(islice(reports, chunk)):
        yield part


def _reports(path: Path) -> Iterator[Report]:
    # A row that ends early may be the first line of a text without quotes.
    for number, row in read_spreadsheet(path, COLUMNS, whole_rows=True):
        report, patient = identifier(row["report"]), identifier(row["patient"])
        if not report:
            raise InputError(f"{path}: row {number} names no report. Give each report a name of its own.")
        yield Report(report, patient, row["date"], plain_text(row["text"]), number)
