"""CQ500: 491 head CTs from New Delhi, each read by three radiologists (Chilamkurthy 2018, Lancet 392, 2388-2396).

Layout: `CQ500CT0 CQ500CT0/Unknown Study/CT Plain/CT000000.dcm`, and `reads.csv` with a row per scan (CQ500-CT-0) and a
column per reader and finding (`R1:ICH`). A study holds several series; preprocessing chooses one.
"""

import csv
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from brainuad.datasets.base import ANY_STUDY, Dataset, SubjectRow, sorted_entries
from brainuad.errors import InputError
from brainuad.preprocessing.settings import HEAD_CT

logger = logging.getLogger(__name__)

FOLDER = re.compile(r"CQ500-?CT-?(?P<number>\d+)\b")
READERS = ("R1", "R2", "R3")
# Where a bleed is says no more than that there is one.
NO_FINDING = re.compile(r"BleedLocation")
YES, NO = frozenset({"1", "1.0"}), frozenset({"0", "0.0"})


@dataclass(frozen=True)
class Reading:
    """The group of a scan, its findings joined by ";", and why it has no group."""

    group: str = "unknown"
    condition: str = ""
    reason: str = ""


class Cq500(Dataset):
    """The CQ500 data set: plain head CT, healthy where all readers agree on no finding."""

    name = "cq500"
    layout = '"CQ500CT0 CQ500CT0/Unknown Study/SERIES/CT000000.dcm" and reads.csv'
    modalities = ("ct",)
    spreadsheet = "reads.csv"
    preprocessing = HEAD_CT

    def subjects(self, root: Path) -> list[str]:
        """The scans found as folders, such as CQ500CT0."""
        return [subject for subject, _ in self._folders(root)]

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per scan; one on which the readers do not agree is excluded."""
        readings = read_reads(Path(root) / self.spreadsheet)
        for subject, folder in self._folders(root):
            reading = readings.get(subject, Reading(reason="no row in reads.csv" if readings else ""))
            empty = not any(sorted_entries(Path(root) / folder))
            yield SubjectRow(
                subject=subject,
                participant=subject,
                group=reading.group,
                files={} if empty else {"ct": folder},
                reason="" if empty else reading.reason,
                condition=reading.condition,
                # A folder is one scan here, whatever an anonymiser made of its StudyInstanceUID.
                series=ANY_STUDY,
            )

    def _folders(self, root: Path) -> list[tuple[str, str]]:
        """The scans by their numbers, and the folder of each. Two folders of one scan are an `InputError`."""
        found: dict[int, str] = {}
        for entry in self.entries(root):
            if not (match := FOLDER.match(entry.name)) or not entry.is_dir():
                continue
            if (number := int(match["number"])) in found:
                raise InputError(
                    f"{self.name}: the folders {found[number]} and {entry.name} in {root} are one scan. Move one away."
                )
            found[number] = entry.name
        return [(f"CQ500CT{number}", found[number]) for number in sorted(found)]


def read_reads(path: Path) -> dict[str, Reading]:
    """What the three readers agree on, by scan (CQ500CT0); nothing where the file is absent.

    A scan is healthy if no reader has any finding, and a patient if two readers have the same one.
    """
    if not path.is_file():
        logger.warning("reads.csv is not beside the scans: nobody counts as healthy")
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns = {(column or "").strip(): column for column in table.fieldnames or ()}
            findings = _findings(columns, path)
            rows = list(enumerate(table, start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: not a readable table ({type(error).__name__}). Download it again."
        ) from error
    readings: dict[str, Reading] = {}
    for number, row in rows:
        match = FOLDER.match((row.get(columns["name"]) or "").strip())
        if match is None:
            raise InputError(f"{path}: row {number}: the column name is not a scan such as CQ500-CT-0.")
        readings[f"CQ500CT{int(match['number'])}"] = _agreed(row, findings, columns)
    return readings


def _findings(columns: Mapping[str, str], path: Path) -> list[str]:
    """The findings on which all three readers have a column."""
    of_first = [column.removeprefix("R1:") for column in columns if column.startswith("R1:")]
    findings = [name for name in of_first if not NO_FINDING.match(name)]
    missing = [f"{r}:{name}" for r in READERS for name in findings if f"{r}:{name}" not in columns]
    if "name" not in columns or not findings or missing:
        raise InputError(
            f"{path}: expected a column name and the columns R1:ICH to R3:MidlineShift, as published"
            + (f"; {', '.join(missing[:3])} is missing." if missing else ".")
        )
    return findings


def _agreed(row: Mapping[str, str | None], findings: list[str], columns: Mapping[str, str]) -> Reading:
    votes = {name: [(row.get(columns[f"{r}:{name}"]) or "").strip() for r in READERS] for name in findings}
    if any(vote not in YES | NO for cast in votes.values() for vote in cast):
        return Reading(reason="reads.csv: a reading that is neither 0 nor 1")
    counts = {name: sum(vote in YES for vote in cast) for name, cast in votes.items()}
    if not any(counts.values()):
        return Reading("healthy")
    agreed = [name for name, count in counts.items() if count > 1]
    if agreed:
        return Reading("patient", ";".join(agreed))
    return Reading(reason="the readers do not agree on a finding")
