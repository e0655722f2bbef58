"""A hospital's export of head CTs, after the cohort of Kascenas 2023: DICOM or NIfTI, with tables of scans and reports.

The number of subjects is that of the patients, who have one or more scans.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from brainuad.phantom.ct.people import files_of
from brainuad.phantom.layout import Ages, Layout, OwnFiles, SubjectFacts

if TYPE_CHECKING:
    from brainuad.phantom.head import Model
    from brainuad.phantom.subject import Subject


def people(count: int, seed: int) -> list[SubjectFacts]:
    """The scans of the first `count` patients."""
    from brainuad.phantom.hospital import hospital_scans

    return list(hospital_scans(count, seed))


def write(subject: "Subject", model: "Model", root: Path, stamp: str) -> None:
    """Writes the files of a scan."""
    from brainuad.phantom.ct.protocol import Export
    from brainuad.phantom.ct.study import write_study

    write_study(subject, model, root, stamp, Export())


def write_extras(facts: list[SubjectFacts], root: Path, seed: int) -> None:
    """Writes the tables of scans and reports, and what was simulated."""
    from brainuad.phantom.hospital import simulate_hospital

    simulate_hospital(root, facts[-1].number, seed)


LAYOUT = Layout(
    subject="",
    images=(),
    scanners=(),
    ages=Ages(mean=70, sd=15, youngest=18, oldest=99),
    alignment="own",
    own_files=OwnFiles(files_of, write, people),
    write_extras=write_extras,
)
