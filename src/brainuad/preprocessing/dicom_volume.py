"""A head CT from DICOM files: Hounsfield units on one regular, upright voxel grid.

Each slice lies where its ImagePositionPatient says. A tilted gantry moves the slices sideways against each other (a
shear), and the gaps between slices may differ. Both are undone by putting every slice at its own place and taking
values between two neighbouring slices linearly along the normal. Slices keep their plane, so a tilted stack becomes a
box whose axes are those of its slices; SimpleITK's direction says how it lies in the patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from brainuad.errors import ScanError
from brainuad.preprocessing import dicom_kinds
from brainuad.preprocessing.dicom_headers import Header
from brainuad.preprocessing.dicom_pixels import decoded_slices
from brainuad.preprocessing.dicom_series import Choice, choose_series
from brainuad.preprocessing.dicom_stacks import SAME_PLACE_MM, with_agent
from brainuad.preprocessing.geometry import check_extent

AIR_HU = -1024.0
# Where slices are missing for more than this, nothing may be guessed.
LARGEST_GAP_MM = 10.0
# Slices are even if gaps differ by less than this share of a gap, and straight if they move by less than a pixel's.
EVEN = 0.02
STRAIGHT = 0.05
# Slices at uneven distances are resampled to this or, where they are closer, to their usual gap.
UNEVEN_STEP_MM = 1.0
TILT_TOLERANCE_DEG = 1.0


@dataclass(frozen=True)
class DicomScan:
    """The volume in Hounsfield units (float32, axes left, back, top), and remarks on what was done to it."""

    image: sitk.Image
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Planes:
    """Slices in the order of their places: `values` (slice, down, across) in HU and `positions` (slice, 3) in mm.

    The positions are those of the first pixels. `axes` has the unit vectors across, down and through the slices as
    rows; `spacing_mm` is the distance of pixels across and down.
    """

    values: np.ndarray
    positions: np.ndarray
    axes: np.ndarray
    spacing_mm: tuple[float, float]

    @property
    def offsets_mm(self) -> np.ndarray:
        """How far each slice lies from the first one across, down and through the slices (slice, 3)."""
        return np.asarray((self.positions - self.positions[0]) @ self.axes.T)

    @property
    def gaps_mm(self) -> np.ndarray:
        """Distances of neighbouring slices."""
        return np.diff(self.offsets_mm[:, 2])

    @property
    def voxel_mm(self) -> np.ndarray:
        """The distances of pixels across and down, and the usual one of slices."""
        return np.array([*self.spacing_mm, np.median(self.gaps_mm)])

    @property
    def sides_mm(self) -> np.ndarray:
        """How long the slices together are across, down and through them."""
        _, down, across = self.values.shape
        return np.asarray(np.ptp(self.offsets_mm, axis=0) + self.voxel_mm * [across, down, 1])


def read_dicom(folder: Path, label: str, series: str = "") -> DicomScan:
    """The head CT in a folder of DICOM files; `series` is the number or UID of one to take, or `*`.

    What cannot be read or placed is a `ScanError` whose text starts with `label`.
    """
    choice = choose_series(folder, label, series)
    planes, notes = _without_doubles(_planes(choice.stack.slices, label), label)
    largest = float(planes.gaps_mm.max())
    if largest > LARGEST_GAP_MM * (1 + EVEN):
        after = int(planes.gaps_mm.argmax()) + 1
        raise ScanError(
            f"{label}: slices are missing: a gap of {largest:.1f} mm after slice {after} of {len(planes.values)} from "
            f"below, at most {LARGEST_GAP_MM:g} mm{f'; {choice.damage}' if choice.damage else ''}"
        )
    check_extent(planes.sides_mm, planes.voxel_mm, label)
    notes = [*_remarks(choice), *notes, *_geometry_remarks(planes, choice.stack.first.tilt_deg)]
    return DicomScan(
        sitk.DICOMOrient(regular_volume(planes), "LPS"), tuple(f"{label}: {note}" for note in notes)
    )


def regular_volume(planes: Planes) -> sitk.Image:
    """The volume of slices at any places on a regular grid; even, straight slices keep their values to the bit."""
    first = np.zeros(2, dtype=int)
    values, step = planes.values, float(np.median(planes.gaps_mm))
    if not (_even(planes) and _straight(planes)):
        values, first = _straightened(planes)
        values, step = _at_even_places(values, planes)
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    image.SetSpacing([*planes.spacing_mm, step])
    corner = planes.positions[0] + (first * planes.spacing_mm) @ planes.axes[:2]
    image.SetOrigin(corner.tolist())
    image.SetDirection(planes.axes.T.ravel().tolist())
    return image


def shear_deg(planes: Planes) -> float:
    """By how much the line through the first pixels leans away from the normal of the slices."""
    across, down, through = planes.offsets_mm[-1]
    return float(np.rad2deg(np.arctan2(np.hypot(across, down), through)))


def _even(planes: Planes) -> bool:
    usual = float(np.median(planes.gaps_mm))
    return bool(np.abs(planes.gaps_mm - usual).max() < EVEN * usual)


def _straight(planes: Planes) -> bool:
    return bool((np.abs(planes.offsets_mm[:, :2]).max(axis=0) < STRAIGHT * np.array(planes.spacing_mm)).all())


def _straightened(planes: Planes) -> tuple[np.ndarray, np.ndarray]:
    """Every slice on one larger grid of pixels, and the index (across, down) of its first pixel on the first slice."""
    pixels = planes.offsets_mm[:, :2] / planes.spacing_mm
    low, high = np.floor(pixels.min(axis=0)).astype(int), np.ceil(pixels.max(axis=0)).astype(int)
    count, down, across = planes.values.shape
    wide = np.full((count, down + high[1] - low[1], across + high[0] - low[0]), AIR_HU, dtype=np.float32)
    for number, (right, below) in enumerate(pixels - low):
        wide[number, :down, :across] = planes.values[number]
        wide[number] = ndimage.shift(wide[number], (below, right), order=1, mode="constant", cval=AIR_HU)
    return wide, low


def _at_even_places(values: np.ndarray, planes: Planes) -> tuple[np.ndarray, float]:
    """The slices at even places, linear between neighbours, and the distance of two of them."""
    places = planes.offsets_mm[:, 2]
    step = _step(planes.gaps_mm)
    wanted = np.arange(int(places[-1] / step + EVEN) + 1) * step
    below = np.clip(np.searchsorted(places, wanted, side="right") - 1, 0, len(places) - 2)
    share = np.clip((wanted - places[below]) / (places[below + 1] - places[below]), 0.0, 1.0)
    even = np.empty((len(wanted), *values.shape[1:]), dtype=np.float32)
    for number, (index, part) in enumerate(zip(below, share.astype(np.float32), strict=True)):
        even[number] = (1 - part) * values[index] + part * values[index + 1]
    return even, step


def _step(gaps_mm: np.ndarray) -> float:
    """The usual gap where all gaps are whole multiples of it (slices are missing), else something finer."""
    usual = float(np.median(gaps_mm))
    multiples = gaps_mm / usual
    return usual if np.abs(multiples - np.round(multiples)).max() < EVEN else min(usual, UNEVEN_STEP_MM)


def _planes(slices: Sequence[Header], label: str) -> Planes:
    """The slices in the order of their places, decoded; the first header gives the directions for all."""
    first = slices[0]
    assert first.orientation is not None
    assert first.spacing_mm is not None
    across = first.orientation[0] / np.linalg.norm(first.orientation[0])
    axes = np.stack([across, np.cross(first.normal, across), first.normal])
    positions = np.array([header.position for header in slices])
    order = np.argsort(positions @ first.normal, kind="stable")
    decoded = decoded_slices([slices[index] for index in order], label)
    values = np.stack([plane.values for plane in decoded])
    if first.monochrome1 and not _air_is_dark(values):
        # Stored values of MONOCHROME1 count as any others (part 3, C.7.6.3.1.2), but some programs turn them round.
        values = np.stack([plane.turned_round for plane in decoded])
    spacing_mm = (float(first.spacing_mm[1]), float(first.spacing_mm[0]))
    return Planes(np.maximum(values, AIR_HU), positions[order], axes, spacing_mm)


def _air_is_dark(values: np.ndarray) -> bool:
    """Whether the outermost pixels are darker than the rest of the slices."""
    border = np.concatenate([values[:, 0].ravel(), values[:, -1].ravel()])
    return bool(np.median(border) < values.mean())


def _without_doubles(planes: Planes, label: str) -> tuple[Planes, list[str]]:
    """The slices without second copies; two different ones at one place are a `ScanError`."""
    double = np.flatnonzero(planes.gaps_mm < SAME_PLACE_MM) + 1
    for index in double:
        if not np.array_equal(planes.values[index], planes.values[index - 1]):
            raise ScanError(f"{label}: two different slices lie at one place")
    if not len(double):
        return planes, []
    kept = np.setdiff1d(np.arange(len(planes.values)), double)
    without = Planes(planes.values[kept], planes.positions[kept], planes.axes, planes.spacing_mm)
    return without, [f"{len(double)} doubled slices removed"]


def _remarks(choice: Choice) -> list[str]:
    first = choice.stack.first
    remarks = [f"{choice.stack.name} of {len(choice.left_out) + 1} taken"]
    remarks += [f"left out {reason}" for reason in choice.left_out]
    if choice.damage:
        remarks.append(f"{choice.damage} and left out: slices may be missing, also at the top or bottom")
    if choice.studies > 1:
        remarks.append(f"chosen among {choice.studies} studies in one folder")
    if with_agent(choice.stack):
        remarks.append("with contrast agent")
    if dicom_kinds.is_reformat(first.image_type):
        remarks.append("reformatted images")
    if dicom_kinds.is_picture(first.image_type):
        remarks.append("projection, rendering or screen")
    if first.lossy:
        remarks.append("compressed with loss")
    if first.monochrome1:
        remarks.append("MONOCHROME1")
    return remarks


def _geometry_remarks(planes: Planes, header_tilt_deg: float) -> list[str]:
    remarks, shear, gaps = [], shear_deg(planes), planes.gaps_mm
    if not _straight(planes):
        remarks.append(f"gantry tilt of {shear:.1f} degrees undone")
    if abs(shear - abs(header_tilt_deg)) > TILT_TOLERANCE_DEG:
        remarks.append(f"the header names a tilt of {header_tilt_deg:g} degrees, the slices show {shear:.1f}")
    if _even(planes):
        return remarks
    if _step(gaps) == float(np.median(gaps)):
        missing = int(np.round(gaps / np.median(gaps) - 1).sum())
        return [*remarks, f"{missing} missing slices filled in between their neighbours"]
    return [*remarks, f"slice gaps of {gaps.min():.2f} to {gaps.max():.2f} mm made even"]
