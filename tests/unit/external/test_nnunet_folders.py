"""nnU-Net's raw folders as its readers see them, and its probabilities as arrays of this package."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.external.nnunet_folders import (
    case_name,
    common_spacing,
    read_probability,
    write_dataset,
    write_images,
)
from brainuad.randomness import numpy_generator
from brainuad.storage import read_json, write_json
from tests.conftest import SIZE, SLICES, write_arrays

SPACING = (2.0, 1.5, 4.0)


def as_nnunet_reads(path: Path) -> np.ndarray:
    """The voxels (z, y, x) of a file."""
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    folder = write_arrays(tmp_path / "tumours" / "small", ["a", "b"], lesions=True, channels=("t1", "t2"))
    write_json({**read_json(folder / "recipe.json"), "spacing_mm": list(SPACING)}, folder / "recipe.json")
    return folder


def test_each_channel_and_lesion_lies_where_nnunet_looks_for_it(arrays: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "raw", [(arrays, "b")], SPACING)
    volume = ArrayStore(arrays).volume("b")
    for number in range(2):
        found = as_nnunet_reads(tmp_path / "raw/imagesTr" / f"tumours__b_{number:04d}.nii.gz")
        assert np.array_equal(found, volume.images[:, number].transpose(0, 2, 1))
    found = as_nnunet_reads(tmp_path / "raw/labelsTr/tumours__b.nii.gz")
    assert np.array_equal(found, volume.lesion.transpose(0, 2, 1))
    assert len(list((tmp_path / "raw").rglob("*.nii.gz"))) == 3


def test_files_have_the_voxel_size_of_the_arrays(arrays: Path, tmp_path: Path) -> None:
    assert common_spacing([(arrays, "a")]) == SPACING
    write_dataset(tmp_path / "raw", [(arrays, "a")], SPACING)
    for path in (tmp_path / "raw").rglob("*.nii.gz"):
        image = sitk.ReadImage(str(path))
        assert image.GetSpacing() == pytest.approx(SPACING)
        assert image.GetSize() == (SIZE, SIZE, SLICES)


def test_the_description_names_channels_labels_and_cases(arrays: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "raw", [(arrays, "a"), (arrays, "b")], SPACING)
    assert read_json(tmp_path / "raw/dataset.json") == {
        "channel_names": {"0": "t1", "1": "t2"},
        "labels": {"background": 0, "lesion": 1},
        "numTraining": 2,
        "file_ending": ".nii.gz",
    }


def test_subjects_of_one_name_in_two_data_sets_are_two_cases() -> None:
    cases = {case_name((Path(dataset, "small"), "a")) for dataset in ("one", "two")}
    assert len(cases) == 2


def test_data_sets_of_different_voxel_size_are_refused(arrays: Path, tmp_path: Path) -> None:
    other = write_arrays(tmp_path / "other" / "small", ["a"], lesions=True)
    with pytest.raises(InputError, match="differ in voxel size"):
        common_spacing([(arrays, "a"), (other, "a")])


def test_probabilities_come_back_on_the_axes_of_the_arrays(tmp_path: Path) -> None:
    images = numpy_generator(0).random((3, 1, 5, 7), dtype=np.float32)  # (slice, channel, x, y)
    write_images(tmp_path, "scan", images, SPACING)
    lesion = as_nnunet_reads(tmp_path / "scan_0000.nii.gz")
    np.savez_compressed(tmp_path / "scan.npz", probabilities=np.stack([1 - lesion, lesion]))
    assert np.array_equal(read_probability(tmp_path / "scan.npz"), images[:, 0])
