"""The raw scans of one subject, read and checked against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from brainuad.datasets.base import path_inside
from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_volume import read_dicom
from brainuad.preprocessing.geometry import voxel_count
from brainuad.preprocessing.modality_defects import defects_of
from brainuad.preprocessing.scan import has_orientation, positive_labels, read_mask, read_scan, same_grid
from brainuad.preprocessing.settings import PreprocessingSettings


@dataclass(frozen=True)
class RawSubject:
    """Images by modality, and where there are some, masks with the modality on whose grid they lie.

    `notes` are remarks for the quality table that do not exclude the subject.
    """

    images: dict[str, sitk.Image]
    lesion: sitk.Image | None = None
    lesion_on: str = ""
    brain: sitk.Image | None = None
    notes: list[str] = field(default_factory=list)


def read_subject(row: Mapping[str, str], root: Path, settings: PreprocessingSettings) -> RawSubject:
    """The scans that the settings want from a row of the cohort table; a defect is a `ScanError`.

    A mask lies on the voxel grid of an image. Only beside DICOM, whose grid is made here, its place in the world
    counts. What is wrong with one modality alone is a `ModalityError`.
    """
    if row["status"] != "ok":
        raise ScanError(row["reason"] or "excluded from the cohort")
    if missing := [modality for modality in settings.modalities if not row.get(modality)]:
        known = f" ({row['reason']})" if row["reason"] else ""
        raise ScanError(f"missing {', '.join(missing)}{known}")
    present = [modality for modality in settings.wanted if row.get(modality)]
    paths = {name: _located(row, root, name) for name in ("mask", "brain_mask") if row.get(name)}
    for modality in present:
        with defects_of(modality):
            paths[modality] = _located(row, root, modality)
    images, notes = _images({modality: paths[modality] for modality in present}, row.get("series", ""))
    lesion, lesion_on = None, ""
    if "mask" in paths:
        lesion = read_mask(paths["mask"], "mask")
        _check_labels(paths["mask"], settings)
        placed = paths[settings.reference].is_dir()
        lesion_on = settings.reference if placed else _grid_owner(lesion, images, settings.reference)
        if not placed and not same_grid(lesion, images[lesion_on]):
            notes.append(f"mask: less than a voxel off the grid of {lesion_on}")
    brain = _fitting_brain_mask(paths.get("brain_mask"), images[settings.reference])
    if settings.skull_strip == "none" and brain is not None and not voxel_count(brain):
        raise ScanError("brain_mask: empty, so the skull was not stripped as published")
    return RawSubject(images, lesion, lesion_on, brain, notes)


def _images(paths: Mapping[str, Path], series: str) -> tuple[dict[str, sitk.Image], list[str]]:
    """The image of each modality, and remarks on how they were read."""
    images: dict[str, sitk.Image] = {}
    notes: list[str] = []
    for modality, path in paths.items():
        with defects_of(modality):
            images[modality], remarks = _image(path, modality, series)
        notes += remarks
    return images, notes


def _image(path: Path, modality: str, series: str) -> tuple[sitk.Image, list[str]]:
    if path.is_dir():
        scan = read_dicom(path, modality, series)
        return scan.image, list(scan.notes)
    image = read_scan(path, modality)
    return image, [] if has_orientation(path) else [f"{modality}: the header gives no orientation"]


def _check_labels(path: Path, settings: PreprocessingSettings) -> None:
    """Raises a `ScanError` for a readable mask with positive values of which nobody has said what they mean."""
    if not settings.single_label and not settings.mask_labels:
        return
    labels = positive_labels(path, "mask")
    if settings.single_label and len(labels) > 1:
        raise ScanError(
            f"mask: {len(labels)} labels ({_listed(labels)}), expected one; `single_label: false` takes all as lesion"
        )
    unknown = np.setdiff1d(labels, settings.mask_labels)
    if settings.mask_labels and unknown.size:
        raise ScanError(
            f"mask: unknown labels ({_listed(unknown)}), expected {_listed(settings.mask_labels)}; `mask_labels: []` "
            "takes all as lesion"
        )


def _listed(labels: Sequence[float] | np.ndarray) -> str:
    return ", ".join(f"{value:g}" for value in labels[:5]) + (", …" if len(labels) > 5 else "")


def _located(row: Mapping[str, str], root: Path, column: str) -> Path:
    try:
        return path_inside(root, row[column])
    except ScanError as error:
        raise ScanError(f"{column}: {error}") from error


def _grid_owner(mask: sitk.Image, images: Mapping[str, sitk.Image], reference: str) -> str:
    """The modality on whose grid the mask lies, the reference before others; headers may be rounded.

    The masks of Ljubljana in the Shifts data lie up to half a millimetre per axis off their images.
    """
    for tolerance_mm in (0.1, min(mask.GetSpacing())):
        for modality in sorted(images, key=lambda name: name != reference):
            if same_grid(mask, images[modality], tolerance_mm):
                return modality
    same_shape = [modality for modality, image in images.items() if image.GetSize() == mask.GetSize()]
    what = "its position differs from that of" if same_shape else "its shape differs from that of"
    size = " x ".join(str(count) for count in mask.GetSize())
    raise ScanError(f"mask: {what} {', '.join(same_shape or images)} (mask: {size} voxels)")


def _fitting_brain_mask(path: Path | None, reference: sitk.Image) -> sitk.Image | None:
    """The data set's own brain mask; it only serves as a check, so one that does not fit is left out."""
    if path is None:
        return None
    try:
        mask = read_mask(path, "brain_mask")
    except ScanError:
        return None
    return mask if same_grid(mask, reference) else None
