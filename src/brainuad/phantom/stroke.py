"""Chronic strokes: a cavity with a gliotic rim, cut off where the territory of the blocked artery ends.

A cortical infarct lies in the territory of the middle, anterior or posterior cerebral artery or in the cerebellum; a
lacune lies in the deep nuclei or the white matter around them. Volumes are log-normal: in ATLAS v2.0 they run from
0.01 to 497 ml with a median of 5 ml.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from brainuad.phantom.fields import NoiseField, draw_noise_field, sample
from brainuad.phantom.head import Model, Slab
from brainuad.phantom.warp import STEP, Warp, push_away

Territory = Literal["middle", "anterior", "posterior", "cerebellum", "deep"]

LABELS = {"cavity": 1, "gliosis": 1}
TERRITORY_SHARES: dict[Territory, float] = {
    "middle": 0.50,
    "deep": 0.33,
    "posterior": 0.08,
    "anterior": 0.05,
    "cerebellum": 0.04,
}
SECOND_LACUNE_SHARE = 0.25
# Median volume in ml and standard deviation of its logarithm.
CORTICAL_ML, LACUNAR_ML = (25.0, 1.5), (1.0, 1.0)
SMALLEST_ML, LARGEST_ML = 0.1, 350.0
# What the skull and the borders of a territory cut away is made up for.
CUT_AWAY = 1.35
RIM_MM = (1.5, 3.5)
EDGE_MM = 0.8
# Part of the radius by which the brain around a cavity sinks in, and the most in mm.
SINKING, MOST_SINKING_MM = 0.1, 3.0


@dataclass(frozen=True)
class Infarct:
    """One infarct. `cavitation` is the share of its core that fluid has replaced."""

    territory: Territory
    left: bool
    centre: np.ndarray
    radius_mm: float
    stretch: np.ndarray
    rim_mm: float
    cavitation: float
    coarse: NoiseField
    fine: NoiseField

    def depth_mm(self, places: np.ndarray, anatomical: np.ndarray, model: Model) -> np.ndarray:
        """How far inside the infarct points lie (n,), negative outside; `anatomical` are they in the anatomy."""
        offset = (places - self.centre) / self.stretch.astype(np.float32)
        distance = np.linalg.norm(offset, axis=1) / np.float32(self.radius_mm)
        distance *= 1 + 0.18 * self.coarse.at(places) + 0.06 * self.fine.at(places)
        border = _inside_territory_mm(self.territory, self.left, anatomical, model)
        border += 4.0 * self.coarse.at(places) + 1.5 * self.fine.at(places)
        return np.minimum((1 - distance) * np.float32(self.radius_mm), border)


@dataclass(frozen=True)
class Stroke:
    """The infarcts of one patient, in a head of that anatomy and shape."""

    infarcts: tuple[Infarct, ...]
    model: Model
    warp: Warp

    labels = LABELS
    smallest_mm3 = 20.0

    def push(self, warp: Warp) -> Warp:
        """The warp with the brain around each cavity sunk in."""
        for infarct in self.infarcts:
            sinking_mm = min(SINKING * infarct.radius_mm * infarct.cavitation, MOST_SINKING_MM)
            warp = push_away(warp, infarct.centre, 1.2 * infarct.radius_mm, -sinking_mm)
        return warp

    def fractions(self, slab: Slab) -> dict[str, np.ndarray]:
        """Share of each lesion tissue in the slab's voxels (n,)."""
        found = {tissue: np.zeros(len(slab.index), dtype=np.float32) for tissue in LABELS}
        for infarct in self.infarcts:
            reach = 1.6 * infarct.radius_mm * infarct.stretch.max() + 3
            near = np.flatnonzero(
                (np.abs(slab.places - infarct.centre) < reach).all(axis=1) & (slab.brain > 0.5)
            )
            places = slab.places[near]
            anatomical = self.warp.to_anatomy(places)
            depth = infarct.depth_mm(places, anatomical, self.model)
            whole = _share(depth) * self._solid(slab.fractions["csf"][near], anatomical)
            cavity = np.minimum(_share(depth - infarct.rim_mm) * infarct.cavitation, whole)
            for tissue, share in (("cavity", cavity), ("gliosis", whole - cavity)):
                found[tissue][near] = np.maximum(found[tissue][near], share)
        total = np.maximum(sum(found.values()), 1)
        return {tissue: share / total for tissue, share in found.items()}

    def _solid(self, fluid: np.ndarray, anatomical: np.ndarray) -> np.ndarray:
        """The share of each voxel that an infarct can take: sulci in it partly, the ventricles not at all."""
        to_ventricle = sample(self.model.guide.to_ventricle_mm[..., None], anatomical / np.float32(STEP))[0]
        return 1 - fluid * (1 - 0.4 * np.clip((to_ventricle - 2) / 4, 0, 1))


def draw_stroke(model: Model, warp: Warp, rng: np.random.Generator) -> Stroke:
    """An infarct in a random territory of a random hemisphere, sometimes with a lacune elsewhere."""
    names = list(TERRITORY_SHARES)
    drawn = [names[rng.choice(len(names), p=list(TERRITORY_SHARES.values()))]]
    if rng.random() < SECOND_LACUNE_SHARE:
        drawn.append("deep")
    return Stroke(tuple(_draw_infarct(territory, model, warp, rng) for territory in drawn), model, warp)


def _draw_infarct(territory: Territory, model: Model, warp: Warp, rng: np.random.Generator) -> Infarct:
    left = bool(rng.random() < 0.5)
    median_ml, sd = LACUNAR_ML if territory == "deep" else CORTICAL_ML
    volume_ml = float(np.clip(np.exp(rng.normal(np.log(median_ml), sd)), SMALLEST_ML, LARGEST_ML))
    grown_ml = volume_ml * (1.0 if territory == "deep" else CUT_AWAY)
    radius = float(np.cbrt(3000 * grown_ml / (4 * np.pi)))
    centre = warp.to_subject(_draw_centre(territory, left, model, rng)[None])[0]
    low, high = centre - 3 * radius - 10, centre + 3 * radius + 10
    return Infarct(
        territory=territory,
        left=left,
        centre=centre,
        radius_mm=radius,
        stretch=np.exp(rng.normal(0, 0.2, 3)),
        rim_mm=float(min(rng.uniform(*RIM_MM), 0.5 * radius)),
        cavitation=float(rng.uniform(0.4, 1.0)),
        coarse=draw_noise_field(low, high, max(0.9 * radius, 3.0), rng),
        fine=draw_noise_field(low, high, max(0.3 * radius, 2.0), rng),
    )


def _draw_centre(territory: Territory, left: bool, model: Model, rng: np.random.Generator) -> np.ndarray:
    """A point of the anatomy in the cortex of the territory, or in the tissue around the ventricles."""
    voxels = rng.uniform(0, np.array(model.anatomy.maps.shape[:3]) - 1, (40000, 3)).astype(int)
    chosen = "white" if territory == "deep" else "grey"
    tissue = model.anatomy.channel(chosen)[tuple(voxels.T)] > 128
    inside = _inside_territory_mm(territory, left, voxels.astype(np.float32), model) > 2
    candidates = voxels[tissue & inside & model.anatomy.brain[tuple(voxels.T)]]
    return candidates[rng.integers(len(candidates))].astype(np.float32)


def _inside_territory_mm(
    territory: Territory, left: bool, anatomical: np.ndarray, model: Model
) -> np.ndarray:
    """How far inside a territory points of the anatomy lie (n,), in mm, negative outside.

    Borders are planes given by distances from the centre of the brain: lateral, to the back and to the top.
    """
    offset = anatomical - model.guide.centre.astype(np.float32)
    lateral = offset[:, 0] if left else -offset[:, 0]
    back, top = offset[:, 1], offset[:, 2]
    borders = {
        "middle": (lateral - 14 - 0.1 * np.abs(back), 52 - back - 0.4 * lateral, top + 28 + 0.2 * lateral),
        "anterior": (lateral - 1, 18 - lateral - 0.1 * back, 30 - back, top + 18),
        "posterior": (lateral - 1, back - 38 + 0.4 * lateral, top + 22, 30 - top),
        "cerebellum": (lateral - 1, back - 8, -28 - top),
        "deep": (lateral - 4, 34 - lateral, 32 - np.abs(back), top + 16, 28 - top),
    }
    return np.min(borders[territory], axis=0)


def _share(depth_mm: np.ndarray) -> np.ndarray:
    return np.clip(depth_mm / (2 * EDGE_MM) + 0.5, 0, 1).astype(np.float32)
