"""BraTS 2021: gliomas in four sequences, already brain-only on the SRI24 grid (Baid 2021, arXiv 2107.02314).

Layout: `BraTS2021_00000/BraTS2021_00000_{flair,t1,t1ce,t2,seg}.nii.gz`. Labels 1, 2 and 4 are the parts of
the tumour (newer releases write 3 for 4); their union is the lesion. The validation set of the challenge has no labels.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, sorted_entries
from brainuad.preprocessing.settings import PreprocessingSettings

FOLDER = re.compile(r"BraTS2021_\d{5}$")
FILE = re.compile(r"(?P<folder>BraTS2021_\d{5})_(?P<part>flair|t1|t1ce|t2|seg)\.nii(\.gz)?$")


class Brats21(Dataset):
    """The BraTS 2021 data set: patients, four registered modalities, tumour labels."""

    name = "brats21"
    layout = "folders BraTS2021_00000 with BraTS2021_00000_{flair,t1,t1ce,t2,seg}.nii.gz"
    modalities = ("flair", "t1", "t1ce", "t2")
    preprocessing = PreprocessingSettings(
        modalities=("t1",),
        optional_modalities=("flair", "t1ce", "t2"),
        reference="t1",
        skull_strip="none",
        coregistration="none",
        registration="none",
        mask_labels=(1, 2, 3, 4),
        n4=False,
    )

    def subjects(self, root: Path) -> list[str]:
        """The names of the folders without their underscore, such as BraTS202100000."""
        return [entry.name.replace("_", "") for entry in self.entries(root) if FOLDER.match(entry.name)]

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per folder."""
        for entry in self.entries(root):
            if FOLDER.match(entry.name):
                subject = entry.name.replace("_", "")
                files, reason = _files(Path(entry.path))
                yield SubjectRow(subject, subject, "patient", files, reason=reason)


def _files(folder: Path) -> tuple[dict[str, str], str]:
    if not folder.is_dir():
        return {}, "not a folder"
    files: dict[str, str] = {}
    for entry in sorted_entries(folder):
        match = FILE.match(entry.name)
        if match and match["folder"] == folder.name:
            column = "mask" if match["part"] == "seg" else match["part"]
            files.setdefault(column, f"{folder.name}/{entry.name}")
    return files, ""
