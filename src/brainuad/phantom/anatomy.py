"""Anatomies: how much of each tissue lies in each voxel of a head that stands in SRI24 space.

Fractions, not labels, so that a warped and resampled head has partial volume as a scan has.
Whatever no tissue fills is air.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.atlas import ATLAS_AFFINE, atlas_paths
from brainuad.errors import InputError
from brainuad.phantom.label_maps import find_label_maps, fractions_from_labels
from brainuad.phantom.sri24 import segment_sri24
from brainuad.phantom.tissues import HEAD_TISSUES
from brainuad.storage import atomic_path

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


def prepare_anatomies(anatomy: str, atlas_folder: Path) -> list[Path]:
    """The cached anatomy files of "sri24" or of a folder with *_dseg.nii.gz label maps.

    A missing cache file is made (a few seconds each).
    """
    atlas_folder = Path(atlas_folder)
    paths = atlas_paths(atlas_folder, "sri24")
    cache = atlas_folder / "sri24" / "phantom"
    if anatomy == "sri24":
        path = cache / f"sri24_v{RECIPE}.npy"
        if not path.is_file():
            images = (nib.Nifti1Image.from_filename(p) for p in (paths.head, paths.brain, paths.mask) if p)
            _save(segment_sri24(*(np.asarray(image.dataobj) for image in images)), path)
        return [path]
    atlas_mask = nib.Nifti1Image.from_filename(paths.mask)
    brain = np.asarray(atlas_mask.dataobj) > 0
    files = []
    for label_map in find_label_maps(Path(anatomy)):
        stamp = label_map.stat()
        path = cache / f"{label_map.name.split('.')[0]}_{stamp.st_size}_v{RECIPE}.npy"
        if not path.is_file():
            maps = fractions_from_labels(label_map, brain, atlas_mask.affine, ANATOMY_SHAPE, ANATOMY_AFFINE)
            _save(maps, path)
        files.append(path)
    return files


def load_anatomy(path: Path) -> Anatomy:
    """The anatomy in a cached file, memory-mapped so that processes share it."""
    maps = np.load(path, mmap_mode="r")
    if maps.shape != (*ANATOMY_SHAPE, len(HEAD_TISSUES) + 2):
        raise InputError(f"{path}: not an anatomy of this version {maps.shape}. Delete it and run again.")
    return Anatomy(path.stem, maps)


def _save(maps: np.ndarray, path: Path) -> None:
    with atomic_path(path) as temporary:
        np.save(temporary, np.ascontiguousarray(np.moveaxis(maps, 0, -1)))
