"""How a finding moves the brain before the scan: pushed away, shifted, or with narrower or wider ventricles.

The skull stays: every movement is weighted by how far inside the skull a point lies.
"""

from dataclasses import dataclass, replace

import numpy as np

from brainuad.phantom.warp import STEP, Guide, Warp, push_away


@dataclass(frozen=True)
class Push:
    """Brain around `centre` that moves outwards by up to `shift_mm`, fading over `radius_mm`."""

    centre: np.ndarray
    radius_mm: float
    shift_mm: float

    def change(self, warp: Warp, guide: Guide) -> np.ndarray:
        """What it adds to the displacement (x, y, z, 3)."""
        return push_away(warp, self.centre, self.radius_mm, self.shift_mm).displacement - warp.displacement


@dataclass(frozen=True)
class Shift:
    """Brain around `centre` that moves along `way_mm` (3,), fading over `radius_mm`."""

    centre: np.ndarray
    radius_mm: float
    way_mm: np.ndarray

    def change(self, warp: Warp, guide: Guide) -> np.ndarray:
        """What it adds to the displacement (x, y, z, 3)."""
        return -_near(self.centre, self.radius_mm, guide)[..., None] * self.way_mm.astype(np.float32)


@dataclass(frozen=True)
class Widening:
    """Walls of the ventricles within `radius_mm` of `centre` that move outwards by `shift_mm`, inwards if negative."""

    centre: np.ndarray
    radius_mm: float
    shift_mm: float

    def change(self, warp: Warp, guide: Guide) -> np.ndarray:
        """What it adds to the displacement (x, y, z, 3)."""
        weight = self.shift_mm * _near(self.centre, self.radius_mm, guide)
        return np.asarray(weight[..., None] * guide.pull)


Move = Push | Shift | Widening


def moved(warp: Warp, guide: Guide, moves: tuple[Move, ...]) -> Warp:
    """The warp of a brain that all movements have reached; the skull is where it was."""
    inside = np.clip(2 * guide.brain - 1, 0, 1)[..., None]
    displacement = warp.displacement
    for move in moves:
        displacement = displacement + inside * move.change(warp, guide)
    return replace(warp, displacement=displacement.astype(np.float32))


def _near(centre: np.ndarray, radius_mm: float, guide: Guide) -> np.ndarray:
    """1 at the centre, fading as a Gaussian, at the nodes (x, y, z) float32."""
    axes = [(STEP * np.arange(size) - at) for size, at in zip(guide.brain.shape, centre, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return np.exp(-(x**2 + y**2 + z**2) / (2 * radius_mm**2)).astype(np.float32)
