"""Correction of the coil's intensity bias with N4 (Tustison 2010, https://doi.org/10.1109/TMI.2010.2046908)."""

import numpy as np
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.geometry import bounding_box, cut, itk_threads, masked
from brainuad.preprocessing.settings import N4Settings

# Space around the brain in which the spline is defined.
MARGIN_MM = 8.0
# Bins of N4's histogram: fewer voxels than this say nothing about a field.
BINS = 200


def correct_brain_bias(image: sitk.Image, brain_mask: sitk.Image, settings: N4Settings) -> sitk.Image:
    """The image divided by its bias field inside the brain mask, and zero outside."""
    box = bounding_box(brain_mask, MARGIN_MM)
    region, mask = cut(image, box), cut(brain_mask, box)
    corrected = masked(sitk.Divide(region, bias_field(region, mask, settings)), mask)
    empty = sitk.Image(image.GetSize(), sitk.sitkFloat32)
    empty.CopyInformation(image)
    return sitk.Paste(empty, corrected, corrected.GetSize(), [0, 0, 0], box[1])


def correct_head_bias(image: sitk.Image, settings: N4Settings) -> sitk.Image:
    """The image of a whole head divided by its bias field, as Clinica's t1-linear does it for IXI (Bercea 2023).

    The field is fitted to the voxels that are brighter than air by Otsu's threshold.
    """
    return sitk.Divide(image, bias_field(image, sitk.OtsuThreshold(image, 0, 1), settings))


def bias_field(image: sitk.Image, mask: sitk.Image, settings: N4Settings) -> sitk.Image:
    """The multiplicative bias field (float32) of an image on its own grid.

    It is fitted to the positive voxels of the mask, thinned by `settings.shrink`. An image without signal there is
    a `ScanError`.
    """
    inside = sitk.Cast(mask > 0, sitk.sitkUInt8) * sitk.Cast(image > 0, sitk.sitkUInt8)
    factors = [min(settings.shrink, size) for size in image.GetSize()]
    thinned, thinned_mask = sitk.Shrink(image, factors), sitk.Shrink(inside, factors)
    values = sitk.GetArrayViewFromImage(thinned)[sitk.GetArrayViewFromImage(thinned_mask) > 0]
    if values.size < BINS or np.ptp(values) == 0:
        raise ScanError("N4 failed: too little signal in the brain")
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([settings.iterations] * settings.levels)
    n4.SetConvergenceThreshold(settings.tolerance)
    # With several threads the last bits of the field depend on their number.
    with itk_threads(1):
        n4.Execute(thinned, thinned_mask)
    return sitk.Cast(sitk.Exp(n4.GetLogBiasFieldAsImage(image)), sitk.sitkFloat32)
