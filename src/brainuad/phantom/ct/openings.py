"""What opens the skull: fractures with air behind them, operations; and what lies in it from birth or from age."""

import numpy as np

from brainuad.phantom.ct.canvas import EDGE_MM, Canvas, Region
from brainuad.phantom.ct.places import CHOROID, DIRECTIONS, PALLIDUM, PINEAL, THIRD_VENTRICLE, VENTRICLE
from brainuad.phantom.ct.plans import Plan, Site
from brainuad.phantom.ct.shape import Push, Widening

FRACTURE_MM = (25.0, 45.0)
SOFT_HU = 45.0


def fracture(site: Site) -> Plan:
    """A gap through the skull, and a swollen scalp over it."""
    point, inwards = site.surface()
    length, width = site.rng.uniform(*FRACTURE_MM), site.rng.uniform(1.0, 1.8)
    turn = site.rng.uniform(0, np.pi)
    across = np.cross(inwards, (0.0, 0.0, 1.0))
    across /= np.linalg.norm(across)
    normal = np.cos(turn) * across + np.sin(turn) * np.cross(across, inwards)

    def paint(canvas: Canvas) -> None:
        near = canvas.ball(point - 5 * inwards, length)
        away = np.abs((canvas.slab.places[near.rows] - point) @ normal.astype(np.float32))
        gap = np.clip((width - away) / (2 * EDGE_MM) + 0.5, 0, 1)
        canvas.fill(near.times(gap * _skull(canvas, near)), SOFT_HU)
        scalp = canvas.ball(point - 14 * inwards, 20.0, edge_mm=3.0)
        canvas.fill(scalp.times(canvas.fraction("fat", scalp)), 58.0)

    return Plan(point, 10.0, paint=paint)


def pneumocephalus(site: Site) -> Plan:
    """Small bubbles of air at the front."""
    centre, count = site.place(), int(site.rng.integers(3, 8))
    spots = centre + site.rng.normal(0, 1, (count, 3)) * (9, 5, 6)
    sizes = site.rng.uniform(2.0, 4.5, count)

    def paint(canvas: Canvas) -> None:
        for spot, size in zip(spots, sizes, strict=True):
            bubble = canvas.ball(spot, size)
            canvas.fill(bubble.times(canvas.slab.brain[bubble.rows]), -950.0)

    return Plan(centre, 10.0, paint=paint)


def surgery(site: Site) -> Plan:
    """A bone flap, burr holes, or a drain into a lateral ventricle."""
    kind = site.rng.choice(["flap", "burr holes", "drain"])
    point, inwards = (
        site.surface() if site.finding.site in DIRECTIONS else (site.place(), np.array([0, 1.0, 0]))
    )
    radius = site.rng.uniform(24, 34)
    inside = site.at(VENTRICLE[0])
    second = point + np.array([0, 26.0, 8.0])

    def paint(canvas: Canvas) -> None:
        if kind == "flap":
            _open(canvas, point - 4 * inwards, radius, radius - 4)
            return
        for hole in (point,) if kind == "drain" else (point, second):
            _open(canvas, hole - 4 * inwards, 8.0, 0.0)
        if kind == "drain":
            canvas.fill(canvas.tube(np.stack([point - 14 * inwards, inside]), 1.8), 260.0)

    return Plan(point, 12.0, paint=paint)


def hydrocephalus(site: Site) -> Plan:
    """Wide lateral ventricles and a wide third one, rounded, with fluid pressed into the white matter."""
    shift, middle = site.rng.uniform(2.5, 4.5), site.at(THIRD_VENTRICLE, 0)
    places = [site.at(point, side) for point in VENTRICLE for side in (1, -1)]
    pushes = tuple(Push(place, 14.0, shift) for place in places)

    def paint(canvas: Canvas) -> None:
        rim = np.clip(1 - (canvas.to_ventricle_mm - 2) / 5, 0, 1) * (canvas.slab.places[:, 2] > 108)
        canvas.fill(canvas.all.times(0.5 * rim * canvas.slab.fractions["white"]), 18.0)

    return Plan(middle, 20.0, (*pushes, Push(middle, 9.0, 2.0), Widening(middle, 70.0, 3.0)), paint)


def congenital(site: Site) -> Plan:
    """Wide, parallel backs of the lateral ventricles, as without a corpus callosum."""
    shift = site.rng.uniform(6, 8)
    backs = [site.at(VENTRICLE[2], side) for side in (1, -1)]
    return Plan(backs[0], 20.0, tuple(Push(back, 18.0, shift) for back in backs))


def calcification(site: Site) -> Plan:
    """Calcium in the pineal gland and the choroid plexus, in some patients in the basal ganglia too."""
    places = [(site.at(PINEAL, 0), 2.8)] + [(site.at(CHOROID, side), 3.2) for side in (1, -1)]
    if site.rng.random() < 0.5:
        places += [(site.at(PALLIDUM, side), 3.5) for side in (1, -1)]
    hu = site.rng.uniform(110, 260)

    def paint(canvas: Canvas) -> None:
        for place, radius in places:
            for spot in place + canvas.rng.normal(0, 0.5 * radius, (3, 3)):
                canvas.fill(canvas.ball(spot, 0.7 * radius), hu)

    return Plan(places[0][0], 4.0, paint=paint)


def unpainted(site: Site) -> Plan:
    """What the head or the scanner shows as a whole: atrophy and artefacts."""
    return Plan(site.at((0, 134, 117), 0), 30.0)


def _skull(canvas: Canvas, region: Region) -> np.ndarray:
    return canvas.fraction("bone", region) + canvas.fraction("marrow", region)


def _open(canvas: Canvas, centre: np.ndarray, outer_mm: float, inner_mm: float) -> None:
    """Soft tissue in place of the skull between two distances from a place, and for a flap no marrow inside."""
    disc = canvas.ball(centre, outer_mm)
    away = np.linalg.norm(canvas.slab.places[disc.rows] - centre.astype(np.float32), axis=1)
    inside = np.clip((inner_mm - away) / (2 * EDGE_MM) + 0.5, 0, 1) if inner_mm else np.zeros(len(away))
    canvas.fill(disc.times(inside * canvas.fraction("marrow", disc)), 1100.0)
    canvas.fill(disc.times((1 - inside) * _skull(canvas, disc)), SOFT_HU)
