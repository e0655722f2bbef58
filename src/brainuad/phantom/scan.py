"""What the scanner makes of a head: magnitude signal, blur, coil field, Rician noise, integers."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polygrid3d
from scipy import ndimage

from brainuad.phantom.geometry import Grid
from brainuad.phantom.head import Slab
from brainuad.phantom.layout import Sequence
from brainuad.phantom.tissues import TISSUES, Tissue, signal

BRIGHTNESS = 600.0  # stored value of the head's mean signal


@dataclass(frozen=True)
class Quality:
    """Flaws of one image.

    `blur_mm`: standard deviation per stored axis. `noise`: per channel, relative to the mean signal. `bias`:
    standard deviation of the logarithm of the coil field. `resampling_mm`: blur of a later resampling, which
    smooths the noise too.
    """

    blur_mm: tuple[float, float, float]
    noise: float
    bias: float
    resampling_mm: float = 0.0


def scan(
    slab: Slab,
    grid: Grid,
    tissues: dict[str, Tissue],
    sequence: Sequence,
    quality: Quality,
    rng: np.random.Generator,
) -> np.ndarray:
    """The image of a slab on its grid, (x, y, z) float32 of stored brightness."""
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    image = np.zeros(grid.shape, dtype=np.float32)
    image.ravel()[slab.index] = tissue_signal(slab, tissues, sequence)
    image = ndimage.gaussian_filter(image, np.array(quality.blur_mm) / spacing, truncate=3)
    mean = image[image > 0.2 * image.max()].mean()
    image *= np.float32(BRIGHTNESS / mean)
    image *= _coil_field(grid.shape, quality.bias, rng)
    noise = np.float32(quality.noise * BRIGHTNESS)
    for channel in range(2):
        wave = noise * rng.standard_normal(grid.shape, dtype=np.float32)
        image = np.hypot(image, wave) if channel else image + wave
    if quality.resampling_mm:
        image = ndimage.gaussian_filter(image, quality.resampling_mm / spacing, truncate=3)
    return image


def tissue_signal(slab: Slab, tissues: dict[str, Tissue], sequence: Sequence) -> np.ndarray:
    """Magnitude of the mixed signal in the slab's voxels (n,).

    Texture brightens T1 contrast and darkens the others, as denser myelin does.
    """
    mixed = np.zeros(len(slab.index), dtype=np.float32)
    for tissue in TISSUES:
        if tissue in slab.fractions:
            strength = signal(tissues[tissue], sequence)
            strength *= 1 - sequence.fat_suppression if tissue == "fat" else 1
            mixed += np.float32(strength) * slab.fractions[tissue]
    t1_weighted = sequence.te_ms < 40 and sequence.tr_ms < 3000  # a short echo alone weighs by proton density
    return np.abs(mixed) * (1 + slab.texture if t1_weighted else 1 - 0.7 * slab.texture)


def _coil_field(shape: tuple[int, ...], sd: float, rng: np.random.Generator) -> np.ndarray:
    """The exponential of a random cubic polynomial, (x, y, z) float32 with geometric mean 1."""
    weights = rng.standard_normal((4, 4, 4))
    weights[np.add.outer(np.add.outer(*[range(4)] * 2), range(4)) > 3] = 0
    coarse = _polynomial((9, 9, 9), weights)
    weights *= sd / coarse.std()
    weights[0, 0, 0] -= coarse.mean() * sd / coarse.std()
    return np.exp(_polynomial(shape, weights.astype(np.float32)))


def _polynomial(shape: tuple[int, ...], weights: np.ndarray) -> np.ndarray:
    x, y, z = (np.linspace(-1, 1, size, dtype=np.float32) for size in shape)
    return np.asarray(polygrid3d(x, y, z, weights))
