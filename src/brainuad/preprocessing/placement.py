"""Finds the brain of a subject and where it lies on the atlas, in the order of Behrendt 2023.

Resample to cubes, strip the skull from the reference modality, register the other modalities to it, register
its brain to the atlas. Only transforms come out: each raw image is interpolated once, at the end.
"""

from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from brainuad.atlas import AtlasName, atlas_paths
from brainuad.errors import ScanError
from brainuad.preprocessing.geometry import isotropic, masked, volume_ml
from brainuad.preprocessing.measures import check_brain_volume
from brainuad.preprocessing.raw_subject import RawSubject
from brainuad.preprocessing.registration import (
    Registered,
    mutual_information,
    register_rigidly,
    register_to_atlas,
    then,
)
from brainuad.preprocessing.scan import read_mask, read_scan, same_grid
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.preprocessing.skull_strip import strip_skull


@dataclass(frozen=True)
class Atlas:
    """The brain of an atlas and its mask; their grid is that of all derivatives."""

    brain: sitk.Image
    mask: sitk.Image

    @staticmethod
    def read(folder: Path, name: AtlasName) -> "Atlas":
        """One of the atlases in the folder of atlases."""
        paths = atlas_paths(folder, name)
        return Atlas(read_scan(paths.brain, "atlas"), read_mask(paths.mask, "atlas mask"))


@dataclass(frozen=True)
class Placement:
    """The brain mask on the reference's working grid, and for each modality the way from atlas points to it.

    `grid` is an image on the grid of the derivatives. `to_atlas` is the mutual information (nats) with the atlas, None
    without one; `to_reference` the lowest among the modalities that were registered to the reference, None where none
    was.
    """

    brain: sitk.Image
    working: sitk.Image
    grid: sitk.Image
    transforms: dict[str, sitk.AffineTransform]
    to_atlas: float | None
    to_reference: float | None


def place(raw: RawSubject, atlas: Atlas | None, settings: PreprocessingSettings, threads: int) -> Placement:
    """Where the subject lies on the atlas, or on its own grid without one.

    An implausible brain volume is a `ScanError`, unless the mask is that of a whole head.
    """
    reference: str = settings.reference
    on_grid = [m for m, image in raw.images.items() if same_grid(image, raw.images[reference])]
    needed = on_grid if settings.skull_strip == "none" else [reference]
    working = {modality: isotropic(raw.images[modality], settings.resolution_mm) for modality in needed}
    brain = strip_skull(working, settings, threads)
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
        atlas.mask if atlas else sitk.DICOMOrient(raw.images[reference], "LPS"),
        transforms,
        atlas_to_reference.mutual_information if atlas else None,
        min(reached, default=None),
    )


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
        raise ScanError(f"{modality}: {error}") from error


def _to_atlas(
    atlas: Atlas | None, reference: sitk.Image, brain: sitk.Image, settings: PreprocessingSettings
) -> Registered:
    if atlas is None:
        return Registered(sitk.AffineTransform(3), 0.0)
    only_brain = masked(reference, brain)
    if settings.registration == "none":
        identity = sitk.AffineTransform(3)
        return Registered(identity, mutual_information(atlas.brain, atlas.mask, only_brain, identity))
    return register_to_atlas(atlas.brain, atlas.mask, only_brain, brain, settings.registration)
