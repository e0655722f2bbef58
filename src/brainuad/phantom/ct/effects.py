"""What findings do to the brain beside them, each a movement or a change of tissue of its own."""

from collections.abc import Callable

import numpy as np

from brainuad.phantom.ct.canvas import Canvas
from brainuad.phantom.ct.masses import specks
from brainuad.phantom.ct.places import CISTERN, THIRD_VENTRICLE, UNCUS
from brainuad.phantom.ct.plans import Plan, Site
from brainuad.phantom.ct.shape import Push, Shift, Widening

SHIFT_MM = (5.0, 10.0)


def mass_effect(site: Site, of: Plan) -> Plan:
    """The brain around the finding gives way."""
    reach = np.clip(1.3 * of.radius_mm, 12, 40)
    return Plan(of.centre, of.radius_mm, (Push(of.centre, reach, 3.0),))


def midline_shift(site: Site, of: Plan) -> Plan:
    """The middle of the brain moves to the other side."""
    middle = site.at((0, 115, 118), 0)
    away = np.array([-site.side * site.rng.uniform(*SHIFT_MM), 0.0, 0.0])
    return Plan(of.centre, of.radius_mm, (Shift(middle, 28.0, away),))


def effacement(site: Site, of: Plan) -> Plan:
    """The sulci round the finding are pressed shut."""

    def paint(canvas: Canvas) -> None:
        near = canvas.ball(of.centre, of.radius_mm + 25.0, edge_mm=8.0)
        outer = np.clip((canvas.to_ventricle_mm[near.rows] - 3) / 2, 0, 1)
        inside = canvas.slab.brain[near.rows] > 0.5
        canvas.fill(near.times(0.85 * canvas.fraction("csf", near) * outer * inside), 33.0)

    return Plan(of.centre, of.radius_mm, paint=paint)


def compression(site: Site, of: Plan) -> Plan:
    """The ventricle on the finding's side is narrow."""
    return Plan(of.centre, of.radius_mm, (Widening(site.at((14, 125, 122)), 30.0, -2.5),))


def herniation(site: Site, of: Plan) -> Plan:
    """The uncus lies in the cistern."""
    uncus, cistern = site.at(UNCUS), site.at(CISTERN, 0)
    away = np.array([-site.side * 5.0, 0.0, 0.0])

    def paint(canvas: Canvas) -> None:
        near = canvas.ball(cistern, 16.0, edge_mm=3.0)
        canvas.fill(near.times(0.8 * canvas.fraction("csf", near)), 34.0)

    return Plan(uncus, 10.0, (Shift(uncus, 14.0, away),), paint)


def oedema(site: Site, of: Plan) -> Plan:
    """Dark white matter around the finding."""
    half = np.full(3, of.radius_mm + site.rng.uniform(8, 14))

    def paint(canvas: Canvas) -> None:
        area = canvas.blob(of.centre, half, rough=0.3, edge_mm=3.0)
        canvas.fill(area.times(0.9 * canvas.fraction("white", area)), 16.0)

    return Plan(of.centre, of.radius_mm, (Push(of.centre, 1.5 * half[0], 1.5),), paint)


def swelling(site: Site, of: Plan) -> Plan:
    """The hemisphere is larger and a little darker."""
    half = np.full(3, of.radius_mm + 12.0)

    def paint(canvas: Canvas) -> None:
        area = canvas.blob(of.centre, half, rough=0.3, edge_mm=4.0)
        canvas.fill(area.times(0.5 * (1 - canvas.fraction("csf", area))), 24.0)

    return Plan(of.centre, of.radius_mm, (Push(of.centre, half[0], 2.5),), paint)


def dilation(site: Site, of: Plan) -> Plan:
    """Wide ventricles."""
    return Plan(of.centre, of.radius_mm, (Widening(site.at(THIRD_VENTRICLE, 0), 60.0, 3.0),))


def gliosis(site: Site, of: Plan) -> Plan:
    """A dark rim of scarred tissue."""
    half = np.full(3, of.radius_mm + 5.0)

    def paint(canvas: Canvas) -> None:
        rim = canvas.blob(of.centre, half, rough=0.25, edge_mm=2.0)
        canvas.fill(rim.times(0.6 * canvas.fraction("white", rim)), 18.0)

    return Plan(of.centre, of.radius_mm, paint=paint)


def calcification(site: Site, of: Plan) -> Plan:
    """Calcium in the finding."""

    def paint(canvas: Canvas) -> None:
        specks(canvas, of.centre, 0.35 * of.radius_mm)

    return Plan(of.centre, of.radius_mm, paint=paint)


EFFECTS: dict[str, Callable[[Site, Plan], Plan]] = {
    "mass effect": mass_effect,
    "midline shift": midline_shift,
    "effacement": effacement,
    "compression": compression,
    "herniation": herniation,
    "oedema": oedema,
    "swelling": swelling,
    "dilation": dilation,
    "gliosis": gliosis,
    "calcification": calcification,
}
# Painted before the finding, so that it lies in them.
BELOW = frozenset({"oedema", "swelling", "gliosis", "effacement"})
