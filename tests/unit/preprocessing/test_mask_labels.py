"""Which values the lesion masks of each data set may have."""

from pathlib import Path

import numpy as np
import pytest

from brainuad.datasets.registry import find_dataset
from brainuad.errors import ScanError
from brainuad.preprocessing.geometry import voxel_count
from brainuad.preprocessing.raw_subject import RawSubject, read_subject
from tests.unit.preprocessing.small_head import save


def subject_of(folder: Path, dataset: str, labels: tuple[int, ...]) -> RawSubject:
    """A subject with one voxel of each label, read with the settings of a data set."""
    mask = np.zeros((10, 10, 10), np.uint8)
    mask[: len(labels), 5, 5] = labels
    save(mask, folder / "mask.nii.gz")
    save(np.random.default_rng(0).random((10, 10, 10), dtype=np.float32), folder / "t1.nii.gz")
    defaults = find_dataset(dataset, "bids" if dataset == "own" else None).preprocessing
    settings = defaults.model_copy(update={"modalities": ("t1",), "optional_modalities": ()})
    return read_subject({"status": "ok", "t1": "t1.nii.gz", "mask": "mask.nii.gz"}, folder, settings)


@pytest.mark.parametrize(
    ("dataset", "labels"),
    [
        *(("brats21", labels) for labels in ((1, 2, 4), (1, 2, 3), (4,), ())),
        *(
            (name, labels)
            for name in ("mslub", "msseg", "ljubljana", "atlas2")
            for labels in ((1,), (5,), ())
        ),
        ("own", (1, 2, 7)),
    ],
)
def test_known_labels_are_the_lesion(tmp_path: Path, dataset: str, labels: tuple[int, ...]) -> None:
    lesion = subject_of(tmp_path, dataset, labels).lesion
    assert lesion is not None
    assert voxel_count(lesion) == len(labels)


@pytest.mark.parametrize(
    ("dataset", "labels", "reason"),
    [
        ("brats21", (1, 7), r"mask: unknown labels \(7\), expected 1, 2, 3, 4; `mask_labels: \[\]`"),
        *(
            (name, (1, 2), r"mask: 2 labels \(1, 2\), expected one; `single_label: false`")
            for name in ("mslub", "msseg", "ljubljana", "atlas2")
        ),
    ],
)
def test_unknown_labels_exclude_the_subject(
    tmp_path: Path, dataset: str, labels: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(ScanError, match=reason):
        subject_of(tmp_path, dataset, labels)
