"""Headers of DICOM files, as far as the choice of a series and the place of its slices need them.

Keywords are those of the DICOM standard, part 3 (CT image, section A.3). What a header lacks or writes wrongly is empty
here: whoever uses it says what that means. Nothing of a header that names a person is ever shown.
"""

import os
import re
import struct
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.errors import ScanError
from brainuad.preprocessing.faults import refuse_fault

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED = f"{CT}.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
KEYWORDS = [
    *("PatientID", "StudyInstanceUID", "StudyDate", "SeriesInstanceUID", "SeriesNumber", "SOPInstanceUID"),
    "InstanceNumber",
    *("SOPClassUID", "Modality", "ImageType", "SeriesDescription", "BodyPartExamined", "ConvolutionKernel"),
    *("ContrastBolusAgent", "WindowWidth", "NumberOfFrames", "SamplesPerPixel", "Rows", "Columns"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "GantryDetectorTilt"),
    *("LossyImageCompression", "PhotometricInterpretation"),
]
NO_IMAGE_TYPE = ("", "", "")
# The groups with which a file without preamble begins, in little endian.
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")


@dataclass(frozen=True)
class Header:
    """One image file; `position`, `orientation` (two rows) and `spacing_mm` (down, across) are None where unknown."""

    path: Path
    patient: str
    study: str
    study_date: str
    series: str
    series_number: str
    instance: str
    instance_number: str
    kind: str
    modality: str
    image_type: tuple[str, ...]
    description: str
    body_part: str
    kernel: str
    contrast_agent: str
    window_width: float
    frames: int
    samples: int
    shape: tuple[int, int]
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing_mm: np.ndarray | None
    tilt_deg: float
    lossy: bool
    monochrome1: bool

    @property
    def normal(self) -> np.ndarray:
        """The unit vector through the slice: its rows' direction times its columns' (part 3, C.7.6.2.1.1)."""
        assert self.orientation is not None
        across, down = self.orientation
        normal = np.cross(across, down)
        return np.asarray(normal / np.linalg.norm(normal))


def read_headers(folder: Path, label: str) -> tuple[list[Header], int, int]:
    """The images below a folder in the order of their paths, how many files are damaged ones, and how many are others.

    A file or folder that the machine cannot read now is an `InputError`: without it another series might be chosen.
    So it might without a folder elsewhere to which a link leads; it is a `ScanError`.
    """
    headers, rest = [], []
    for path in _files(folder, label):
        header = _read(path)
        if header is None:
            rest.append(path)
        else:
            headers.append(header)
    names = {_place_and_name(header.path) for header in headers}
    damaged = sum(_was_image(path, names) for path in rest)
    return headers, damaged, len(rest) - damaged


def read_errors() -> tuple[type[Exception], ...]:
    """What pydicom raises on a file that is damaged or none of DICOM, and on faults of the machine."""
    import pydicom

    return (
        *(pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException, struct.error, zlib.error),
        *(OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, NotImplementedError),
        MemoryError,
    )


def read_dataset(path: Path, **options: Any) -> Any:
    """A file as pydicom reads it with these options; the 128 bytes of the preamble may be absent, as in old archives.

    A file that says no transfer syntax has the one in which its header is written.
    """
    import pydicom
    from pydicom import uid

    try:
        return pydicom.dcmread(path, **options)
    except pydicom.errors.InvalidDicomError:
        with path.open("rb") as file:
            if file.read(2) not in FIRST_GROUPS:
                raise
    try:
        dataset = pydicom.dcmread(path, force=True, **options)
    except (struct.error, NotImplementedError) as error:
        # Pydicom raises these on a header that is cut, or of no known kind.
        raise pydicom.errors.InvalidDicomError from error
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = (
            uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
        )
    return dataset


def _files(folder: Path, label: str) -> Iterator[Path]:
    real = os.path.realpath(folder)

    def refuse(error: OSError) -> None:
        refuse_fault(error, Path(error.filename or folder))

    for above, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if any(_leads_elsewhere(Path(above, name), real) for name in folders):
            raise ScanError(
                f"{label}: a link in the folder leads to another one, which is not read; put the files there, or name "
                "the other folder"
            )
        yield from (
            Path(above, name) for name in sorted(names) if not name.startswith(".") and name != "DICOMDIR"
        )


def _leads_elsewhere(folder: Path, root: str) -> bool:
    """Whether a folder is a link to one that is not below the root, and so not read anyway."""
    return folder.is_symlink() and not Path(os.path.realpath(folder)).is_relative_to(root)


def _read(path: Path) -> Header | None:
    """The header of a file; None if it is not DICOM or holds no image."""
    import pydicom

    try:
        with pydicom.config.disable_value_validation():
            dataset = read_dataset(path, stop_before_pixels=True, specific_tags=[*KEYWORDS])
            return _header(path, dataset) if "Rows" in dataset and "Columns" in dataset else None
    except read_errors() as error:
        refuse_fault(error, path)
        return None


def _was_image(path: Path, names: Container[tuple[Path, str]]) -> bool:
    """Whether a file that holds no image should: DICOM of the class of CT or of none, or no DICOM but named as images.

    `names` are those of the images that can be read. Reports and the like are DICOM of another class.
    """
    import pydicom

    try:
        with pydicom.config.disable_value_validation():
            dataset = read_dataset(path, stop_before_pixels=True, specific_tags=["SOPClassUID"])
            kind = str(dataset.file_meta.get("MediaStorageSOPClassUID") or dataset.get("SOPClassUID") or "")
    except pydicom.errors.InvalidDicomError:
        return path.suffix.lower() == ".dcm" or _place_and_name(path) in names
    except read_errors() as error:
        refuse_fault(error, path)
        return True
    # The name of the class may be cut too.
    return CT.startswith(kind) or kind.startswith(f"{CT}.")


def _place_and_name(path: Path) -> tuple[Path, str]:
    """The folder of a file, and its name without numbers: those of a series often differ in nothing else."""
    return path.parent, re.sub(r"\d+", "0", path.name)


def _header(path: Path, dataset: Any) -> Header:
    orientation = _numbers(dataset, "ImageOrientationPatient", 6)
    return Header(
        path=path,
        patient=_text(dataset, "PatientID"),
        study=_text(dataset, "StudyInstanceUID"),
        study_date=_text(dataset, "StudyDate"),
        series=_text(dataset, "SeriesInstanceUID"),
        series_number=_text(dataset, "SeriesNumber"),
        instance=_text(dataset, "SOPInstanceUID"),
        instance_number=_text(dataset, "InstanceNumber"),
        kind=_text(dataset, "SOPClassUID"),
        modality=_text(dataset, "Modality").upper(),
        image_type=_image_type(dataset),
        description=_text(dataset, "SeriesDescription"),
        body_part=_text(dataset, "BodyPartExamined").upper(),
        kernel=_text(dataset, "ConvolutionKernel").upper(),
        contrast_agent=_text(dataset, "ContrastBolusAgent"),
        window_width=_number(dataset, "WindowWidth", 0.0),
        frames=int(_number(dataset, "NumberOfFrames", 1.0)),
        samples=int(_number(dataset, "SamplesPerPixel", 1.0)),
        shape=(int(dataset.Rows), int(dataset.Columns)),
        position=_numbers(dataset, "ImagePositionPatient", 3),
        orientation=None if orientation is None else orientation.reshape(2, 3),
        spacing_mm=_numbers(dataset, "PixelSpacing", 2),
        tilt_deg=_number(dataset, "GantryDetectorTilt", 0.0),
        lossy=_text(dataset, "LossyImageCompression") == "01",
        monochrome1=_text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1",
    )


def _first(value: Any) -> Any:
    """The first of several values: scanners give a kernel or a window for each way to show an image."""
    several = not isinstance(value, str) and hasattr(value, "__len__")
    return (value[0] if len(value) else None) if several else value


def _text(dataset: Any, keyword: str) -> str:
    value = _first(dataset.get(keyword))
    return "" if value is None else str(value).strip()


def _image_type(dataset: Any) -> tuple[str, ...]:
    value = dataset.get("ImageType") or ()
    words = [value] if isinstance(value, str) else list(value)
    return (*(str(word).strip().upper() for word in words), *NO_IMAGE_TYPE)[: max(len(words), 3)]


def _number(dataset: Any, keyword: str, otherwise: float) -> float:
    try:
        value = float(_first(dataset.get(keyword)))
    except (TypeError, ValueError):
        return otherwise
    return value if np.isfinite(value) else otherwise


def _numbers(dataset: Any, keyword: str, count: int) -> np.ndarray | None:
    try:
        values = np.array([float(value) for value in dataset.get(keyword) or ()])
    except (TypeError, ValueError):
        return None
    return values if values.size == count and np.isfinite(values).all() else None
