"""Registration finds transforms that are known, and its parts do the algebra that they say."""

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.geometry import isotropic
from brainuad.preprocessing.registration import (
    affine_from_matrix,
    matrix_of,
    mutual_information,
    register_rigidly,
    register_to_atlas,
    then,
)
from brainuad.preprocessing.scan import RAS_TO_LPS, image_from_array
from tests.unit.preprocessing.small_head import (
    ATLAS_AFFINE,
    ATLAS_SHAPE,
    RAW_AFFINE,
    RAW_SHAPE,
    brain,
    moved,
    pose,
    world,
)

LPS_TO_RAS = RAS_TO_LPS


def picture(affine: np.ndarray, shape: tuple[int, ...], to_atlas: np.ndarray, contrast: str) -> sitk.Image:
    return image_from_array(brain(moved(world(affine, shape), to_atlas), contrast), affine)


def mask_of(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(image > 0, sitk.sitkUInt8)


ATLAS = picture(ATLAS_AFFINE, ATLAS_SHAPE, np.eye(4), "t1")
CORNERS = np.array([[x, y, z] for x in (-45, 45) for y in (-60, 60) for z in (-40, 40)], dtype=float)


def error_mm(transform: sitk.Transform, truth: np.ndarray) -> float:
    """The largest distance at the corners of the brain from where `truth` (in RAS) leads them."""
    found = RAS_TO_LPS @ matrix_of(transform) @ LPS_TO_RAS
    return float(np.linalg.norm(moved(CORNERS, found) - moved(CORNERS, truth), axis=1).max())


@pytest.mark.parametrize("contrast", ["t1", "t2"])
def test_affine_registration_finds_turn_scale_and_shift_in_any_contrast(contrast: str) -> None:
    to_atlas = pose(8.0, 1.06, (9.0, -7.0, 6.0))
    image = picture(RAW_AFFINE, RAW_SHAPE, to_atlas, contrast)
    registered = register_to_atlas(ATLAS, mask_of(ATLAS), image, mask_of(image), "affine")
    assert error_mm(registered.transform, np.linalg.inv(to_atlas)) < 3.5  # a voxel of the raw scan
    assert registered.mutual_information > 0.5


def test_rigid_registration_of_modalities_finds_the_shift_between_them() -> None:
    first = picture(RAW_AFFINE, RAW_SHAPE, np.eye(4), "t1")
    between = pose(4.0, 1.0, (5.0, -3.0, 2.0))
    second = picture(RAW_AFFINE, RAW_SHAPE, between, "t2")
    registered = register_rigidly(first, mask_of(first), second)
    assert error_mm(registered.transform, np.linalg.inv(between)) < 1.5
    np.testing.assert_allclose(np.linalg.svd(matrix_of(registered.transform)[:3, :3])[1], 1, atol=1e-9)


def test_the_whole_head_can_be_the_region_of_the_metric() -> None:
    first = picture(RAW_AFFINE, RAW_SHAPE, np.eye(4), "t1")
    registered = register_rigidly(first, None, first)
    assert error_mm(registered.transform, np.eye(4)) < 1.0


def test_images_that_do_not_overlap_are_a_defect_of_the_scan() -> None:
    tiny = image_from_array(
        np.eye(8, dtype=np.float32)[..., None].repeat(8, 2), np.diag([0.01, 0.01, 0.01, 1])
    )
    with pytest.raises(ScanError, match="do not overlap"):
        register_rigidly(ATLAS, mask_of(ATLAS), tiny)


def test_too_little_memory_is_no_defect_of_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("ITK ERROR: Image(0x1): Failed to allocate memory for image.")

    monkeypatch.setattr(sitk.ImageRegistrationMethod, "Execute", fail)
    with pytest.raises(InputError, match="not enough memory") as caught:
        register_rigidly(ATLAS, mask_of(ATLAS), ATLAS)
    assert not isinstance(caught.value, ScanError)


def test_registration_leaves_thread_settings_as_they_were() -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    register_rigidly(ATLAS, mask_of(ATLAS), isotropic(ATLAS, 4.0))
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == before


def test_mutual_information_is_highest_where_images_agree() -> None:
    region = mask_of(ATLAS)
    aligned = mutual_information(ATLAS, region, ATLAS, sitk.AffineTransform(3))
    shifted = mutual_information(ATLAS, region, ATLAS, sitk.TranslationTransform(3, (12.0, 0.0, 0.0)))
    assert aligned > shifted > 0


def test_chained_transforms_map_a_point_one_after_the_other() -> None:
    rng = np.random.default_rng(0)
    first, second = (affine_from_matrix(np.vstack([rng.random((3, 4)), [0, 0, 0, 1]])) for _ in range(2))
    point = (1.0, -2.0, 3.0)
    expected = second.TransformPoint(first.TransformPoint(point))
    np.testing.assert_allclose(then(first, second).TransformPoint(point), expected)
