"""Findings with boxes, by their labels in FastMRI+: each a plan drawn for one slice of a patient."""

from collections.abc import Callable

import numpy as np

from brainuad.phantom.fastmri.canvas import Canvas
from brainuad.phantom.fastmri.plans import Plan, Push
from brainuad.phantom.fastmri.slices import Site

SIDE_DEG = (35.0, 145.0)  # angles from the front at which the vault is opened
# What lies in a mass and in a small lesion: T1-dark fluid, solid tissue, T1-bright blood or fat.
MASSES = ({"necrosis": 1.0}, {"necrosis": 0.5, "muscle": 0.5}, {"fat": 0.5, "grey": 0.5})
LESIONS = ({"necrosis": 1.0}, {"fat": 0.7, "grey": 0.3})


def absent_septum(site: Site) -> Plan:
    """Both lateral ventricles in one: the septum pellucidum between their fronts is fluid."""
    left, right = site.ventricle("front", 1), site.ventricle("front", -1)
    centre = (left + right) / 2 + (0, 7, 0)
    width = abs(left[0] - right[0]) / 2 + 1

    def paint(canvas: Canvas) -> None:
        share = canvas.blob(centre, (width, 15.0, 9.0), rough=0.05) * (canvas.slab.brain > 0.5)
        canvas.mix(share, csf=1.0)
        canvas.mark("Absent septum pellucidum", share > 0.5)

    return Plan(widening_mm=1.5, paint=paint)


def craniotomy(site: Site) -> Plan:
    """A bone flap: no marrow in it, gaps at its rim, a thinner scalp over it."""
    point, inwards = site.surface(SIDE_DEG)
    radius = site.rng.uniform(24, 34)

    def paint(canvas: Canvas) -> None:
        canvas.mark("Craniotomy", open_skull(canvas, point, inwards, radius))

    return Plan(paint=paint)


def open_skull(canvas: Canvas, point: np.ndarray, inwards: np.ndarray, radius_mm: float) -> np.ndarray:
    """The mask (n,) of a bone flap around a place on the brain's surface, after painting it."""
    distance = np.linalg.norm(canvas.offset(point - 6 * inwards), axis=1)
    outside = canvas.slab.brain < 0.5
    skull = canvas.slab.fractions["bone"] + canvas.slab.fractions["marrow"]
    flap = ((distance < radius_mm) & outside).astype(np.float32)
    gap = flap * (distance > radius_mm - 5) * skull
    canvas.mix(flap * canvas.slab.fractions["marrow"], bone=1.0)
    canvas.mix(0.6 * flap * canvas.slab.fractions["fat"], muscle=1.0)
    canvas.mix(gap, muscle=1.0)
    return (flap > 0) & (skull > 0.5)


def dural_thickening(site: Site) -> Plan:
    """A band of soft tissue below the skull."""
    point, _ = site.surface(SIDE_DEG)
    radius, thickness = site.rng.uniform(26, 40), site.rng.uniform(4.0, 6.0)

    def paint(canvas: Canvas) -> None:
        near = np.linalg.norm(canvas.offset(point), axis=1) < radius
        band = near & (canvas.slab.brain > 0.5) & (canvas.depth_mm < thickness)
        canvas.mix(band.astype(np.float32), muscle=0.4, fat=0.6)
        canvas.mark("Dural thickening", band)

    return Plan(paint=paint)


def edema(site: Site) -> Plan:
    """A diffuse dark area that follows white matter."""
    centre = site.white_matter()
    radius = site.rng.uniform(15, 24)

    def paint(canvas: Canvas) -> None:
        share = canvas.blob(centre, (radius, 1.3 * radius, radius), rough=0.3, edge_mm=4.0)
        share *= 0.9 * canvas.slab.fractions["white"] + 0.3 * canvas.slab.fractions["grey"]
        canvas.mix(share, oedema=1.0)
        canvas.mark("Edema", share > 0.35)

    return Plan(pushes=(Push(centre, 1.2 * radius, 2.5),), paint=paint)


def encephalomalacia(site: Site) -> Plan:
    """Cortex and white matter lost to fluid, with scarred tissue around it."""
    point, inwards = site.surface((20.0, 160.0))
    radius = site.rng.uniform(12, 18)

    def paint(canvas: Canvas) -> None:
        brain = canvas.slab.brain > 0.5
        scar = canvas.blob(point + 8 * inwards, (1.3 * radius,) * 3, rough=0.25) * brain
        canvas.mix(0.6 * scar * (1 - canvas.slab.fractions["csf"]), oedema=1.0)
        lost = canvas.blob(point + 6 * inwards, (radius,) * 3, rough=0.3) * brain
        canvas.mix(0.8 * lost, csf=0.85, oedema=0.15)
        canvas.mark("Encephalomalacia", (scar > 0.5) | (lost > 0.5))

    return Plan(paint=paint)


def enlarged_ventricles(site: Site) -> Plan:
    """Lateral ventricles that press the white matter aside."""
    shift = site.rng.uniform(3.5, 5.5)
    parts = [(part, side) for part in ("front", "body", "back") for side in (1, -1)]
    pushes = tuple(Push(site.ventricle(*part), 15.0, shift) for part in parts)

    def paint(canvas: Canvas) -> None:
        middle = canvas.anatomical - site.model.guide.centre
        lateral = (np.abs(middle[:, 0]) < 32) & (middle[:, 2] > -12) & (canvas.depth_mm > 26)
        fluid = canvas.slab.fractions["csf"] > 0.5
        canvas.mark("Enlarged ventricles", fluid & lateral & (canvas.to_ventricle_mm < 4))

    return Plan(pushes=pushes, widening_mm=2.5, paint=paint)


def intraventricular_substance(site: Site) -> Plan:
    """A clot or a mass in one lateral ventricle."""
    part, side = site.rng.choice(["front", "body", "back"]), int(site.rng.choice([-1, 1]))
    centre = site.ventricle(str(part), side)
    radius = site.rng.uniform(6, 8)

    def paint(canvas: Canvas) -> None:
        share = canvas.blob(centre, (radius, 1.4 * radius, 9.0)) * (canvas.slab.brain > 0.5)
        canvas.mix(share, fat=0.8, grey=0.2)
        canvas.mark("Intraventricular substance", share > 0.5)

    return Plan(pushes=(Push(centre, 12.0, 3.0),), paint=paint)


def nonspecific_lesion(site: Site) -> Plan:
    """A small round change of unknown nature, dark or bright."""
    centre, radius = site.white_matter(), site.rng.uniform(4.5, 8.5)
    tissues = LESIONS[site.rng.integers(len(LESIONS))]

    def paint(canvas: Canvas) -> None:
        share = canvas.blob(centre, (radius, radius, max(radius, 5.0)))
        canvas.mix(share, **tissues)
        canvas.mark("Nonspecific lesion", share > 0.5)

    return Plan(paint=paint)


def mass(site: Site) -> Plan:
    """A growth that pushes the brain aside, with oedema around it."""
    centre, radius = site.white_matter(), site.rng.uniform(11, 18)
    tissues = MASSES[site.rng.integers(len(MASSES))]

    def paint(canvas: Canvas) -> None:
        around = canvas.blob(centre, (1.6 * radius,) * 3, rough=0.25) * canvas.slab.fractions["white"]
        canvas.mix(0.8 * around, oedema=1.0)
        core = canvas.blob(centre, (radius,) * 3, rough=0.12) * (canvas.slab.brain > 0.5)
        canvas.mix(core, muscle=0.7, grey=0.3)
        inner = canvas.blob(centre, (0.7 * radius,) * 3, rough=0.15) * core
        canvas.mix(inner, **tissues)
        canvas.mark("Mass", core > 0.5)

    return Plan(pushes=(Push(centre, 1.3 * radius, 0.3 * radius),), paint=paint)


def posttreatment_change(site: Site) -> Plan:
    """A bone flap over scarred brain with old blood in it."""
    point, inwards = site.surface(SIDE_DEG)
    radius = site.rng.uniform(10, 15)

    def paint(canvas: Canvas) -> None:
        flap = open_skull(canvas, point, inwards, 1.8 * radius)
        brain = canvas.slab.brain > 0.5
        scar = canvas.blob(point + radius * inwards, (radius,) * 3, rough=0.3) * brain
        canvas.mix(0.85 * scar, oedema=0.8, csf=0.2)
        for _ in range(3):
            spot = point + radius * inwards + site.rng.normal(0, 0.35 * radius, 3) * (1, 1, 0.3)
            canvas.mix(canvas.blob(spot, (3.5, 3.5, 5.0)) * brain, fat=0.8, grey=0.2)
        canvas.mark("Posttreatment change", flap | (scar > 0.5))

    return Plan(paint=paint)


def resection_cavity(site: Site) -> Plan:
    """A cavity full of fluid below a bone flap."""
    point, inwards = site.surface(SIDE_DEG)
    radius = site.rng.uniform(11, 18)

    def paint(canvas: Canvas) -> None:
        canvas.mark("Craniotomy", open_skull(canvas, point, inwards, 1.6 * radius))
        brain = canvas.slab.brain > 0.5
        rim = canvas.blob(point + 0.7 * radius * inwards, (1.25 * radius,) * 3) * brain
        canvas.mix(0.6 * rim * (1 - canvas.slab.fractions["csf"]), oedema=1.0)
        cavity = canvas.blob(point + 0.7 * radius * inwards, (radius,) * 3, rough=0.1) * brain
        canvas.mix(cavity, csf=1.0)
        canvas.mark("Resection cavity", cavity > 0.5)

    return Plan(paint=paint)


def sinus_opacification(site: Site) -> Plan:
    """A frontal sinus full of mucus, which is bright."""
    point, inwards = site.surface((4.0, 14.0))

    def paint(canvas: Canvas) -> None:
        centre = point - 6 * inwards
        outside = canvas.slab.brain < 0.5
        share = canvas.blob(centre, (17.0, 8.0, 12.0), rough=0.1) * outside
        canvas.mix(share, muscle=0.75, fat=0.25)
        canvas.mark("Paranasal sinus opacification", share > 0.5)

    return Plan(paint=paint)


def white_matter_lesions(site: Site) -> Plan:
    """A few small dark foci in the white matter, each in a box of its own."""
    centres = [site.white_matter() for _ in range(site.rng.integers(2, 6))]

    def paint(canvas: Canvas) -> None:
        for centre in centres:
            radius = site.rng.uniform(3.0, 5.5)
            share = canvas.blob(centre, (radius, 1.3 * radius, 4.5)) * (1 - canvas.slab.fractions["csf"])
            canvas.mix(share, plaque=0.5, necrosis=0.5)
            canvas.mark("Nonspecific white matter lesion", share > 0.5)

    return Plan(paint=paint)


LOCAL: dict[str, Callable[[Site], Plan]] = {
    "Absent septum pellucidum": absent_septum,
    "Craniotomy": craniotomy,
    "Dural thickening": dural_thickening,
    "Edema": edema,
    "Encephalomalacia": encephalomalacia,
    "Enlarged ventricles": enlarged_ventricles,
    "Intraventricular substance": intraventricular_substance,
    "Nonspecific lesion": nonspecific_lesion,
    "Mass": mass,
    "Posttreatment change": posttreatment_change,
    "Resection cavity": resection_cavity,
    "Paranasal sinus opacification": sinus_opacification,
    "Nonspecific white matter lesion": white_matter_lesions,
}
