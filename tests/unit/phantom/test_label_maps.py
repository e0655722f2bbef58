"""Anatomies from label maps."""

import nibabel as nib
import numpy as np
import pytest

from brainuad.errors import InputError
from brainuad.phantom.label_maps import find_label_maps, fractions_from_labels
from brainuad.phantom.tissues import HEAD_TISSUES

SHAPE, AFFINE = (80, 80, 80), np.diag([2.0, 2.0, 2.0, 1.0])


def radius(scale: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    axes = [(np.arange(80) - 40) / s for s in scale]
    return 2 * np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))


@pytest.fixture
def label_map(tmp_path):
    """An ellipsoidal head: white matter, cortex, fluid, skull, soft tissue, skin."""
    distance = radius((1.2, 1.0, 0.9))
    labels = np.zeros(SHAPE, dtype=np.int16)
    for label, limit in ((511, 76), (507, 73), (515, 63), (24, 57), (3, 54), (2, 50)):
        labels[distance < limit] = label
    path = tmp_path / "head_dseg.nii.gz"
    nib.save(nib.Nifti1Image(labels, AFFINE), path)
    return path


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        find_label_maps(tmp_path / "absent")


def test_a_folder_without_label_maps_is_refused(tmp_path):
    with pytest.raises(InputError, match="_dseg"):
        find_label_maps(tmp_path)


def test_an_unreadable_label_map_is_named(tmp_path):
    path = tmp_path / "broken_dseg.nii.gz"
    path.write_bytes(b"not an image")
    with pytest.raises(InputError, match="broken_dseg"):
        fractions_from_labels(path, radius() < 50, AFFINE, SHAPE, AFFINE)


def test_a_map_with_other_labels_is_refused(tmp_path):
    path = tmp_path / "other_dseg.nii.gz"
    nib.save(nib.Nifti1Image(np.ones(SHAPE, dtype=np.int16), AFFINE), path)
    with pytest.raises(InputError, match="FreeSurfer"):
        fractions_from_labels(path, radius() < 50, AFFINE, SHAPE, AFFINE)


def test_fractions_fill_at_most_the_voxel(label_map):
    maps = fractions_from_labels(label_map, radius() < 54, AFFINE, SHAPE, AFFINE)
    assert maps.dtype == np.uint8
    assert maps[: len(HEAD_TISSUES)].astype(int).sum(axis=0).max() <= 258


def test_the_head_is_moved_onto_the_atlas_brain(label_map):
    atlas_brain = radius() < 54
    maps = fractions_from_labels(label_map, atlas_brain, AFFINE, SHAPE, AFFINE)
    grey, white = (maps[HEAD_TISSUES.index(tissue)].astype(int) for tissue in ("grey", "white"))
    tissue = grey + white > 127
    overlap = 2 * (tissue & atlas_brain).sum() / (tissue.sum() + atlas_brain.sum())
    assert overlap > 0.97


def test_the_layers_keep_their_order(label_map):
    maps = fractions_from_labels(label_map, radius() < 54, AFFINE, SHAPE, AFFINE)
    mean_radius = [
        np.average(radius(), weights=maps[HEAD_TISSUES.index(tissue)])
        for tissue in ("white", "grey", "bone", "muscle")
    ]
    assert mean_radius == sorted(mean_radius)


def test_the_inside_of_the_skull_holds_brain_and_fluid(label_map):
    maps = fractions_from_labels(label_map, radius() < 54, AFFINE, SHAPE, AFFINE)
    inside = maps[-1] > 127
    assert inside[maps[HEAD_TISSUES.index("white")] > 127].all()
    assert not inside[maps[HEAD_TISSUES.index("bone")] > 200].any()
