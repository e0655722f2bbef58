"""ATLAS v2.0: chronic strokes on T1w MRI from many sites, in MNI space (Liew 2022, 10.1038/s41597-022-01401-7).

Layout: `ATLAS_2/Training/R001/sub-r001s001/ses-1/anat/` with `sub-r001s001_ses-1_space-MNI152NLin2009aSym_T1w.nii.gz`
and `..._label-L_desc-T1lesion_mask.nii.gz`. The root may be `Training`, `ATLAS_2`, or the folder above it. Only the
655 training scans are read: the masks of `Testing` are kept secret, so nothing can be measured there. Ages and sexes,
if wanted, come from a table `participants.tsv` (participant_id, age, sex) in the root; the published spreadsheet
describes lesions and scanners.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, alphanumeric, sorted_entries
from brainuad.datasets.participants import Person, read_participants
from brainuad.preprocessing.settings import PreprocessingSettings

SITE = re.compile(r"R\d+$")
PERSON = re.compile(r"sub-(?P<label>r\d+s\d+)$")
SESSION = re.compile(r"ses-(?P<label>\w+)$")
# From the root to the folder of the sites, the deepest first.
SITE_FOLDERS = ("ATLAS_2/Training", "Training", "")
FILE = re.compile(r".*_space-MNI152NLin2009aSym_(?P<part>T1w|label-L_desc-T1lesion_mask)\.nii(\.gz)?$")
COLUMN = {"T1w": "t1", "label-L_desc-T1lesion_mask": "mask"}


class Atlas2(Dataset):
    """The training part of ATLAS v2.0: patients with a stroke, T1 and lesion mask."""

    name = "atlas2"
    layout = (
        "ATLAS_2/Training/R001/sub-r001s001/ses-1/anat/*_space-MNI152NLin2009aSym_T1w.nii.gz and "
        "*_label-L_desc-T1lesion_mask.nii.gz"
    )
    modalities = ("t1",)
    spreadsheet = "participants.tsv"
    preprocessing = PreprocessingSettings(
        modalities=("t1",),
        reference="t1",
        skull_strip="deepbet",
        coregistration="none",
        registration="none",
        atlas="mni152",
        keep_skull=True,
        single_label=True,
        n4=False,
    )

    def subjects(self, root: Path) -> list[str]:
        """Labels of person and session, such as r001s001ses1."""
        return [subject for subject, _, _, _ in self._visits(root)]

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per session; one without a lesion mask is excluded, for every published one has it."""
        people = read_participants(Path(root) / self.spreadsheet)
        for subject, label, session, folder in self._visits(root):
            person = people.get(label, Person())
            files = _files(Path(root), folder)
            yield SubjectRow(
                subject=subject,
                participant=label,
                group="patient",
                files=files,
                session=session,
                age=person.age,
                sex=person.sex,
                unread=person.unread,
                site=folder.removesuffix("/anat").split("/")[-3],
                reason="" if "mask" in files or not files else "no lesion mask beside the T1w",
            )

    def _visits(self, root: Path) -> list[tuple[str, str, str, str]]:
        """Subject, person, session and folder of each session, sorted."""
        self.entries(root)  # says which key to correct where the root is missing
        found = next((folder for folder in SITE_FOLDERS if (Path(root) / folder).is_dir()), "")
        visits = []
        for site in _folders(Path(root), found, SITE):
            for person in _folders(Path(root), site, PERSON):
                for session in _folders(Path(root), person, SESSION):
                    label, visit = (part.split("-", 1)[1] for part in session.split("/")[-2:])
                    visits.append((f"{label}ses{alphanumeric(visit)}", label, visit, f"{session}/anat"))
        return sorted(visits)


def _folders(root: Path, above: str, name: re.Pattern[str]) -> list[str]:
    """The folders below `above` whose names match, as paths relative to the root."""
    entries = sorted_entries(root / above)
    return [f"{above}/{e.name}".lstrip("/") for e in entries if name.match(e.name) and e.is_dir()]


def _files(root: Path, folder: str) -> dict[str, str]:
    files: dict[str, str] = {}
    entries = sorted_entries(root / folder) if (root / folder).is_dir() else []
    for entry in entries:
        if match := FILE.match(entry.name):
            files.setdefault(COLUMN[match["part"]], f"{folder}/{entry.name}")
    return files
