"""Numbers that tell whether a subject's preprocessing can be trusted."""

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from brainuad.errors import ScanError
from brainuad.preprocessing.settings import PlausibleRange

# The columns of quality.tsv after status, reason and note; empty where they do not apply.
QUALITY_NUMBERS = (
    "skull_strip",
    "brain_ml",
    "brain_mask_dice",
    "atlas_dice",
    "mutual_information",
    "mutual_information_modalities",
    "coverage",
    "snr",
    "head_ml",
    "air_hu",
    "tissue_hu",
    "lesion_ml",
    "lesion_voxels",
    "lesion_in_brain",
    "seconds",
)

# Laplacian difference of two in-plane neighbourhoods (Immerkaer 1996): blind to edges, sees noise.
NOISE_KERNEL = np.outer([1.0, -2.0, 1.0], [1.0, -2.0, 1.0])[None]
MAD_OF_NORMAL = 0.6745
# Intensities of MRI are magnitudes: their few negative values come from resampling before publication.
MOST_NEGATIVE = 0.05


def signal_to_noise(image: sitk.Image, mask: sitk.Image) -> float:
    """Median signal in the mask over the standard deviation of its noise (Immerkaer 1996, robust form).

    The noise is what a 3 x 3 Laplacian difference leaves in the slices; interpolation lowers it, so the number
    compares scans of one protocol.
    """
    voxels, inside = sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(mask) > 0
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    residual = ndimage.convolve(voxels[box], NOISE_KERNEL, mode="nearest")[inside[box]]
    noise = np.median(np.abs(residual)) / MAD_OF_NORMAL / np.linalg.norm(NOISE_KERNEL)
    return float(np.median(voxels[inside]) / max(noise, 1e-6))


def coverage(image: sitk.Image, grid_mask: sitk.Image, transform: sitk.Transform) -> float:
    """The share of a mask's voxels that lie inside the field of view of an image.

    `transform` leads from points of the mask's grid to points of the image.
    """
    return _share(grid_mask, sitk.Cast(image * 0 + 1, sitk.sitkUInt8), transform)


def negative_share(image: sitk.Image, grid_mask: sitk.Image, transform: sitk.Transform) -> float:
    """The share of a mask's voxels in which an image is negative; `transform` as for `coverage`."""
    return _share(grid_mask, image < 0, transform)


def _share(grid_mask: sitk.Image, part: sitk.Image, transform: sitk.Transform) -> float:
    """The share of a mask's voxels that lie in another mask; a mask without a voxel is a `ScanError`."""
    mask = sitk.GetArrayViewFromImage(grid_mask) > 0
    if not mask.any():
        raise ScanError("no voxel of the brain lies on the grid of the derivatives")
    there = sitk.Resample(part, grid_mask, transform, sitk.sitkNearestNeighbor)
    return float(np.count_nonzero(mask & (sitk.GetArrayViewFromImage(there) > 0)) / np.count_nonzero(mask))


def check_brain_volume(brain_ml: float, plausible: PlausibleRange) -> None:
    """Raises a `ScanError` for a brain that is implausibly small or large."""
    low, high = plausible.brain_ml
    if not low <= brain_ml <= high:
        raise ScanError(f"implausible brain volume: {brain_ml:.0f} ml, expected {low:.0f} to {high:.0f} ml")


def check_overlap(atlas_dice: float, plausible: PlausibleRange, registration: str = "affine") -> None:
    """Raises a `ScanError` for a brain that does not lie on the atlas brain."""
    if atlas_dice < plausible.atlas_dice:
        cause = "not in atlas space" if registration == "none" else "registration failed"
        raise ScanError(
            f"{cause}: Dice {atlas_dice:.2f} with the atlas brain, expected at least {plausible.atlas_dice:.2f}"
        )


def check_coverage(share: float, modality: str, plausible: PlausibleRange) -> None:
    """Raises a `ScanError` for a modality that shows too little of the brain."""
    if share < plausible.coverage:
        raise ScanError(
            f"{modality}: only {100 * share:.0f} % of the brain is in the field of view, expected at least "
            f"{100 * plausible.coverage:.0f} %"
        )


def check_signs(share: float, modality: str) -> None:
    """Raises a `ScanError` for an MRI of whose brain too much is negative: it would become zero."""
    if share > MOST_NEGATIVE:
        raise ScanError(
            f"{modality}: {100 * share:.0f} % of the brain has negative intensities (z-scores?); give the raw or other "
            "non-negative intensities"
        )
