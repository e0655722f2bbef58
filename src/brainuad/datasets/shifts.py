"""Multiple sclerosis sets of the Shifts challenge (Malinin 2022, arXiv 2206.15407): MSSEG and Ljubljana.

Layout: `msseg/train/flair/1_FLAIR_isovox.nii.gz`, that is set, partition, modality, patient. Each partition counts
its patients anew. Masks are in the folders `gt` (lesions) and `fg_mask` (brain). The images are brain-only,
bias-corrected, co-registered and resampled to 1 mm. Frotscher 2023 takes all partitions but `unsupervised`, which
has no lesion masks.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, alphanumeric, sorted_entries
from brainuad.preprocessing.settings import PreprocessingSettings

# MSSEG is published in part 1, Ljubljana in part 2; each archive holds a folder of its own name.
PARENTS = (
    *("", "shifts_ms_pt1", "shifts_ms_pt2"),
    *("shifts_ms_pt1/shifts_ms_pt1", "shifts_ms_pt2/shifts_ms_pt2"),
)
PARTITIONS = ("train", "dev_in", "eval_in", "dev_out")
COLUMNS = {modality: modality for modality in ("flair", "t1", "t1ce", "t2", "pd")}
COLUMNS |= {"gt": "mask", "fg_mask": "brain_mask"}
FILE = re.compile(r"(?P<number>\d+)_.+\.nii(\.gz)?$")


class Shifts(Dataset):
    """One set of the Shifts challenge: patients, lesion and brain masks."""

    modalities: tuple[str, ...] = ("t1", "t1ce", "t2", "flair", "pd")
    # Frotscher 2023: the T1 is registered, the others follow it, and so does the mask (linear, above one half).
    preprocessing = PreprocessingSettings(
        modalities=("t1",),
        optional_modalities=("t1ce", "t2", "flair", "pd"),
        reference="t1",
        skull_strip="none",
        coregistration="none",
        single_label=True,
        lesion_interpolation="linear-half",
        n4=False,
    )

    def subjects(self, root: Path) -> list[str]:
        """Partition and number of every patient, such as train01 or devin07."""
        return sorted(self._files(root))

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per patient; an image with two files is left out, two lesion masks exclude a patient."""
        for subject, files in sorted(self._files(root).items()):
            repeated = {c: f"{len(paths)} files for {c}" for c, paths in files.items() if len(paths) > 1}
            reason = repeated.pop("mask", "")
            yield SubjectRow(
                subject=subject,
                participant=subject,
                group="patient",
                files={column: paths[0] for column, paths in files.items() if len(paths) == 1},
                site=self.name,
                reason=reason,
                unusable=repeated,
            )

    def _files(self, root: Path) -> dict[str, dict[str, list[str]]]:
        """The paths below the root by subject and column of the cohort table."""
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for partition in self._partitions(root):
            for folder in sorted_entries(partition):
                if folder.name.lower() not in COLUMNS or not folder.is_dir():
                    continue
                for file in sorted_entries(Path(folder.path)):
                    if match := FILE.match(file.name):
                        subject = f"{alphanumeric(partition.name)}{int(match['number']):02d}"
                        relative = Path(file.path).relative_to(root).as_posix()
                        found[subject][COLUMNS[folder.name.lower()]].append(relative)
        return found

    def _partitions(self, root: Path) -> list[Path]:
        """The folders of partitions that have lesion masks; none if the set is not there."""
        self.entries(root)
        folders = [Path(root) / parent / self.name for parent in PARENTS]
        chosen = next((folder for folder in folders if folder.is_dir()), None)
        return [chosen / name for name in PARTITIONS if (chosen / name).is_dir()] if chosen else []


class Msseg(Shifts):
    """MSSEG 2016 as part 1 of the Shifts challenge publishes it: 52 patients with masks."""

    name = "msseg"
    layout = "the folder shifts_ms_pt1 with msseg/train/flair/1_FLAIR_isovox.nii.gz (t1, t1ce, t2, pd, gt, fg_mask)"


class Ljubljana(Shifts):
    """The patients of Ljubljana as part 2 of the Shifts challenge publishes them: 25."""

    name = "ljubljana"
    layout = "the folder shifts_ms_pt2 with ljubljana/dev_out/flair/1_FLAIR_isovox.nii.gz (t1, t1ce, t2, gt, fg_mask)"
    modalities = ("t1", "t1ce", "t2", "flair")
