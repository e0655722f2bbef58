"""Derivatives in MNI space, on the reference's own grid, and with the head around the brain."""

import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import yaml
from scipy import ndimage

from brainuad.atlas import MNI152_AFFINE, MNI152_SHAPE
from brainuad.errors import InputError
from brainuad.preprocessing.bias import correct_head_bias
from brainuad.preprocessing.derivatives import (
    brain_mask_path,
    derivative_path,
    lesion_mask_path,
    space_of,
    strip_path,
    transform_path,
)
from brainuad.preprocessing.provenance import describe_derivatives
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.scan import array_from_image, image_from_array
from brainuad.preprocessing.settings import N4Settings, PreprocessingSettings
from brainuad.storage import read_json
from tests.unit.preprocessing.small_head import (
    COARSE,
    LESION,
    SEMI_AXES_MM,
    World,
    ball,
    brain,
    moved,
    pose,
    save,
    world,
)

# Another grid than that of the small SRI24, but with axes to the left, back and top like the stored atlas.
MNI_AFFINE = np.array([[-4.0, 0, 0, 82], [0, -4.0, 0, 98], [0, 0, 4.0, -74], [0, 0, 0, 1]])
MNI_SHAPE = (42, 50, 38)
# The same points as published: to the right, front and top.
RAS_AFFINE = np.array([[4.0, 0, 0, -82], [0, 4.0, 0, -98], [0, 0, 4.0, -74], [0, 0, 0, 1]])
T1 = COARSE.model_copy(update={"modalities": ("t1",), "n4": False})
MNI = T1.model_copy(update={"atlas": "mni152"})
# Scans in MNI space that only need another order of voxels.
READY = MNI.model_copy(update={"registration": "none", "coregistration": "none", "resolution_mm": 4.0})
ORIG = T1.model_copy(update={"atlas": "none"})


@pytest.fixture(scope="module")
def mni_world(small_world: Any, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The small world with a second atlas on a grid of its own."""
    atlas = tmp_path_factory.mktemp("atlases")
    shutil.copytree(small_world.atlas, atlas, dirs_exist_ok=True)
    values = brain(world(MNI_AFFINE, MNI_SHAPE))
    save(values, atlas / "mni152/mni152_t1_brain.nii.gz", MNI_AFFINE)
    save((values > 0).astype(np.uint8), atlas / "mni152/mni152_brain_mask.nii.gz", MNI_AFFINE)
    return World(small_world.root, atlas, small_world.row)


def head(points: np.ndarray) -> np.ndarray:
    """The brain with a dark gap and a bright shell around it."""
    radius = np.linalg.norm(points / SEMI_AXES_MM, axis=-1)
    shell = (radius > 1.08) & (radius < 1.16)
    return np.where(shell, 120, brain(points)).astype(np.float32)


def loaded(path: Path) -> Any:
    return nibabel.load(path)


def voxels(path: Path) -> np.ndarray:
    return np.asarray(loaded(path).dataobj)


def test_mni_derivatives_lie_on_the_mni_grid_and_say_so_in_their_names(
    mni_world: World, tmp_path: Path
) -> None:
    quality = mni_world.preprocess(tmp_path, MNI, row={"mask": ""})
    assert (quality["status"], space_of(tmp_path)) == ("ok", "MNI152NLin2009aSym")
    assert quality["atlas_dice"] > 0.95
    image = loaded(derivative_path(tmp_path, "a", "t1"))
    assert image.shape == MNI_SHAPE
    np.testing.assert_allclose(image.affine, MNI_AFFINE, atol=1e-4)
    names = {path.name for path in (tmp_path / "sub-a/anat").glob("*.nii.gz")}
    assert names
    assert all("space-MNI152NLin2009aSym" in name for name in names)
    assert transform_path(tmp_path, "a", "t1").name == "sub-a_from-t1_to-MNI152NLin2009aSym_xfm.tfm"
    sidecar = read_json(derivative_path(tmp_path, "a", "t1").with_suffix("").with_suffix(".json"))
    assert sidecar["SpatialReference"] == "MNI152NLin2009aSym"


def test_scans_in_mni_space_are_turned_and_keep_their_values(mni_world: World, tmp_path: Path) -> None:
    points = world(RAS_AFFINE, MNI_SHAPE)
    values = brain(points) + np.where(brain(points) > 0, np.arange(42)[:, None, None], 0)
    save(values.astype(np.float32), mni_world.root / "ready.nii.gz", RAS_AFFINE)
    save(ball(points, *LESION), mni_world.root / "ready_mask.nii.gz", RAS_AFFINE)
    change = {"t1": "ready.nii.gz", "mask": "ready_mask.nii.gz"}
    quality = mni_world.preprocess(tmp_path, READY, row=change)
    assert quality["atlas_dice"] == 1
    np.testing.assert_array_equal(voxels(derivative_path(tmp_path, "a", "t1")), values[::-1, ::-1])
    lesion = ball(points, *LESION)[::-1, ::-1]
    np.testing.assert_array_equal(voxels(lesion_mask_path(tmp_path, "a")), lesion)


def test_a_scan_that_is_not_in_the_atlas_space_is_excluded(mni_world: World, tmp_path: Path) -> None:
    quality = mni_world.preprocess(
        tmp_path, READY.model_copy(update={"resolution_mm": 3.0}), row={"t1": "far.nii.gz"}
    )
    assert quality["status"] == "excluded"
    shifted = RAS_AFFINE.copy()
    shifted[1, 3] += 60
    save(brain(world(RAS_AFFINE, MNI_SHAPE)), mni_world.root / "off.nii.gz", shifted)
    quality = mni_world.preprocess(tmp_path, READY, row={"t1": "off.nii.gz", "mask": ""})
    assert quality["reason"].startswith("not in atlas space: Dice 0.")


def test_without_an_atlas_the_reference_keeps_its_grid_and_values(small_world: Any, tmp_path: Path) -> None:
    affine = np.array([[0, 0, 1.5, -60], [-1.5, 0, 0, 80], [0, 5.0, 0, -55], [0, 0, 0, 1]])
    shape = (110, 23, 82)
    values = brain(world(affine, shape))
    save(values, small_world.root / "thick.nii.gz", affine)
    save(ball(world(affine, shape), *LESION), small_world.root / "thick_mask.nii.gz", affine)
    outside = World(small_world.root, tmp_path / "no atlas", small_world.row)
    settings = ORIG.model_copy(update={"resolution_mm": 2.0})
    change = {"t1": "thick.nii.gz", "mask": "thick_mask.nii.gz"}
    quality = outside.preprocess(tmp_path / "derivatives", settings, row=change)
    assert (quality["status"], quality["atlas_dice"], quality["mutual_information"]) == ("ok", None, None)
    path = derivative_path(tmp_path / "derivatives", "a", "t1")
    assert path.name == "sub-a_space-orig_desc-preproc_T1w.nii.gz"
    image = loaded(path)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    assert image.shape == (82, 110, 23)
    turned = nibabel.Nifti1Image(values, affine)
    wanted = nibabel.orientations.io_orientation(image.affine)
    turn = nibabel.orientations.ornt_transform(nibabel.orientations.io_orientation(affine), wanted)
    expected = turned.as_reoriented(turn)
    np.testing.assert_allclose(image.affine, expected.affine, atol=1e-4)
    # The brain mask comes by way of cubes, so its rim may differ by a voxel; inside, nothing is interpolated.
    inside = voxels(brain_mask_path(tmp_path / "derivatives", "a")) > 0
    assert inside.sum() == pytest.approx(np.count_nonzero(values), rel=0.1)
    np.testing.assert_array_equal(np.asarray(image.dataobj)[inside], np.asarray(expected.dataobj)[inside])
    assert strip_path(tmp_path / "derivatives", "a").is_file()


def test_other_modalities_follow_the_reference_without_an_atlas(small_world: Any, tmp_path: Path) -> None:
    settings = ORIG.model_copy(update={"modalities": ("t1", "t2")})
    quality = small_world.preprocess(tmp_path, settings)
    assert quality["status"] == "ok"
    inside = ndimage.binary_erosion(voxels(brain_mask_path(tmp_path, "a")), iterations=3)
    t1, t2 = (voxels(derivative_path(tmp_path, "a", modality))[inside] for modality in ("t1", "t2"))
    assert np.corrcoef(t1, t2)[0, 1] < -0.6  # the phantom's T2 is its T1 inverted


def test_a_missing_mni_atlas_is_the_users_error(small_world: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"MNI152 atlas is not installed\. Run `make atlas`"):
        small_world.preprocess(tmp_path, MNI)


def test_the_head_is_kept_where_that_is_asked_for(
    mni_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = moved(world(RAS_AFFINE, MNI_SHAPE), pose(1.0, 1.0, (0.0, 0.0, 0.0)))
    save(head(points), mni_world.root / "head.nii.gz", RAS_AFFINE)
    stand_in = brain(points) > 0
    monkeypatch.setattr(
        "brainuad.preprocessing.skull_strip._deepbet",
        lambda image: stand_in[::-1, ::-1].transpose(2, 1, 0),
    )
    settings = READY.model_copy(update={"skull_strip": "deepbet"})
    change = {"t1": "head.nii.gz", "mask": ""}
    for kept in (True, False):
        chosen = settings.model_copy(update={"keep_skull": kept})
        quality = mni_world.preprocess(tmp_path / str(kept), chosen, row=change)
        assert quality["status"] == "ok"
        image = voxels(derivative_path(tmp_path / str(kept), "a", "t1"))
        mask = voxels(brain_mask_path(tmp_path / str(kept), "a")) > 0
        np.testing.assert_array_equal(mask, stand_in[::-1, ::-1])
        assert (image[~mask] > 0).any() == kept
        if kept:
            np.testing.assert_array_equal(image, head(points)[::-1, ::-1])
        path = derivative_path(tmp_path / str(kept), "a", "t1")
        assert read_json(path.with_suffix("").with_suffix(".json"))["SkullStripped"] is not kept


def test_the_volume_of_a_whole_head_is_no_brain_volume(small_world: Any, tmp_path: Path) -> None:
    points = world(RAS_AFFINE, MNI_SHAPE)
    save(brain(points * 0.8), small_world.root / "large.nii.gz", RAS_AFFINE)  # 2.7 litres of signal
    change = {"t1": "large.nii.gz", "mask": ""}
    assert small_world.preprocess(tmp_path, ORIG, row=change)["reason"].startswith("implausible brain volume")
    whole = small_world.preprocess(tmp_path, ORIG.model_copy(update={"keep_skull": True}), row=change)
    assert (whole["status"], whole["brain_ml"]) == ("ok", None)


def test_the_bias_of_a_head_is_corrected_in_the_brain_and_around_it() -> None:
    points = world(RAS_AFFINE, MNI_SHAPE)
    field = np.exp(0.004 * points[..., 0]).astype(np.float32)
    biased = image_from_array(head(points) * field, RAS_AFFINE)
    corrected = array_from_image(correct_head_bias(biased, N4Settings(shrink=3, levels=2)))
    for tissue in (brain(points) == 100, (brain(points) == 0) & (head(points) > 0)):
        before, after = (head(points) * field)[tissue], corrected[tissue]
        assert after.std() / after.mean() < 0.5 * before.std() / before.mean()


def test_several_labels_exclude_a_subject_that_should_have_one(small_world: Any, tmp_path: Path) -> None:
    points = world(RAS_AFFINE, MNI_SHAPE)
    save(brain(points), small_world.root / "one.nii.gz", RAS_AFFINE)
    mask = ball(points, *LESION).astype(np.float32)
    settings = ORIG.model_copy(update={"single_label": True, "resolution_mm": 4.0})
    row = {"t1": "one.nii.gz", "mask": "one_mask.nii.gz"}
    for value, reason in ((1.0, ""), (0.01, ""), (0.0, "")):
        save(mask * value, small_world.root / "one_mask.nii.gz", RAS_AFFINE)
        quality = small_world.preprocess(tmp_path, settings, row=row)
        assert (quality["status"], quality["reason"]) == ("ok", reason)
    mask[:20] *= 2
    save(mask + ball(points, (0, 0, 0), 9) * 3, small_world.root / "one_mask.nii.gz", RAS_AFFINE)
    quality = small_world.preprocess(tmp_path, settings, row=row)
    assert quality["status"] == "excluded"
    assert "labels (1, 3), expected one; `single_label: false`" in quality["reason"]
    either = settings.model_copy(update={"single_label": False})
    assert small_world.preprocess(tmp_path, either, row=row)["status"] == "ok"


def test_a_folder_without_description_is_in_sri24_space(tmp_path: Path) -> None:
    assert space_of(tmp_path) == "SRI24"
    assert derivative_path(tmp_path, "a", "t1").name == "sub-a_space-SRI24_desc-preproc_T1w.nii.gz"


def test_another_space_rewrites_the_description(tmp_path: Path) -> None:
    for space in ("SRI24", "orig"):
        describe_derivatives(tmp_path, space)
        assert space_of(tmp_path) == space


def test_the_space_follows_from_the_atlas() -> None:
    spaces = {name: PreprocessingSettings(atlas=name).space for name in ("sri24", "mni152", "none")}
    assert spaces == {"sri24": "SRI24", "mni152": "MNI152NLin2009aSym", "none": "orig"}


@pytest.mark.parametrize("name", ["bercea2023-ixi", "bercea2023-atlas"])
def test_the_recipe_of_bercea_2023_takes_one_slice_at_a_height_of_23_mm(name: str) -> None:
    content = yaml.safe_load((Path(__file__).parents[3] / "workflow/recipes.yaml").read_text())[name]
    quick = content.pop("quick")
    rng = np.random.default_rng(0)
    images = rng.gamma(2.0, 100.0, (1, *MNI152_SHAPE)).astype(np.float32)
    empty = np.zeros(MNI152_SHAPE, dtype=bool)
    for steps, size in ((content, 128), (content | quick, 64)):
        packed = apply_steps(Scan(images, empty, empty, MNI152_AFFINE), Recipe.model_validate(steps).steps)
        assert packed.images.shape == (1, size, size, 1)
        assert packed.affine[2, 3] == 23
        np.testing.assert_allclose(packed.spacing_mm, (233 / size, 233 / size, 1))
        assert 0 <= packed.images.min() < packed.images.max() <= 1
