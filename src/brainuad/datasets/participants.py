"""`participants.tsv` as BIDS defines it: one person a row, with age, sex and group where known."""

import csv
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Person:
    """Age (years), sex (M or F), group (healthy or patient) and site as text; empty where unknown."""

    age: str = ""
    sex: str = ""
    group: str = ""
    site: str = ""


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
            age=_age(row.get("age", "")),
            sex=SEX.get(row.get("sex", "").strip().lower(), ""),
            group=_group(row.get("group", "")),
            site=_known(row.get("site", "")),
        )
        people.setdefault(label, person)
    return people


def _known(text: str) -> str:
    return "" if text.strip().lower() in UNKNOWN else text.strip()


def _age(text: str) -> str:
    # Ages above 89 are often published as "89+".
    number = _known(text).rstrip("+")
    try:
        return number if 0 < float(number) < 120 else ""
    except ValueError:
        return ""


def _group(text: str) -> str:
    word = _known(text).lower().replace(" ", "").replace("_", "").replace("-", "")
    if not word:
        return ""
    return "healthy" if word in HEALTHY else "patient"
