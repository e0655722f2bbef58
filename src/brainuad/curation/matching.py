"""Whether scans, reports and patients are written alike in the files that name them, and what would match if not.

A spreadsheet that opens `0001` saves `1`. Messages hold counts and rows, never a name.
"""

import re
from collections.abc import Callable, Collection

import pandas as pd

# In the order in which all of them are applied together.
RELAXED: dict[str, Callable[[str], str]] = {
    "blanks dropped": lambda name: re.sub(r"\s+", "", name),
    "`.0` at the end dropped": lambda name: re.sub(r"\.0*$", "", name),
    "leading zeros dropped": lambda name: re.sub(r"(?<![\d.])0+(?=\d)", "", name),
    "capitals ignored": str.casefold,
}
TOGETHER = "blanks, `.0` at the end, leading zeros and capitals ignored"


def hint(lacking: Collection[str], known: Collection[str]) -> str:
    """How many names that are `lacking` among the `known` ones would be there if they were compared less strictly.

    A sentence with a blank before it; empty where none would. The simplest way that finds most of them is told.
    """
    names = set(lacking)
    found = {way: _matching(names, known, relax) for way, relax in RELAXED.items()}
    found[TOGETHER] = _matching(names, known, _relaxed)
    best = max(found, key=found.__getitem__)
    return f" With {best} {found[best]} of {len(names)} would match." if found[best] else ""


def _matching(names: Collection[str], known: Collection[str], relax: Callable[[str], str]) -> int:
    there = set(map(relax, known)) - {""}
    return sum(relax(name) in there for name in names)


def _relaxed(name: str) -> str:
    for relax in RELAXED.values():
        name = relax(name)
    return name


def scans_with_reports(
    scans: pd.DataFrame, reports: pd.DataFrame, pairs: pd.DataFrame, files: tuple[str, str]
) -> tuple[int, str]:
    """How many scans have a report of their own patient, and what to say if these are less than half; else nothing.

    `pairs` are those of scans and reports (selection.py), `files` the names of the two tables.
    """
    own = pairs["found"] & ((pairs["of_patient"] == "") | (pairs["of_patient"] == pairs["patient"]))
    found, number = pairs.loc[own, "scan"].nunique(), scans["scan"].nunique()
    if 2 * found >= number:
        return found, ""
    few = f"only {found}" if found else "none"
    foreign = pairs.loc[pairs["found"] & ~own & (pairs["patient"] != ""), "scan"].nunique()
    told = [
        _lacking(scans["report"], reports["report"], "reports that scans name are not there"),
        _lacking(scans["patient"], reports["patient"], "patients have no report there"),
        f" {foreign} scans name a report of another patient." if foreign else "",
        *(_empty(scans, column) for column in ("report", "patient")),
    ]
    return found, (
        f"{files[0]}: {few} of {number} scans find a report of their patient in {files[1]}.{''.join(told)} "
        "Reports and patients must be written alike in both files. A spreadsheet drops leading zeros unless it reads "
        "the column as text."
    )


def _empty(scans: pd.DataFrame, column: str) -> str:
    """How many scans have nothing in a column."""
    number = scans.loc[scans[column] == "", "scan"].nunique()
    return f" {number} scans name no {column}." if number else ""


def _lacking(names: pd.Series, known: pd.Series, what: str) -> str:
    """How many of the names are not among the `known` ones, with a hint."""
    written, there = set(names) - {""}, set(known)
    lacking = written - there
    return f" {len(lacking)} of {len(written)} {what}.{hint(lacking, there)}" if lacking else ""
