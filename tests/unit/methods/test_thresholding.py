"""Thresholding: histogram equalisation of the foreground, by hand and by scikit-image."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.exposure import equalize_hist

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan
from brainuad.methods.thresholding import Thresholding, ThresholdingSettings
from brainuad.preprocessing.equalise import equalise
from brainuad.randomness import Draws, numpy_generator

SHAPE = ImageShape(("flair", "t2"), (9, 8))


def volume(name: str = "volume") -> np.ndarray:
    """A volume (slice, x, y) of skewed intensities, zero in a third of the voxels."""
    generator = numpy_generator(0, name)
    values = generator.gamma(2.0, 150.0, size=(7, 9, 8)).astype(np.float32)
    return np.where(generator.random(values.shape) < 1 / 3, 0, values).astype(np.float32)


def equalised_foreground(image: np.ndarray, bins: int) -> np.ndarray:
    """The equalised voxels above 0."""
    return equalise(image, image > 0, bins)


def scan() -> Scan:
    images = torch.from_numpy(np.stack([volume("flair"), volume("t2")], axis=1))
    return Scan("s", images, torch.ones(7, 1, 9, 8, dtype=torch.bool))


def test_foreground_is_equalised_as_by_scikit_image() -> None:
    image = volume()
    inside = image > 0
    expected = equalize_hist(image / image.max(), nbins=256, mask=inside)
    np.testing.assert_allclose(equalised_foreground(image, 256)[inside], expected[inside], rtol=1e-6)


def test_equalised_value_is_the_share_of_the_foreground_that_is_no_brighter() -> None:
    image = volume()
    inside = image > 0
    values = image[inside].astype(np.float64)
    share = (values[:, None] >= values).mean(axis=1)
    # Bins are as wide as the range / 4096, so that few of the 300 values share one.
    np.testing.assert_allclose(equalised_foreground(image, 4096)[inside], share, atol=0.01)


def test_background_has_no_part_in_the_histogram_and_scores_zero() -> None:
    image = volume()
    padded = np.pad(image, ((0, 0), (20, 20), (20, 20)))
    equalised = equalised_foreground(padded, 256)
    np.testing.assert_array_equal(equalised[:, 20:-20, 20:-20], equalised_foreground(image, 256))
    assert not equalised[padded == 0].any()


def test_whole_volume_has_one_histogram() -> None:
    image = volume()
    image[3] *= 5  # a bright slice must stay brighter than the others
    equalised = equalised_foreground(image, 4096)
    bright, rest = (
        equalised[3][image[3] > 0],
        np.delete(equalised, 3, axis=0)[np.delete(image, 3, axis=0) > 0],
    )
    assert bright.mean() > 1.5 * rest.mean()


def test_unit_of_the_intensities_does_not_matter() -> None:
    np.testing.assert_allclose(
        equalised_foreground(3.7 * volume(), 256), equalised_foreground(volume(), 256), atol=1e-5
    )


def test_order_of_the_intensities_is_kept_and_the_range_is_zero_to_one() -> None:
    image = volume()
    equalised = equalised_foreground(image, 256)
    ranked = equalised.ravel()[np.argsort(image, axis=None)]
    assert (np.diff(ranked) >= 0).all()
    assert ranked[-1] == 1
    assert ranked[0] == 0


def test_empty_volume_scores_zero() -> None:
    assert not equalised_foreground(np.zeros((2, 3, 4), dtype=np.float32), 256).any()


@pytest.mark.parametrize("modality", SHAPE.channels)
def test_score_is_that_of_the_chosen_modality(modality: str) -> None:
    scored = Thresholding(ThresholdingSettings(modality=modality), None, SHAPE).score(scan(), Draws(0))
    np.testing.assert_array_equal(scored.anomaly_map.numpy(), equalised_foreground(volume(modality), 256))


def test_reconstruction_is_zero_so_that_its_error_is_the_mean_intensity() -> None:
    scored = Thresholding(ThresholdingSettings(modality="t2"), None, SHAPE).score(scan(), Draws(0))
    assert scored.pseudo_healthy is not None
    assert scored.pseudo_healthy.shape == scan().images.shape
    assert not scored.pseudo_healthy.any()


def test_modality_that_is_not_in_the_recipe_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"'t1' is not in the recipe's channels \(flair, t2\)"):
        Thresholding(ThresholdingSettings(modality="t1"), None, SHAPE)


def test_the_brain_mask_can_be_the_region_that_is_equalised() -> None:
    settings = ThresholdingSettings(modality="t2", region="brain")
    one = scan()
    brain = torch.zeros_like(one.brain)
    brain[:, :, 2:7, 2:6] = True
    scored = Thresholding(settings, None, SHAPE).score(Scan("s", one.images, brain), Draws(0))
    assert not scored.anomaly_map[~brain[:, 0]].any()
    expected = equalise(volume("t2"), brain[:, 0].numpy(), 256)
    np.testing.assert_array_equal(scored.anomaly_map.numpy(), expected)


def test_a_copy_that_the_recipe_equalised_is_the_score() -> None:
    # Its modality is that of the recipe's step: the arrays need not have it.
    rule = Thresholding(ThresholdingSettings(equalised="recipe"), None, replace(SHAPE, channels=("t1", "t2")))
    kept = torch.rand(7, 9, 8)
    scored = rule.score(replace(scan(), equalised=kept), Draws(0, ("score",), "cpu"))
    assert torch.equal(scored.anomaly_map, kept)
    with pytest.raises(InputError, match="Put a step keep_equalised into the recipe"):
        rule.score(scan(), Draws(0, ("score",), "cpu"))
