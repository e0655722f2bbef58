"""One subject from raw scans to derivatives: where things end up, what is written, what excludes a subject."""

import re
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from brainuad.errors import InputError
from brainuad.preprocessing.derivatives import (
    brain_mask_path,
    derivative_path,
    lesion_mask_path,
    quality_path,
    strip_path,
    transform_path,
)
from brainuad.preprocessing.subject import preprocess_subject
from brainuad.storage import read_json
from tests.unit.preprocessing.small_head import (
    ATLAS_AFFINE,
    ATLAS_SHAPE,
    COARSE,
    RAW_AFFINE,
    RAW_SHAPE,
    brain,
    save,
    world,
)

LESION_CENTRE = (35.0, -20.0, 15.0)


@pytest.fixture(scope="module")
def done(small_world: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    output = tmp_path_factory.mktemp("derivatives") / "small"
    return output, small_world.preprocess(output)


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


def centre_of(path: Path) -> np.ndarray:
    """The centre of a mask in the world."""
    inside = np.argwhere(voxels(path) > 0).mean(axis=0)
    return nibabel.affines.apply_affine(nibabel.load(path).affine, inside)


def test_brain_lies_on_the_atlas_brain(done: tuple[Path, dict[str, Any]]) -> None:
    assert done[1]["status"] == "ok"
    assert done[1]["atlas_dice"] > 0.97
    assert done[1]["brain_ml"] == pytest.approx(1393 / 1.05**3, rel=0.05)


def test_lesion_lands_where_it_belongs_by_way_of_the_modality_that_it_was_drawn_on(
    done: tuple[Path, dict[str, Any]],
) -> None:
    centre = centre_of(lesion_mask_path(done[0], "a"))
    assert np.linalg.norm(centre - LESION_CENTRE) < 2.0  # half a voxel of the small atlas


def test_modalities_agree_after_registration(done: tuple[Path, dict[str, Any]]) -> None:
    inside = ndimage.binary_erosion(voxels(brain_mask_path(done[0], "a")), iterations=3)
    t1, t2 = (voxels(derivative_path(done[0], "a", modality))[inside] for modality in ("t1", "t2"))
    assert np.corrcoef(t1, t2)[0, 1] < -0.7  # the phantom's T2 is its T1 inverted


def test_all_images_are_on_the_atlas_grid_zero_outside_the_brain_and_never_negative(
    small_world: Any, done: tuple[Path, dict[str, Any]]
) -> None:
    atlas = nibabel.load(small_world.atlas / "sri24" / "sri24_brain_mask.nii.gz")
    outside = voxels(brain_mask_path(done[0], "a")) == 0
    for modality in ("t1", "t2"):
        image = nibabel.load(derivative_path(done[0], "a", modality))
        assert image.shape == atlas.shape
        np.testing.assert_allclose(image.affine, atlas.affine, atol=1e-4)
        assert image.get_data_dtype() == np.float32
        assert not np.asarray(image.dataobj)[outside].any()
        assert np.asarray(image.dataobj).min() >= 0


def test_sidecars_name_their_sources_and_how_the_image_was_made(done: tuple[Path, dict[str, Any]]) -> None:
    path = derivative_path(done[0], "a", "t2")
    sidecar = read_json(path.with_name(path.name.replace(".nii.gz", ".json")))
    assert sidecar["Sources"] == ["bids:raw:a_t2.nii.gz"]
    assert sidecar["SkullStripEngine"] == "none"
    assert sidecar["Settings"]["n4_parameters"]["levels"] == 4
    assert transform_path(done[0], "a", "t2").name == sidecar["Transform"]
    assert read_json(done[0] / "dataset_description.json")["DatasetType"] == "derivative"


def test_quality_file_holds_what_is_returned_and_the_picture_is_there(
    done: tuple[Path, dict[str, Any]],
) -> None:
    assert read_json(quality_path(done[0], "a")) == done[1]
    assert strip_path(done[0], "a").is_file()


def test_a_second_run_with_more_threads_gives_the_same_bits(
    small_world: Any, done: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    small_world.preprocess(tmp_path, threads=2)
    for modality in ("t1", "t2"):
        first, second = (voxels(derivative_path(folder, "a", modality)) for folder in (done[0], tmp_path))
        np.testing.assert_array_equal(first, second)


def test_linear_rule_enlarges_the_lesion(
    small_world: Any, done: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    settings = COARSE.model_copy(update={"lesion_interpolation": "linear-gt0", "n4": False})
    dilated = small_world.preprocess(tmp_path, settings)
    assert dilated["lesion_voxels"] > 1.2 * done[1]["lesion_voxels"]
    assert dilated["lesion_ml"] == done[1]["lesion_ml"]  # the volume as drawn


def test_crop_cuts_to_the_brain_and_keeps_every_voxel_in_its_place(
    small_world: Any, done: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    small_world.preprocess(tmp_path, COARSE.model_copy(update={"crop": "brain", "n4": False}))
    whole, cropped = (voxels(brain_mask_path(folder, "a")) for folder in (done[0], tmp_path))
    assert cropped.shape == tuple(np.ptp(np.argwhere(whole), axis=0) + 1)
    np.testing.assert_allclose(
        centre_of(lesion_mask_path(tmp_path, "a")), centre_of(lesion_mask_path(done[0], "a")), atol=1e-4
    )


def test_images_in_atlas_space_pass_through_unchanged(small_world: Any, tmp_path: Path) -> None:
    points = world(ATLAS_AFFINE, ATLAS_SHAPE)
    save(brain(points), small_world.root / "ready.nii.gz", ATLAS_AFFINE)
    settings = COARSE.model_copy(
        update={"modalities": ("t1",), "coregistration": "none", "registration": "none", "n4": False}
        | {"resolution_mm": 4.0}
    )
    quality = small_world.preprocess(tmp_path, settings, row={"t1": "ready.nii.gz", "mask": ""})
    assert quality["atlas_dice"] == 1
    np.testing.assert_allclose(voxels(derivative_path(tmp_path, "a", "t1")), brain(points), atol=1e-3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"t2": ""}, "missing t2"),
        ({"status": "excluded", "reason": "two visits"}, "two visits"),
        ({"mask": "shifted.nii.gz"}, "mask: its position differs from that of"),
        ({"t1": "small.nii.gz", "mask": ""}, "implausible brain volume"),
        ({"t2": "half.nii.gz", "mask": ""}, "t2: only"),
        ({"t2": "far.nii.gz", "mask": ""}, "t2: registration failed"),
    ],
    ids=["modality", "cohort", "mask", "volume", "field of view", "overlap"],
)
def test_what_cannot_be_used_excludes_the_subject_with_a_reason(
    small_world: Any, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    root, points = small_world.root, world(RAW_AFFINE, RAW_SHAPE)
    far = RAW_AFFINE + np.array([[0, 0, 0, 1], [0] * 4, [0] * 4, [0] * 4]) * 1e4
    save(np.ones(RAW_SHAPE, np.uint8), root / "shifted.nii.gz", far)
    save(brain(points * 1.7), root / "small.nii.gz")
    save(brain(points, "t2")[:, :, :24], root / "half.nii.gz")
    save(
        np.eye(8, dtype=np.float32)[..., None].repeat(8, 2),
        root / "far.nii.gz",
        np.diag([0.01, 0.01, 0.01, 1]),
    )
    quality = small_world.preprocess(tmp_path, row=change)
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith(reason)
    assert str(root) not in quality["reason"]
    assert not derivative_path(tmp_path, "a", "t1").exists()


def test_an_excluded_subject_leaves_nothing_of_an_earlier_run(small_world: Any, tmp_path: Path) -> None:
    settings = COARSE.model_copy(update={"modalities": ("t1",), "n4": False})
    small_world.preprocess(tmp_path, settings, row={"mask": ""})
    assert derivative_path(tmp_path, "a", "t1").exists()
    small_world.preprocess(tmp_path, settings, row={"t1": ""})
    assert not derivative_path(tmp_path, "a", "t1").exists()
    assert not strip_path(tmp_path, "a").exists()


def test_a_missing_atlas_is_the_users_error(small_world: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make atlas"):
        preprocess_subject(small_world.row, small_world.root, COARSE, tmp_path / "none", tmp_path)


READY = COARSE.model_copy(
    update={"modalities": ("t1",), "coregistration": "none", "registration": "none", "n4": False}
    | {"resolution_mm": 4.0}
)


def test_a_modality_with_a_negative_brain_excludes_the_subject(small_world: Any, tmp_path: Path) -> None:
    t2 = nibabel.load(small_world.root / "a_t2.nii.gz")
    values = voxels(small_world.root / "a_t2.nii.gz")
    save(np.where(values > 0, values - 110, 0), small_world.root / "scores.nii.gz", t2.affine)
    settings = COARSE.model_copy(update={"n4": False, "coregistration": "none"})
    quality = small_world.preprocess(tmp_path, settings, row={"t2": "scores.nii.gz", "mask": ""})
    assert quality["status"] == "excluded"
    assert re.match(r"t2: \d\d % of the brain has negative intensities", quality["reason"])


def test_few_negative_values_become_zero_and_are_noted(small_world: Any, tmp_path: Path) -> None:
    values = brain(world(ATLAS_AFFINE, ATLAS_SHAPE))
    values[20:24, 28:32, 20:24] = -50
    save(values, small_world.root / "few.nii.gz", ATLAS_AFFINE)
    quality = small_world.preprocess(tmp_path, READY, row={"t1": "few.nii.gz", "mask": ""})
    share = 64 / np.count_nonzero(values)
    assert quality["status"] == "ok"
    assert quality["note"] == f"t1: {100 * share:.1f} % of the brain was negative and is set to 0"


@pytest.mark.parametrize(
    ("drawn", "shift_mm", "note"),
    [
        (0, 0, "no lesion in the mask"),
        (1, 0, "lesion too small for the grid of the derivatives, no voxel is left"),
        (8, 0, "lesion too small for the grid of the derivatives, no voxel is left"),
        (8, 500, "lesion outside the grid of the derivatives"),
    ],
    ids=["empty", "below 0.0005 ml", "between the voxels", "outside"],
)
def test_a_lesion_of_which_no_voxel_is_left_is_explained(
    small_world: Any, tmp_path: Path, drawn: int, shift_mm: float, note: str
) -> None:
    root = small_world.root
    save(brain(world(ATLAS_AFFINE, ATLAS_SHAPE)), root / "ready.nii.gz", ATLAS_AFFINE)
    # A cube of 3.2 mm between voxel centres of the atlas, which are 4 mm apart.
    affine = np.diag([0.4, 0.4, 0.4, 1.0])
    affine[:3, 3] = np.array([10.6, -5.4, -5.4]) + shift_mm
    save(np.random.default_rng(0).random((8, 8, 8), dtype=np.float32), root / "patch.nii.gz", affine)
    lesion = np.zeros((8, 8, 8), np.uint8)
    lesion[:drawn, :drawn, :drawn] = 1
    save(lesion, root / "patch_mask.nii.gz", affine)
    plausible = READY.plausible.model_copy(update={"coverage": 0.0})
    settings = READY.model_copy(update={"modalities": ("t1", "flair"), "plausible": plausible})
    row = {"t1": "ready.nii.gz", "flair": "patch.nii.gz", "mask": "patch_mask.nii.gz"}
    quality = small_world.preprocess(tmp_path, settings, row=row)
    assert (quality["status"], quality["reason"], quality["note"]) == ("ok", "", note)


def test_a_brain_outside_the_atlas_grid_excludes_the_subject_whatever_is_plausible(
    small_world: Any, tmp_path: Path
) -> None:
    far = ATLAS_AFFINE.copy()
    far[:3, 3] += 1000
    save(brain(world(ATLAS_AFFINE, ATLAS_SHAPE)), small_world.root / "far_brain.nii.gz", far)
    plausible = READY.plausible.model_copy(update={"atlas_dice": 0.0, "coverage": 0.0})
    settings = READY.model_copy(update={"plausible": plausible})
    quality = small_world.preprocess(tmp_path, settings, row={"t1": "far_brain.nii.gz", "mask": ""})
    assert quality["status"] == "excluded"
    assert quality["reason"] == "no voxel of the brain lies on the grid of the derivatives"
