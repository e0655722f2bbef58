"""The slices of a simulated fastMRI scan: where they lie in the head, and places on them for findings."""

from collections.abc import Callable
from dataclasses import dataclass

import nibabel as nib
import numpy as np

from brainuad.phantom.geometry import Grid, Pose, scanner_grid
from brainuad.phantom.head import Model
from brainuad.phantom.layout import Image
from brainuad.phantom.tissues import HEAD_TISSUES
from brainuad.phantom.warp import STEP, Warp

FIELD_OF_VIEW_MM, SLICES, THICKNESS_MM = 220.0, 16, 5.0
SUBSLICES = 3  # planes whose mean is a slice
MIDDLE = SLICES // 2
# From the brain's centre to that of the middle slice: the nose takes room, the lateral ventricles are shown.
MIDDLE_BEFORE_CENTRE_MM, MIDDLE_ABOVE_CENTRE_MM = 6.0, 6.0
CANDIDATES = 6000
VENTRICLE_PARTS_MM = {"front": (-60.0, -26.0), "body": (-26.0, 6.0), "back": (6.0, 60.0)}


def slice_grid(spacing_mm: float, pose: Pose, centre: np.ndarray) -> Grid:
    """The grid of the planes, `SUBSLICES` to a slice, with square pixels of about `spacing_mm`."""
    height = SLICES * THICKNESS_MM
    image = Image("t1", "", "LPS", (FIELD_OF_VIEW_MM, FIELD_OF_VIEW_MM, height))
    # The middle of slice MIDDLE lies half a slice above the middle of the block.
    above = MIDDLE_ABOVE_CENTRE_MM - THICKNESS_MM / 2
    block_centre = np.add(centre, (0, -MIDDLE_BEFORE_CENTRE_MM, above))
    cubes = scanner_grid(image, 1.0, pose, block_centre)
    pixels = max(round(FIELD_OF_VIEW_MM / spacing_mm), 16)
    shape = (pixels, pixels, SLICES * SUBSLICES)
    scale = np.array(cubes.shape) / shape
    step = np.eye(4)
    step[:3, :3] = np.diag(scale)
    step[:3, 3] = (scale - 1) / 2
    return Grid(shape, cubes.affine @ step, cubes.to_head @ step)


@dataclass(frozen=True)
class Site:
    """Where on one slice of a subject a finding can lie; places are mm in the head (x left, y back, z up)."""

    model: Model
    warp: Warp
    grid: Grid
    slice: int
    rng: np.random.Generator

    def inside(self, accept: Callable[[np.ndarray, dict[str, np.ndarray]], np.ndarray]) -> np.ndarray:
        """A random place (3,) of the slice that `accept` takes.

        It is asked with places of the anatomy (n, 3) and their tissues (n,) in [0, 1].
        """
        pixels = self.rng.uniform(0, self.grid.shape[0] - 1, (CANDIDATES, 2))
        places = self._places(pixels)
        anatomical = self.warp.to_anatomy(places)
        maps = self._maps(anatomical)
        tissues = {name: maps[:, channel] / 255 for channel, name in enumerate(HEAD_TISSUES)}
        good = np.flatnonzero(accept(anatomical, tissues) & (maps[:, -1] > 127))
        if not good.size:  # a slice above or below the brain
            good = np.flatnonzero(maps[:, -1] > 127)
        return places[good[0] if good.size else 0]

    def white_matter(self) -> np.ndarray:
        """A place in the white matter of the hemispheres, away from the midline."""
        middle = self.model.guide.centre[0]
        return self.inside(lambda at, found: (found["white"] > 0.95) & (np.abs(at[:, 0] - middle) > 14))

    def surface(self, angle_deg: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        """A place (3,) on the surface of the brain and the direction inwards, between two angles from the front."""
        angle = np.deg2rad(self.rng.uniform(*angle_deg)) * self.rng.choice([-1, 1])
        outwards = np.array([np.sin(angle), -np.cos(angle), 0.0])
        middle = self._places(np.full((1, 2), (self.grid.shape[0] - 1) / 2))[0]
        line = (middle + np.arange(0, 110, 0.5)[:, None] * outwards).astype(np.float32)
        brain = np.flatnonzero(self._maps(self.warp.to_anatomy(line))[:, -1] > 127)
        return line[brain[-1] if brain.size else 0], -outwards

    def ventricle(self, part: str, side: int) -> np.ndarray:
        """The centre (3,) of the front, body or back of a lateral ventricle; side 1 is the left."""
        guide = self.model.guide
        nodes = STEP * np.argwhere(guide.to_ventricle_mm == 0)
        offset = nodes - guide.centre
        low, high = VENTRICLE_PARTS_MM[part]
        chosen = (side * offset[:, 0] > 3) & (np.abs(offset[:, 0]) < 45) & (np.abs(offset[:, 2] - 4) < 14)
        chosen &= (offset[:, 1] > low) & (offset[:, 1] <= high)
        where = nodes[chosen] if chosen.any() else nodes
        return self.warp.to_subject(where.mean(axis=0, keepdims=True))[0]

    def _places(self, pixels: np.ndarray) -> np.ndarray:
        plane = self.slice * SUBSLICES + (SUBSLICES - 1) / 2
        voxels = np.column_stack([pixels, np.full(len(pixels), plane)])
        return nib.affines.apply_affine(self.grid.to_head, voxels).astype(np.float32)

    def _maps(self, anatomical: np.ndarray) -> np.ndarray:
        """The anatomy's channels (n, channel) at the nearest voxels."""
        maps = self.model.anatomy.maps
        nearest = np.clip(np.rint(anatomical).astype(int), 0, np.array(maps.shape[:3]) - 1)
        return maps[tuple(nearest.T)].astype(np.float32)
