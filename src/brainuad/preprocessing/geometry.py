"""Voxel grids and what moves images between them: resampling, cropping, and operations on masks."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import cc3d
import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from brainuad.errors import ScanError

INTERPOLATORS = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor}
# Twice the widest field of view of a scanner.
LARGEST_SIDE_MM = 1000.0
# 1.2 GB: half a metre across and a metre long in cubes of 1 mm, or 0.4 mm round a head.
MOST_CUBES = 3 * 10**8
WRONG_HEADER = "is the voxel size in the header wrong?"


@contextmanager
def itk_threads(count: int) -> Iterator[None]:
    """Limits SimpleITK to `count` threads inside the block."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def check_extent(sides_mm: np.ndarray, voxel_mm: np.ndarray, label: str) -> None:
    """Raises a `ScanError` for an image with a side longer than any that shows a head; `label` begins its text."""
    if sides_mm.max() > LARGEST_SIDE_MM:
        sides = " x ".join(f"{side:.0f}" for side in sides_mm)
        voxels = " x ".join(f"{size:.3g}" for size in voxel_mm)
        raise ScanError(
            f"{label}: the image measures {sides} mm with voxels of {voxels} mm, at most {LARGEST_SIDE_MM:.0f} mm a "
            f"side; {WRONG_HEADER}"
        )


def isotropic(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """The image reoriented to voxel axes left, back, top and resampled to cubes (linear).

    An axis with much finer voxels is smoothed first, so that nothing is lost between the samples. More than
    `MOST_CUBES` voxels are a `ScanError`.
    """
    oriented = sitk.DICOMOrient(image, "LPS")
    spacing, size = np.array(oriented.GetSpacing()), np.array(oriented.GetSize())
    new_size = np.maximum(np.round(size * spacing / spacing_mm).astype(int), 1)
    if (count := math.prod(new_size.tolist())) > MOST_CUBES:
        raise ScanError(
            f"the image would have {count:.1e} voxels in cubes of {spacing_mm:g} mm, at most {MOST_CUBES:.1e}; "
            f"{WRONG_HEADER}"
        )
    for axis in np.flatnonzero(spacing < 0.6 * spacing_mm):
        sigma = 0.5 * np.sqrt(spacing_mm**2 - spacing[axis] ** 2)
        oriented = sitk.RecursiveGaussian(
            oriented, sigma, False, sitk.RecursiveGaussianImageFilter.ZeroOrder, int(axis)
        )
    # The first sample lies so that both grids share their centre.
    first = ((size - 1) * spacing - (new_size - 1) * spacing_mm) / 2
    origin = oriented.TransformContinuousIndexToPhysicalPoint((first / spacing).tolist())
    return sitk.Resample(
        oriented,
        new_size.tolist(),
        sitk.Transform(),
        sitk.sitkLinear,
        origin,
        [spacing_mm] * 3,
        oriented.GetDirection(),
        0.0,
        sitk.sitkFloat32,
        # The outermost half voxel would otherwise become a dark rim.
        True,
    )


def resample(
    image: sitk.Image,
    grid: sitk.Image,
    transform: sitk.Transform,
    interpolation: str = "linear",
    outside: float = 0.0,
) -> sitk.Image:
    """The image on another grid; `transform` leads from points of the grid to points of the image.

    What lies outside the image is `outside`.
    """
    return sitk.Resample(image, grid, transform, INTERPOLATORS[interpolation], outside, image.GetPixelID())


def resample_mask(mask: sitk.Image, grid: sitk.Image, transform: sitk.Transform, rule: str) -> sitk.Image:
    """A mask on another grid.

    `nearest` takes the closest voxel; `linear-half` what is at least half inside; `linear-gt0` everything that
    linear interpolation touches, which enlarges the mask (as evaluated in Behrendt 2023).
    """
    if rule == "nearest":
        return resample(mask, grid, transform, "nearest")
    soft = resample(sitk.Cast(mask, sitk.sitkFloat32), grid, transform, "linear")
    return soft > 0 if rule == "linear-gt0" else soft >= 0.5


def bounding_box(mask: sitk.Image, margin_mm: float = 0.0) -> tuple[list[int], list[int]]:
    """Size and first index of the smallest box around a mask, widened by `margin_mm` inside the image."""
    inside = [np.flatnonzero(counts) for counts in voxels_by_axis(mask)]
    if not len(inside[0]):
        raise ScanError("the brain mask is empty")
    margin = np.ceil(margin_mm / np.array(mask.GetSpacing())).astype(int)
    first = np.maximum([indices[0] for indices in inside] - margin, 0)
    last = np.minimum([indices[-1] for indices in inside] + margin, np.array(mask.GetSize()) - 1)
    return (last - first + 1).tolist(), first.tolist()


def voxels_by_axis(mask: sitk.Image) -> list[np.ndarray]:
    """For each axis (x, y, z) the number of voxels of a mask at each index along it."""
    inside = sitk.GetArrayViewFromImage(mask) != 0
    # Along x, whose voxels lie side by side in memory, first.
    planes, rows = np.count_nonzero(inside, axis=2), np.count_nonzero(inside, axis=(0, 1))
    return [rows, planes.sum(axis=0), planes.sum(axis=1)]


def cut(image: sitk.Image, box: tuple[list[int], list[int]]) -> sitk.Image:
    """The part of an image inside a box of size and first index; its voxels keep their place in the world."""
    return sitk.RegionOfInterest(image, *box)


def mask_like(voxels: np.ndarray, image: sitk.Image) -> sitk.Image:
    """The uint8 mask image of an array (z, y, x) of truth values on the grid of `image`."""
    mask = sitk.GetImageFromArray(voxels.astype(np.uint8))
    mask.CopyInformation(image)
    return mask


def largest_filled(voxels: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask with its holes filled; a mask without a part stays empty."""
    largest = np.asarray(cc3d.largest_k(voxels.astype(np.uint8), k=1, connectivity=6)) > 0
    return ndimage.binary_fill_holes(largest)


def masked(image: sitk.Image, mask: sitk.Image) -> sitk.Image:
    """The image with zeros outside the mask."""
    return sitk.Mask(image, mask)


def dice(first: sitk.Image, second: sitk.Image) -> float:
    """Dice overlap of two masks on one grid; 0 where both are empty."""
    a, b = sitk.GetArrayViewFromImage(first) > 0, sitk.GetArrayViewFromImage(second) > 0
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2.0 * int(np.count_nonzero(a & b)) / int(total) if total else 0.0


def volume_ml(mask: sitk.Image) -> float:
    """The volume of a mask in millilitres."""
    return voxel_count(mask) * float(np.prod(mask.GetSpacing())) / 1000.0


def voxel_count(mask: sitk.Image) -> int:
    """How many voxels a mask holds."""
    return int(np.count_nonzero(sitk.GetArrayViewFromImage(mask)))


def share_inside(part: sitk.Image, whole: sitk.Image) -> float | None:
    """The share of the voxels of `part` that lie in `whole`; None where `part` is empty."""
    inside = sitk.GetArrayViewFromImage(part) > 0
    if not inside.any():
        return None
    return float((sitk.GetArrayViewFromImage(whole)[inside] > 0).mean())


def without_negatives(image: sitk.Image) -> sitk.Image:
    """The image with zeros in place of negative values, of which a usable MRI has few (`measures.check_signs`)."""
    return sitk.Cast(sitk.Maximum(image, 0.0), image.GetPixelID())
