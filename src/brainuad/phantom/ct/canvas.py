"""The Hounsfield units of a head on its planes while findings are put in, and what a rater outlines of them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage

from brainuad.phantom.fields import draw_noise_field, sample
from brainuad.phantom.geometry import Grid
from brainuad.phantom.head import Head, Slab
from brainuad.phantom.warp import STEP, Warp

EDGE_MM = 1.0
DEPTH_STEP = 2
# Hounsfield units of tissues without contrast agent at 120 kV.
HU = {
    "csf": 6.0,
    "grey": 38.0,
    "white": 29.0,
    "fat": -95.0,
    "muscle": 55.0,
    "bone": 1250.0,
    "marrow": 550.0,
    "vitreous": 6.0,
    "vessel": 48.0,
}
AIR_HU = -1000.0
# Below this height of the anatomy its bone is the random texture of a neck, of which a CT would show muscle.
NECK = (46.0, 54.0)
NECK_HU = 50.0
# Denser myelin is less dense in T1 only; in CT the texture of the brain is faint.
TEXTURE_HU = 25.0


@dataclass(frozen=True)
class Region:
    """Some voxels of the slab (m,) and which share of each one belongs to the region (m,)."""

    rows: np.ndarray | slice
    share: np.ndarray

    def times(self, share: np.ndarray | float) -> "Region":
        """The region with its shares multiplied."""
        return Region(self.rows, (self.share * share).astype(np.float32))


@dataclass
class Canvas:
    """A head on the planes of a scan. `hu` (n,) changes; `marks` has the outlined share (n,) by value of the mask.

    `straight` is the warp of the head before findings moved the brain: it says where the skull is.
    """

    head: Head
    straight: Warp
    grid: Grid
    slab: Slab
    rng: np.random.Generator
    marks: dict[int, np.ndarray] = field(default_factory=dict)

    @cached_property
    def hu(self) -> np.ndarray:
        """Hounsfield units (n,): the mean of the tissues of each voxel, air where none is."""
        fractions = self.slab.fractions
        values = np.full(len(self.slab.index), AIR_HU, dtype=np.float32)
        for name, share in fractions.items():
            values += share * np.float32(HU[name] - AIR_HU)
        values += np.float32(TEXTURE_HU) * self.slab.texture * (fractions["grey"] + fractions["white"])
        low = self.slab.places[:, 2] < NECK[1]
        height = np.clip((NECK[1] - self.slab.places[low, 2]) / (NECK[1] - NECK[0]), 0, 1)
        values[low] -= height * fractions["bone"][low] * np.float32(HU["bone"] - NECK_HU)
        return values

    @cached_property
    def all(self) -> Region:
        """The whole slab as far as it lies inside the skull."""
        return Region(slice(None), self.slab.brain)

    @cached_property
    def to_ventricle_mm(self) -> np.ndarray:
        """Distance to the ventricles in the anatomy (n,)."""
        anatomical = self.head.warp.to_anatomy(self.slab.places)
        return sample(self.head.model.guide.to_ventricle_mm[..., None], anatomical / np.float32(STEP))[0]

    @cached_property
    def _depth_map(self) -> np.ndarray:
        coarse = (slice(None, None, DEPTH_STEP),) * 3
        inside = self.head.model.anatomy.brain[coarse]
        depth = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        return (DEPTH_STEP * depth[..., None]).astype(np.float32)

    def depth_mm(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        """How far below the inner surface of the skull the voxels of a region lie (m,), negative in the bone.

        The second value is where they lie in the anatomy (m, 3).
        """
        anatomical = self.straight.to_anatomy(self.slab.places[region.rows])
        return sample(self._depth_map, anatomical / np.float32(DEPTH_STEP))[0], anatomical

    def fraction(self, tissue: str, region: Region) -> np.ndarray:
        """The share (m,) of a tissue of the healthy head in the voxels of a region."""
        return self.slab.fractions[tissue][region.rows]

    def ball(self, centre: np.ndarray, radius_mm: float, edge_mm: float = EDGE_MM) -> Region:
        """A ball around a place."""
        rows = self._near(centre, radius_mm + 2 * edge_mm)
        distance = np.linalg.norm(self.slab.places[rows] - centre.astype(np.float32), axis=1)
        return Region(rows, _ramp((radius_mm - distance) / (2 * edge_mm) + 0.5))

    def blob(
        self, centre: np.ndarray, half_axes_mm: np.ndarray, rough: float = 0.15, edge_mm: float = EDGE_MM
    ) -> Region:
        """What lies inside the skull of an ellipsoid around a place, its surface perturbed by `rough`."""
        half = np.asarray(half_axes_mm, dtype=np.float32)
        reach = 1.7 * float(half.max()) + 2 * edge_mm + 1
        rows = self._near(centre, reach)
        places, centre = self.slab.places[rows], np.asarray(centre, dtype=np.float32)
        noise = draw_noise_field(centre - reach, centre + reach, max(0.5 * float(half.max()), 2.5), self.rng)
        distance = np.linalg.norm((places - centre) / half, axis=1) * (
            1 + rough * np.clip(noise.at(places), -1.6, 1.6)
        )
        share = _ramp((1 - distance) * half.min() / (2 * edge_mm) + 0.5)
        return Region(rows, share * (self.slab.brain[rows] > 0.5))

    def tube(self, points: np.ndarray, radius_mm: float) -> Region:
        """A tube along a line of places (m, 3)."""
        centre = points.mean(axis=0)
        reach = float(np.abs(points - centre).max()) + radius_mm + 3
        rows = self._near(centre, reach)
        places = self.slab.places[rows]
        distance = np.full(len(places), np.inf, dtype=np.float32)
        for start, stop in zip(points[:-1].astype(np.float32), points[1:].astype(np.float32), strict=True):
            way = stop - start
            along = np.clip((places - start) @ way / (way @ way), 0, 1)
            distance = np.minimum(distance, np.linalg.norm(places - start - along[:, None] * way, axis=1))
        return Region(rows, _ramp((radius_mm - distance) / (2 * EDGE_MM) + 0.5))

    def fill(self, region: Region, value: float, texture: float = 0.0) -> None:
        """Puts tissue of so many HU in the place of a region; `texture` is the standard deviation in it."""
        self.hu[region.rows] += region.share * (np.float32(value) - self.hu[region.rows])
        if texture and region.share.size:
            places = self.slab.places[region.rows]
            noise = draw_noise_field(places.min(axis=0) - 1, places.max(axis=0) + 1, 4.0, self.rng)
            self.hu[region.rows] += region.share * (np.float32(texture) * noise.at(places))

    def mark(self, region: Region, value: int) -> None:
        """Adds a region to the mask under a value."""
        marked = self.marks.setdefault(value, np.zeros(len(self.hu), dtype=np.float32))
        marked[region.rows] = np.maximum(marked[region.rows], region.share)

    def volume(self, values: np.ndarray, outside: float = 0.0) -> np.ndarray:
        """A list over the slab's voxels (n,) as a volume (x, y, plane) float32."""
        volume = np.full(self.grid.shape, outside, dtype=np.float32)
        volume.ravel()[self.slab.index] = values
        return volume

    def _near(self, centre: np.ndarray, reach_mm: float) -> np.ndarray:
        """The voxels (m,) in a cube around a place. The list is ordered by x, so only a part of it is looked at."""
        inverse = np.linalg.inv(self.grid.to_head)
        corners = np.array(np.meshgrid(*([-1, 1],) * 3)).reshape(3, -1).T * reach_mm + centre
        columns = corners @ inverse[0, :3] + inverse[0, 3]
        stride = self.grid.shape[1] * self.grid.shape[2]
        limits = np.clip([np.floor(columns.min()), np.ceil(columns.max()) + 1], 0, self.grid.shape[0])
        low, high = np.searchsorted(self.slab.index, limits.astype(np.int64) * stride)
        near = (np.abs(self.slab.places[low:high] - centre.astype(np.float32)) < reach_mm).all(axis=1)
        return np.asarray(low + np.flatnonzero(near))


def _ramp(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 1).astype(np.float32)
