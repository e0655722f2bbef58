"""Where the voxels of scans lie."""

import nibabel as nib
import numpy as np
import pytest

from brainuad.atlas import ATLAS_AFFINE
from brainuad.phantom.anatomy import ANATOMY_AFFINE
from brainuad.phantom.geometry import Pose, atlas_grid, draw_pose, scanner_grid
from brainuad.phantom.layout import Image

CENTRE = np.array([96.0, 110.0, 115.0])
STRAIGHT = Pose(np.eye(3), np.zeros(3))


@pytest.mark.parametrize("orientation", ["LPS", "PSR", "RAS"])
def test_scans_are_stored_in_the_published_orientation(orientation):
    grid = scanner_grid(Image("t1", "x", orientation), 2.0, STRAIGHT, CENTRE)
    assert "".join(nib.orientations.aff2axcodes(grid.affine)) == orientation
    np.testing.assert_allclose(np.linalg.norm(grid.affine[:3, :3], axis=0), 2.0)


def test_field_of_view_follows_the_stored_axes():
    image = Image("t1", "x", "PSR", field_of_view_mm=(160, 240, 200))
    assert scanner_grid(image, 2.0, STRAIGHT, CENTRE).shape == (120, 100, 80)


def test_the_brain_lies_in_the_middle_of_the_scan():
    grid = scanner_grid(Image("t1", "x", "PSR"), 2.0, STRAIGHT, CENTRE)
    middle = (np.array(grid.shape) - 1) / 2
    np.testing.assert_allclose(nib.affines.apply_affine(grid.to_head, middle), CENTRE)


def test_world_left_is_the_left_of_the_head():
    grid = scanner_grid(Image("t1", "x", "RAS"), 1.0, STRAIGHT, CENTRE)
    to_world = grid.affine @ np.linalg.inv(grid.to_head)
    np.testing.assert_allclose(to_world[:3, :3], ANATOMY_AFFINE[:3, :3], atol=1e-12)


def test_atlas_grid_without_error_is_the_atlas_space():
    grid = atlas_grid(STRAIGHT, CENTRE)
    np.testing.assert_allclose(ANATOMY_AFFINE @ grid.to_head, grid.affine, atol=1e-9)
    offset = [part.start for part in grid.place]
    np.testing.assert_allclose(grid.affine[:3, 3], nib.affines.apply_affine(ATLAS_AFFINE, offset))


def test_slice_axis_is_found_in_the_stored_order():
    grid = scanner_grid(Image("t1", "x", "PSR"), 2.0, STRAIGHT, CENTRE)
    assert [grid.stored_axis(axis) for axis in range(3)] == [2, 0, 1]


def test_poses_compose():
    first, second = (draw_pose(np.random.default_rng(seed), 10, 5) for seed in (1, 2))
    point = np.array([3.0, -7.0, 11.0])
    expected = second.rotation @ (first.rotation @ point + first.shift_mm) + second.shift_mm
    both = first.then(second)
    np.testing.assert_allclose(both.rotation @ point + both.shift_mm, expected)
