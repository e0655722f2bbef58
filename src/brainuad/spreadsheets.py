"""Tables as people export them from spreadsheets and databases, in several encodings and with several separators.

They may hold identifiers and reports, so a message names the file and the row, never what stands there.
"""

import codecs
import csv
import logging
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from brainuad.errors import InputError

log = logging.getLogger(__name__)

SEPARATORS = ",;\t"
TOLD_SEPARATOR = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
# Byte order marks; that of UTF-32 begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
BYTES = 1 << 20
WHOLE_NUMBER = re.compile(r"(?P<whole>-?\d+)(?:\.0*)?")
# Far more than any report; a quotation mark that is never closed is found before it fills the memory.
LONGEST_CELL = 10_000_000


def read_spreadsheet(
    path: Path, needs: Collection[str], others: Collection[str] = (), whole_rows: bool = False
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table below its header, each with its number in the file; empty ones are left out.

    A row gives, for each column of `needs` and `others`, its cell without white space at the ends; one of `others` that
    is absent is empty. Capitals in the header do not matter. The separator is what a line `sep=;` at the start says,
    else whichever of comma, semicolon and tab the header has most of; cells in quotes may hold it, and line breaks.

    Empty cells at the end of a row may be left out, as spreadsheets do, but none that it `needs`, and none at all with
    `whole_rows`. All rows may end in the same number of empty cells too many. Any other length is an `InputError`, for
    the row may be a part of a text without quotes. So is a file that is no such table, lacks a column that it `needs`,
    or has a column twice that is read.
    """
    path = Path(path)
    rows = _rows(path, needs)
    header = [name.lower() for name in next(rows, (1, []))[1]]
    places = _places(path, header, needs, others)
    shortest = len(header) if whole_rows else 1 + max(places[column] for column in needs)
    too_many = None
    for number, cells in rows:
        surplus = cells[len(header) :]
        too_many = len(surplus) if too_many is None else too_many
        if len(cells) < shortest or len(surplus) != too_many or any(surplus):
            raise InputError(
                f"{path}: row {number} has {len(cells)} columns, expected {len(header)}. Put texts that hold the "
                "separator, quotes or line breaks in quotes. If a spreadsheet left out empty cells at the end, move a "
                "column that is filled in every row to the end."
            )
        cells += [""] * (len(header) - len(cells))
        yield number, {c: cells[places[c]] if c in places else "" for c in (*needs, *others)}


def encoding_of(path: Path) -> str:
    """The encoding of a text file: what its byte order mark says, else UTF-8, else Windows Latin-1.

    A file with a few bytes that are not UTF-8 is still UTF-8 if more of its letters beyond ASCII are. Such a file, and
    one in Windows Latin-1, is a warning, once. A file that is none of these, such as a workbook, is an `InputError`.
    """
    state = path.stat()
    return _encoding(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _encoding(path: Path, size: int, changed_ns: int) -> str:
    """The encoding of a file as it is now: it is looked at again only if its size or time has changed."""
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None)
    if _is_text(path, marked or "utf-8"):
        return marked or "utf-8"
    if not marked and _is_mostly_utf_8(path):
        log.warning("%s: read as UTF-8, but some bytes are not; each is written as \\x and its number.", path)
        return "utf-8"
    if not marked and _is_text(path, "cp1252"):
        log.warning("%s: not UTF-8, so read as Windows Latin-1 (cp1252).", path)
        return "cp1252"
    raise InputError(
        f"{path}: not a text in UTF-8, Windows Latin-1, or UTF-16 with a byte order mark; or it holds zeros. Save it "
        'again, in a spreadsheet as "CSV UTF-8" or "Unicode text".'
    )


def _is_text(path: Path, encoding: str) -> bool:
    """Whether the whole file has this encoding; text has no zeros, which are all over workbooks and unmarked UTF-16."""
    try:
        return not any("\0" in text for text in _texts(path, encoding, "strict"))
    except UnicodeError:
        return False


def _is_mostly_utf_8(path: Path) -> bool:
    """Whether a text has more letters of several bytes than bytes that are no part of such a letter."""
    letters = strays = 0
    for text in _texts(path, "utf-8", "surrogateescape"):
        if "\0" in text:
            return False
        beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
        stray = len(re.findall("[\udc80-\udcff]", text))
        letters += beyond_ascii - stray
        strays += stray
    return letters > strays


def _texts(path: Path, encoding: str, errors: str) -> Iterator[str]:
    """The text of a file, a part at a time."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with path.open("rb") as file:
        while block := file.read(BYTES):
            yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _places(path: Path, header: list[str], needs: Collection[str], others: Collection[str]) -> dict[str, int]:
    """Where in the header each column stands that is read."""
    if missing := [column for column in needs if column not in header]:
        raise InputError(
            f"{path}: the columns {', '.join(missing)} are missing; expected {', '.join(needs)} in the first row."
        )
    read = [column for column in (*needs, *others) if column in header]
    if repeated := [column for column in read if header.count(column) > 1]:
        raise InputError(f"{path}: there are two columns {repeated[0]}. Rename or delete one of them.")
    return {column: header.index(column) for column in read}


def _rows(path: Path, needs: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its number, as cells without white space at the ends."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        # A byte that does not fit is written out: a sign that stands for all of them could make two names one.
        with path.open(encoding=encoding_of(path), errors="backslashreplace", newline="") as file:
            separator = _separator(file)
            file.seek(0)
            rows = csv.reader(file, delimiter=separator, strict=True)
            try:
                for number, row in enumerate(rows, start=1):
                    cells = [cell.strip() for cell in row]
                    if any(cells) and [cell.lower() for cell in cells] != ["sep=", ""]:
                        yield number, cells
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


def _separator(lines: Iterable[str]) -> str:
    """What separates the cells, from the first line that is not empty."""
    for line in lines:
        if told := TOLD_SEPARATOR.fullmatch(line):
            return told[1]
        if line.strip(SEPARATORS + " \r\n"):
            return max(SEPARATORS, key=line.count)
    return SEPARATORS[0]


def identifier(text: str) -> str:
    """The name of a scan, report or patient in one form, however a program stores it.

    `é` is one sign (Unicode's NFC), and there are no invisible signs and no blanks at the ends.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(sign for sign in composed if unicodedata.category(sign) != "Cf").strip()


def whole_number(text: str) -> str:
    """A whole number in one form, however a table writes it (`2`, `002`, `2.0`); other text as it is."""
    match = WHOLE_NUMBER.fullmatch(text)
    return str(int(match["whole"])) if match else text
