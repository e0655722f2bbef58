"""A subject's shape: a smooth random displacement, ventricles that widen with age, a pushing tumour.

All coordinates are voxels of the anatomy grid (1 mm). A warp maps a point of the subject to the point of the
anatomy whose tissue lies there.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainuad.phantom.anatomy import Anatomy
from brainuad.phantom.fields import sample, smooth_noise
from brainuad.phantom.tissues import HEAD_TISSUES

STEP = 4  # mm between the nodes of a displacement field
# (distance in mm over which the displacement changes, its standard deviation in mm) of the whole head and, in
# addition, of the brain in it: at these ratios the field is invertible.
HEAD_SCALES_MM = ((70.0, 3.0),)
BRAIN_SCALES_MM = ((26.0, 1.1), (14.0, 0.6))
DEEP_MM = 18.0  # fluid deeper below the brain's surface than this belongs to the ventricles
VENTRICLE_REACH_MM = 6.0
WIDENING_MM_PER_YEAR = 0.045
MIDDLE_AGE = 45.0


@dataclass(frozen=True)
class Guide:
    """What a simulation asks of an anatomy again and again, on a grid of `STEP` mm.

    `near_brain`: where there is brain or it is near, (x, y, z) bool. `brain`: 1 in the brain, 0 beyond the skull.
    `reach`: where there is head tissue or it is near, (x, y, z) bool. `pull`: the displacement that widens
    the ventricles by 1 mm, (x, y, z, 3). `to_ventricle_mm`: distance to them, (x, y, z). `centre`: of the brain.
    """

    reach: np.ndarray
    near_brain: np.ndarray
    brain: np.ndarray
    pull: np.ndarray
    to_ventricle_mm: np.ndarray
    centre: np.ndarray


@dataclass(frozen=True)
class Warp:
    """point -> centre + linear (point - centre) + displacement(point), a field (x, y, z, 3) at every STEP mm."""

    linear: np.ndarray
    centre: np.ndarray
    displacement: np.ndarray

    def to_anatomy(self, points: np.ndarray) -> np.ndarray:
        """Where in the anatomy the tissue at each of the subject's `points` (n, 3) comes from."""
        linear, centre = self.linear.astype(np.float32), self.centre.astype(np.float32)
        moved = (points - centre) @ linear.T + centre
        return moved + sample(self.displacement, points / np.float32(STEP)).T

    def to_subject(self, points: np.ndarray) -> np.ndarray:
        """Where in the subject anatomical `points` (n, 3) lie: the inverse, by fixed-point iteration."""
        points = np.asarray(points, dtype=np.float32)
        found = points
        for _ in range(12):
            found = found + (points - self.to_anatomy(found))
        return found


def make_guide(anatomy: Anatomy) -> Guide:
    """The guide of one anatomy."""
    coarse = (slice(None, None, STEP),) * 3
    brain = anatomy.brain[coarse]
    tissue = np.zeros(brain.shape, dtype=bool)
    for name in HEAD_TISSUES:
        tissue |= anatomy.channel(name)[coarse] > 0
    depth = ndimage.distance_transform_edt(brain, sampling=STEP)
    fluid = np.where(depth > DEEP_MM, anatomy.channel("csf")[coarse] / 255.0, 0)
    pull = np.stack(np.gradient(ndimage.gaussian_filter(fluid, VENTRICLE_REACH_MM / STEP)), axis=-1)
    return Guide(
        reach=ndimage.binary_dilation(tissue, iterations=2),
        near_brain=ndimage.binary_dilation(brain, iterations=2),
        brain=ndimage.gaussian_filter(brain.astype(np.float32), 1.0),
        pull=(pull / np.linalg.norm(pull, axis=-1).max()).astype(np.float32),
        to_ventricle_mm=ndimage.distance_transform_edt(fluid < 0.5, sampling=STEP).astype(np.float32),
        centre=STEP * np.argwhere(brain).mean(axis=0).astype(np.float32),
    )


def draw_warp(guide: Guide, age: float, strength: float, size_sd: float, rng: np.random.Generator) -> Warp:
    """A random warp for a subject of that age in years.

    `strength` scales the displacement; `size_sd` is the standard deviation of the size along each axis.
    """
    linear = np.diag(1 + size_sd * rng.standard_normal(3))
    linear[np.triu_indices(3, 1)] = 0.25 * size_sd * rng.standard_normal(3)
    displacement = np.zeros((*guide.reach.shape, 3), dtype=np.float32)
    for scales, weight in ((HEAD_SCALES_MM, np.float32(1)), (BRAIN_SCALES_MM, guide.brain)):
        for distance_mm, sd_mm in scales:
            for axis in range(3):
                noise = smooth_noise(guide.reach.shape, distance_mm / STEP, rng)
                displacement[..., axis] += np.float32(strength * sd_mm) * weight * noise
    widening_mm = WIDENING_MM_PER_YEAR * (age - MIDDLE_AGE) + rng.normal(0, 0.7)
    return Warp(linear, guide.centre, displacement + np.float32(widening_mm) * guide.pull)


def push_away(warp: Warp, centre: np.ndarray, radius_mm: float, shift_mm: float) -> Warp:
    """The warp with tissue around a growth moved outwards by up to `shift_mm`, fading over `radius_mm`.

    Tissue at distance r comes from r - shift s exp((1 - s^2) / 2) with s = r / radius: most at the rim.
    """
    axes = [np.arange(size) for size in warp.displacement.shape[:3]]
    nodes = STEP * np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    offset = (nodes - centre) / radius_mm
    inwards = shift_mm * np.exp((1 - (offset**2).sum(axis=-1, keepdims=True)) / 2) * offset
    return Warp(warp.linear, warp.centre, (warp.displacement - inwards).astype(np.float32))
