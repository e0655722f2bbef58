"""What FastMRI+ labels without a box: changes all over the brain, and artefacts of the acquisition."""

from collections.abc import Callable

import numpy as np
from scipy import fft

from brainuad.phantom.fastmri.canvas import Canvas
from brainuad.phantom.fastmri.plans import Plan, Push
from brainuad.phantom.fastmri.slices import FIELD_OF_VIEW_MM, Site

SMALL_VESSEL = "Global label: Small vessel chronic white matter ischemic change"


def small_vessel_change(site: Site) -> Plan:
    """Dark white matter around the ventricles on both sides, and scattered foci."""
    reach = site.rng.uniform(8, 13)
    foci = [site.white_matter() for _ in range(10)]

    def paint(canvas: Canvas) -> None:
        white = canvas.slab.fractions["white"]
        deep = np.abs(canvas.anatomical[:, 0] - site.model.guide.centre[0]) > 7
        caps = np.clip((reach - canvas.to_ventricle_mm) / 4 + 0.5, 0, 1) * deep
        canvas.mix(0.85 * caps * white, oedema=0.7, necrosis=0.3)
        for centre in foci:
            share = canvas.blob(centre, (3.5, 5.0, 5.0)) * canvas.slab.fractions["white"]
            canvas.mix(0.8 * share, oedema=0.7, necrosis=0.3)

    return Plan(widening_mm=1.5, paint=paint)


def colpocephaly(site: Site) -> Plan:
    """Wide backs of the lateral ventricles with normal fronts."""
    shift = site.rng.uniform(7, 9)
    return Plan(pushes=tuple(Push(site.ventricle("back", side), 19.0, shift) for side in (1, -1)))


def extra_axial_collection(site: Site) -> Plan:
    """A crescent of old blood between the skull and one hemisphere."""
    point, inwards = site.surface((60.0, 110.0))
    radius, thickness = site.rng.uniform(50, 62), site.rng.uniform(8, 12)

    def paint(canvas: Canvas) -> None:
        distance = np.linalg.norm(canvas.offset(point), axis=1)
        local = thickness * np.clip(1 - (distance / radius) ** 2, 0, 1)
        crescent = (canvas.depth_mm < local) & (canvas.slab.brain > 0.5)
        canvas.mix(crescent.astype(np.float32), csf=0.8, fat=0.2)

    return Plan(pushes=(Push(point - 10 * inwards, 26.0, 0.5 * thickness),), paint=paint)


def no_plan(site: Site) -> Plan:
    """A head without a change."""
    return Plan()


WHOLE: dict[str, Callable[[Site], Plan]] = {
    "Motion artifact": no_plan,
    "Possible artifact": no_plan,
    SMALL_VESSEL: small_vessel_change,
    "Colpocephaly": colpocephaly,
    "Extra-axial collection": extra_axial_collection,
}


def move(kspace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The k-space (x, y, slice), zero frequency in the middle, of a head that moved between its lines.

    Lines along x are acquired one after the other; a shift of the head turns their phase, which leaves ghosts
    along x.
    """
    lines, rows = kspace.shape[:2]
    time = np.arange(lines)
    period, phase = rng.uniform(7, 13), rng.uniform(0, 2 * np.pi)
    nod = rng.uniform(1.6, 2.8) * np.sin(2 * np.pi * time / period + phase)
    for _ in range(rng.integers(2, 5)):
        nod[rng.integers(lines) :] += rng.normal(0, 2.5)
    frequency_x = (time - lines // 2) / FIELD_OF_VIEW_MM
    frequency_y = (np.arange(rows) - rows // 2) / FIELD_OF_VIEW_MM
    turned = 2 * np.pi * nod[:, None] * (0.6 * frequency_x[:, None] + frequency_y[None, :])
    return kspace * np.exp(-1j * turned)[..., None]


def disturb(kspace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The k-space (x, y, slice) with spikes, which are stripes in the image, or with a line of radio noise."""
    disturbed = kspace.copy()
    lines, rows, slices = kspace.shape
    strength = np.abs(kspace).max()
    if rng.random() < 0.6:
        for _ in range(rng.integers(1, 3)):
            away = rng.uniform(0.06, 0.14, 2) * rng.choice([-1, 1], 2)
            at = tuple(((0.5 + away) * (lines, rows)).astype(int))
            disturbed[at] += rng.uniform(0.25, 0.4) * strength * np.exp(2j * np.pi * rng.random())
        return disturbed
    image = fft.ifft2(fft.ifftshift(disturbed, axes=(0, 1)), axes=(0, 1))
    column = rng.integers(lines // 4, 3 * lines // 4)
    crackle = rng.standard_normal((2, rows, slices)) + 1j * rng.standard_normal((2, rows, slices))
    image[column : column + 2] += 0.35 * np.abs(image).max() * crackle
    return fft.fftshift(fft.fft2(image, axes=(0, 1)), axes=(0, 1))


ARTEFACTS = {"Motion artifact": move, "Possible artifact": disturb}
