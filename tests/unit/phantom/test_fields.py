"""Interpolation against SciPy, and the statistics of noise fields."""

import numpy as np
import pytest
from scipy import ndimage

from brainuad.phantom.fields import draw_noise_field, sample, smooth_noise


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_sampling_equals_scipy_with_repeated_edges(dtype):
    rng = np.random.default_rng(0)
    maps = (255 * rng.random((7, 8, 9, 2))).astype(dtype)
    points = rng.uniform(-3, 12, (500, 3)).astype(np.float32)
    expected = [
        ndimage.map_coordinates(maps[..., c].astype(np.float64), points.T, order=1, mode="nearest")
        for c in range(2)
    ]
    np.testing.assert_allclose(sample(maps, points), expected, rtol=1e-4, atol=1e-2)


def test_smooth_noise_has_unit_variance():
    noise = smooth_noise((60, 60, 60), 4.0, np.random.default_rng(0))
    assert noise.std() == pytest.approx(1, abs=0.1)


def test_smooth_noise_is_smooth():
    noise = smooth_noise((60, 60, 60), 12.0, np.random.default_rng(0))
    assert np.abs(np.diff(noise, axis=0)).mean() < 0.2 * noise.std()


def test_noise_field_has_about_unit_variance_between_its_nodes():
    field = draw_noise_field(np.zeros(3), np.full(3, 100), 5.0, np.random.default_rng(0))
    places = np.random.default_rng(1).uniform(0, 100, (20000, 3)).astype(np.float32)
    assert field.at(places).std() == pytest.approx(1, abs=0.1)
