"""N4 against SimpleITK's filter and against a field that was put in."""

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.bias import correct_bias, log_bias_field, sharpen
from brainuad.preprocessing.scan import image_from_array
from brainuad.preprocessing.settings import N4Settings
from tests.unit.preprocessing.small_head import RAW_AFFINE, RAW_SHAPE, brain, world

POINTS = world(RAW_AFFINE, RAW_SHAPE)
MASK = brain(POINTS) > 0
FIELD = np.exp(0.25 * np.sin(POINTS[..., 0] / 60 + 0.5) + 0.2 * np.cos(POINTS[..., 1] / 70))
NOISE = 1 + 0.03 * np.random.default_rng(0).standard_normal(RAW_SHAPE)
IMAGE = (brain(POINTS) * FIELD * NOISE).astype(np.float32)


def reference_field(settings: N4Settings) -> np.ndarray:
    """The logarithm of the field that SimpleITK's N4 finds."""
    image, mask = sitk.GetImageFromArray(IMAGE), sitk.GetImageFromArray(MASK.astype(np.uint8))
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([settings.iterations] * settings.levels)
    n4.SetConvergenceThreshold(settings.tolerance)
    n4.Execute(image, mask)
    return sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image))


def relative(log_field: np.ndarray) -> np.ndarray:
    return log_field[MASK] - log_field[MASK].mean()


@pytest.mark.parametrize(("levels", "iterations"), [(1, 3), (3, 4)])
def test_field_equals_that_of_simpleitk(levels: int, iterations: int) -> None:
    # A tolerance of almost nothing, so that both stop at the same iteration.
    settings = N4Settings(levels=levels, iterations=iterations, tolerance=1e-12, shrink=1)
    ours, theirs = relative(log_bias_field(IMAGE, MASK, settings)), relative(reference_field(settings))
    assert theirs.std() > 0.005
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_most_of_a_planted_field_is_removed() -> None:
    found = relative(log_bias_field(IMAGE, MASK, N4Settings(shrink=2)))
    planted = relative(np.log(FIELD))
    assert (found - planted).std() < 0.25 * planted.std()


def test_thinned_voxels_give_nearly_the_same_field() -> None:
    fine, coarse = (relative(log_bias_field(IMAGE, MASK, N4Settings(shrink=shrink))) for shrink in (1, 3))
    assert (fine - coarse).std() < 0.03


def test_corrected_image_is_zero_outside_the_brain_and_keeps_its_grid() -> None:
    image, mask = image_from_array(IMAGE, RAW_AFFINE), image_from_array(MASK.astype(np.uint8), RAW_AFFINE)
    corrected = correct_bias(image, mask, N4Settings(shrink=2))
    assert corrected.GetOrigin() == image.GetOrigin()
    voxels = sitk.GetArrayFromImage(corrected).transpose(2, 1, 0)
    assert not voxels[~MASK].any()
    white = MASK & (brain(POINTS) == 100)
    assert np.log(voxels[white]).std() < 0.5 * np.log(IMAGE[white]).std()


def test_sharpening_moves_values_towards_the_peaks_of_the_histogram() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(centre, 0.06, 20_000) for centre in (4.0, 5.0)])
    sharpened = sharpen(values)
    near = values < 4.5
    assert sharpened[near].std() < 0.6 * values[near].std()
    assert sharpened[near].mean() == pytest.approx(4.0, abs=0.02)


@pytest.mark.parametrize("voxels", [np.zeros(RAW_SHAPE, np.float32), np.ones(RAW_SHAPE, np.float32)])
def test_a_brain_without_signal_is_a_defect_of_the_scan(voxels: np.ndarray) -> None:
    with pytest.raises(ScanError, match="too little signal"):
        log_bias_field(voxels, MASK, N4Settings())
