"""`participants.tsv` as BIDS defines it: one person a row, with age, sex and group where known."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainuad.errors import InputError
from brainuad.storage import read_table

HEALTHY = frozenset(
    {"control", "controls", "healthy", "healthycontrol", "hc", "hv", "normal", "nc", "cn", "con"}
)
UNKNOWN = frozenset({"", "n/a", "na", "nan", "none", "unknown"})
SEX = {
    **dict.fromkeys(("m", "male", "man", "männlich", "maennlich", "mann", "masculin", "homme"), "M"),
    **dict.fromkeys(("f", "female", "woman", "w", "weiblich", "frau", "feminin", "féminin", "femme"), "F"),
}

OLDEST = 120


@dataclass(frozen=True)
class Person:
    """Age (years), sex (M or F), group (healthy or patient) and site as text; empty where unknown.

    `unread` names the columns that say something which is not understood.
    """

    age: str = ""
    sex: str = ""
    group: str = ""
    site: str = ""
    unread: tuple[str, ...] = ()


def read_participants(path: Path) -> dict[str, Person]:
    """The people of a `participants.tsv` by their label without `sub-`; none when the file is absent.

    Of a person's repeated rows the first counts. Groups other than the usual words for healthy people are
    patients.
    """
    if not path.is_file():
        return {}
    # A quotation mark in a remark would swallow the rows up to the next one; a surplus cell would shift a row.
    table = read_table(path, quoting=csv.QUOTE_NONE, index_col=False)
    if "participant_id" not in table.columns:
        raise InputError(f"{path}: expected a column participant_id, as BIDS defines it.")
    people: dict[str, Person] = {}
    for row in table.to_dict("records"):
        label = row["participant_id"].strip().removeprefix("sub-")
        person = Person(
            age=age_of(row.get("age", "")),
            sex=sex_of(row.get("sex", "")),
            group=_group(row.get("group", "")),
            site=_known(row.get("site", "")),
            unread=unread_columns(row),
        )
        people.setdefault(label, person)
    return people


def age_of(text: str) -> str:
    """An age in years as it may be written in a table: `45`, `89+`, or `045Y` as in DICOM; empty where it is none."""
    number = _known(text).rstrip("+").removesuffix("Y").strip()
    try:
        return f"{float(number):g}" if 0 < float(number) < OLDEST else ""
    except ValueError:
        return ""


def sex_of(text: str) -> str:
    """M or F for the usual words and letters of some languages; empty for others."""
    return SEX.get(text.strip().lower(), "")


def unread_columns(row: Mapping[Any, str]) -> tuple[str, ...]:
    """Of age and sex the columns of a row that are filled and not understood: strata leave the person out."""
    readers = {"age": age_of, "sex": sex_of}
    return tuple(name for name, read in readers.items() if _known(row.get(name, "")) and not read(row[name]))


def _known(text: str) -> str:
    return "" if text.strip().lower() in UNKNOWN else text.strip()


def _group(text: str) -> str:
    word = _known(text).lower().replace(" ", "").replace("_", "").replace("-", "")
    if not word:
        return ""
    return "healthy" if word in HEALTHY else "patient"
