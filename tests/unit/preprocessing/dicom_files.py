"""Small DICOM files of a head CT, written for tests: any place of the slices, any header."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS = 40, 36
PIXEL_MM = (5.0, 5.5)  # down, across
INTERCEPT = -1024
GAPS_MM = (8.0,) * 13
STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
# In the middle of every stack.
MIDDLE = np.array([0.0, 0.0, 64.0])

Field = Callable[[np.ndarray], np.ndarray]


def ramp(points: np.ndarray) -> np.ndarray:
    """A value that linear interpolation reproduces everywhere, from -600 to 1200 HU in the slices."""
    return np.asarray(300.0 + points @ np.array([2.0, 3.0, 1.5]))


def tilted(degrees: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Directions of rows and columns of slices in a gantry that leans back."""
    angle = np.deg2rad(degrees)
    return ((1.0, 0.0, 0.0), (0.0, float(np.cos(angle)), float(-np.sin(angle))))


def table_positions(
    gaps_mm: Sequence[float], orientation: Sequence[Sequence[float]] = STRAIGHT
) -> np.ndarray:
    """First pixels of slices between which the table moved by so many mm, towards the head."""
    across, down = (np.array(direction) for direction in orientation)
    heights = np.concatenate([[0.0], np.cumsum(gaps_mm)])
    to_corner = across * 0.5 * (COLUMNS - 1) * PIXEL_MM[1] + down * 0.5 * (ROWS - 1) * PIXEL_MM[0]
    return np.asarray(MIDDLE - to_corner + (heights - heights[-1] / 2)[:, None] * np.array([0.0, 0.0, 1.0]))


def pixel_points(position: np.ndarray, orientation: Sequence[Sequence[float]]) -> np.ndarray:
    """World coordinates (down, across, 3) of the pixels of a slice (DICOM part 3, equation C.7.6.2.1-1)."""
    across, down = (np.array(direction) for direction in orientation)
    i, j = np.arange(COLUMNS), np.arange(ROWS)
    return np.asarray(
        position + j[:, None, None] * PIXEL_MM[0] * down + i[None, :, None] * PIXEL_MM[1] * across
    )


def write_slice(path: Path, stored: np.ndarray, position: Sequence[float] | None, **header: Any) -> None:
    """One CT slice of stored values (int16); `header` overrides keywords, and None leaves one out."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    values = {
        **{"SOPClassUID": CTImageStorage, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID},
        **{"PatientID": "P1", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "SeriesNumber": 2},
        **{"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "ConvolutionKernel": "H31s"},
        **{"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "WindowWidth": 80},
        **{"WindowCenter": 40, "Rows": stored.shape[0], "Columns": stored.shape[1]},
        **{"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1},
        **{"RescaleSlope": 1, "RescaleIntercept": INTERCEPT, "PixelSpacing": list(PIXEL_MM)},
        **{"ImageOrientationPatient": [*STRAIGHT[0], *STRAIGHT[1]], "BodyPartExamined": "HEAD"},
        "ImagePositionPatient": None if position is None else [f"{value:.7f}" for value in position],
    } | header
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = np.ascontiguousarray(stored, dtype=np.int16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def write_series(
    folder: Path,
    positions: np.ndarray | None = None,
    orientation: Sequence[Sequence[float]] = STRAIGHT,
    field: Field = ramp,
    **header: Any,
) -> Path:
    """The slices of one series, 000.dcm and so on; `field` gives the Hounsfield units at points of the world."""
    places = table_positions(GAPS_MM, orientation) if positions is None else positions
    for number, position in enumerate(places):
        stored = np.round(field(pixel_points(position, orientation))).astype(int) - INTERCEPT
        directions = [f"{value:.9f}" for direction in orientation for value in direction]
        given = {"ImageOrientationPatient": directions} | header
        write_slice(folder / f"{number:03d}.dcm", stored, position, **given)
    return folder


def change(path: Path, **header: Any) -> None:
    """Rewrites a file with other values of keywords; None removes one."""
    dataset = pydicom.dcmread(path)
    for keyword, value in header.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)
