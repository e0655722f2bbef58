"""Scans of the Shifts challenge: brain-only and co-registered, with the flaws of the published files."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from brainuad.datasets.registry import find_dataset
from brainuad.preprocessing.derivatives import lesion_mask_path
from tests.unit.preprocessing.small_head import (
    ATLAS_AFFINE,
    ATLAS_SHAPE,
    LESION,
    RAW_AFFINE,
    RAW_SHAPE,
    ball,
    brain,
    moved,
    pose,
    save,
    world,
)

SETTINGS = find_dataset("ljubljana").preprocessing.model_copy(
    update={"modalities": ("t1", "flair"), "optional_modalities": (), "resolution_mm": 3.0}
)
POINTS = moved(world(RAW_AFFINE, RAW_SHAPE), pose())
IMAGES = {
    "t1": brain(POINTS),
    "flair": brain(POINTS, "t2"),
    "brain_mask": (brain(POINTS) > 0).astype(np.uint8),
}


def shifted(millimetres: float) -> np.ndarray:
    """The affine of the raw scans, moved by the same distance along every axis."""
    affine = RAW_AFFINE.copy()
    affine[:3, 3] += millimetres
    return affine


def preprocessed(
    small_world: Any, output: Path, mask_off_mm: float = 0.0, **images: np.ndarray
) -> dict[str, Any]:
    """The quality record of a patient; `images` replaces its usual ones."""
    row = {"t2": "", "mask": "shifts_mask.nii.gz"}
    for column, voxels in (IMAGES | images).items():
        row[column] = f"shifts_{column}.nii.gz"
        save(voxels, small_world.root / row[column])
    affine = shifted(mask_off_mm)
    lesion = ball(moved(world(affine, RAW_SHAPE), pose()), *LESION)
    save(lesion, small_world.root / row["mask"], affine)
    return small_world.preprocess(output, SETTINGS, row=row)


def test_a_brain_only_patient_is_registered_with_its_lesion(small_world: Any, tmp_path: Path) -> None:
    quality = preprocessed(small_world, tmp_path)
    assert (quality["status"], quality["note"]) == ("ok", "")
    assert quality["brain_mask_dice"] > 0.95
    assert quality["lesion_in_brain"] == 1


def test_a_mask_whose_header_is_half_a_millimetre_off_is_used_where_it_lies(
    small_world: Any, tmp_path: Path
) -> None:
    quality = preprocessed(small_world, tmp_path, mask_off_mm=0.45)
    assert (quality["status"], quality["note"]) == ("ok", "mask: less than a voxel off the grid of t1")
    lesion = np.asarray(nib.load(lesion_mask_path(tmp_path, "a")).dataobj) > 0
    truth = ball(world(ATLAS_AFFINE, ATLAS_SHAPE), *LESION) > 0
    assert 2 * (lesion & truth).sum() / (lesion.sum() + truth.sum()) > 0.85


def test_a_mask_that_is_voxels_off_excludes_the_patient(small_world: Any, tmp_path: Path) -> None:
    quality = preprocessed(small_world, tmp_path, mask_off_mm=3.0)
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith("mask: its position differs")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"t1": np.zeros(RAW_SHAPE, np.float32)}, "t1: all voxels have the same value"),
        ({"brain_mask": np.zeros(RAW_SHAPE, np.uint8)}, "brain_mask: empty"),
        ({"t1": brain(2.5 * POINTS), "flair": brain(2.5 * POINTS)}, "implausible brain volume"),
    ],
    ids=["image", "brain mask", "volume"],
)
def test_a_failed_skull_strip_excludes_the_patient_with_a_reason(
    small_world: Any, tmp_path: Path, change: dict[str, np.ndarray], reason: str
) -> None:
    quality = preprocessed(small_world, tmp_path, **change)
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith(reason)
