"""Compressed slices give the values of uncompressed ones, negative stored values and rescaling included."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1

from brainuad.preprocessing.dicom_volume import read_dicom
from tests.unit.preprocessing.dicom_files import INTERCEPT, ramp, write_series

SLOPE, SHIFT_HU = 0.5, 100


def twice(points: np.ndarray) -> np.ndarray:
    """Field whose stored values are those of the ramp divided by the slope."""
    return ramp(points) / SLOPE + INTERCEPT


def compressed(stored: np.ndarray, compressor: str, file: Path) -> tuple[bytes, str]:
    """A slice (down, across) as GDCM compresses it without loss, and the transfer syntax."""
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(file))
    writer.SetUseCompression(True)
    writer.SetCompressor(compressor)
    writer.Execute(sitk.GetImageFromArray(stored))
    dataset = pydicom.dcmread(file)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    return frame, dataset.file_meta.TransferSyntaxUID


@pytest.mark.parametrize(
    ("compressor", "syntax"),
    [("JPEG", JPEGLosslessSV1), ("JPEG2000", JPEG2000Lossless)],
    ids=["JPEG Lossless", "JPEG 2000"],
)
def test_a_series_without_loss_keeps_every_value(tmp_path: Path, compressor: str, syntax: str) -> None:
    """pydicom alone decodes no JPEG Lossless, which ITK does; it decodes JPEG 2000 through Pillow."""
    folder = write_series(tmp_path / "ct", field=twice, RescaleSlope=SLOPE, RescaleIntercept=SHIFT_HU)
    plain = sitk.GetArrayFromImage(read_dicom(folder, "ct").image)
    smallest = 0
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        smallest = min(smallest, int(dataset.pixel_array.min()))
        frame, written = compressed(dataset.pixel_array, compressor, tmp_path / "frame.dcm")
        assert written == syntax
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path)
    assert smallest < -300
    assert plain.min() < 0 < 500 < plain.max()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_dicom(folder, "ct").image), plain)
