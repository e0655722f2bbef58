"""One subject from raw scans to derivatives on the atlas grid, with the numbers that tell whether to trust it.

A scan that cannot be used never stops the cohort: the subject's `quality.json` says `excluded` and why.
"""

import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing import ct
from brainuad.preprocessing.bias import correct_brain_bias, correct_head_bias
from brainuad.preprocessing.boxes import write_boxes
from brainuad.preprocessing.derivatives import (
    brain_mask_path,
    derivative_path,
    lesion_mask_path,
    quality_path,
    strip_path,
    subject_folder,
    transform_path,
)
from brainuad.preprocessing.geometry import (
    bounding_box,
    cut,
    dice,
    itk_threads,
    masked,
    resample,
    resample_mask,
    share_inside,
    volume_ml,
    voxel_count,
    without_negatives,
)
from brainuad.preprocessing.measures import (
    QUALITY_NUMBERS,
    check_coverage,
    check_overlap,
    check_signs,
    coverage,
    negative_share,
    signal_to_noise,
)
from brainuad.preprocessing.modality_defects import ModalityError, defects_of
from brainuad.preprocessing.mosaic import draw_strip
from brainuad.preprocessing.placement import Atlas, Placement, place
from brainuad.preprocessing.provenance import (
    common_sidecar,
    describe_derivatives,
    write_transform,
    write_with_sidecar,
)
from brainuad.preprocessing.raw_subject import RawSubject, read_subject
from brainuad.preprocessing.registration import matrix_of
from brainuad.preprocessing.scan import same_grid
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.storage import write_json

logger = logging.getLogger(__name__)


def preprocess_subject(
    row: Mapping[str, str],
    root: Path,
    settings: PreprocessingSettings,
    atlas_folder: Path,
    output: Path,
    *,
    threads: int = 1,
) -> dict[str, Any]:
    """The content of the subject's `quality.json`, after writing its derivatives under `output`.

    `row` is a row of the cohort table of the data set in `root`, `atlas_folder` the folder of all atlases, `output`
    the derivatives folder of the data set. A defect of the scans gives status `excluded` and a reason; one of an
    optional modality a note, and the subject goes on without it. A missing engine or atlas and faults of the machine
    raise.
    """
    started = time.monotonic()
    atlas = None if settings.atlas == "none" else Atlas.read(atlas_folder, settings.atlas, settings)
    describe_derivatives(output, settings.space)
    with itk_threads(threads):
        found = _usable(_Source(row["subject"], row, settings, Path(output), Path(root)), atlas, threads)
    quality: dict[str, Any] = {"subject": row["subject"], "status": "ok", "reason": "", "note": ""}
    quality |= dict.fromkeys(QUALITY_NUMBERS) | {"skull_strip": settings.skull_strip} | found
    quality["seconds"] = round(time.monotonic() - started, 1)
    write_json(quality, quality_path(output, row["subject"]))
    return quality


def _usable(source: "_Source", atlas: Atlas | None, threads: int) -> dict[str, Any]:
    """What is known of a subject, derived without the optional modalities that cannot be used."""
    left_out: dict[str, str] = {}
    # Those of the index are in the remark of its row.
    unusable = dict.fromkeys(filter(None, source.row.get("unusable", "").split(";")), source.row["reason"])
    while True:
        notes = [f"left out: {reason}" for reason in left_out.values()]
        _clear(source.output, source.subject)
        try:
            numbers, remarks = _derive(source, atlas, threads)
            return numbers | {"note": "; ".join([*notes, *remarks]), "left_out": unusable | left_out}
        except ScanError as error:
            if (
                not isinstance(error, ModalityError)
                or error.modality not in source.settings.optional_modalities
            ):
                _clear(source.output, source.subject)
                logger.warning("%s: excluded: %s", source.subject, error)
                return {"status": "excluded", "reason": "; ".join([str(error), *notes])}
            left_out[error.modality] = str(error)
            logger.warning("%s: left out: %s", source.subject, error)
            source = replace(source, row={**source.row, error.modality: ""})


def _derive(source: "_Source", atlas: Atlas | None, threads: int) -> tuple[dict[str, Any], list[str]]:
    """The numbers of the quality table and remarks, after writing the derivatives."""
    row, root, settings = source.row, source.root, source.settings
    raw = read_subject(row, root, settings)
    placement = place(raw, atlas, settings, threads)
    derived = _on_atlas(raw, placement, atlas, settings)
    _write(source, raw, placement, derived)
    boxes = write_boxes(row, root, settings.reference, raw.images[settings.reference], source.output)
    return derived.numbers, [*derived.remarks, *boxes]


@dataclass(frozen=True)
class _Source:
    """Whose files are written, from which paths below `root`, with which settings, to which folder."""

    subject: str
    row: Mapping[str, str]
    settings: PreprocessingSettings
    output: Path
    root: Path

    def sidecar(self, column: str) -> dict[str, Any]:
        return common_sidecar(self.row[column], self.settings)


@dataclass(frozen=True)
class _OnAtlas:
    """Masks on the whole atlas grid, or the reference's own, and numbers and remarks for the quality table."""

    brain: sitk.Image
    atlas_brain: sitk.Image | None
    lesion: sitk.Image | None
    numbers: dict[str, Any]
    remarks: list[str]


def _on_atlas(
    raw: RawSubject, placement: Placement, atlas: Atlas | None, settings: PreprocessingSettings
) -> _OnAtlas:
    """The masks on the atlas grid; a brain that does not lie on the atlas brain is a `ScanError`."""
    grid = placement.grid
    brain = resample_mask(placement.brain, grid, placement.transforms[settings.reference], "linear-half")
    atlas_brain = resample_mask(atlas.mask, grid, sitk.Transform(), "nearest") if atlas else None
    numbers = {} if atlas_brain is None else _fit(brain, placement, atlas_brain, settings)
    if placement.hounsfield is not None:
        numbers |= asdict(placement.hounsfield)
    # Thresholds find the part of a brain that a CT shows, the atlas says how much that is.
    whole = brain if placement.hounsfield is None or atlas_brain is None else atlas_brain
    shares = {m: coverage(image, whole, placement.transforms[m]) for m, image in raw.images.items()}
    for modality, share in shares.items():
        with defects_of(modality):
            check_coverage(share, modality, settings.plausible)
    numbers |= {
        "brain_ml": round(volume_ml(placement.brain), 1) if settings.finds_brain else None,
        "coverage": round(min(shares.values()), 4),
        "snr": round(signal_to_noise(placement.working, placement.brain), 1),
    }
    if placement.to_reference is not None:
        numbers["mutual_information_modalities"] = round(placement.to_reference, 4)
    if raw.brain is not None:
        theirs = resample_mask(raw.brain, placement.brain, sitk.Transform(), "nearest")
        numbers["brain_mask_dice"] = round(dice(placement.brain, theirs), 4)
    notes, lesion = [*raw.notes, *_signs(raw, placement, brain)], None
    if raw.lesion is not None:
        rule, transform = settings.lesion_interpolation, placement.transforms[raw.lesion_on]
        lesion = resample_mask(raw.lesion, grid, transform, rule)
        numbers |= _lesion_numbers(raw.lesion, lesion, brain)
        if not numbers["lesion_voxels"]:
            notes.append(_why_no_lesion(raw.lesion, grid, transform))
    return _OnAtlas(brain, atlas_brain, lesion, numbers, notes)


def _fit(
    brain: sitk.Image, placement: Placement, atlas_brain: sitk.Image, settings: PreprocessingSettings
) -> dict[str, Any]:
    overlap = dice(brain, atlas_brain)
    check_overlap(overlap, settings.plausible, settings.registration)
    assert placement.to_atlas is not None
    return {"atlas_dice": round(overlap, 4), "mutual_information": round(placement.to_atlas, 4)}


def _signs(raw: RawSubject, placement: Placement, brain: sitk.Image) -> list[str]:
    """Remarks on negative intensities of MRI in the brain, which become zero; many are a `ScanError`."""
    remarks = []
    for modality, image in raw.images.items():
        share = 0.0 if modality == "ct" else negative_share(image, brain, placement.transforms[modality])
        with defects_of(modality):
            check_signs(share, modality)
        if percent := round(100 * share, 1):
            remarks.append(f"{modality}: {percent} % of the brain was negative and is set to 0")
    return remarks


def _why_no_lesion(lesion: sitk.Image, grid: sitk.Image, transform: sitk.Transform) -> str:
    """What became of a lesion that has no voxel on the grid of the derivatives, from which `transform` leads to it."""
    if not voxel_count(lesion):
        return "no lesion in the mask"
    if not coverage(grid, lesion, transform.GetInverse()):
        return "lesion outside the grid of the derivatives"
    return "lesion too small for the grid of the derivatives, no voxel is left"


def _lesion_numbers(raw_lesion: sitk.Image, lesion: sitk.Image, brain: sitk.Image) -> dict[str, Any]:
    inside = share_inside(lesion, brain)
    return {
        "lesion_ml": round(volume_ml(raw_lesion), 3),
        "lesion_voxels": voxel_count(lesion),
        "lesion_in_brain": None if inside is None else round(inside, 4),
    }


def _write(source: _Source, raw: RawSubject, placement: Placement, derived: _OnAtlas) -> None:
    settings, output, subject = source.settings, source.output, source.subject
    box = bounding_box(derived.brain) if settings.crop == "brain" else None
    brain = cut(derived.brain, box) if box else derived.brain
    for modality, image in raw.images.items():
        transform = placement.transforms[modality]
        make = _ct_derivative if modality == "ct" else _mri_derivative
        with defects_of(modality):
            finished = make(image, brain, transform, settings)
        path = transform_path(output, subject, modality)
        write_transform(transform, path)
        sidecar = source.sidecar(modality) | {
            "SkullStripped": not settings.keep_skull,
            "BiasCorrected": settings.n4 and modality != "ct",
            "Transform": path.name,
        }
        write_with_sidecar(finished, derivative_path(output, subject, modality), sidecar)
    sidecar = source.sidecar(settings.reference) | {"Type": "Brain"}
    write_with_sidecar(brain, brain_mask_path(output, subject), sidecar)
    if derived.lesion is not None:
        lesion = cut(derived.lesion, box) if box else derived.lesion
        sidecar = source.sidecar("mask") | {"Type": "Lesion", "Interpolation": settings.lesion_interpolation}
        write_with_sidecar(lesion, lesion_mask_path(output, subject), sidecar)
    head = _on_grid(raw.images[settings.reference], derived.brain, placement.transforms[settings.reference])
    shown = ct.windowed(head) if settings.reference == "ct" else head
    draw_strip(shown, derived.brain, derived.atlas_brain, derived.lesion, strip_path(output, subject))


def _on_grid(
    image: sitk.Image, grid: sitk.Image, transform: sitk.Transform, outside: float = 0.0
) -> sitk.Image:
    """The image on another grid; one that lies on it already is only turned and keeps its values to the bit."""
    turned = sitk.DICOMOrient(image, "LPS")
    if same_grid(turned, grid) and np.array_equal(matrix_of(transform), np.eye(4)):
        turned.CopyInformation(grid)
        return turned
    return resample(image, grid, transform, outside=outside)


def _mri_derivative(
    image: sitk.Image, brain: sitk.Image, transform: sitk.Transform, settings: PreprocessingSettings
) -> sitk.Image:
    """The image of the brain or of the whole head, with its bias corrected where that is asked for."""
    image = without_negatives(_on_grid(image, brain, transform))
    if settings.keep_skull:
        return correct_head_bias(image, settings.n4_parameters) if settings.n4 else image
    image = masked(image, brain)
    return correct_brain_bias(image, brain, settings.n4_parameters) if settings.n4 else image


def _ct_derivative(
    image: sitk.Image, brain: sitk.Image, transform: sitk.Transform, settings: PreprocessingSettings
) -> sitk.Image:
    """The head or the brain in Hounsfield units, with air around it."""
    image = _on_grid(image, brain, transform, ct.AIR_HU)
    return ct.without_surroundings(image) if settings.keep_skull else sitk.Mask(image, brain, ct.AIR_HU)


def _clear(output: Path, subject: str) -> None:
    """Removes what an earlier run left, so that files of different settings never mix."""
    for name in ("anat", "figures"):
        shutil.rmtree(subject_folder(output, subject) / name, ignore_errors=True)
    quality_path(output, subject).unlink(missing_ok=True)
