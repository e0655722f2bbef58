"""The scanner: brightness, noise and coil field."""

import numpy as np
import pytest

from brainuad.phantom.geometry import Grid
from brainuad.phantom.head import Slab
from brainuad.phantom.layout import Sequence
from brainuad.phantom.scan import BRIGHTNESS, Quality, scan
from brainuad.phantom.tissues import draw_tissues

GRID = Grid((40, 40, 40), np.eye(4), np.eye(4))
SEQUENCE = Sequence("spin-echo", tr_ms=6000, te_ms=90)
TISSUES = draw_tissues(1.5, 0, np.random.default_rng(0))


def uniform_slab(fractions: dict[str, float]) -> Slab:
    """The half of the grid with x < 20, filled with one mixture."""
    index = np.arange(20 * 40 * 40)
    shares = {tissue: np.full(len(index), share, dtype=np.float32) for tissue, share in fractions.items()}
    flat = np.zeros(len(index), dtype=np.float32)
    return Slab(index, np.zeros((len(index), 3), dtype=np.float32), shares, flat, flat + 1)


def image_with(noise: float = 0, bias: float = 0) -> np.ndarray:
    quality = Quality(blur_mm=(0, 0, 0), noise=noise, bias=bias)
    return scan(uniform_slab({"grey": 1.0}), GRID, TISSUES, SEQUENCE, quality, np.random.default_rng(1))


def test_a_perfect_scan_is_flat_and_black_outside():
    image = image_with()
    np.testing.assert_allclose(image[:20], BRIGHTNESS, rtol=1e-5)
    assert (image[20:] == 0).all()


def test_noise_in_air_is_rayleigh():
    air = image_with(noise=0.05)[25:]
    assert air.mean() == pytest.approx(0.05 * BRIGHTNESS * np.sqrt(np.pi / 2), rel=0.02)


def test_noise_in_tissue_is_nearly_gaussian():
    tissue = image_with(noise=0.05)[:20]
    assert tissue.std() == pytest.approx(0.05 * BRIGHTNESS, rel=0.03)


def test_the_coil_field_is_smooth_and_has_the_asked_strength():
    field = np.log(image_with(bias=0.2)[:20] / BRIGHTNESS)
    assert 0.02 < field.std() < 0.4
    assert np.abs(np.diff(field, axis=1)).max() < 0.2


def test_partial_volume_mixes_signals():
    quality = Quality(blur_mm=(0, 0, 0), noise=0, bias=0)
    slab = uniform_slab({"grey": 1.0, "white": 0.0})
    slab.fractions["grey"][::2] = 0.5
    slab.fractions["white"][::2] = 0.5
    image = scan(slab, GRID, TISSUES, SEQUENCE, quality, np.random.default_rng(0)).ravel()
    pure, mixed = image[1], image[0]
    assert 0.5 * pure < mixed < pure
