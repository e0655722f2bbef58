"""What grows inside the skull: tumours, infections, cysts and malformations of vessels."""

import numpy as np

from brainuad.phantom.ct.canvas import Canvas, Region
from brainuad.phantom.ct.places import MIDLINE
from brainuad.phantom.ct.plans import INFECTION, TUMOUR, Plan, Site
from brainuad.phantom.ct.shape import Push

CALCIFIED_HU = 180.0


def glioma(site: Site) -> Plan:
    """An ill-defined dark mass with a denser rim and a necrotic centre."""
    centre, radius = site.place(), max(site.radius_mm, 6.0)
    half = radius * np.exp(site.rng.normal(0, 0.15, 3))

    def paint(canvas: Canvas) -> None:
        core = canvas.blob(centre, half, rough=0.2, edge_mm=2.0)
        _surround(canvas, core, centre, half)
        canvas.fill(core, 36.0, texture=6.0)
        canvas.fill(canvas.blob(centre, 0.65 * half, rough=0.25), 15.0)
        canvas.mark(core, TUMOUR)

    return Plan(centre, radius, (_pushed(centre, radius),), paint)


def metastases(site: Site) -> Plan:
    """Several dense nodules at the border of grey and white matter, each in oedema."""
    largest, count = max(site.radius_mm, 4.0), int(site.rng.integers(2, 6))
    spots = site.rng.uniform((18, 70, 70), (44, 180, 150), (count, 3))
    sides = site.rng.choice([-1, 1], count)
    centres = [site.place()] + [
        site.at(tuple(spot), int(side)) for spot, side in zip(spots, sides, strict=True)
    ]
    radii = [largest, *site.rng.uniform(3, max(0.8 * largest, 3.5), count)]

    def paint(canvas: Canvas) -> None:
        for centre, radius in zip(centres, radii, strict=True):
            nodule = canvas.blob(centre, np.full(3, radius))
            _surround(canvas, nodule, centre, np.full(3, radius))
            canvas.fill(nodule, 52.0, texture=3.0)
            canvas.mark(nodule, TUMOUR)

    return Plan(centres[0], largest, (_pushed(centres[0], largest),), paint)


def meningioma(site: Site) -> Plan:
    """A dense, smooth growth from the dura."""
    centre, radius = site.place(), max(site.radius_mm, 4.0)

    def paint(canvas: Canvas) -> None:
        growth = canvas.blob(centre, np.full(3, radius), rough=0.06)
        canvas.fill(growth, 56.0, texture=2.0)
        canvas.mark(growth, TUMOUR)

    return Plan(centre, radius, (_pushed(centre, radius),), paint)


def abscess(site: Site) -> Plan:
    """Pus in a thick wall, with oedema around it."""
    centre, radius = site.place(), max(site.radius_mm, 6.0)
    half = radius * np.exp(site.rng.normal(0, 0.08, 3))

    def paint(canvas: Canvas) -> None:
        wall = canvas.blob(centre, half, rough=0.08)
        _surround(canvas, wall, centre, half)
        canvas.fill(wall, 44.0)
        canvas.fill(canvas.blob(centre, half - 3.0, rough=0.08), 14.0)
        canvas.mark(wall, INFECTION)

    return Plan(centre, radius, (_pushed(centre, radius),), paint)


def encephalitis(site: Site) -> Plan:
    """An ill-defined dark area in cortex and white matter."""
    centre, half = site.place(), site.rng.uniform(12, 20, 3)

    def paint(canvas: Canvas) -> None:
        area = canvas.blob(centre, half, rough=0.3, edge_mm=3.0)
        area = area.times(1 - 0.6 * canvas.fraction("csf", area))
        canvas.fill(area, 22.0)
        canvas.mark(area, INFECTION)

    return Plan(centre, 16.0, (Push(centre, 22.0, 1.5),), paint)


def lesion(site: Site) -> Plan:
    """A small dark area of unknown nature."""
    centre, radius = site.place(), max(site.radius_mm, 4.0)

    def paint(canvas: Canvas) -> None:
        area = canvas.blob(centre, np.full(3, radius))
        canvas.fill(area.times(1 - canvas.fraction("csf", area)), 14.0)

    return Plan(centre, radius, paint=paint)


def cavernoma(site: Site) -> Plan:
    """A dense nodule with calcified spots, without oedema."""
    centre, radius = site.place(), site.rng.uniform(5, 9)
    spots = centre + site.rng.normal(0, 0.4 * radius, (3, 3))

    def paint(canvas: Canvas) -> None:
        canvas.fill(canvas.blob(centre, np.full(3, radius)), 62.0, texture=5.0)
        for spot in spots:
            canvas.fill(canvas.ball(spot, 1.6), CALCIFIED_HU)

    return Plan(centre, radius, paint=paint)


def aneurysm(site: Site) -> Plan:
    """A dense sac at an artery at the base of the brain."""
    centre, radius = site.place(), max(site.radius_mm, 2.5)

    def paint(canvas: Canvas) -> None:
        canvas.fill(canvas.ball(centre, radius), 58.0)

    return Plan(centre, radius, paint=paint)


def cyst(site: Site) -> Plan:
    """A smooth pocket of fluid between the lobes and the skull."""
    centre, radius = site.place(), max(site.radius_mm, 5.0)
    centre = centre + (site.side * min(0.3 * radius, 8.0) * np.array([1.0, 0, 0]))

    def paint(canvas: Canvas) -> None:
        canvas.fill(canvas.blob(centre, radius * np.array([0.8, 1.0, 0.9]), rough=0.06), 6.0)

    return Plan(centre, radius, (_pushed(centre, radius),), paint)


def specks(canvas: Canvas, centre: np.ndarray, spread_mm: float) -> None:
    """Paints calcified spots around a place."""
    for spot in centre + canvas.rng.normal(0, spread_mm, (4, 3)):
        canvas.fill(canvas.ball(spot, 1.8), CALCIFIED_HU)


def _surround(canvas: Canvas, core: Region, centre: np.ndarray, half: np.ndarray) -> None:
    """Darkens white matter close to a growth a little: every growth has a thin rim of oedema."""
    rim = canvas.blob(centre, half + 3.5, rough=0.25, edge_mm=2.0)
    lateral = np.abs(canvas.slab.places[rim.rows][:, 0] - MIDLINE)
    canvas.fill(rim.times(0.8 * canvas.fraction("white", rim) * (lateral > 3)), 18.0)


def _pushed(centre: np.ndarray, radius: float) -> Push:
    return Push(centre, 1.3 * radius, min(0.15 * radius, 3.0))
