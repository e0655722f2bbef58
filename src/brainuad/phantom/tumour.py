"""Gliomas: an irregular core, its centre necrotic, its rim enhancing, in oedema that follows white matter."""

from dataclasses import dataclass

import numpy as np

from brainuad.phantom.fields import NoiseField, draw_noise_field
from brainuad.phantom.head import Model, Slab
from brainuad.phantom.warp import Warp, push_away

LABELS = {"necrosis": 1, "oedema": 2, "enhancing": 4}
LOW_GRADE_SHARE = 0.15
SECOND_FOCUS_SHARE = 0.2
EDGE = 0.06  # width of the borders relative to the radius


@dataclass(frozen=True)
class Focus:
    """One growth. `radius_mm` of the core, `rim` and `oedema` relative to it, `stretch` per axis."""

    centre: np.ndarray
    radius_mm: float
    stretch: np.ndarray
    rim: float
    oedema: float
    coarse: NoiseField
    fine: NoiseField

    def distances(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Perturbed distances from the centre, relative to the core's radius: of the core, of the oedema."""
        offset = (places - self.centre) / self.stretch.astype(np.float32)
        distance = np.linalg.norm(offset, axis=1) / np.float32(self.radius_mm)
        coarse, fine = self.coarse.at(places), self.fine.at(places)
        return distance * (1 + 0.15 * coarse + 0.05 * fine), distance * (1 - 0.22 * coarse + 0.06 * fine)


@dataclass(frozen=True)
class Tumour:
    """The growths of one patient."""

    foci: tuple[Focus, ...]
    low_grade: bool

    labels = LABELS
    smallest_mm3 = 60.0

    def push(self, warp: Warp) -> Warp:
        """The warp with the mass effect of each growth."""
        for focus in self.foci:
            warp = push_away(warp, focus.centre, 1.3 * focus.radius_mm, 0.22 * focus.radius_mm)
        return warp

    def fractions(self, slab: Slab) -> dict[str, np.ndarray]:
        """Share of each lesion tissue in the slab's voxels (n,)."""
        found = {tissue: np.zeros(len(slab.index), dtype=np.float32) for tissue in LABELS}
        for focus in self.foci:
            reach = 2 * focus.radius_mm * focus.oedema * focus.stretch.max() + 5
            near = np.flatnonzero(
                (np.abs(slab.places - focus.centre) < reach).all(axis=1) & (slab.brain > 0.5)
            )
            for tissue, share in _tissues(focus, slab, near, self.low_grade).items():
                found[tissue][near] = np.maximum(found[tissue][near], share)
        total = sum(found.values())
        return {tissue: share / np.maximum(total, 1) for tissue, share in found.items()}


def draw_tumour(model: Model, warp: Warp, radius_mm: tuple[float, float], rng: np.random.Generator) -> Tumour:
    """A tumour centred in white matter; the core's radius is log-uniform between the two limits."""
    low_grade = bool(rng.random() < LOW_GRADE_SHARE)
    centres = _deep_white_matter(model, rng)
    largest = float(np.exp(rng.uniform(*np.log(radius_mm))))
    foci = [_draw_focus(warp.to_subject(centres[:1])[0], largest, rng)]
    if rng.random() < SECOND_FOCUS_SHARE:
        foci.append(_draw_focus(warp.to_subject(centres[1:2])[0], max(0.4 * largest, radius_mm[0]), rng))
    return Tumour(tuple(foci), low_grade)


def _deep_white_matter(model: Model, rng: np.random.Generator) -> np.ndarray:
    candidates = rng.uniform(0, np.array(model.anatomy.maps.shape[:3]) - 1, (20000, 3)).astype(int)
    supratentorial = candidates[:, 2] > model.guide.centre[2] - 15
    white = model.anatomy.channel("white")[tuple(candidates.T)] > 240
    return candidates[supratentorial & white].astype(np.float32)


def _draw_focus(centre: np.ndarray, radius_mm: float, rng: np.random.Generator) -> Focus:
    box = 6.0 * radius_mm + 10
    low, high = centre - box, centre + box
    return Focus(
        centre=centre,
        radius_mm=radius_mm,
        stretch=np.exp(rng.normal(0, 0.12, 3)),
        rim=float(np.clip(rng.uniform(2.0, 5.0) / radius_mm, 0.12, 0.7)),
        oedema=rng.uniform(1.3, 2.2),
        coarse=draw_noise_field(low, high, 1.1 * radius_mm, rng),
        fine=draw_noise_field(low, high, max(0.35 * radius_mm, 2.5), rng),
    )


def _tissues(focus: Focus, slab: Slab, near: np.ndarray, low_grade: bool) -> dict[str, np.ndarray]:
    core_distance, oedema_distance = focus.distances(slab.places[near])
    grey, fluid = (slab.fractions[tissue][near] for tissue in ("grey", "csf"))
    core = _inside(core_distance, 1.0) * (1 - 0.8 * fluid)
    # Oedema runs along white matter: cortex resists it, fluid does not take part.
    around = _inside(oedema_distance + 0.3 * grey, focus.oedema) * (1 - fluid) * (1 - 0.3 * grey) - core
    if low_grade:
        return {"necrosis": core * 0.55, "oedema": np.maximum(around, 0) + core * 0.45}
    centre = core * _inside(core_distance, 1.0 - focus.rim)
    return {"necrosis": centre, "enhancing": core - centre, "oedema": np.maximum(around, 0)}


def _inside(distance: np.ndarray, limit: float) -> np.ndarray:
    return np.clip((limit - distance) / (2 * EDGE) + 0.5, 0, 1).astype(np.float32)
