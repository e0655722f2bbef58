"""Correction of the coil's intensity bias with N4 (Tustison 2010, https://doi.org/10.1109/TMI.2010.2046908)."""

import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.geometry import bounding_box, cut, masked
from brainuad.preprocessing.settings import N4Settings

# The spline's support just outside the brain.
MARGIN_MM = 8.0


def correct_bias(image: sitk.Image, brain_mask: sitk.Image, settings: N4Settings) -> sitk.Image:
    """The image divided by its bias field inside the brain mask, and zero outside.

    The field is fitted to the positive voxels of the mask, thinned by `settings.shrink`, and evaluated on all.
    """
    box = bounding_box(brain_mask, MARGIN_MM)
    region, mask = cut(image, box), cut(brain_mask, box)
    thinned = sitk.Shrink(region, [settings.shrink] * 3)
    positive = sitk.And(sitk.Shrink(mask, [settings.shrink] * 3), thinned > 0)
    filter_n4 = sitk.N4BiasFieldCorrectionImageFilter()
    filter_n4.SetMaximumNumberOfIterations([settings.iterations] * settings.levels)
    filter_n4.SetConvergenceThreshold(settings.tolerance)
    try:
        filter_n4.Execute(thinned, positive)
    except RuntimeError as error:
        raise ScanError("N4 failed: too little signal in the brain") from error
    log_field = sitk.Cast(filter_n4.GetLogBiasFieldAsImage(region), sitk.sitkFloat32)
    corrected = masked(sitk.Divide(region, sitk.Exp(log_field)), mask)
    empty = sitk.Image(image.GetSize(), sitk.sitkFloat32)
    empty.CopyInformation(image)
    return sitk.Paste(empty, corrected, corrected.GetSize(), [0, 0, 0], box[1])
