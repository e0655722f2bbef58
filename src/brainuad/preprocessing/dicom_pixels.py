"""Pixels of DICOM files as Hounsfield units."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_headers import Header, read_dataset, read_errors
from brainuad.preprocessing.faults import refuse_fault

# More damaged slices than this are only counted.
MOST_NAMED = 5


@dataclass(frozen=True)
class Plane:
    """One decoded slice (down, across) in HU; `mirror` is the sum of a value and the same value turned round."""

    values: np.ndarray
    mirror: float

    @property
    def turned_round(self) -> np.ndarray:
        """The slice as if larger stored values were darker."""
        return self.mirror - self.values


@dataclass(frozen=True)
class _Lost:
    """A slice without values: its file is damaged, or compressed by a transfer `syntax` that nobody could undo."""

    syntax: str = ""


def decoded_slices(slices: Sequence[Header], label: str) -> list[Plane]:
    """The slices, given from below, in HU.

    A `ScanError` says which of them are damaged, but no name of a file, which could be a patient's.
    """
    decoded = [_hounsfield(header, label) for header in slices]
    lost = {number: plane for number, plane in enumerate(decoded) if isinstance(plane, _Lost)}
    if len(lost) == len(decoded) and (syntax := lost[0].syntax):
        raise ScanError(
            f"{label}: no decoder for the transfer syntax {syntax}; convert the files to Explicit VR Little Endian"
        )
    if lost:
        named = [f"{number + 1} (InstanceNumber {slices[number].instance_number or '?'})" for number in lost]
        raise ScanError(
            f"{label}: {len(lost)} of {len(decoded)} DICOM files of the series are damaged or not complete; counted "
            f"from below, slice {', '.join(named[:MOST_NAMED])}{', …' if len(named) > MOST_NAMED else ''}"
        )
    return [plane for plane in decoded if isinstance(plane, Plane)]


def _hounsfield(header: Header, label: str) -> Plane | _Lost:
    """A slice in HU, by RescaleSlope and RescaleIntercept. Where pydicom has no decoder, ITK's GDCM is asked."""
    import pydicom

    try:
        with pydicom.config.disable_value_validation():
            dataset = read_dataset(header.path)
            slope, intercept = (
                float(dataset.get("RescaleSlope", 1)),
                float(dataset.get("RescaleIntercept", 0)),
            )
            signed, bits = bool(dataset.PixelRepresentation), int(dataset.BitsStored)
            syntax = dataset.file_meta.TransferSyntaxUID
            values = _decoded(dataset, header.path, slope, intercept)
    except read_errors() as error:
        refuse_fault(error, header.path)
        return _Lost()
    if values is None:
        return _Lost(syntax.name)
    if values.shape != header.shape:
        raise ScanError(f"{label}: a slice has {values.shape} pixels where its header says {header.shape}")
    largest = -1 if signed else 2**bits - 1
    return Plane(values, slope * largest + 2 * intercept)


def _decoded(dataset: Any, path: Path, slope: float, intercept: float) -> np.ndarray | None:
    """The values of a slice in HU (float32); None where nobody can decompress them."""
    compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
    try:
        return np.asarray(dataset.pixel_array, dtype=np.float32) * np.float32(slope) + np.float32(intercept)
    except (RuntimeError, ValueError, AttributeError):
        if not compressed:
            raise
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path), sitk.sitkFloat32))[0]
    except RuntimeError:
        return None
