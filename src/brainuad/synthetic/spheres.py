"""Synthetic bright spheres in a volume (Kascenas 2023, appendix E)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainuad.errors import ScanError
from brainuad.synthetic.settings import Spheres


@dataclass(frozen=True)
class Sphere:
    """One sphere: its centre in voxels of the packed volume, and its diameter."""

    slice: int
    x: int
    y: int
    diameter_mm: float


def draw_spheres(settings: Spheres, brain: np.ndarray, generator: np.random.Generator) -> list[Sphere]:
    """The spheres of one volume, whose centres are voxels of `brain` (slice, x, y), all equally likely."""
    places = np.flatnonzero(brain)
    if not len(places):
        raise ScanError("its brain mask is empty, so that no sphere can be planted")
    spheres = []
    for _ in range(settings.count):
        number, x, y = np.unravel_index(generator.choice(places), brain.shape)
        diameter = generator.uniform(*settings.diameter_mm)
        spheres.append(Sphere(int(number), int(x), int(y), float(diameter)))
    return spheres


def put_spheres(
    images: np.ndarray,
    brain: np.ndarray,
    spacing_mm: Sequence[float],
    spheres: Sequence[Sphere],
    settings: Spheres,
) -> tuple[np.ndarray, np.ndarray]:
    """A volume (slice, channel, x, y) with brighter spheres in every channel, and their mask (slice, x, y).

    `spacing_mm` is that of (slice, x, y). A voxel belongs to a sphere if its centre does.
    """
    mask = np.zeros(brain.shape, dtype=bool)
    grid = np.ogrid[tuple(slice(length) for length in brain.shape)]
    for sphere in spheres:
        centre = (sphere.slice, sphere.x, sphere.y)
        squares = (
            ((axis - place) * mm) ** 2 for axis, place, mm in zip(grid, centre, spacing_mm, strict=True)
        )
        mask |= sum(squares) <= (sphere.diameter_mm / 2) ** 2
    if settings.within_brain:
        mask &= brain
    largest = np.inf if settings.largest_intensity is None else settings.largest_intensity
    bright = np.minimum(images * settings.factor, largest)
    return np.where(mask[:, None], bright, images).astype(images.dtype), mask
