"""AutoDDPM's mask: residual, perceptual distance, threshold, dilation, and the choice on healthy scans."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainuad.errors import InputError
from brainuad.methods.autoddpm import AutoDdpm, AutoDdpmSettings, lowest_threshold, normalised_residual
from brainuad.methods.base import ImageShape
from brainuad.randomness import torch_generator
from tests.unit.methods.fake_autoddpm import DRAWS, FEW, SHAPE, Fake, Shrinking, rule, scan, volume


def test_residual_is_divided_by_its_95th_percentile_per_image_and_channel_and_clipped() -> None:
    x, x_hat = volume(0), volume(1)
    found = normalised_residual(x, x_hat, 0.95).numpy()
    for number in np.ndindex(SHAPE[:2]):
        r = np.abs(x[number].numpy() - x_hat[number].numpy())
        assert np.allclose(found[number], np.clip(r / np.percentile(r, 95), 0, 1), rtol=1e-4)
    assert found.max() == 1


def test_equal_images_have_no_residual() -> None:
    assert not normalised_residual(volume(), volume(), 0.95).any()


def test_soft_mask_is_the_residual_times_the_perceptual_distance_of_each_modality() -> None:
    x, x_hat = volume(0), volume(1)
    expected = normalised_residual(x, x_hat, 0.99) * (x - x_hat).abs()
    assert torch.allclose(rule(residual_quantile=0.99).soft_mask(x, x_hat), expected)


def test_double_scaling_gives_the_perceptual_distance_images_from_minus_1_to_1() -> None:
    x, x_hat = volume(0), volume(1)
    expected = normalised_residual(x, x_hat, 0.95) * (2 * (x - x_hat)).abs()
    assert torch.allclose(rule(lpips_double_scale=True).soft_mask(x, x_hat), expected, atol=1e-6)


@pytest.mark.parametrize("dilations", [0, 1, 2])
def test_mask_is_the_soft_mask_above_the_threshold_dilated(dilations: int) -> None:
    m_soft = volume() ** 8
    found = rule(mask_threshold=0.6, dilations=dilations).mask(m_soft).numpy()
    expected = m_soft.numpy() > 0.6
    for _ in range(dilations):
        expected = ndimage.binary_dilation(expected, structure=np.ones((1, 1, 3, 3)))
    assert 0 < expected.mean() < 1
    assert np.array_equal(found, expected)


def test_dilating_the_soft_mask_before_the_threshold_would_give_the_same_mask() -> None:
    m_soft = volume() ** 8
    dilated = ndimage.grey_dilation(m_soft.numpy(), size=(1, 1, 3, 3))
    assert np.array_equal(rule(mask_threshold=0.6).mask(m_soft).numpy(), dilated > 0.6)


def test_threshold_of_each_image_is_its_quantile_where_one_is_given() -> None:
    m_soft = volume()
    found = rule(mask_quantile=0.95, dilations=0).mask(m_soft).numpy()
    for number in np.ndindex(SHAPE[:2]):
        image = m_soft[number].numpy()
        assert np.array_equal(found[number], image > np.percentile(image, 95))


# The threshold chosen on healthy scans.


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("ties", [False, True])
def test_lowest_threshold_is_that_of_brute_force(share: float, ties: bool) -> None:
    values = torch.rand(997, generator=torch_generator(0))
    values = (values * 20).round() / 20 if ties else values
    allowed = [float(v) for v in values if float((values > v).float().mean()) <= share]
    assert lowest_threshold(values, share) == min(allowed)


def test_calibration_masks_at_most_the_wanted_share_of_healthy_pixels() -> None:
    scans = [scan(volume(seed), f"h{seed}") for seed in range(3)]
    chosen = rule(Shrinking(), mask_threshold=None, healthy_positive=0.05, **FEW)
    threshold = chosen.calibrate(scans, DRAWS)["mask_threshold"]
    soft = [
        chosen.soft_mask(s.images, chosen.coarse_reconstruction(s.images, DRAWS.within(s.subject)))
        for s in scans
    ]
    values = torch.cat([m_soft.flatten() for m_soft in soft]).double().numpy()
    assert (values > threshold).mean() <= 0.05
    below = np.sort(values)[np.searchsorted(np.sort(values), threshold) - 1]
    assert (values > below).mean() > 0.05
    assert AutoDdpmSettings(mask_threshold=threshold).mask_threshold == threshold


@pytest.mark.parametrize(
    ("settings", "needed"),
    [({}, False), ({"mask_threshold": None}, True), ({"mask_threshold": None, "mask_quantile": 0.95}, False)],
)
def test_calibration_is_needed_if_nothing_else_gives_the_threshold(settings: dict, needed: bool) -> None:
    assert AutoDdpm.needs_calibration(AutoDdpmSettings(**settings)) == needed


def test_a_missing_threshold_is_named() -> None:
    with pytest.raises(InputError, match="mask_threshold is null"):
        rule(mask_threshold=None, **FEW).score(scan(), DRAWS)


# The perceptual distance.


def test_trained_features_are_asked_for_and_random_ones_remarked() -> None:
    trained, random = AutoDdpmSettings(), AutoDdpmSettings(perceptual={"weights": "random"})
    assert AutoDdpm.pretrained_networks(trained) == ("squeeze",)
    assert AutoDdpm.remarks(trained) == ()
    assert AutoDdpm.pretrained_networks(random) == ()
    assert "random" in AutoDdpm.remarks(random)[0]


def test_the_perceptual_network_of_the_settings_is_used() -> None:
    settings = AutoDdpmSettings(perceptual={"weights": "random"}, mask_quantile=0.9, **FEW)
    shape = (2, 1, 32, 32)
    x = torch.rand(shape, generator=torch_generator(0))
    chosen = AutoDdpm(settings, Fake(), ImageShape(("t1",), shape[2:]))
    m_soft = chosen.soft_mask(x, torch.full(shape, 0.5))
    expected = chosen.perceptual.distance(x, torch.full(shape, 0.5))
    assert torch.allclose(m_soft, normalised_residual(x, torch.full(shape, 0.5), 0.95) * expected, atol=1e-6)
    assert m_soft.max() > 0
