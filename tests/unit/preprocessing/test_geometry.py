"""Grids, masks and their overlaps against closed forms."""

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.geometry import (
    bounding_box,
    cut,
    dice,
    isotropic,
    itk_threads,
    largest_filled,
    mask_like,
    resample_mask,
    share_inside,
    volume_ml,
    without_negatives,
)
from brainuad.preprocessing.scan import affine_of, array_from_image, image_from_array


def mask(
    *filled: tuple[slice, ...], shape: tuple[int, ...] = (12, 12, 12), spacing: float = 1.0
) -> sitk.Image:
    voxels = np.zeros(shape, np.uint8)
    for part in filled:
        voxels[part] = 1
    return image_from_array(voxels, np.diag([spacing, spacing, spacing, 1.0]))


def test_cubes_keep_the_centre_and_the_values_of_a_linear_ramp() -> None:
    affine = np.array([[0, 0.5, 0, -10], [-2.0, 0, 0, 14], [0, 0, 3.0, 5], [0, 0, 0, 1]])
    shape = np.array([16, 40, 10])
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    ramp = (index @ affine[:3, :3].T + affine[:3, 3]) @ [1.0, 2.0, -1.0]
    cubes = isotropic(image_from_array(ramp.astype(np.float32), affine), 1.0)
    assert cubes.GetSpacing() == (1.0, 1.0, 1.0)
    centre, new_centre = (shape - 1) / 2, (np.array(cubes.GetSize()) - 1) / 2
    ours = affine_of(cubes)
    np.testing.assert_allclose(
        ours[:3, :3] @ new_centre + ours[:3, 3], affine[:3, :3] @ centre + affine[:3, 3]
    )
    assert ours[0, 0] == ours[1, 1] == -1  # voxel axes to the left and to the back
    inner = np.stack(np.meshgrid(*(np.arange(3, n - 3) for n in cubes.GetSize()), indexing="ij"), axis=-1)
    expected = (inner @ ours[:3, :3].T + ours[:3, 3]) @ [1.0, 2.0, -1.0]
    np.testing.assert_allclose(array_from_image(cubes)[3:-3, 3:-3, 3:-3], expected, atol=1e-3)


def test_cubes_of_the_same_size_change_nothing() -> None:
    voxels = np.random.default_rng(0).random((9, 8, 7), dtype=np.float32)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_array_equal(array_from_image(isotropic(image_from_array(voxels, affine), 1.0)), voxels)


def test_cubes_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No side is longer than a metre here."""
    image = image_from_array(np.zeros((160, 160, 8), np.float32), np.diag([6.0, 6.0, 50.0, 1.0]))
    monkeypatch.setattr(sitk, "Resample", lambda *_: pytest.fail("asked for memory"))
    with pytest.raises(ScanError, match=r"3\.7e\+08 voxels in cubes of 1 mm, at most 3\.0e\+08"):
        isotropic(image, 1.0)


def test_bounding_box_stops_at_the_border_of_the_image() -> None:
    size, first = bounding_box(mask(np.s_[1:4, 5:6, 8:12], spacing=2.0), margin_mm=3.0)
    assert (size, first) == ([6, 5, 6], [0, 3, 6])


def test_the_box_of_an_empty_mask_is_a_defect_of_the_scan() -> None:
    with pytest.raises(ScanError, match="empty"):
        bounding_box(mask())


def test_a_cut_image_stays_in_its_place() -> None:
    image = mask(np.s_[3:6, 4:6, 5:6], spacing=2.0)
    part = cut(image, bounding_box(image))
    assert part.GetSize() == (3, 2, 1)
    np.testing.assert_allclose(affine_of(part)[:3, 3], [6, 8, 10])


def test_largest_part_is_filled_and_alone() -> None:
    voxels = np.zeros((12, 12, 12), bool)
    voxels[1:8, 1:8, 1:8] = True
    voxels[3:5, 3:5, 3:5] = False
    voxels[10, 10, 10] = True
    filled = largest_filled(voxels)
    assert filled.sum() == 7**3
    assert not largest_filled(np.zeros((4, 4, 4), bool)).any()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [((0, 4), (2, 6), 0.5), ((0, 4), (0, 4), 1.0), ((0, 2), (4, 6), 0.0), ((0, 0), (0, 0), 0.0)],
)
def test_dice_of_boxes(first: tuple[int, int], second: tuple[int, int], expected: float) -> None:
    assert dice(mask(np.s_[slice(*first)]), mask(np.s_[slice(*second)])) == expected


def test_volume_counts_millilitres() -> None:
    assert volume_ml(mask(np.s_[:5, :5, :5], spacing=2.0)) == 1.0


def test_share_of_nothing_is_unknown() -> None:
    whole = mask(np.s_[:6])
    assert share_inside(mask(np.s_[4:8]), whole) == 0.5
    assert share_inside(mask(), whole) is None


@pytest.mark.parametrize(("rule", "voxels"), [("nearest", 4), ("linear-half", 4), ("linear-gt0", 5)])
def test_rules_for_masks_on_a_shifted_grid(rule: str, voxels: int) -> None:
    shift = sitk.TranslationTransform(3, (0.25, 0.0, 0.0))
    moved = resample_mask(mask(np.s_[3:7, 5:6, 5:6]), mask(), shift, rule)
    assert sitk.GetArrayFromImage(moved).sum() == voxels
    assert set(np.unique(sitk.GetArrayFromImage(moved))) == {0, 1}


def test_negative_values_become_zero_in_the_same_type() -> None:
    image = image_from_array(np.array([[[-1.5, 2.5]]], np.float32), np.eye(4))
    positive = without_negatives(image)
    assert positive.GetPixelID() == sitk.sitkFloat32
    assert sitk.GetArrayFromImage(positive).ravel().tolist() == [0.0, 2.5]


def test_mask_takes_the_grid_of_its_image() -> None:
    image = mask(spacing=2.0)
    assert affine_of(mask_like(np.ones((12, 12, 12), bool), image)).tolist() == affine_of(image).tolist()


def test_thread_limit_ends_with_its_block() -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    with itk_threads(1):
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == before
