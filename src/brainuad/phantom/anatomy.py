"""Anatomies: how much of each tissue lies in each voxel of a head that stands in SRI24 space.

Fractions, not labels, so that a warped and resampled head has partial volume as a scan has.
Whatever no tissue fills is air.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.atlas import ATLAS_AFFINE, atlas_paths
from brainuad.errors import InputError
from brainuad.phantom.label_maps import find_label_maps, fractions_from_labels
from brainuad.phantom.sri24 import segment_sri24
from brainuad.phantom.tissues import HEAD_TISSUES
from brainuad.storage import atomic_path

log = logging.getLogger(__name__)

# The atlas grid without the empty margins at the sides, with 40 mm of neck below and 20 mm of air above.
ANATOMY_SHAPE = (192, 240, 215)
ANATOMY_AFFINE = ATLAS_AFFINE @ np.array([[1.0, 0, 0, 24], [0, 1, 0, 0], [0, 0, 1, -40], [0, 0, 0, 1]])
RECIPE = 3  # raise it when the segmentation changes, so that cached anatomies are made again


@dataclass(frozen=True)
class Anatomy:
    """One head on the anatomy grid.

    `maps` holds (x, y, z, channel) uint8: the tissues of `HEAD_TISSUES`, then the texture of the
    white matter (128 = none) and the inside of the skull (the brain with its fluid); 255 = 1.
    """

    name: str
    maps: np.ndarray

    def channel(self, tissue: str) -> np.ndarray:
        """Fraction of one tissue, (x, y, z) uint8 from 0 to 255."""
        return self.maps[..., HEAD_TISSUES.index(tissue)]

    @property
    def brain(self) -> np.ndarray:
        """Inside of the skull, (x, y, z) bool."""
        return self.maps[..., -1] > 127


def prepare_anatomies(anatomy: str, atlas_folder: Path, other_folder: Path | None = None) -> list[Path]:
    """The cached anatomy files of "sri24" or of a folder with *_dseg.nii.gz label maps.

    A missing one is made (a few seconds each) beside the atlas; where nothing can be written there, in `other_folder`.
    """
    atlas_folder = Path(atlas_folder)
    paths = atlas_paths(atlas_folder, "sri24")
    folders = [atlas_folder / "sri24" / "phantom", *([other_folder] if other_folder else [])]
    if anatomy == "sri24":

        def segment() -> np.ndarray:
            images = (nib.Nifti1Image.from_filename(p) for p in (paths.head, paths.brain, paths.mask) if p)
            return segment_sri24(*(np.asarray(image.dataobj) for image in images))

        return [_cached(f"sri24_v{RECIPE}.npy", folders, segment)]
    atlas_mask = nib.Nifti1Image.from_filename(paths.mask)
    brain = np.asarray(atlas_mask.dataobj) > 0
    files = []
    for label_map in find_label_maps(Path(anatomy)):
        name = f"{label_map.name.split('.')[0]}_{label_map.stat().st_size}_v{RECIPE}.npy"
        arguments = (label_map, brain, atlas_mask.affine, ANATOMY_SHAPE, ANATOMY_AFFINE)
        files.append(_cached(name, folders, partial(fractions_from_labels, *arguments)))
    return files


def _cached(name: str, folders: Sequence[Path], make: Callable[[], np.ndarray]) -> Path:
    """The file of an anatomy in one of the folders, made in the first one that can be written."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    maps = make()
    for folder in folders:
        try:
            _save(maps, folder / name)
            return folder / name
        except OSError as error:
            reason = error.strerror
            log.warning("%s: nothing can be written there (%s)", folder, reason)
    raise InputError(f"{folders[-1]}: the anatomy of the phantom cannot be written there ({reason}).")


def load_anatomy(path: Path) -> Anatomy:
    """The anatomy in a cached file, memory-mapped so that processes share it."""
    maps = np.load(path, mmap_mode="r")
    if maps.shape != (*ANATOMY_SHAPE, len(HEAD_TISSUES) + 2):
        raise InputError(f"{path}: not an anatomy of this version {maps.shape}. Delete it and run again.")
    return Anatomy(path.stem, maps)


def _save(maps: np.ndarray, path: Path) -> None:
    with atomic_path(path) as temporary:
        np.save(temporary, np.ascontiguousarray(np.moveaxis(maps, 0, -1)))
