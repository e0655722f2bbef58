"""Quality numbers against values that are known."""

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.measures import (
    check_brain_volume,
    check_coverage,
    check_overlap,
    check_signs,
    coverage,
    negative_share,
    signal_to_noise,
)
from brainuad.preprocessing.scan import image_from_array
from brainuad.preprocessing.settings import PlausibleRange

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
EVERYWHERE = image_from_array(np.ones((40, 40, 40), np.uint8), AFFINE)


def test_signal_to_noise_is_the_ratio_that_was_put_in_whatever_the_anatomy() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(80, 120, 40)[:, None, None] * np.ones((40, 40, 40))
    ramp[20:] += 50  # an edge
    noisy = image_from_array((ramp + rng.normal(0, 4, ramp.shape)).astype(np.float32), AFFINE)
    assert signal_to_noise(noisy, EVERYWHERE) == pytest.approx(np.median(ramp) / 4, rel=0.1)


def test_coverage_is_the_share_of_the_mask_in_the_field_of_view() -> None:
    half = image_from_array(np.zeros((40, 40, 10), np.float32), AFFINE)
    assert coverage(half, EVERYWHERE, sitk.Transform()) == pytest.approx(0.25)
    shift = sitk.TranslationTransform(3, (0.0, 0.0, -35.0))
    assert coverage(half, EVERYWHERE, shift) == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("check", "arguments", "reason"),
    [
        (check_brain_volume, (120.4,), "implausible brain volume: 120 ml, expected 700 to 2300 ml"),
        (check_overlap, (0.612,), "registration failed: Dice 0.61 with the atlas brain"),
        (check_coverage, (0.4, "t2"), "t2: only 40 % of the brain is in the field of view"),
    ],
)
def test_implausible_numbers_are_explained(check, arguments, reason) -> None:
    with pytest.raises(ScanError, match=reason):
        check(*arguments, PlausibleRange())


def test_numbers_at_the_limits_are_plausible() -> None:
    check_brain_volume(700, PlausibleRange())
    check_overlap(0.85, PlausibleRange())
    check_coverage(0.85, "t2", PlausibleRange())


def test_a_brain_outside_the_grid_is_a_defect_of_the_scan() -> None:
    nothing = image_from_array(np.zeros((40, 40, 40), np.uint8), AFFINE)
    with pytest.raises(ScanError, match="no voxel of the brain lies on the grid"):
        coverage(EVERYWHERE, nothing, sitk.Transform())


def test_negative_share_counts_negative_voxels_in_the_mask() -> None:
    voxels = np.zeros((40, 40, 40), np.float32)
    voxels[:10] = -1
    voxels[20:] = 1
    share = negative_share(image_from_array(voxels, AFFINE), EVERYWHERE, sitk.Transform())
    assert share == pytest.approx(0.25)
    check_signs(0.05, "t1")
    with pytest.raises(ScanError, match="t1: 25 % of the brain has negative intensities"):
        check_signs(share, "t1")
