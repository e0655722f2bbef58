"""Any folder in the Brain Imaging Data Structure (https://bids-specification.readthedocs.io).

Scans: `sub-01[/ses-2]/anat/sub-01[_ses-2]_..._{T1w,T2w,FLAIR,PDw,CT}.nii.gz`; a T1w with a `ce-` entity is
t1ce. People: `participants.tsv` with age, sex, group. Lesion masks: `*_label-lesion_mask.nii.gz` (or
`desc-...lesion_mask`) beside the scans or anywhere under `derivatives/`, on the voxel grid of a scan.
"""

import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, alphanumeric, sorted_entries
from brainuad.datasets.participants import Person, read_participants
from brainuad.errors import InputError
from brainuad.preprocessing.faults import refuse_fault
from brainuad.preprocessing.settings import PreprocessingSettings

log = logging.getLogger(__name__)

MODALITY = {"T1w": "t1", "T2w": "t2", "FLAIR": "flair", "PDw": "pd", "PD": "pd", "CT": "ct", "ct": "ct"}
# Masks in a subject's own space; those in a template's space fit no raw scan.
OWN_SPACE = frozenset({"orig", "individual", "scanner", "T1w", "T2w", "FLAIR"})
EXTENSION = re.compile(r"\.nii(\.gz)?$")


@dataclass(frozen=True)
class BidsFile:
    """A file name taken apart: its path relative to the root, its entities, its suffix."""

    path: str
    entities: dict[str, str]
    suffix: str


class Bids(Dataset):
    """A BIDS folder under a name of the user's choice; every session is a subject of its own.

    Sessions without a folder `anat` are left out, as long as the person has one with it.

    Without a `group` in `participants.tsv` nobody counts as healthy: an unknown scan must not become an
    example of health.
    """

    layout = "sub-*/[ses-*/]anat/*_{T1w,T2w,FLAIR,PDw}.nii.gz and participants.tsv with age, sex, group"
    modalities = ("t1", "t1ce", "t2", "flair", "pd", "ct")
    spreadsheet = "participants.tsv"
    preprocessing = PreprocessingSettings(
        modalities=("t1",),
        optional_modalities=("t1ce", "t2", "flair", "pd"),
        reference="t1",
        skull_strip="deepbet",
    )

    def __init__(self, name: str = "bids") -> None:
        self.name = name

    def subjects(self, root: Path) -> list[str]:
        """Labels of subject and session without punctuation, such as 01 or 01ses2."""
        return [subject for subject, _, _, _ in self._visits(root)]

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per subject and session."""
        people = read_participants(Path(root) / self.spreadsheet)
        masks = _masks_of_derivatives(Path(root))
        for subject, label, session, folder in self._visits(root):
            person = people.get(label, Person())
            scans = [_parse(f"{folder}/anat/{name}") for name in _names(Path(root) / folder / "anat")]
            beside = [scan for scan in scans if scan]
            places = {os.path.realpath(Path(root) / file.path) for file in beside if file.suffix == "mask"}
            # A link below derivatives may lead to the scans.
            linked = (m for m in masks[label, session] if os.path.realpath(Path(root) / m.path) not in places)
            found = [*beside, *linked]
            images, note = _images(found)
            lesion, brain = _masks(found, "lesion"), _masks(found, "brain")
            reason = f"{len(lesion)} lesion masks: keep one" if len(lesion) > 1 else ""
            files = (
                images | ({"mask": lesion[0]} if lesion else {}) | ({"brain_mask": brain[0]} if brain else {})
            )
            yield SubjectRow(
                subject=subject,
                participant=label,
                group=person.group or "patient",
                files=files,
                session=session,
                age=person.age,
                sex=person.sex,
                site=person.site,
                reason=reason,
                note=note,
                unread=person.unread,
            )

    def _visits(self, root: Path) -> list[tuple[str, str, str, str]]:
        visits = []
        left_out = 0
        for entry in self.entries(root):
            if not (entry.name.startswith("sub-") and entry.is_dir()):
                continue
            label = entry.name.removeprefix("sub-")
            if not alphanumeric(label):
                raise InputError(
                    f"{self.name}: the folder {entry.name} has no letter (a-z) or digit in its label. Rename it."
                )
            sessions = [e.name for e in sorted_entries(Path(entry.path)) if e.name.startswith("ses-")]
            scanned = [name for name in sessions if Path(entry.path, name, "anat").is_dir()] or sessions[:1]
            left_out += len(sessions) - len(scanned)
            for session in scanned or [""]:
                name = alphanumeric(label) + alphanumeric(session)
                folder = f"{entry.name}/{session}" if session else entry.name
                visits.append((name, label, session.removeprefix("ses-"), folder))
        for name, times in Counter(visit[0] for visit in visits).items():
            if times > 1:
                raise InputError(
                    f"{self.name}: {times} folders become the subject {name}. Rename one of them."
                )
        if left_out:
            log.info("%s: %d sessions without a folder anat are left out", self.name, left_out)
        return sorted(visits)


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in sorted_entries(folder)] if folder.is_dir() else []


def _parse(path: str) -> BidsFile | None:
    name = path.rsplit("/", 1)[-1]
    stem = EXTENSION.sub("", name)
    parts = stem.split("_")
    if stem == name or not parts[0].startswith("sub-"):
        return None
    entities = dict(part.split("-", 1) for part in parts[:-1] if "-" in part)
    return BidsFile(path, entities, parts[-1])


def _masks_of_derivatives(root: Path) -> dict[tuple[str, str], list[BidsFile]]:
    masks: dict[tuple[str, str], list[BidsFile]] = defaultdict(list)
    for folder, names in _folders(root / "derivatives", os.path.realpath(root)):
        for name in sorted(names):
            file = _parse(Path(folder, name).relative_to(root).as_posix())
            if file and file.suffix == "mask":
                masks[file.entities["sub"], file.entities.get("ses", "")].append(file)
    return masks


def _folders(top: Path, root: str) -> Iterator[tuple[str, list[str]]]:
    """Each folder below `top` with its files, also those to which links lead, which come last; each place once.

    A link to `root`, the data set, or above it is not followed. A folder that cannot be read is an `InputError`.
    """

    def refuse(error: OSError) -> None:
        refuse_fault(error, Path(error.filename or top))

    waiting, seen = [top], set()
    for start in waiting:
        for folder, below, names in os.walk(start, onerror=refuse):
            real = os.path.realpath(folder)
            if real in seen or Path(root).is_relative_to(real):
                below.clear()
                continue
            seen.add(real)
            below.sort()
            waiting += [Path(folder, name) for name in below if Path(folder, name).is_symlink()]
            yield folder, names


def _images(files: list[BidsFile]) -> tuple[dict[str, str], str]:
    candidates: dict[str, list[str]] = defaultdict(list)
    for file in files:
        modality = MODALITY.get(file.suffix)
        if modality:
            candidates["t1ce" if modality == "t1" and "ce" in file.entities else modality].append(file.path)
    # The plainest name first: the scan without acquisition and run entities, else run 1.
    images = {key: min(paths, key=lambda path: (len(path), path)) for key, paths in candidates.items()}
    note = "; ".join(
        f"first of {len(paths)} {key} scans" for key, paths in candidates.items() if len(paths) > 1
    )
    return images, note


def _masks(files: list[BidsFile], kind: str) -> list[str]:
    return [
        file.path
        for file in files
        if file.suffix == "mask"
        and file.entities.get("space", "orig") in OWN_SPACE
        and any(file.entities.get(entity, "").lower().endswith(kind) for entity in ("label", "desc"))
    ]
