"""Too little blood: recent and old infarcts, a dense artery, small vessel disease, a swollen brain, and scars."""

import numpy as np

from brainuad.phantom.ct.canvas import Canvas, Region
from brainuad.phantom.ct.places import MIDLINE, VESSELS
from brainuad.phantom.ct.plans import ISCHAEMIA, Plan, Site
from brainuad.phantom.ct.shape import Push, Widening

# The shape of a territory: its half axes (across, back, up) relative to the size of the infarct.
SHAPES = {
    "middle cerebral artery territory": (0.27, 0.42, 0.36),
    "posterior cerebral artery territory": (0.26, 0.36, 0.3),
    "frontal operculum": (0.26, 0.36, 0.36),
}
ROUND = (0.4, 0.45, 0.4)
OLD_SIZE_MM = (20.0, 60.0)


def early_infarct(site: Site) -> Plan:
    """Grey and white matter alike and darker than normal, sulci pressed shut, in one hemisphere."""
    centre, size = site.place(), max(float(site.finding.size_mm), 15.0)
    half = size * np.array(SHAPES.get(site.finding.site, ROUND))
    hu = site.rng.uniform(19, 26)

    def paint(canvas: Canvas) -> None:
        area = _on_side(canvas.blob(centre, half, rough=0.2, edge_mm=2.0), canvas, site.side)
        canvas.fill(area.times(1 - 0.4 * canvas.fraction("csf", area)), hu)
        canvas.mark(area, ISCHAEMIA)

    return Plan(centre, 0.4 * size, (Push(centre, 0.5 * size, min(0.04 * size, 2.5)),), paint)


def old_infarct(site: Site) -> Plan:
    """A cavity of fluid with a darker rim; the ventricle beside it widens a little."""
    centre, size = site.place(), site.rng.uniform(*OLD_SIZE_MM)
    half = size * np.array(SHAPES.get(site.finding.site, ROUND))
    hu = site.rng.uniform(8, 14)

    def paint(canvas: Canvas) -> None:
        rim = _on_side(canvas.blob(centre, half + 2.5, rough=0.25, edge_mm=2.0), canvas, site.side)
        canvas.fill(rim.times(0.7 * (1 - canvas.fraction("csf", rim))), 22.0)
        cavity = _on_side(canvas.blob(centre, half, rough=0.25, edge_mm=1.5), canvas, site.side)
        canvas.fill(cavity.times(0.95), hu)
        canvas.mark(rim, ISCHAEMIA)

    return Plan(centre, 0.4 * size, (Widening(centre, 35.0, 1.5),), paint)


def lacune(site: Site) -> Plan:
    """A small hole in the deep brain."""
    centre, half = site.place(), site.rng.uniform(3.5, 6.5, 3)

    def paint(canvas: Canvas) -> None:
        hole = canvas.blob(centre, half)
        canvas.fill(hole, 9.0)
        canvas.mark(hole, ISCHAEMIA)

    return Plan(centre, 5.0, paint=paint)


def dense_vessel(site: Site) -> Plan:
    """Thrombus in an artery or sinus: a dense line."""
    course = np.array([site.at(point) for point in VESSELS[site.finding.site]])
    radius = 3.5 if "sinus" in site.finding.site else 2.4

    def paint(canvas: Canvas) -> None:
        canvas.fill(canvas.tube(course, radius), 72.0)

    return Plan(course[len(course) // 2], 10.0, paint=paint)


def small_vessel(site: Site) -> Plan:
    """Dark white matter round the ventricles on both sides, more of it in some patients than in others."""
    reach, strength = site.rng.uniform(7, 14), site.rng.uniform(0.55, 0.95)
    spots = site.rng.uniform((10, 80, 122), (38, 170, 145), (8, 3))
    sides = site.rng.choice([-1, 1], 8)
    centres = [site.at(tuple(spot), int(side)) for spot, side in zip(spots, sides, strict=True)]

    def paint(canvas: Canvas) -> None:
        above = (
            canvas.slab.places[:, 2] > 104
        )  # fluid between brainstem and cerebellum is no lateral ventricle
        caps = np.clip((reach - canvas.to_ventricle_mm) / 5 + 0.3, 0, 1) * above
        canvas.fill(canvas.all.times(strength * caps * canvas.slab.fractions["white"]), 17.0)
        for centre in centres:
            spot = canvas.blob(centre, np.array([4.0, 6.0, 5.0]), edge_mm=2.0)
            canvas.fill(spot.times(strength * canvas.fraction("white", spot)), 18.0)

    return Plan(centres[0], 8.0, paint=paint)


def hypoxic(site: Site) -> Plan:
    """A swollen brain: no sulci and cisterns, narrow ventricles, no difference between grey and white matter."""
    centre = site.at((0, 134, 117), 0)

    def paint(canvas: Canvas) -> None:
        outer = np.clip((canvas.to_ventricle_mm - 3) / 2, 0, 1)
        canvas.fill(canvas.all.times(0.85 * canvas.slab.fractions["csf"] * outer), 27.0)
        solid = canvas.slab.fractions["grey"] + canvas.slab.fractions["white"]
        canvas.fill(canvas.all.times(0.85 * solid), 26.0)

    return Plan(centre, 30.0, (Widening(centre, 60.0, -1.8),), paint)


def gliosis(site: Site) -> Plan:
    """A dark area of scarred white matter without a mass effect."""
    centre, half = site.place(), site.rng.uniform(7, 13, 3)

    def paint(canvas: Canvas) -> None:
        scar = canvas.blob(centre, half, rough=0.3, edge_mm=2.0)
        canvas.fill(scar.times(1 - canvas.fraction("csf", scar)), 19.0)

    return Plan(centre, 10.0, paint=paint)


def traumatic_scar(site: Site) -> Plan:
    """Lost cortex and white matter at a pole of the brain."""
    centre, half = site.place(), site.rng.uniform(9, 16, 3)

    def paint(canvas: Canvas) -> None:
        rim = canvas.blob(centre, half + 2.0, rough=0.3, edge_mm=2.0)
        canvas.fill(rim.times(0.7 * (1 - canvas.fraction("csf", rim))), 20.0)
        canvas.fill(canvas.blob(centre, half, rough=0.3).times(0.9), 10.0)

    return Plan(centre, 12.0, paint=paint)


def _on_side(region: Region, canvas: Canvas, side: int) -> Region:
    """The part of a region in one hemisphere, outside the ventricles."""
    lateral = side * (canvas.straight.to_anatomy(canvas.slab.places[region.rows])[:, 0] - MIDLINE)
    solid = np.clip(canvas.to_ventricle_mm[region.rows] - 1, 0, 1)
    return region.times(np.clip((lateral - 3) / 2, 0, 1) * solid)
