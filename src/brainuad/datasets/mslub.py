"""MSLUB (3D-MR-MS): 30 patients with multiple sclerosis, Ljubljana (Lesjak 2018, 10.1007/s12021-017-9348-7).

Layout: `patient01/patient01_{T1W,T1WKS,T2W,FLAIR,brainmask,consensus_gt}.nii.gz`, where T1WKS is the T1 with
contrast agent and `consensus_gt` the lesion mask agreed by three raters. Copies elsewhere leave `patient01_` out. The
images as scanned are in `raw/` and are not used: the mask belongs to the registered ones. Ages and sexes, if wanted,
come from a table `participants.tsv` (participant_id, age, sex) beside the folders.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, sorted_entries
from brainuad.datasets.participants import Person, read_participants
from brainuad.preprocessing.settings import PreprocessingSettings

FOLDER = re.compile(r"patient\d+$")
COLUMN = {
    "T1W": "t1",
    "T1WKS": "t1ce",
    "T2W": "t2",
    "FLAIR": "flair",
    "brainmask": "brain_mask",
    "consensus_gt": "mask",
}


class Mslub(Dataset):
    """The MSLUB data set: patients, four modalities, lesion and brain masks."""

    name = "mslub"
    layout = "folders patient01 with [patient01_]{T1W,T1WKS,T2W,FLAIR,brainmask,consensus_gt}.nii.gz"
    modalities = ("t1", "t1ce", "t2", "flair")
    spreadsheet = "participants.tsv"
    preprocessing = PreprocessingSettings(
        modalities=("t1",),
        optional_modalities=("t1ce", "t2", "flair"),
        reference="t1",
        skull_strip="deepbet",
        coregistration="different-grids",
        single_label=True,
    )

    def subjects(self, root: Path) -> list[str]:
        """The names of the folders, such as patient01."""
        return [entry.name for entry in self.entries(root) if FOLDER.match(entry.name) and entry.is_dir()]

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per folder; modalities and masks that are not there stay empty."""
        people = read_participants(Path(root) / self.spreadsheet)
        for subject in self.subjects(root):
            person = people.get(subject, Person())
            yield SubjectRow(
                subject=subject,
                participant=subject,
                group="patient",
                files=_files(Path(root) / subject),
                age=person.age,
                sex=person.sex,
                unread=person.unread,
            )


def _files(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    prefix = f"{folder.name}_"
    names = [entry.name for entry in sorted_entries(folder)]
    # Where a file is there with and without its patient, the name of the original counts.
    for name in sorted(names, key=lambda name: not name.startswith(prefix)):
        stem = re.sub(r"\.nii(\.gz)?$", "", name)
        part = stem.removeprefix(prefix)
        if stem != name and part in COLUMN:
            found.setdefault(COLUMN[part], f"{folder.name}/{name}")
    return found
