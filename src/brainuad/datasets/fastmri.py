"""fastMRI brain with the annotations of FastMRI+ (Zbontar 2018, arXiv 1811.08839; Zhao 2022,
10.1038/s41597-022-01255-z): T1-weighted scans of thick axial slices, boxes around findings, labels of whole scans.

Files are named `file_brain_AXT1_202_6000312.h5` and lie in the root or in folders such as `multicoil_train`; other
sequences (AXT1POST, AXT1PRE, AXT2, AXFLAIR) are not used, as in Bercea 2023. `brain.csv` lies in the root or in
`Annotations`.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from brainuad.datasets.base import Dataset, SubjectRow, sorted_entries
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.settings import PreprocessingSettings

logger = logging.getLogger(__name__)

SCAN_NAME = re.compile(r"file_brain_AXT1_(?P<number>\d+_\d+)\.h5$")
ANNOTATIONS = ("brain.csv", "Annotations/brain.csv")


class Fastmri(Dataset):
    """The T1 scans of fastMRI brain that FastMRI+ annotates: healthy subjects and patients with boxes."""

    name = "fastmri"
    layout = (
        "file_brain_AXT1_202_6000312.h5, flat or in folders multicoil_train and multicoil_val, with brain.csv of "
        "FastMRI+ beside them or in Annotations"
    )
    modalities = ("t1",)
    spreadsheet = "brain.csv"
    preprocessing = PreprocessingSettings(
        modalities=("t1",),
        reference="t1",
        atlas="none",
        skull_strip="none",
        keep_skull=True,
        coregistration="none",
        registration="none",
        n4=False,
    )

    @property
    def spreadsheets(self) -> tuple[str, ...]:
        """The annotations, in the root or in a folder of their own."""
        return ANNOTATIONS

    def subjects(self, root: Path) -> list[str]:
        """The numbers of the T1 files, such as AXT12026000312."""
        return sorted(self._scans(root))

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per T1 file; a scan without an annotation, or with a box that cannot be read, is excluded."""
        scans = self._scans(root)
        if not scans:
            return
        relative, by_file = self._annotations(Path(root))
        known = {Path(path).stem for paths in scans.values() for path in paths}
        if unknown := sum(SCAN_NAME.match(f"{name}.h5") is not None for name in by_file.keys() - known):
            logger.info("%s annotates %d T1 scans that are not in the folder", relative, unknown)
        for subject, paths in sorted(scans.items()):
            annotated = by_file.get(Path(paths[0]).stem, [])
            group, condition, reason = _judged(annotated)
            if len(paths) > 1:
                reason = f"{len(paths)} files for t1"
            files = {"t1": paths[0]} | ({"boxes": relative} if annotated else {})
            yield SubjectRow(subject, subject, group, files, reason=reason, condition=condition)

    def _scans(self, root: Path) -> dict[str, list[str]]:
        """The paths of the T1 files below the root by subject."""
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self.entries(root):
            if match := SCAN_NAME.match(entry.name):
                found[_subject(match)].append(entry.name)
            elif not entry.name.endswith((".h5", ".csv")) and entry.is_dir():
                for inner in sorted_entries(Path(entry.path)):
                    if match := SCAN_NAME.match(inner.name):
                        found[_subject(match)].append(f"{entry.name}/{inner.name}")
        return found

    def _annotations(self, root: Path) -> tuple[str, dict[str, list[dict[str, str]]]]:
        """The path of the annotations below the root, and their rows by file name without suffix."""
        from brainuad.preprocessing.boxes import read_annotations

        relative = next((name for name in ANNOTATIONS if (root / name).is_file()), None)
        if relative is None:
            raise InputError(
                f"config.yaml: datasets.{self.name}: neither {' nor '.join(ANNOTATIONS)} is in {root}. Download "
                "Annotations/brain.csv of FastMRI+ (https://github.com/microsoft/fastmri-plus) and put it there."
            )
        by_file: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in read_annotations(root / relative).to_dict("records"):
            by_file[row["file"]].append({str(name): value for name, value in row.items()})
        return relative, by_file


def _subject(match: re.Match[str]) -> str:
    return f"AXT1{match['number'].replace('_', '')}"


def _judged(annotated: Sequence[Mapping[str, str]]) -> tuple[str, str, str]:
    """Group, condition and reason for exclusion of a scan, from its annotations."""
    from brainuad.preprocessing.boxes import NORMAL_LABELS, finding_boxes, study_labels

    if not annotated:
        return "patient", "", "no annotation of this scan in brain.csv"
    conditions = [label for label in study_labels(annotated) if label not in NORMAL_LABELS]
    try:
        boxes = finding_boxes(annotated)
    except ScanError as error:
        return "patient", ";".join(conditions), str(error)
    return "patient" if boxes or conditions else "healthy", ";".join(conditions), ""
