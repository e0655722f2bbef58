"""Spheres have their size in millimetres, lie in the brain and multiply what is there."""

import numpy as np
import pytest

from brainuad.errors import ScanError
from brainuad.randomness import numpy_generator
from brainuad.synthetic.settings import Spheres
from brainuad.synthetic.spheres import Sphere, draw_spheres, put_spheres

SETTINGS = Spheres(kind="spheres", of="ixi")
SHAPE = (12, 20, 16)  # (slice, x, y)


def everywhere() -> np.ndarray:
    return np.ones(SHAPE, dtype=bool)


def put(
    images: np.ndarray, brain: np.ndarray, sphere: Sphere, settings: Spheres = SETTINGS
) -> tuple[np.ndarray, np.ndarray]:
    return put_spheres(images, brain, (4, 2, 1), [sphere], settings)


def test_centres_are_voxels_of_the_brain_and_diameters_lie_in_their_range() -> None:
    brain = np.zeros(SHAPE, dtype=bool)
    brain[3:5, 2:4, 7] = True
    spheres = draw_spheres(SETTINGS.model_copy(update={"count": 400}), brain, numpy_generator(0))
    assert {(s.slice, s.x, s.y) for s in spheres} == set(map(tuple, np.argwhere(brain).tolist()))
    diameters = np.array([s.diameter_mm for s in spheres])
    assert 5 <= diameters.min() < 6
    assert 49 < diameters.max() <= 50


def test_a_volume_has_one_sphere_unless_told_otherwise() -> None:
    assert len(draw_spheres(SETTINGS, everywhere(), numpy_generator(0))) == 1


def test_an_empty_brain_is_the_scans_defect() -> None:
    with pytest.raises(ScanError, match="brain mask is empty"):
        draw_spheres(SETTINGS, np.zeros(SHAPE, dtype=bool), numpy_generator(0))


def test_the_mask_holds_the_voxels_within_the_radius_in_millimetres() -> None:
    _, mask = put(np.ones((12, 1, 20, 16)), everywhere(), Sphere(5, 9, 8, 13.0))
    expected = {
        (k, i, j)
        for k in range(12)
        for i in range(20)
        for j in range(16)
        if (4 * (k - 5)) ** 2 + (2 * (i - 9)) ** 2 + (j - 8) ** 2 <= 6.5**2
    }
    assert set(map(tuple, np.argwhere(mask).tolist())) == expected


def test_a_sphere_smaller_than_a_voxel_is_one_voxel() -> None:
    _, mask = put(np.ones((12, 1, 20, 16)), everywhere(), Sphere(5, 9, 8, 0.5))
    assert np.argwhere(mask).tolist() == [[5, 9, 8]]


def test_intensities_inside_are_doubled_up_to_one_in_every_channel() -> None:
    images = np.random.default_rng(0).random((12, 2, 20, 16))
    changed, mask = put(images, everywhere(), Sphere(5, 9, 8, 13.0))
    inside = np.broadcast_to(mask[:, None], images.shape)
    assert np.array_equal(changed[inside], np.minimum(2 * images[inside], 1))
    assert np.array_equal(changed[~inside], images[~inside])


def test_without_a_limit_intensities_are_only_multiplied() -> None:
    free = SETTINGS.model_copy(update={"largest_intensity": None, "factor": 3.0})
    changed, mask = put(np.ones((12, 1, 20, 16)), everywhere(), Sphere(5, 9, 8, 13.0), free)
    assert (changed[:, 0][mask] == 3).all()


def test_a_sphere_ends_at_the_border_of_the_brain_unless_told_otherwise() -> None:
    brain = everywhere()
    brain[:, :9] = False
    sphere = Sphere(5, 9, 8, 13.0)
    _, inside = put(np.ones((12, 1, 20, 16)), brain, sphere)
    free = SETTINGS.model_copy(update={"within_brain": False})
    _, whole = put(np.ones((12, 1, 20, 16)), brain, sphere, free)
    assert np.array_equal(inside, whole & brain)
    assert whole[:, :9].any()
