"""N4 for images of a whole head, as Clinica's t1-linear runs it on IXI (Bercea 2023)."""

import numpy as np
import SimpleITK as sitk

from brainuad.preprocessing.bias import log_bias_field
from brainuad.preprocessing.settings import N4Settings


def correct_head_bias(image: sitk.Image, settings: N4Settings) -> sitk.Image:
    """The image of a whole head divided by its bias field, which is fitted to the voxels that are brighter than air.

    Air and tissue are told apart by Otsu's threshold.
    """
    head = sitk.OtsuThreshold(image, 0, 1)
    log_field = log_bias_field(
        sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(head) > 0, settings
    )
    field = sitk.GetImageFromArray(np.exp(log_field).astype(np.float32))
    field.CopyInformation(image)
    return sitk.Divide(image, field)
