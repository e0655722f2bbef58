"""N4 against a field that was put in."""

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.bias import bias_field, correct_brain_bias
from brainuad.preprocessing.scan import image_from_array
from brainuad.preprocessing.settings import N4Settings
from tests.unit.preprocessing.small_head import RAW_AFFINE, RAW_SHAPE, brain, world

POINTS = world(RAW_AFFINE, RAW_SHAPE)
MASK = brain(POINTS) > 0
FIELD = np.exp(0.25 * np.sin(POINTS[..., 0] / 60 + 0.5) + 0.2 * np.cos(POINTS[..., 1] / 70))
NOISE = 1 + 0.03 * np.random.default_rng(0).standard_normal(RAW_SHAPE)
IMAGE = (brain(POINTS) * FIELD * NOISE).astype(np.float32)


def found_field(image: np.ndarray, settings: N4Settings) -> np.ndarray:
    """The bias field inside the brain, relative to its geometric mean there, as logarithms."""
    field = bias_field(
        image_from_array(image, RAW_AFFINE), image_from_array(MASK.astype(np.uint8), RAW_AFFINE), settings
    )
    return relative(np.log(sitk.GetArrayFromImage(field).transpose(2, 1, 0)))


def relative(log_field: np.ndarray) -> np.ndarray:
    return log_field[MASK] - log_field[MASK].mean()


@pytest.mark.parametrize("shrink", [2, 3])
def test_most_of_a_planted_field_is_removed(shrink: int) -> None:
    planted = relative(np.log(FIELD))
    assert (found_field(IMAGE, N4Settings(shrink=shrink)) - planted).std() < 0.3 * planted.std()


def test_voxels_without_signal_do_not_change_the_field() -> None:
    holes = IMAGE.copy()
    holes[::5, ::5, ::5] = 0
    settings = N4Settings(shrink=2, levels=2, iterations=20)
    assert (found_field(holes, settings) - found_field(IMAGE, settings)).std() < 0.01


def test_corrected_image_is_zero_outside_the_brain_and_keeps_its_grid() -> None:
    image, mask = image_from_array(IMAGE, RAW_AFFINE), image_from_array(MASK.astype(np.uint8), RAW_AFFINE)
    corrected = correct_brain_bias(image, mask, N4Settings(shrink=2))
    assert corrected.GetOrigin() == image.GetOrigin()
    voxels = sitk.GetArrayFromImage(corrected).transpose(2, 1, 0)
    assert not voxels[~MASK].any()
    white = MASK & (brain(POINTS) == 100)
    assert np.log(voxels[white]).std() < 0.5 * np.log(IMAGE[white]).std()


@pytest.mark.parametrize("voxels", [np.zeros(RAW_SHAPE, np.float32), np.ones(RAW_SHAPE, np.float32)])
def test_a_brain_without_signal_is_a_defect_of_the_scan(voxels: np.ndarray) -> None:
    with pytest.raises(ScanError, match="too little signal"):
        found_field(voxels, N4Settings())
