"""CQ500: emergency head CTs from New Delhi, DICOM, with the readings of three radiologists (Chilamkurthy 2018)."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from brainuad.phantom.ct.people import ScanFacts, files_of
from brainuad.phantom.layout import Ages, Layout, OwnFiles, SubjectFacts
from brainuad.storage import write_text

if TYPE_CHECKING:
    from brainuad.phantom.head import Model
    from brainuad.phantom.subject import Subject

STUDY = "Unknown Study"
FOLDERS = {
    "plain": f"{STUDY}/CT Plain",
    "localiser": f"{STUDY}/CT Scout",
    "thin": f"{STUDY}/CT Thin Plain",
    "bone": f"{STUDY}/CT Bone",
}
BATCHES = ("B1", "B2")


def people(count: int, seed: int) -> list[SubjectFacts]:
    """The first `count` scans."""
    from brainuad.phantom.ct.readers import cq500_scans

    return list(cq500_scans(count, seed))


def write(subject: "Subject", model: "Model", root: Path, stamp: str) -> None:
    """Writes the series of a scan."""
    from brainuad.phantom.ct.protocol import Export
    from brainuad.phantom.ct.study import write_study

    export = Export(
        tilt=0.15,
        uneven=0.05,
        bone_series=0.4,
        thin_series=0.3,
        localiser=0.1,
        missing_slices=0.0,
        folders=FOLDERS,
    )
    write_study(subject, model, root, stamp, export)


def write_extras(facts: list[SubjectFacts], root: Path, seed: int) -> None:
    """Writes `reads.csv`."""
    from brainuad.phantom.ct.readers import readings

    rows = []
    for scan in facts:
        assert isinstance(scan, ScanFacts)
        batch = BATCHES[scan.number % len(BATCHES)]
        rows.append({"name": f"CQ500-CT-{scan.number}", "Category": batch, **readings(scan, seed)})
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(text.getvalue(), root / "reads.csv")


LAYOUT = Layout(
    subject="CQ500CT{number}",
    images=(),
    scanners=(),
    ages=Ages(mean=48, sd=18, youngest=18, oldest=90),
    alignment="own",
    largest_gap=3,
    own_files=OwnFiles(files_of, write, people),
    write_extras=write_extras,
)
