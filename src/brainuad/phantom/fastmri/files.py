"""The published files of fastMRI: HDF5 with upside-down rows, and the table of annotations of FastMRI+."""

import csv
import hashlib
import io
import json
from pathlib import Path

import h5py
import numpy as np

from brainuad.phantom.fastmri.slices import FIELD_OF_VIEW_MM, THICKNESS_MM
from brainuad.phantom.fastmri.subject import PIXELS, Annotation, simulate_slices
from brainuad.phantom.head import Model
from brainuad.phantom.layout import SubjectFacts, published_files
from brainuad.phantom.subject import Subject
from brainuad.storage import atomic_path, write_text

ACQUISITION = {"t1": "AXT1", "t1ce": "AXT1POST", "flair": "AXFLAIR"}
COLUMNS = ("file", "slice", "study_level", "x", "y", "width", "height", "label")
# FastMRI+ annotates scans that a user may not have downloaded.
ABSENT_SCAN = "file_brain_AXT1_206_2060001"
HEADER = f"""<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
  <encoding>
    <reconSpace>
      <matrixSize><x>{PIXELS}</x><y>{PIXELS}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{FIELD_OF_VIEW_MM}</x><y>{FIELD_OF_VIEW_MM}</y><z>{THICKNESS_MM}</z></fieldOfView_mm>
    </reconSpace>
  </encoding>
</ismrmrdHeader>
"""


def write_subject(subject: Subject, model: Model, root: Path, stamp: str) -> None:
    """Writes the files of one subject; each says that it is simulated and carries its annotations."""
    files = published_files(subject.layout, subject.facts)
    simulated = simulate_slices(subject, model, tuple(files))
    for modality, image in simulated.images.items():
        rows = np.ascontiguousarray(image.transpose(2, 1, 0)[:, ::-1])
        with atomic_path(root / files[modality]) as temporary, h5py.File(temporary, "w") as file:
            file["reconstruction_rss"] = rows
            file["ismrmrd_header"] = HEADER.encode()
            file.attrs["acquisition"] = ACQUISITION[modality]
            file.attrs["patient_id"] = hashlib.sha256(subject.facts.subject.encode()).hexdigest()
            file.attrs["max"] = float(rows.max())
            file.attrs["norm"] = float(np.linalg.norm(rows))
            file.attrs["simulated"] = stamp
            file.attrs["annotations"] = json.dumps(simulated.annotations)


def write_annotations(facts: list[SubjectFacts], root: Path) -> None:
    """Writes `brain.csv` with the annotations of all simulated files, and one of a scan that is not there."""
    from brainuad.phantom.layout import find_layout

    layout = find_layout("fastmri")
    rows: list[Annotation] = [
        {"file": ABSENT_SCAN, "slice": 0, "study_level": "Yes", "label": "Normal for age"}
    ]
    for each in facts:
        for file in published_files(layout, each).values():
            with h5py.File(root / file, "r") as stored:
                annotations = json.loads(stored.attrs["annotations"])
            rows += [{"file": Path(file).stem} | annotation for annotation in annotations]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(sorted(rows, key=lambda row: str(row["file"])))
    write_text(text.getvalue(), root / "brain.csv")
