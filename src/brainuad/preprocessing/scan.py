"""One scan from its file: read, checked, and handed on as a SimpleITK image.

NIfTI is read with nibabel, which accepts headers that ITK refuses (directions rounded by a few parts in a
thousand), and converted; world coordinates stay the same (nibabel counts to the right, front and top, ITK to
the left, back and top). The HDF5 files of fastMRI are read by `h5`, folders of DICOM files by `dicom_volume`.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_volume import read_dicom
from brainuad.preprocessing.faults import read_first_byte, refuse_fault
from brainuad.preprocessing.geometry import check_extent
from brainuad.preprocessing.h5 import read_h5
from brainuad.storage import atomic_path

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Directions that are off by more than this are sheared (gantry tilt), not rounded.
LARGEST_SHEAR = 0.01
SMALLEST_AXIS = 8
# A damaged header can ask for more memory than there is.
MOST_VOXELS = 10**9
LARGEST_VOXEL_MM = 100.0
READ_ERRORS = (
    *(OSError, EOFError, MemoryError, TypeError, ValueError, zlib.error),
    *(nib.filebasedimages.ImageFileError, nib.spatialimages.HeaderDataError),
)
UNREADABLE = "the file cannot be read (truncated, or not NIfTI)"
# What a file is that is named in place of an image, by the bytes at this place in it.
OTHER_FORMATS = (
    (128, b"DICM", "the file is one slice of DICOM: name the folder of its series"),
    (0, b"PK\x03\x04", "the file is a ZIP archive: unpack it, and name what is in it"),
    (0, b"7z\xbc\xaf\x27\x1c", "the file is a 7z archive: unpack it, and name what is in it"),
    (257, b"ustar", "the file is a tar archive: unpack it, and name what is in it"),
    (0, b"\x1f\x8b", "the file is compressed by gzip: if it is NIfTI, call it .nii.gz; unpack an archive"),
    (0, b"NRRD", "the file is NRRD: convert it to NIfTI"),
)
CHUNK_BYTES = 1 << 24


def read_scan(path: Path, label: str, series: str = "") -> sitk.Image:
    """A 3-D float32 image; a file that holds none is a `ScanError` whose text starts with `label`.

    `series` names one of several in a folder of DICOM files. A fault of the machine is another `InputError`.
    """
    if path.is_dir():
        return read_dicom(path, label, series).image
    voxels, affine = _read(path, label)
    if wrong := np.count_nonzero(~np.isfinite(voxels)):
        raise ScanError(f"{label}: {wrong} voxels are not finite")
    if not np.any(voxels > voxels.min()):
        raise ScanError(f"{label}: all voxels have the same value")
    if min(voxels.shape) < SMALLEST_AXIS:
        raise ScanError(f"{label}: too few slices (shape {_shape(voxels.shape)})")
    image = image_from_array(voxels, affine, label)
    spacing = np.array(image.GetSpacing())
    check_extent(spacing * image.GetSize(), spacing, label)
    return image


def read_mask(path: Path, label: str) -> sitk.Image:
    """A 3-D uint8 image of zeros and ones: every positive voxel of the file is one."""
    voxels, affine = _read(path, label)
    if not np.isfinite(voxels).all():
        raise ScanError(f"{label}: voxels are not finite")
    if voxels.min() < 0 and not voxels.max() > 0:
        raise ScanError(f"{label}: no voxel is positive and some are negative")
    return image_from_array((voxels > 0).astype(np.uint8), affine, label)


def positive_labels(path: Path, label: str) -> np.ndarray:
    """The different positive values of a mask's voxels, float32, sorted."""
    voxels, _ = _read(path, label)
    return np.unique(voxels[voxels > 0])


def has_orientation(path: Path) -> bool:
    """Whether a readable file says how the voxel axes lie in the world; fastMRI's layout and DICOM do."""
    if path.suffix == ".h5" or path.is_dir():
        return True
    header = nib.load(path).header
    return not isinstance(header, nib.Nifti1Header) or bool(header["sform_code"] or header["qform_code"])


def image_from_array(voxels: np.ndarray, affine: np.ndarray, label: str = "image") -> sitk.Image:
    """The SimpleITK image of an array (x, y, z) whose 4 x 4 `affine` leads to world coordinates in mm."""
    lps = RAS_TO_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    if not np.isfinite(lps).all() or spacing.min() < 1e-3:
        raise ScanError(f"{label}: the header gives no voxel size")
    if spacing.max() > LARGEST_VOXEL_MM:
        raise ScanError(f"{label}: voxels of {spacing.max():g} mm are implausible")
    directions = lps[:3, :3] / spacing
    left, _, right = np.linalg.svd(directions)
    orthonormal = left @ right
    if np.abs(orthonormal - directions).max() > LARGEST_SHEAR:
        raise ScanError(f"{label}: the voxel axes are not at right angles (gantry tilt?)")
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.transpose(2, 1, 0)))
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection(orthonormal.ravel().tolist())
    return image


def array_from_image(image: sitk.Image) -> np.ndarray:
    """The voxels of an image as an array (x, y, z)."""
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0)


def affine_of(image: sitk.Image) -> np.ndarray:
    """The 4 x 4 affine from voxel indices of an image to world coordinates in mm, as nibabel has it."""
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    return RAS_TO_LPS @ lps


def same_grid(first: sitk.Image, second: sitk.Image, tolerance_mm: float = 0.1) -> bool:
    """Whether two images have the same shape and their corners lie within `tolerance_mm`."""
    if first.GetSize() != second.GetSize():
        return False
    last = np.array(first.GetSize()) - 1
    corners = np.array(np.meshgrid(*[(0, end) for end in last], [1])).reshape(4, -1)
    distance = (affine_of(first) - affine_of(second)) @ corners
    return bool(np.linalg.norm(distance[:3], axis=0).max() < tolerance_mm)


def write_image(image: sitk.Image, path: Path) -> None:
    """Writes a compressed NIfTI file with its geometry in both header forms."""
    with atomic_path(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True, compressionLevel=3)


def _read(path: Path, label: str) -> tuple[np.ndarray, np.ndarray]:
    if path.suffix == ".h5":
        return read_h5(path, label)
    try:
        content_bytes = _content_bytes(path)
        image: Any = nib.load(path)
        _check_header(image, content_bytes, label)
        voxels = np.asarray(image.dataobj, dtype=np.float32)
    except READ_ERRORS as error:
        refuse_fault(error, path)
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise ScanError(f"{label}: {'the file is missing' if missing else _why_unreadable(path)}") from error
    shape = voxels.shape
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise ScanError(f"{label}: {len(shape)}-D image (shape {_shape(shape)}), expected 3-D")
    return voxels.reshape(shape), np.asarray(image.affine, dtype=float)


def _why_unreadable(path: Path) -> str:
    """What is wrong with a file that nibabel cannot read, and what to do if it is of a format that is known."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            start = file.read(512)
    except (OSError, EOFError, zlib.error) as error:
        refuse_fault(error, path)
        return UNREADABLE
    return next(
        (advice for first, sign, advice in OTHER_FORMATS if start.startswith(sign, first)), UNREADABLE
    )


def _content_bytes(path: Path) -> float:
    """How much a file holds when unpacked; infinite where another way of packing leaves that open.

    A compressed file is read to its end, where its checksum is; nibabel stops at the last voxel. And nibabel calls a
    file that it may not look at a missing one.
    """
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            return sum(map(len, iter(lambda: file.read(CHUNK_BYTES), b"")))
    read_first_byte(path)
    size = path.stat().st_size
    return size if path.suffix == ".nii" else math.inf


def _check_header(image: Any, content_bytes: float, label: str) -> None:
    """Raises a `ScanError` for voxels that cannot be an image, or that a single file has no room for."""
    shape, kind = image.shape, image.get_data_dtype()
    if not 0 < math.prod(shape) <= MOST_VOXELS:
        raise ScanError(f"{label}: implausible shape {_shape(shape)}")
    if np.issubdtype(kind, np.complexfloating):
        raise ScanError(f"{label}: complex voxels, expected magnitudes")
    # Before memory is asked for: what is too little of it shall be no matter of a damaged header.
    if isinstance(image, nib.Nifti1Image) and content_bytes < math.prod(shape) * kind.itemsize:
        raise ScanError(f"{label}: {UNREADABLE}")


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
