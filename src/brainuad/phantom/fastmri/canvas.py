"""The tissue of a head on its slices while findings are put in, and the boxes a rater draws around them."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from brainuad.phantom.fastmri.slices import SLICES, SUBSLICES
from brainuad.phantom.fields import draw_noise_field, sample
from brainuad.phantom.geometry import Grid
from brainuad.phantom.head import Head, Slab
from brainuad.phantom.warp import STEP

EDGE_MM = 1.0
SMALLEST_MM2 = 8.0  # a rater overlooks what is smaller on a slice
LARGEST_MARGIN = 2  # pixels between a finding and its box


@dataclass
class Canvas:
    """A slab whose tissues change; `marks` are the findings so far, a label and the mask (n,) of each."""

    head: Head
    grid: Grid
    slab: Slab
    rng: np.random.Generator
    marks: list[tuple[str, np.ndarray]] = field(default_factory=list)

    @cached_property
    def anatomical(self) -> np.ndarray:
        """Where in the anatomy the voxels come from, (n, 3)."""
        return self.head.warp.to_anatomy(self.slab.places)

    @cached_property
    def to_ventricle_mm(self) -> np.ndarray:
        """Distance to the ventricles in the anatomy (n,)."""
        distance = self.head.model.guide.to_ventricle_mm[..., None]
        return sample(distance, self.anatomical / np.float32(STEP))[0]

    @cached_property
    def depth_mm(self) -> np.ndarray:
        """Depth below the inside of the skull (n,), 0 outside."""
        spacing = np.linalg.norm(self.grid.affine[:3, :3], axis=0)
        inside = np.pad(self._volume(self.slab.brain > 0.5), ((0, 0), (0, 0), (1, 1)), mode="edge")
        depth = ndimage.distance_transform_edt(inside, sampling=spacing)[..., 1:-1]
        return depth.ravel()[self.slab.index]

    def offset(self, centre: np.ndarray) -> np.ndarray:
        """The way from a place to the voxels in mm, (n, 3)."""
        return self.slab.places - np.asarray(centre, dtype=np.float32)

    def blob(
        self,
        centre: np.ndarray,
        half_axes_mm: tuple[float, float, float],
        rough: float = 0.15,
        edge_mm: float = EDGE_MM,
    ) -> np.ndarray:
        """The share (n,) of each voxel in an ellipsoid around a place, its surface perturbed by `rough`."""
        largest = max(half_axes_mm)
        reach = 1.7 * largest + 3
        near = np.flatnonzero((np.abs(self.offset(centre)) < reach).all(axis=1))
        places, centre = self.slab.places[near], np.asarray(centre, dtype=np.float32)
        noise = draw_noise_field(centre - reach, centre + reach, max(0.5 * largest, 2.5), self.rng)
        relative = np.linalg.norm((places - centre) / np.array(half_axes_mm, dtype=np.float32), axis=1)
        distance = relative * (1 + rough * noise.at(places))
        share = np.zeros(len(self.slab.index), dtype=np.float32)
        share[near] = np.clip((1 - distance) * largest / (2 * edge_mm) + 0.5, 0, 1)
        return share

    def mix(self, share: np.ndarray, **tissues: float) -> None:
        """Puts tissues, whose parts sum to 1, in the place of a share (n,) of what is there."""
        remaining = (1 - share).astype(np.float32)
        mixed = {name: part * remaining for name, part in self.slab.fractions.items()}
        for name, part in tissues.items():
            added = np.float32(part) * share
            mixed[name] = mixed[name] + added if name in mixed else added
        self.slab = replace(self.slab, fractions=mixed, texture=self.slab.texture * remaining)

    def mark(self, label: str, mask: np.ndarray) -> None:
        """Adds a finding to be boxed; `mask` is bool (n,)."""
        self.marks.append((label, mask))

    def boxes(self, pixels: int) -> list[dict[str, str | int]]:
        """The boxes of all findings, slice by slice, in an upright picture of `pixels` pixels a side."""
        found: list[dict[str, str | int]] = []
        scale = pixels / self.grid.shape[0]
        smallest = SMALLEST_MM2 / np.linalg.norm(self.grid.affine[:3, 0]) ** 2
        for label, mask in self.marks:
            planes = self._volume(mask).reshape(*self.grid.shape[:2], SLICES, SUBSLICES).mean(axis=3) >= 0.5
            for number in range(SLICES):
                if planes[..., number].sum() < smallest:
                    continue
                corners = [np.flatnonzero(planes[..., number].any(axis=axis))[[0, -1]] for axis in (1, 0)]
                margin = self.rng.integers(0, LARGEST_MARGIN + 1, 4)
                first = [
                    max(round(low * scale) - int(m), 0)
                    for (low, _), m in zip(corners, margin[:2], strict=True)
                ]
                stop = [
                    min(round((high + 1) * scale) + int(m), pixels)
                    for (_, high), m in zip(corners, margin[2:], strict=True)
                ]
                box = {
                    "x": first[0],
                    "y": first[1],
                    "width": stop[0] - first[0],
                    "height": stop[1] - first[1],
                }
                found.append({"slice": number, "label": label, **box})
        return sorted(found, key=lambda box: int(box["slice"]))

    def _volume(self, values: np.ndarray) -> np.ndarray:
        volume = np.zeros(self.grid.shape, dtype=values.dtype)
        volume.ravel()[self.slab.index] = values
        return volume
