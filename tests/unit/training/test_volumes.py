"""Whole volumes as training samples: their axes, which are taken, and what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.storage import read_table, write_table
from brainuad.training.batches import BatchOrder, SliceFilter, load_batches
from brainuad.training.volumes import open_volumes
from tests.conftest import DEEP
from tests.contract.training import train

SLICES, X, Y = DEEP


def copied(cohort: dict[str, Path], folder: Path, name: str) -> Path:
    return Path(shutil.copytree(cohort[name], folder / name / "small"))


def cut(arrays: Path, subject: str, slices: int) -> None:
    """Lets a subject end after so many slices."""
    table = read_table(arrays / "index.tsv")
    table.loc[table["subject"] == subject, "slices"] = str(slices)
    write_table(table, arrays / "index.tsv")


def test_a_sample_is_a_whole_volume_with_the_axes_x_y_z(deep_cohort: dict[str, Path]) -> None:
    split = read_table(deep_cohort["split"])
    volumes = open_volumes([deep_cohort["patients"]], split, "test", "non-empty", with_lesion=True)
    assert len(volumes) == 2
    image, brain, lesion = volumes[1]
    assert image.shape == brain.shape == lesion.shape == (1, X, Y, SLICES)
    expected = ArrayStore(deep_cohort["patients"]).volume(volumes.subject(1))
    for z in range(SLICES):
        assert np.array_equal(image[..., z], expected.images[z])
        assert np.array_equal(brain[0, ..., z], expected.brain[z])
        assert np.array_equal(lesion[0, ..., z], expected.lesion[z])


def test_an_epoch_shows_every_volume_once(deep_cohort: dict[str, Path]) -> None:
    volumes = open_volumes([deep_cohort["healthy"]], read_table(deep_cohort["split"]), "train", "all")
    order = BatchOrder(volumes.index, 2, "slices", seed=0)
    assert order.per_epoch == 3
    assert sorted(number for step in range(3) for number in order.batch(step)) == list(range(6))
    batch = next(iter(load_batches(volumes, order, range(1))))
    assert batch.images.shape == (2, 1, X, Y, SLICES)
    assert batch.lesion is None


def test_subjects_of_one_name_in_two_data_sets_are_two_volumes(
    deep_cohort: dict[str, Path], tmp_path: Path
) -> None:
    split = read_table(deep_cohort["split"])
    split = split[split["dataset"] == "healthy"]
    folders = [deep_cohort["healthy"], Path(shutil.copytree(deep_cohort["healthy"], tmp_path / "twin/small"))]
    both = pd.concat([split, split.assign(dataset="twin")])
    volumes = open_volumes(folders, both, "train", "non-empty")
    assert len(volumes) == len(np.unique(volumes.index.volumes)) == 12


@pytest.mark.parametrize(("volume_filter", "count"), [("all", 2), ("non-empty", 2), ("tumour", 2)])
def test_filters_look_at_whole_volumes(deep_cohort: dict[str, Path], volume_filter: str, count: int) -> None:
    split = read_table(deep_cohort["split"])
    assert len(open_volumes([deep_cohort["patients"]], split, "test", volume_filter)) == count  # type: ignore[arg-type]
    assert len(open_volumes([deep_cohort["healthy"]], split, "train", "tumour-free")) == 6


def test_volumes_with_a_lesion_are_not_tumour_free(deep_cohort: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="no tumour-free volumes of role 'test' in patients"):
        open_volumes([deep_cohort["patients"]], read_table(deep_cohort["split"]), "test", "tumour-free")


def test_volumes_of_different_depth_are_refused_by_name(deep_cohort: dict[str, Path], tmp_path: Path) -> None:
    arrays = copied(deep_cohort, tmp_path, "healthy")
    cut(arrays, "h2", 7)
    with pytest.raises(InputError, match=r"h0 has 8 slices and subject h2 7.*crop_or_pad"):
        open_volumes([arrays], read_table(deep_cohort["split"]), "train", "non-empty")


def test_validation_volumes_of_another_depth_are_refused(
    deep_cohort: dict[str, Path], tmp_path: Path
) -> None:
    arrays = copied(deep_cohort, tmp_path, "healthy")
    cut(arrays, "h6", 4)
    cut(arrays, "h7", 4)
    with pytest.raises(InputError, match="h0 has 8 slices and subject h6 4"):
        train("dae-3d", tmp_path / "run", {**deep_cohort, "healthy": arrays}, iterations=1)


def test_a_size_that_cannot_be_halved_is_refused_before_training(
    deep_cohort: dict[str, Path], tmp_path: Path
) -> None:
    arrays = copied(deep_cohort, tmp_path, "healthy")
    for number in range(8):
        cut(arrays, f"h{number}", 6)
    with pytest.raises(InputError, match=r"image size \(24, 20, 6\): every side must be a multiple of 4"):
        train("dae-3d", tmp_path / "run", {**deep_cohort, "healthy": arrays}, iterations=1)


@pytest.mark.parametrize("volume_filter", ["tumour-free", "tumour"])
def test_a_patient_without_a_lesion_mask_is_in_no_training_by_lesions(
    deep_cohort: dict[str, Path], tmp_path: Path, volume_filter: SliceFilter
) -> None:
    arrays = copied(deep_cohort, tmp_path, "patients")
    table = read_table(arrays / "index.tsv")
    table["lesion_voxels"] = ""
    write_table(table, arrays / "index.tsv")
    split = read_table(deep_cohort["split"])
    assert len(open_volumes([arrays], split, "test", "non-empty")) == 2
    with pytest.raises(InputError, match=f"no {volume_filter} volumes"):
        open_volumes([arrays], split, "test", volume_filter)
