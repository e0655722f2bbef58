"""The days of an export, however it writes them: `2016-03-01`, `1/3/2016 14:05` and `01-MAR-16` can be one day.

Numbers may begin with the day or with the month. Which it is, is decided for each table from its values: no month is
above 12. Messages name files, rows and counts, never a date: it is a patient's.
"""

import logging
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from brainuad.errors import InputError

log = logging.getLogger(__name__)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_MONTH = rf"({'|'.join(MONTHS)})[a-z]*\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(\d{4}|\d{2})(?!\d)"
_TIME = r"(?:[\st,].*)?$"
YEAR_FIRST = re.compile(rf"(\d{{4}})([./-])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\d{4,6}(?:\.\d+)?)?" + _TIME)
DAY_AND_NAME = re.compile(rf"{_WEEKDAY}{_DAY}[\s./-]*(?:of\s+)?{_MONTH}[\s,./-]*{_YEAR}{_TIME}")
NAME_AND_DAY = re.compile(rf"{_WEEKDAY}{_MONTH}[\s./-]*{_DAY},?[\s./-]+{_YEAR}{_TIME}")
NUMBERS = re.compile(rf"{_WEEKDAY}(\d{{1,2}})([./-])(\d{{1,2}})\2{_YEAR}{_TIME}")
TIME_OF_DAY = re.compile(r"[\sTt]+\d{1,2}[:.]\d\d.*$")
_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NAMED_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_SHORT_OR_FULL = r"(?:\d{4}|\d{2})"
# A date within a text of small letters.
DATE_IN_TEXT = (
    rf"\b(?:\d{{1,2}}[./-]\d{{1,2}}[./-]{_SHORT_OR_FULL}|\d{{4}}[./-]\d{{1,2}}[./-]\d{{1,2}}"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|\d{{1,2}}[ ./-]?{_NAME}[./-]?{_SHORT_OR_FULL}|{_NAME}[./-]\d{{1,2}}[./-]{_SHORT_OR_FULL}"
    rf"|{_NAMED_DAY}(?: of)? {_NAME}\b\.?(?:,? \d{{4}})?|{_NAME}\b\.? {_NAMED_DAY}(?:,? \d{{4}})"
    rf"|{_NAME}\b\.? \d{{4}})\b"
)
# A year of two digits up to this one is of this century.
LAST_SHORT_YEAR = 69
WRITE = (
    "Write the dates of both as 2016-03-01, or set `curation.NAME.selection.reports_of_same_day` to false (NAME is the "
    "data set)."
)
FILES = ("the scans file", "the reports file")

Day = tuple[int, int, int]


def readings(text: str) -> tuple[Day, ...]:
    """What a written date, with or without a time, can mean as (year, month, day); none where it names no day.

    Numbers that can be read in both orders are read with the day first, then with the month first.
    """
    text = text.strip().lower()
    if found := YEAR_FIRST.match(text):
        return _possible([(found[1], found[3], found[4])])
    if found := COMPACT.match(text):
        return _possible([(found[1], found[2], found[3])])
    if found := DAY_AND_NAME.match(text):
        return _possible([(found[3], MONTHS.index(found[2]) + 1, found[1])])
    if found := NAME_AND_DAY.match(text):
        return _possible([(found[3], MONTHS.index(found[1]) + 1, found[2])])
    if found := NUMBERS.match(text):
        return _possible([(found[4], found[3], found[1]), (found[4], found[1], found[3])])
    return ()


def days_of(
    scans: pd.Series,
    reports: pd.Series,
    seen: tuple[pd.Series, pd.Series] | None = None,
    files: tuple[str, str] = FILES,
) -> tuple[pd.Series, pd.Series]:
    """The days of the rows of two tables as `2016-03-01`, from what is written there; empty where there is no date.

    What names no day stays as it is written, without a time. `seen` are all dates of both tables where others than
    these can say in which order numbers stand. The index of a table is the row in its file; `files` are their names.
    """
    written = {"scans": _first_rows(scans), "reports": _first_rows(reports)}
    # Others matter only if one of these can be read in two ways.
    doubtful = any(_open(text) for texts in written.values() for text in texts)
    told = {"scans": _first_rows(seen[0]), "reports": _first_rows(seen[1])} if seen and doubtful else written
    month_first = _month_first(written, told, dict(zip(written, files, strict=True)))
    unread = sum(not readings(text) for texts in written.values() for text in texts)
    if unread:
        log.warning(
            "%d dates of scans and reports name no day; they count where both files write them alike.", unread
        )
    days = {
        table: {text: _day(text, month_first[table]) for text in texts} for table, texts in written.items()
    }
    found = [
        dates.map(days[table]).fillna("").astype(str)
        for table, dates in (("scans", scans), ("reports", reports))
    ]
    return found[0], found[1]


def _first_rows(dates: pd.Series) -> dict[str, int]:
    """The different dates that are written, each with the first row where it stands."""
    first = dates[dates != ""].drop_duplicates()
    return dict(zip(first, first.index, strict=True))


def _month_first(
    written: Mapping[str, Mapping[str, int]],
    telling: Mapping[str, Mapping[str, int]],
    files: Mapping[str, str],
) -> dict[str, bool]:
    """Whether numbers begin with the month, by table; a table that leaves it open is taken to be like the other.

    `written` are the dates that are compared, `telling` those from which the order is told.
    """
    known = {table: _order(files[table], rows) for table, rows in telling.items()}
    doubtful = [table for table, texts in written.items() if known[table] is None and any(map(_open, texts))]
    decided = {order for order in known.values() if order is not None}
    if doubtful and not decided and any(_plain(text) for texts in written.values() for text in texts):
        raise InputError(
            f"In {files[doubtful[0]]} it cannot be told whether dates begin with the day or the month (no number "
            f"is above 12), and other dates of scans and reports are written in another way. {WRITE}"
        )
    other = decided.pop() if decided else False
    return {table: other if order is None else order for table, order in known.items()}


def _order(file: str, rows: Mapping[str, int]) -> bool | None:
    """Whether the numbers of a file begin with the month; None where its values leave it open."""
    numbers = [(row, NUMBERS.match(text.lower())) for text, row in rows.items() if len(readings(text)) == 1]
    pairs = [(row, (int(found[1]), int(found[3]))) for row, found in numbers if found]
    days, months = ([row for row, pair in pairs if pair[place] > len(MONTHS)] for place in (0, 1))
    if days and months:
        raise InputError(
            f"The dates of {file} begin with the day ({len(days)} of them, the first in row {days[0]}) and with the "
            f"month ({len(months)} of them, the first in row {months[0]}). {WRITE}"
        )
    return bool(months) if days or months else None


def _open(text: str) -> bool:
    return len(readings(text)) > 1


def _plain(text: str) -> bool:
    """Whether a date says by itself which number is the month."""
    return bool(readings(text)) and not NUMBERS.match(text.lower())


def _day(text: str, month_first: bool) -> str:
    found = readings(text)
    if not found:
        return TIME_OF_DAY.sub("", text).lower()
    year, month, day = found[-1 if month_first else 0]
    return f"{year:04d}-{month:02d}-{day:02d}"


def _possible(dates: Sequence[tuple[str | int, str | int, str | int]]) -> tuple[Day, ...]:
    """The different ones of these dates (year, month, day) that can be."""
    numbers = [(_full_year(str(year)), int(month), int(day)) for year, month, day in dates]
    return tuple(
        dict.fromkeys(each for each in numbers if 1 <= each[1] <= len(MONTHS) and 1 <= each[2] <= 31)
    )


def _full_year(year: str) -> int:
    if len(year) > 2:
        return int(year)
    return int(year) + (2000 if int(year) <= LAST_SHORT_YEAR else 1900)
