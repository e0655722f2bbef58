"""What the scanner adds to the Hounsfield units of a head: its rest, blur, streaks beside bone, noise, movement.

Streaks come from the projections: an X-ray that has crossed much bone is harder and weaker than the reconstruction
assumes, so that its projection is too small and noisy (Barrett and Keat 2004, RadioGraphics 24, 1679-1691). Errors are
smooth, so projections of a coarse grid do.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage, sparse

COARSE = 64
ANGLES = 60
BONE_HU = 250.0
# Per cm and 1000 HU of bone: the error of a projection (HU cm), and the part of its noise.
HARDENING, STARVATION = 6.0, 9.0
BLUR_MM = 0.55
# Noise of neighbouring pixels is correlated by the kernel.
GRAIN_MM = 0.45
# The head rest: an arc round the head with foam in it, in mm from the scanner's axis.
REST_MM, REST_THICK_MM, REST_BACK_MM = 112.0, 3.0, 10.0
REST_HU, FOAM_HU = -120.0, -960.0


@dataclass(frozen=True)
class Flaws:
    """How much the scanner adds; `streaks` 1 is usual. `moved` slices show the head twice."""

    noise_hu: float
    streaks: float
    moved: bool


def add_rest(planes: np.ndarray, pixel_mm: float) -> np.ndarray:
    """The volume (x, y, plane) with a head rest in the air behind the head."""
    half = (np.array(planes.shape[:2]) - 1) / 2
    x, y = ((np.arange(size) - at) * pixel_mm for size, at in zip(planes.shape[:2], half, strict=True))
    away = np.hypot(x[:, None], (y - REST_BACK_MM)[None, :])
    behind = np.clip((np.broadcast_to(y, away.shape) - 15) / 20, 0, 1)
    shell = np.clip((REST_THICK_MM - np.abs(away - REST_MM)) / pixel_mm + 0.5, 0, 1)
    rest = behind * np.where(shell > 0, shell * (REST_HU + 1000), (away < REST_MM) * (FOAM_HU + 1000))
    share_of_air = np.clip(-planes / 1000, 0, 1)
    return np.asarray(planes + rest.astype(np.float32)[..., None] * share_of_air)


def blurred(slices: np.ndarray, pixel_mm: float) -> np.ndarray:
    """The slices (x, y, slice) as a soft kernel shows them."""
    sigma = BLUR_MM / pixel_mm
    return ndimage.gaussian_filter(slices, (sigma, sigma, 0), truncate=3)


def scanned(slices: np.ndarray, pixel_mm: float, flaws: Flaws, rng: np.random.Generator) -> np.ndarray:
    """The slices (x, y, slice) with streaks, noise and movement, float32."""
    image = _moved(slices, pixel_mm, rng) if flaws.moved else slices
    image = image + streaks(image, pixel_mm, flaws.streaks, rng)
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    sigma = GRAIN_MM / pixel_mm
    grain = ndimage.gaussian_filter(grain, (sigma, sigma, 0), truncate=3)
    return np.asarray(image + grain * np.float32(flaws.noise_hu / grain.std()), dtype=np.float32)


def streaks(slices: np.ndarray, pixel_mm: float, strength: float, rng: np.random.Generator) -> np.ndarray:
    """What hardened and weakened rays add to each slice (x, y, slice), HU."""
    factor = COARSE / slices.shape[0]
    coarse = ndimage.zoom(slices, (factor, factor, 1), order=1)
    bone_cm = np.clip(coarse - BONE_HU, 0, None).reshape(COARSE**2, -1) * (pixel_mm / factor / 1e4)
    matrix = _projector(COARSE, ANGLES)
    projections = (matrix @ bone_cm).reshape(ANGLES, COARSE, -1)
    weak = np.exp(0.35 * projections) - 1
    error = -HARDENING * projections**2 + STARVATION * weak * rng.standard_normal(projections.shape)
    # The ramp filter and the sum over angles of a filtered back projection.
    ramp = np.abs(np.fft.fftfreq(COARSE))[None, :, None]
    filtered = np.fft.ifft(np.fft.fft(error, axis=1) * ramp, axis=1).real
    back = (matrix.T @ filtered.reshape(ANGLES * COARSE, -1)) * (np.pi / ANGLES)
    fine = ndimage.zoom(back.reshape(COARSE, COARSE, -1), (1 / factor, 1 / factor, 1), order=1)
    return np.asarray(strength * fine, dtype=np.float32)


@lru_cache(maxsize=1)
def _projector(size: int, angles: int) -> sparse.csr_matrix:
    """Line integrals of a slice (size, size) under each angle: a matrix (angles * size, size * size)."""
    x, y = (axis.ravel() - (size - 1) / 2 for axis in np.meshgrid(*(np.arange(size),) * 2, indexing="ij"))
    rows, columns, weights = [], [], []
    for number, angle in enumerate(np.arange(angles) * np.pi / angles):
        place = x * np.cos(angle) + y * np.sin(angle) + (size - 1) / 2
        low = np.floor(place).astype(int)
        for bin_number, weight in ((low, 1 - (place - low)), (low + 1, place - low)):
            kept = (bin_number >= 0) & (bin_number < size)
            rows.append(number * size + bin_number[kept])
            columns.append(np.flatnonzero(kept))
            weights.append(weight[kept])
    entries = (np.concatenate(weights).astype(np.float32), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=(angles * size, size * size))


def _moved(slices: np.ndarray, pixel_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Slices in which the head moved while they were taken: half of the rays saw it elsewhere."""
    image = slices.copy()
    for number in range(slices.shape[2]):
        if rng.random() < 0.45:
            angle, shift = rng.normal(0, 3.5), rng.normal(0, 3.0 / pixel_mm, 2)
            other = ndimage.rotate(slices[..., number], angle, reshape=False, order=1, mode="nearest")
            other = ndimage.shift(other, shift, order=1, mode="nearest")
            part = rng.uniform(0.3, 0.6)
            image[..., number] = (1 - part) * slices[..., number] + part * other
    return image
