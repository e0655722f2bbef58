"""Blood and other fluid inside the skull: in the brain, in the ventricles and sulci, between brain and skull."""

from dataclasses import dataclass

import numpy as np

from brainuad.phantom.ct.canvas import Canvas, Region
from brainuad.phantom.ct.places import CISTERN, MIDLINE, VENTRICLE
from brainuad.phantom.ct.plans import HAEMORRHAGE, Plan, Site
from brainuad.phantom.ct.shape import Push, Shift

# Fresh blood, and blood of weeks ago.
FRESH_HU, OLD_HU = (58.0, 72.0), (12.0, 24.0)
EDGE_MM = 0.8
# The brain gives way by this part of a collection's thickness, at most so far.
GIVES_WAY, MOST_MM = 0.6, 8.0


@dataclass(frozen=True)
class Collection:
    """Fluid between brain and skull: thickest at `point`, gone `spread_mm` away, on one side of the falx."""

    point: np.ndarray
    spread_mm: float
    thickness_mm: float
    side: int

    def region(self, canvas: Canvas) -> Region:
        """The voxels that it fills."""
        near = canvas.ball(self.point, self.spread_mm)
        depth, anatomical = canvas.depth_mm(near)
        away = np.linalg.norm(canvas.slab.places[near.rows] - self.point.astype(np.float32), axis=1)
        local = self.thickness_mm * np.clip(1 - (away / self.spread_mm) ** 2, 0, 1)
        share = np.clip((local - depth) / (2 * EDGE_MM) + 0.5, 0, 1) * (depth > -1.5)
        own_side = self.side * (anatomical[:, 0] - MIDLINE) > 3
        return near.times(share * own_side * (local > 0))


def subdural(site: Site) -> Plan:
    """A crescent of fresh blood over one hemisphere."""
    return _collection(site, site.rng.uniform(55, 72), site.rng.uniform(*FRESH_HU), HAEMORRHAGE)


def chronic_subdural(site: Site) -> Plan:
    """A crescent of old blood, darker than the brain, whose cells settle at the back."""
    return _collection(
        site, site.rng.uniform(60, 75), site.rng.uniform(*OLD_HU), HAEMORRHAGE, settled_hu=12.0
    )


def hygroma(site: Site) -> Plan:
    """A thin crescent of fluid."""
    return _collection(site, site.rng.uniform(55, 70), site.rng.uniform(6, 11), None)


def extradural(site: Site) -> Plan:
    """A lens of fresh blood between skull and dura."""
    spread = 16 + 1.1 * site.finding.size_mm
    return _collection(site, spread, site.rng.uniform(*FRESH_HU), HAEMORRHAGE)


def _collection(site: Site, spread_mm: float, hu: float, value: int | None, settled_hu: float = 0.0) -> Plan:
    point, inwards = site.surface()
    thickness = max(float(site.finding.size_mm), 3.0)
    fluid = Collection(point, spread_mm, thickness, site.side)
    away = Shift(point, 0.6 * spread_mm, inwards * min(GIVES_WAY * thickness, MOST_MM))

    def paint(canvas: Canvas) -> None:
        region = fluid.region(canvas)
        canvas.fill(region, hu, texture=3.0)
        behind = np.clip((canvas.slab.places[region.rows][:, 1] - point[1]) / 60, -1, 1)
        canvas.hu[region.rows] += region.share * np.float32(settled_hu) * behind
        if value is not None:
            canvas.mark(region, value)

    return Plan(point + 0.5 * thickness * inwards, max(thickness, 20.0), (away,), paint)


def intracerebral(site: Site) -> Plan:
    """A haematoma in the brain with a thin dark rim."""
    centre, radius = site.place(), max(site.radius_mm, 4.0)
    half = radius * np.exp(site.rng.normal(0, 0.15, 3)) * (0.85, 1.1, 0.9)
    hu = site.rng.uniform(*FRESH_HU)

    def paint(canvas: Canvas) -> None:
        rim = canvas.blob(centre, half + 3.0, rough=0.2, edge_mm=2.0)
        canvas.fill(rim.times(0.7 * (1 - canvas.fraction("csf", rim))), 20.0)
        core = canvas.blob(centre, half, rough=0.15)
        canvas.fill(core, hu, texture=3.0)
        canvas.mark(core, HAEMORRHAGE)

    return Plan(centre, radius, (Push(centre, 1.4 * radius, min(0.2 * radius, 4.0)),), paint)


def contusion(site: Site) -> Plan:
    """Several small bleeds below the surface in a dark area."""
    centre, count = site.place(), int(site.rng.integers(3, 7))
    spots = centre + site.rng.normal(0, 7, (count, 3))
    sizes = site.rng.uniform(3.5, 7, count)

    def paint(canvas: Canvas) -> None:
        around = canvas.blob(centre, np.full(3, 18.0), rough=0.3, edge_mm=4.0)
        canvas.fill(around.times(0.6 * (1 - canvas.fraction("csf", around))), 22.0)
        for spot, size in zip(spots, sizes, strict=True):
            bleed = canvas.blob(spot, np.full(3, size), rough=0.25)
            canvas.fill(bleed, 62.0, texture=4.0)
            canvas.mark(bleed, HAEMORRHAGE)

    return Plan(centre, 16.0, paint=paint)


def subarachnoid(site: Site) -> Plan:
    """Blood in the fluid of the cisterns and sulci around a place."""
    place = site.at(CISTERN, 0) if site.finding.site == "basal cisterns" else site.place()
    reach, hu = site.rng.uniform(28, 42), site.rng.uniform(62, 74)

    def paint(canvas: Canvas) -> None:
        near = canvas.ball(place, reach, edge_mm=6.0)
        outer = np.clip((canvas.to_ventricle_mm[near.rows] - 3) / 2, 0, 1)
        fluid = canvas.fraction("csf", near) * (canvas.slab.brain[near.rows] > 0.3) * outer
        blood = near.times(np.clip(1.6 * fluid, 0, 1))
        canvas.fill(blood, hu, texture=3.0)
        canvas.mark(blood, HAEMORRHAGE)

    return Plan(place, 20.0, paint=paint)


def intraventricular(site: Site) -> Plan:
    """Blood that settles at the back of both lateral ventricles, more of it on the finding's side."""
    levels = {
        side: site.rng.uniform(*limits) for side, limits in ((site.side, (4, 12)), (-site.side, (-4, 4)))
    }
    backs = {side: site.at(VENTRICLE[2], side) for side in levels}
    hu = site.rng.uniform(52, 64)

    def paint(canvas: Canvas) -> None:
        for side, level in levels.items():
            near = canvas.ball(backs[side], 34.0)
            places = canvas.slab.places[near.rows]
            below = np.clip((places[:, 1] - backs[side][1] + level) / 2 + 0.5, 0, 1)
            inside = np.clip((2.5 - canvas.to_ventricle_mm[near.rows]) / 2, 0, 1)
            blood = near.times(below * inside * canvas.fraction("csf", near))
            canvas.fill(blood, hu)
            canvas.mark(blood, HAEMORRHAGE)

    return Plan(backs[site.side], 12.0, paint=paint)
