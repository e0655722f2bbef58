"""Scans in the HDF5 files of fastMRI (Zbontar 2018, arXiv 1811.08839).

`reconstruction_rss` holds the magnitude image [slice, row, column] of float32. Its rows run from the back of the
head to the front, so they are turned round: the picture then stands upright, as the annotations of FastMRI+ see
it. `ismrmrd_header` is XML and gives the voxel size; `kspace` is not read.
"""

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from brainuad.errors import ScanError
from brainuad.preprocessing.faults import refuse_fault

IMAGE_KEY, HEADER_KEY = "reconstruction_rss", "ismrmrd_header"
# Where a file has no header: the usual field of view of 220 mm in 320 pixels, slices of 5 mm.
DEFAULT_SPACING_MM = (0.6875, 0.6875, 5.0)
MOST_VOXELS = 10**9
LARGEST_VOXEL_MM = 100.0


def read_h5(path: Path, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (x, y, z) float32, x to the left, y to the back and z up, and their affine (4 x 4, RAS, mm).

    A file that holds no such image is a `ScanError` whose text starts with `label`; a fault of the machine is another
    `InputError`.
    """
    import h5py

    try:
        if not Path(path).is_file():
            raise ScanError(f"{label}: the file is missing")
        with h5py.File(path, "r") as file:
            rows = _image(file, label)
            header = file[HEADER_KEY][()] if HEADER_KEY in file else None
    except (OSError, RuntimeError, TypeError, ValueError, KeyError, MemoryError) as error:
        refuse_fault(error, path)
        raise ScanError(f"{label}: the file cannot be read (truncated, or not HDF5)") from error
    spacing = DEFAULT_SPACING_MM if header is None else _spacing(header, label)
    upright = rows[:, ::-1].transpose(2, 1, 0)
    return np.ascontiguousarray(upright), np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])


def _image(file: Any, label: str) -> np.ndarray:
    import h5py

    stored = file.get(IMAGE_KEY)
    if not isinstance(stored, h5py.Dataset):
        raise ScanError(f"{label}: no '{IMAGE_KEY}' in the file (k-space without a reconstruction?)")
    shape = " x ".join(str(size) for size in stored.shape)
    if len(stored.shape) != 3:
        raise ScanError(f"{label}: '{IMAGE_KEY}' is {len(stored.shape)}-D (shape {shape}), expected 3-D")
    if not 0 < math.prod(stored.shape) <= MOST_VOXELS:
        raise ScanError(f"{label}: implausible shape {shape}")
    if stored.dtype.kind not in "fiu":
        raise ScanError(f"{label}: voxels of type {stored.dtype}, expected magnitudes")
    return np.asarray(stored[()], dtype=np.float32)


def _spacing(header: bytes | str, label: str) -> tuple[float, float, float]:
    """Voxel size in mm along columns, rows and slices; the header's x is the readout, which runs along rows."""
    try:
        space = ElementTree.fromstring(header).find("{*}encoding/{*}reconSpace")
        if space is None:
            raise ValueError("no reconSpace")
        x, y, z = (
            float(_text(space, "fieldOfView_mm", axis)) / float(_text(space, "matrixSize", axis))
            for axis in "xyz"
        )
    except (ElementTree.ParseError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ScanError(f"{label}: '{HEADER_KEY}' gives no voxel size") from error
    if not all(math.isfinite(size) and 1e-3 < size < LARGEST_VOXEL_MM for size in (x, y, z)):
        raise ScanError(f"{label}: '{HEADER_KEY}' gives no voxel size")
    return y, x, z


def _text(space: ElementTree.Element, name: str, axis: str) -> str:
    return space.findtext(f"{{*}}{name}/{{*}}{axis}") or ""
