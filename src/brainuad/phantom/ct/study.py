"""The files of one simulated head CT, from its facts: a function of (seed, scan)."""

from pathlib import Path

import numpy as np

from brainuad.phantom.ct.exports import Identity, all_series, nifti_volume, write_dicom, write_nifti
from brainuad.phantom.ct.findings import Person
from brainuad.phantom.ct.people import ScanFacts
from brainuad.phantom.ct.protocol import Export, draw_protocol
from brainuad.phantom.ct.scan import simulate_ct
from brainuad.phantom.head import Model
from brainuad.phantom.layout import published_files
from brainuad.phantom.subject import Subject
from brainuad.randomness import numpy_generator

# A converted scan is even and upright, and nothing tells what else was exported.
CONVERTED = Export(0, 0, 0, 0, 0, 0, 0, 0)


def write_study(subject: Subject, model: Model, root: Path, stamp: str, export: Export) -> None:
    """Writes the DICOM series or the NIfTI file of a scan, and the mask if there is one."""
    facts = subject.facts
    assert isinstance(facts, ScanFacts)
    files = published_files(subject.layout, facts)
    converted = files["ct"].endswith(".nii.gz")
    protocol = draw_protocol(CONVERTED if converted else export, subject.draws("protocol"))

    def of_person(*purpose: str) -> np.random.Generator:
        return numpy_generator(subject.seed, "phantom", subject.dataset, "person", facts.patient, *purpose)

    person = Person(model, facts.age, subject.settings.deformation, of_person)
    scan = simulate_ct(person, facts.findings, protocol, subject.settings, subject.draws("scan"))
    if converted:
        write_nifti(*nifti_volume(scan), root / files["ct"], stamp)
    else:
        known = bool(facts.day)  # what is published without dates is published without age and sex too
        age, sex = (f"{int(facts.age):03d}Y", facts.sex) if known else ("", "")
        identity = Identity(facts.subject, facts.patient, sex, age, facts.day, stamp)
        series = all_series(scan, protocol, export.folders, subject.draws("export"))
        write_dicom(root / files["ct"], series, protocol, identity)
    if "mask" in files and scan.mask is not None:
        write_nifti(scan.mask, scan.mask_affine, root / files["mask"], stamp)
