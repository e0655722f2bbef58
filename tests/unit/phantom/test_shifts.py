"""The phantoms of MSSEG and Ljubljana in the layout of the Shifts challenge."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainuad.datasets.registry import find_dataset
from brainuad.phantom.layout import find_layout, part_of, subject_name
from brainuad.phantom.names import phantom_subjects

from .conftest import MEDIUM, simulated
from .test_simulate import contrast, published, voxels


@pytest.fixture(scope="module")
def msseg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients of MSSEG with 2 mm voxels."""
    return simulated("msseg", 3, MEDIUM, tmp_path_factory.mktemp("msseg"))


@pytest.fixture(scope="module")
def ljubljana(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient of Ljubljana with 2 mm voxels."""
    return simulated("ljubljana", 1, MEDIUM, tmp_path_factory.mktemp("ljubljana"))


def test_partitions_take_turns_and_names_keep_letters_and_digits() -> None:
    layout = find_layout("msseg")
    assert [part_of(layout, number) for number in (1, 2, 3, 4)] == ["train", "dev_in", "eval_in", "train"]
    assert subject_name(layout, 2) == "devin02"


@pytest.mark.parametrize("name", ["msseg", "ljubljana"])
def test_the_adapter_finds_the_simulated_subjects_with_all_files(
    name: str, request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(name)
    table = find_dataset(name).index(root)
    assert sorted(phantom_subjects(name, len(table), 0)) == table["subject"].tolist()
    columns = [*find_dataset(name).modalities, "mask", "brain_mask"]
    assert (table[columns] != "").all(axis=None)
    assert len(published(root)) == len(columns) * len(table)


def test_images_show_the_brain_alone_on_one_grid(msseg: Path) -> None:
    folder = msseg / "msseg/train"
    mask = voxels(folder / "fg_mask/1_isovox_fg_mask.nii.gz") > 0
    affine = nib.load(folder / "flair/1_FLAIR_isovox.nii.gz").affine
    for modality in ("flair", "t1", "t1ce", "t2", "pd"):
        path = folder / modality / f"1_{modality.upper()}_isovox.nii.gz"
        np.testing.assert_array_equal(nib.load(path).affine, affine)
        assert (voxels(path)[~mask] == 0).all()
        assert (voxels(path)[mask] > 0).mean() > 0.99


def test_plaques_lie_in_the_brain_and_are_bright_where_they_should(ljubljana: Path) -> None:
    folder = ljubljana / "ljubljana/dev_out"
    lesion = voxels(folder / "gt/1_gt_isovox.nii.gz") > 0
    brain = voxels(folder / "fg_mask/1_isovox_fg_mask.nii.gz") > 0
    assert lesion.any()
    assert brain[lesion].all()
    for modality in ("flair", "t2"):
        image = voxels(folder / modality / f"1_{modality.upper()}_isovox.nii.gz")
        assert contrast(image, lesion, brain) > 1.15


def test_proton_density_shows_grey_matter_brighter_than_white(msseg: Path) -> None:
    """White matter is the brightest tissue on T1, so voxels bright there are dark on proton density."""
    folder = msseg / "msseg/train"
    t1, pd = (voxels(folder / f"{m}/1_{m.upper()}_isovox.nii.gz") for m in ("t1", "pd"))
    low, middle, high = np.percentile(t1[t1 > 0], [30, 50, 80])
    assert np.median(pd[t1 > high]) < 0.97 * np.median(pd[(t1 > low) & (t1 < middle)])
