"""Multiple sclerosis: many small plaques, most beside the ventricles, some below the cortex."""

from dataclasses import dataclass

import numpy as np

from brainuad.phantom.fields import NoiseField, draw_noise_field
from brainuad.phantom.head import Model, Slab
from brainuad.phantom.warp import STEP, Warp

LABELS = {"plaque": 1, "enhancing": 1}
PERIVENTRICULAR_SHARE, JUXTACORTICAL_SHARE = 0.55, 0.2
ENHANCING_SHARE = 0.06
MEDIAN_RADIUS_MM, RADIUS_SPREAD = 2.7, 0.45
SMALLEST_MM, LARGEST_MM = 1.2, 9.0
EDGE_MM = 0.7


@dataclass(frozen=True)
class Plaques:
    """The plaques of one patient: centres (m, 3) and half axes (m, 3) in mm, axes as rotations (m, 3, 3)."""

    centres: np.ndarray
    half_axes_mm: np.ndarray
    rotations: np.ndarray
    enhancing: np.ndarray
    noise: NoiseField

    labels = LABELS
    smallest_mm3 = 8.0

    def push(self, warp: Warp) -> Warp:
        """The warp as it is: plaques push nothing."""
        return warp

    def fractions(self, slab: Slab) -> dict[str, np.ndarray]:
        """Share of each lesion tissue in the slab's voxels (n,)."""
        found = {tissue: np.zeros(len(slab.index), dtype=np.float32) for tissue in LABELS}
        brain = np.flatnonzero(slab.brain > 0.5)
        places = slab.places[brain]
        order = np.argsort(places[:, 2])  # so that each plaque looks at a few slices only
        heights = places[order, 2]
        for plaque in range(len(self.centres)):
            reach = 1.5 * self.half_axes_mm[plaque].max() + 2 * EDGE_MM
            low, high = np.searchsorted(heights, self.centres[plaque, 2] + np.array([-reach, reach]))
            rows = order[low:high]
            rows = rows[(np.abs(places[rows, :2] - self.centres[plaque, :2]) < reach).all(axis=1)]
            tissue = "enhancing" if self.enhancing[plaque] else "plaque"
            share = self._share(plaque, places[rows])
            found[tissue][brain[rows]] = np.maximum(found[tissue][brain[rows]], share)
        solid = 1 - slab.fractions["csf"]
        enhancing = found["enhancing"] * solid
        return {"enhancing": enhancing, "plaque": np.minimum(found["plaque"] * solid, 1 - enhancing)}

    def _share(self, plaque: int, places: np.ndarray) -> np.ndarray:
        half = self.half_axes_mm[plaque].astype(np.float32)
        along = (places - self.centres[plaque]) @ self.rotations[plaque].astype(np.float32)
        distance = np.linalg.norm(along / half, axis=1) * (1 + 0.15 * self.noise.at(places))
        return np.clip((1 - distance) * half.mean() / (2 * EDGE_MM) + 0.5, 0, 1)


def draw_plaques(model: Model, warp: Warp, counts: tuple[int, int], rng: np.random.Generator) -> Plaques:
    """Plaques in the places that the disease prefers; their number is log-uniform between two counts."""
    number = int(np.rint(np.exp(rng.uniform(*np.log(counts)))))
    anatomical, outwards, beside = _draw_centres(model, number, rng)
    radii = np.exp(rng.normal(np.log(MEDIAN_RADIUS_MM), RADIUS_SPREAD, number)).clip(SMALLEST_MM, LARGEST_MM)
    # Beside the ventricles they are fingers that point away from them.
    longer = np.where(beside, rng.uniform(1.2, 2.2, number), rng.uniform(1.0, 1.5, number))
    half_axes = radii[:, None] * np.stack([longer, np.ones(number), rng.uniform(0.8, 1.2, number)], axis=1)
    centres = warp.to_subject(anatomical)
    return Plaques(
        centres=centres,
        half_axes_mm=half_axes,
        rotations=_frames(outwards, rng),
        enhancing=rng.random(number) < ENHANCING_SHARE,
        noise=draw_noise_field(centres.min(axis=0) - 20, centres.max(axis=0) + 20, 3.0, rng),
    )


def _draw_centres(
    model: Model, number: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    voxels = rng.uniform(0, np.array(model.anatomy.maps.shape[:3]) - 1, (60000, 3)).astype(int)
    white = model.anatomy.channel("white")[tuple(voxels.T)] / 255
    voxels, white = voxels[white > 0.5], white[white > 0.5]
    node = tuple((voxels // STEP).T)
    to_ventricle = model.guide.to_ventricle_mm[node]
    supratentorial = voxels[:, 2] > model.guide.centre[2] - 20
    beside = np.where(supratentorial & (white > 0.95), np.exp(-np.maximum(to_ventricle - 2, 0) / 3.5), 0)
    below_cortex = np.where(supratentorial & (white < 0.9) & (to_ventricle > 15), 1.0, 0)
    anywhere = np.where(white > 0.95, 1.0, 0)
    shares = (PERIVENTRICULAR_SHARE, JUXTACORTICAL_SHARE, 1 - PERIVENTRICULAR_SHARE - JUXTACORTICAL_SHARE)
    kinds = zip(shares, (beside, below_cortex, anywhere), strict=True)
    weights = sum(share * likely / max(likely.sum(), 1e-9) for share, likely in kinds)
    chosen = rng.choice(len(voxels), number, replace=False, p=weights / weights.sum())
    outwards = -model.guide.pull[tuple(axis[chosen] for axis in node)]
    return voxels[chosen].astype(np.float32), outwards, to_ventricle[chosen] < 10


def _frames(directions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Right-handed frames (m, 3, 3) whose first column is the direction (random where it is zero)."""
    first = directions + 0.02 * rng.standard_normal(directions.shape)
    frames = np.stack([first, *rng.standard_normal((2, *first.shape))], axis=2)
    return np.linalg.qr(frames)[0]
