"""From the atlas back to the scanner: maps and masks of a study on the voxel grid of a subject's raw scan."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from brainuad.errors import InputError
from brainuad.preprocessing.geometry import resample
from brainuad.preprocessing.scan import image_from_array, read_scan, write_image


def to_native(
    volume: np.ndarray,
    affine: np.ndarray,
    transform: Path,
    scan: Path,
    interpolation: str = "linear",
    series: str = "",
) -> sitk.Image:
    """A volume (x, y, z) of the atlas or of a recipe's array, on the voxel grid of a raw scan.

    `affine` (4 x 4) leads from its voxels to atlas coordinates in mm, `transform` is the file that
    preprocessing wrote for the scan's modality. `interpolation` is `linear`, or `nearest` for labels. Outside
    the volume the result is 0. `series` names one in a folder of DICOM files, whose grid is the one made of its slices.
    """
    try:
        atlas_to_scan = sitk.ReadTransform(str(transform))
    except RuntimeError as error:
        raise InputError(f"{transform}: not a readable transform. Run the preprocessing again.") from error
    image = image_from_array(np.asarray(volume, dtype=np.float32), np.asarray(affine, dtype=float), "volume")
    return resample(image, read_scan(scan, scan.name, series), atlas_to_scan.GetInverse(), interpolation)


def write_native(
    volume: np.ndarray,
    affine: np.ndarray,
    transform: Path,
    scan: Path,
    output: Path,
    interpolation: str = "linear",
    series: str = "",
) -> None:
    """Writes the result of `to_native` as NIfTI, to be shown over the raw scan."""
    write_image(to_native(volume, affine, transform, scan, interpolation, series), output)
