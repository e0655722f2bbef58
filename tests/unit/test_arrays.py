"""The way from packed arrays back to the atlas grid, and errors of the store."""

import nibabel
import numpy as np
import pytest

from brainuad.arrays import ArrayStore, map_to_derivative, to_volume_axes
from brainuad.errors import InputError
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import Recipe

AFFINE = np.array([[-1.0, 0, 0, 0], [0, -1.0, 0, 239], [0, 0, 1.0, 0], [0, 0, 0, 1]])


def test_a_map_returns_to_the_grid_it_came_from():
    x, y, z = np.indices((24, 20, 16), dtype=np.float32)
    ramp = x + 2 * y + 3 * z  # linear interpolation of a ramp is exact
    empty = np.zeros(ramp.shape, dtype=bool)
    steps = (
        {"step": "crop_or_pad", "size": [20, 20, 12]},
        {"step": "resample", "factor": 2, "interpolation": "linear"},
        {"step": "keep_slices", "trim": [1, 1]},
    )
    scan = apply_steps(Scan(ramp[None], empty, empty, AFFINE), Recipe(modalities=("t1",), steps=steps).steps)
    back = map_to_derivative(scan.images[0], scan.affine, nibabel.Nifti1Image(ramp, AFFINE)).get_fdata()
    covered = (slice(3, 21), slice(1, 19), slice(5, 11))
    np.testing.assert_allclose(back[covered], ramp[covered], atol=1e-3)


def test_a_map_is_zero_outside_its_field_of_view():
    reference = nibabel.Nifti1Image(np.zeros((6, 6, 6)), np.eye(4))
    back = map_to_derivative(np.ones((2, 2, 2)), np.eye(4), reference).get_fdata()
    assert back.sum() == 8


def test_slices_first_become_x_y_z():
    assert to_volume_axes(np.zeros((5, 3, 4))).shape == (3, 4, 5)
    assert to_volume_axes(np.zeros((5, 2, 3, 4))).shape == (2, 3, 4, 5)


def test_a_folder_without_arrays_is_named(tmp_path):
    with pytest.raises(InputError, match=r"index\.tsv"):
        _ = ArrayStore(tmp_path).index
