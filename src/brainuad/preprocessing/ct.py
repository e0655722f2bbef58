"""Head CT in Hounsfield units: where the head and the inside of the skull are, and whether the values can be true.

Soft tissue lies between 0 and 100 HU, fat at -100, air at -1000, bone above 150. So thresholds find the inside of the
skull without a network: what is soft and thick, closed off by bone (compare Muschelli 2015, NeuroImage 114, 379-385,
who threshold at 0 to 100 HU before they strip).
"""

from dataclasses import dataclass

import cc3d
import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from brainuad.errors import ScanError
from brainuad.preprocessing.geometry import bounding_box, isotropic, largest_filled, mask_like, volume_ml
from brainuad.preprocessing.settings import PlausibleRange

AIR_HU = -1024.0
# Between fat and foam; the mat of the table is lighter.
HEAD_HU = -200.0
# Fluid with its noise to fresh blood; cartilage and bone are above.
SOFT_HU = (-20.0, 130.0)
# What registration and pictures see: everything lighter than fluid is black, everything denser than blood is white.
WINDOW_HU = (0.0, 100.0)
# Masks are looked for on cubes of this size, after smoothing of the noise.
SEARCH_MM = 2.0
NOISE_MM = 1.0
# Straps and table touch the head over less than this.
CONTACT_MM = 6.0
# What is soft and no deeper than this from bone or air is scalp, muscle, or passes through an opening of the skull.
GAP_MM = 10.0
# No brain is taller, so nothing further below its top belongs to it: muscles, where the spinal canal is wide.
TALLEST_MM = 150.0
# How far the mask may grow back from its core, beyond the distance by which it was shrunk.
REGROWTH_MM = 4.0
# Where bone and air share a voxel they look like soft tissue; such sheets are thinner than this.
TONGUE_MM = 8.0
# Width, depth and height of the head in Kascenas 2023: 80 x 112 x 88 voxels of 2 mm.
FIELD_OF_VIEW_MM = (160.0, 224.0, 176.0)
# Bone, scalp and hair above the brain.
ABOVE_BRAIN_MM = 18.0


@dataclass(frozen=True)
class CtNumbers:
    """What a plausible head CT is judged by: the head's volume, and the usual values of air and of the brain."""

    head_ml: float
    air_hu: float | None
    tissue_hu: float


def windowed(image: sitk.Image) -> sitk.Image:
    """The image with values limited to `WINDOW_HU`."""
    return sitk.Clamp(image, image.GetPixelID(), *WINDOW_HU)


def head_mask(image: sitk.Image) -> sitk.Image:
    """The head without table, straps and air (uint8), filled slice by slice, on the grid of the image.

    No head is a `ScanError`.
    """
    coarse = isotropic(image, SEARCH_MM)
    dense = sitk.GetArrayViewFromImage(coarse) > HEAD_HU
    thick = _shrunk(dense, CONTACT_MM / 2)
    core = np.asarray(cc3d.largest_k(thick.astype(np.uint8), k=1, connectivity=6)) > 0
    if not core.any():
        raise ScanError("no head in the image")
    head = _grown(core, CONTACT_MM / 2 + SEARCH_MM) & dense
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in head])
    return _on_grid_of(image, mask_like(filled, coarse))


def inside_of_skull(image: sitk.Image) -> sitk.Image:
    """The brain with its fluid (uint8), one part without holes, on the grid of the image.

    Its core is the soft tissue that lies deeper than `GAP_MM`: scalp, muscles and what passes through the openings of
    the skull are cut off. The core grows back as far as soft tissue goes. No such tissue is a `ScanError`.
    """
    coarse = isotropic(image, SEARCH_MM)
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(coarse, NOISE_MM))
    soft = (smooth > SOFT_HU[0]) & (smooth < SOFT_HU[1])
    soft |= _loose_bone(smooth >= SOFT_HU[1])
    thick = _shrunk(soft, GAP_MM)
    core = np.asarray(cc3d.largest_k(thick.astype(np.uint8), k=1, connectivity=6)) > 0
    if not core.any():
        raise ScanError("no soft tissue inside a skull; are the values Hounsfield units?")
    highest = int(np.flatnonzero(core.any(axis=(1, 2)))[-1])
    core[: max(highest - int(TALLEST_MM / SEARCH_MM), 0)] = False
    brain = _grown(core, GAP_MM) & soft
    steps = int(REGROWTH_MM / SEARCH_MM)
    brain = ndimage.binary_dilation(brain, iterations=steps, mask=soft)
    without_tongues = _grown(_shrunk(brain, TONGUE_MM / 2), TONGUE_MM / 2) & brain
    return _on_grid_of(image, mask_like(largest_filled(without_tongues), coarse))


def without_surroundings(image: sitk.Image) -> sitk.Image:
    """The image with air in place of everything outside the head."""
    return sitk.Mask(image, head_mask(image), AIR_HU)


def measure(image: sitk.Image, brain: sitk.Image) -> CtNumbers:
    """The numbers by which a CT is judged; the air's value is None where the image shows none.

    Air is taken outside the head, without what a scanner writes beyond its field of view (`AIR_HU` itself).
    """
    values = sitk.GetArrayViewFromImage(image)
    head = head_mask(image)
    around = values[(sitk.GetArrayViewFromImage(head) == 0) & (values > AIR_HU)]
    tissue = values[sitk.GetArrayViewFromImage(brain) > 0]
    return CtNumbers(
        head_ml=round(volume_ml(head), 0),
        air_hu=round(float(np.median(around)), 1) if around.size else None,
        tissue_hu=round(float(np.median(tissue)), 1),
    )


def check(numbers: CtNumbers, plausible: PlausibleRange) -> None:
    """Raises a `ScanError` for values that are not Hounsfield units, or a head that is not one."""
    for name, value, (low, high), unit in (
        ("air", numbers.air_hu, plausible.air_hu, "HU"),
        ("soft tissue", numbers.tissue_hu, plausible.tissue_hu, "HU"),
        ("the head", numbers.head_ml, plausible.head_ml, "ml"),
    ):
        if value is not None and not low <= value <= high:
            raise ScanError(
                f"implausible CT: {name} has {value:.0f} {unit}, expected {low:.0f} to {high:.0f} {unit}"
            )


def field_of_view(brain: sitk.Image) -> sitk.Image:
    """An empty image on the grid of `brain` that shows the whole head: a box of `FIELD_OF_VIEW_MM` round the brain.

    The box is centred on the brain from side to side and front to back, and ends above it; its voxels continue those
    of `brain`, whose axes point left, back and up.
    """
    spacing, wanted = np.array(brain.GetSpacing()), np.array(FIELD_OF_VIEW_MM)
    size = np.round(wanted / spacing).astype(int)
    extent, first = (np.array(part) for part in bounding_box(brain))
    start = np.round(first + (extent - size) / 2).astype(int)
    start[2] = first[2] + extent[2] + round(ABOVE_BRAIN_MM / spacing[2]) - size[2]
    grid = sitk.Image(size.tolist(), sitk.sitkUInt8)
    grid.SetSpacing(brain.GetSpacing())
    grid.SetDirection(brain.GetDirection())
    grid.SetOrigin(brain.TransformContinuousIndexToPhysicalPoint(start.astype(float).tolist()))
    return grid


def _loose_bone(dense: np.ndarray) -> np.ndarray:
    """What is as dense as bone but no part of the skull: calcifications, clips, drains."""
    skull = np.asarray(cc3d.largest_k(dense.astype(np.uint8), k=1, connectivity=26)) > 0
    return dense & ~skull


def _shrunk(voxels: np.ndarray, distance_mm: float) -> np.ndarray:
    """The voxels that lie deeper than a distance in a mask; what lies outside the image does not count as outside."""
    return np.asarray(ndimage.distance_transform_edt(voxels, sampling=SEARCH_MM) > distance_mm)


def _grown(voxels: np.ndarray, distance_mm: float) -> np.ndarray:
    """The voxels within a distance of a mask."""
    return np.asarray(ndimage.distance_transform_edt(~voxels, sampling=SEARCH_MM) <= distance_mm)


def _on_grid_of(image: sitk.Image, mask: sitk.Image) -> sitk.Image:
    """A coarse mask on the grid of an image, half inside or more."""
    soft = sitk.Resample(
        sitk.Cast(mask, sitk.sitkFloat32),
        image,
        sitk.Transform(),
        sitk.sitkLinear,
        0.0,
        sitk.sitkFloat32,
        True,
    )
    return soft >= 0.5
