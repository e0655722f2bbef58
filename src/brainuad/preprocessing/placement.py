"""Finds the brain of a subject and where it lies on the atlas, in the order of Behrendt 2023.

Resample to cubes, strip the skull from the reference modality, register the other modalities to it, register
its brain to the atlas. Only transforms come out: each raw image is interpolated once, at the end.

A head CT is registered with its skull, whose inner edge is what CT and MRI have in common.
"""

from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from brainuad.atlas import AtlasName, atlas_paths
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing import ct
from brainuad.preprocessing.geometry import isotropic, masked, resample, volume_ml
from brainuad.preprocessing.measures import check_brain_volume
from brainuad.preprocessing.modality_defects import ModalityError
from brainuad.preprocessing.raw_subject import RawSubject
from brainuad.preprocessing.registration import (
    Registered,
    mutual_information,
    register_head,
    register_rigidly,
    register_to_atlas,
    then,
)
from brainuad.preprocessing.scan import read_mask, read_scan, same_grid
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.preprocessing.skull_strip import strip_skull


@dataclass(frozen=True)
class Atlas:
    """What images are registered to, and the mask of the atlas brain; their grid is that of all derivatives.

    The target is the brain alone for MRI and the whole head for CT.
    """

    target: sitk.Image
    mask: sitk.Image

    @staticmethod
    def read(folder: Path, name: AtlasName, settings: PreprocessingSettings) -> "Atlas":
        """One of the atlases in the folder of atlases, with the target that the settings ask for."""
        paths = atlas_paths(folder, name)
        mask = read_mask(paths.mask, "atlas mask")
        if settings.reference != "ct":
            return Atlas(read_scan(paths.brain, "atlas"), mask)
        head = Path(settings.ct_template) if settings.ct_template else paths.head
        if head is None:
            raise InputError(
                f"preprocessing.ct_template: the atlas {name} has no head, which CT is registered to. Name a head CT "
                "in its space, or choose atlas: sri24."
            )
        try:
            return Atlas(resample(read_scan(head, "template"), mask, sitk.Transform()), mask)
        except ScanError as error:
            raise InputError(f"preprocessing.ct_template: {head}: {error}. Expected a NIfTI file.") from error


@dataclass(frozen=True)
class Placement:
    """The brain mask on the reference's working grid, and for each modality the way from atlas points to it.

    `grid` is an image on the grid of the derivatives. `to_atlas` is the mutual information (nats) with the atlas, None
    without one; `to_reference` the lowest among the modalities that were registered to the reference, None where none
    was. `hounsfield` says whether a CT is plausible.
    """

    brain: sitk.Image
    working: sitk.Image
    grid: sitk.Image
    transforms: dict[str, sitk.AffineTransform]
    to_atlas: float | None
    to_reference: float | None
    hounsfield: ct.CtNumbers | None = None


def place(raw: RawSubject, atlas: Atlas | None, settings: PreprocessingSettings, threads: int) -> Placement:
    """Where the subject lies on the atlas, or on its own grid without one.

    An implausible brain volume is a `ScanError`, unless the mask is that of a whole head; so are implausible
    Hounsfield units.
    """
    reference: str = settings.reference
    on_grid = [m for m, image in raw.images.items() if same_grid(image, raw.images[reference])]
    needed = on_grid if settings.skull_strip == "none" else [reference]
    working = {modality: isotropic(raw.images[modality], settings.resolution_mm) for modality in needed}
    brain = strip_skull(working, settings, threads)
    numbers = ct.measure(working[reference], brain) if settings.skull_strip == "hounsfield" else None
    if numbers is not None:
        ct.check(numbers, settings.plausible)
    if settings.finds_brain:
        check_brain_volume(volume_ml(brain), settings.plausible)
    others = {
        modality: _to_reference(raw, modality, working[reference], brain, settings)
        for modality in raw.images
        if modality != reference
    }
    atlas_to_reference = _to_atlas(atlas, working[reference], brain, settings)
    transforms = {reference: atlas_to_reference.transform}
    for modality, registered in others.items():
        first = atlas_to_reference.transform
        transforms[modality] = then(first, registered.transform) if registered else first
    reached = [registered.mutual_information for registered in others.values() if registered]
    return Placement(
        brain,
        working[reference],
        _grid(raw.images[reference], brain, atlas, settings),
        transforms,
        atlas_to_reference.mutual_information if atlas else None,
        min(reached, default=None),
        numbers,
    )


def _grid(
    reference: sitk.Image, brain: sitk.Image, atlas: Atlas | None, settings: PreprocessingSettings
) -> sitk.Image:
    """An image on the grid of the derivatives: the atlas', the reference's, or that of a head."""
    if settings.crop == "head":
        return ct.field_of_view(atlas.mask if atlas else brain)
    return atlas.mask if atlas else sitk.DICOMOrient(reference, "LPS")


def _to_reference(
    raw: RawSubject,
    modality: str,
    reference: sitk.Image,
    brain: sitk.Image,
    settings: PreprocessingSettings,
) -> Registered | None:
    """The rigid registration of a modality; None where it counts as registered already."""
    aligned = same_grid(raw.images[modality], raw.images[settings.reference])
    if settings.coregistration == "none" or (settings.coregistration == "different-grids" and aligned):
        return None
    region = brain if settings.coregistration_region == "brain" else None
    try:
        return register_rigidly(reference, region, raw.images[modality])
    except ScanError as error:
        raise ModalityError(modality, f"{modality}: {error}") from error


def _to_atlas(
    atlas: Atlas | None, reference: sitk.Image, brain: sitk.Image, settings: PreprocessingSettings
) -> Registered:
    if atlas is None:
        return Registered(sitk.AffineTransform(3), 0.0)
    is_head = settings.reference == "ct"
    moving = ct.windowed(reference) if is_head else masked(reference, brain)
    if settings.registration == "none":
        identity = sitk.AffineTransform(3)
        return Registered(identity, mutual_information(atlas.target, atlas.mask, moving, identity))
    register = register_head if is_head else register_to_atlas
    return register(atlas.target, atlas.mask, moving, brain, settings.registration)
