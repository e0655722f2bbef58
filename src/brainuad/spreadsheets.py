"""Tables as people export them from spreadsheets and databases, in several encodings and with several separators.

They may hold identifiers and reports, so a message names the file and the row, never what stands there.
"""

import codecs
import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from brainuad.errors import InputError

SEPARATORS = ",;\t"
# Byte order marks; that of UTF-32 begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
UNMARKED = ("utf-8", "cp1252")
BYTES = 1 << 20


def read_spreadsheet(path: Path, needs: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table below its header, each with its number in a spreadsheet; empty ones are left out.

    A row gives, for each name of a column in small letters, its cell without white space at the ends. The separator is
    whichever of comma, semicolon and tab the first line has most of; cells in quotes may hold it, and line breaks. A
    file that is no such table, or lacks a column that it `needs`, is an `InputError`.
    """
    path = Path(path)
    rows = _cells(path, needs)
    header = [name.strip().lower() for name in next(rows, [])]
    if missing := [column for column in needs if column not in header]:
        raise InputError(
            f"{path}: the columns {', '.join(missing)} are missing; expected {', '.join(needs)} in the first row."
        )
    if repeated := [column for column in needs if header.count(column) > 1]:
        raise InputError(f"{path}: there are two columns {repeated[0]}. Rename or delete one of them.")
    for number, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise InputError(
                f"{path}: row {number} has {len(cells)} columns, expected {len(header)}. Put texts that hold the "
                "separator, quotes or line breaks in quotes."
            )
        yield number, dict(zip(header, cells, strict=True))


def encoding_of(path: Path) -> str:
    """The encoding of a text file: what its byte order mark says, else UTF-8 if all of it is, else Windows Latin-1.

    A file that is none of these, a workbook for instance, is an `InputError`.
    """
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None)
    for encoding in (marked,) if marked else UNMARKED:
        if _is_text(path, encoding):
            return encoding
    raise InputError(
        f"{path}: not a text in UTF-8, Windows Latin-1, or UTF-16 with a byte order mark; or it holds zeros. Save it "
        'again, in a spreadsheet as "CSV UTF-8" or "Unicode text".'
    )


def _is_text(path: Path, encoding: str) -> bool:
    """Whether the whole file has this encoding; text has no zeros, which are all over workbooks and unmarked UTF-16."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(BYTES):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _cells(path: Path, needs: Collection[str]) -> Iterator[list[str]]:
    try:
        with path.open(encoding=encoding_of(path), newline="") as file:
            separator = max(SEPARATORS, key=file.readline().count)
            file.seek(0)
            rows = csv.reader(file, delimiter=separator, strict=True)
            try:
                yield from rows
            except csv.Error:
                raise InputError(
                    f"{path}: a quotation mark before line {rows.line_num} is not closed or not doubled. A quote in a "
                    "text is written twice, and the text as a whole in quotes; export the file again so."
                ) from None
    except OSError as error:
        absent = isinstance(error, FileNotFoundError)
        reason = "no such file" if absent else f"cannot be read ({error.strerror})"
        raise InputError(
            f"{path}: {reason}; expected a table with the columns {', '.join(needs)}."
        ) from error
