"""Recipe steps against closed forms, and the affine that each of them leaves behind."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from brainuad.errors import ScanError
from brainuad.preprocessing.equalise import equalise
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import Recipe

AFFINE = np.array([[-1.0, 0, 0, 0], [0, -1.0, 0, 239], [0, 0, 1.0, 0], [0, 0, 0, 1]])


def scan_of(images, brain=None, lesion=None, affine=AFFINE):
    images = np.asarray(images, dtype=np.float32)
    blank = np.zeros(images.shape[1:], dtype=bool)
    return Scan(images, blank if brain is None else brain, blank if lesion is None else lesion, affine)


def world_coordinates(shape, affine=AFFINE):
    """Three images whose values are the x, y and z of each voxel in mm."""
    grid = np.stack([*np.indices(shape), np.ones(shape)])
    return np.einsum("ij,jxyz->ixyz", affine, grid)[:3]


def run(scan, *steps):
    return apply_steps(scan, Recipe(modalities=("t1",), steps=steps).steps)


@pytest.mark.parametrize(
    "step",
    [
        {"step": "crop_or_pad", "size": [8, 15, 6]},
        {"step": "crop_or_pad", "size": [None, 8, None], "unit": "mm"},
        {"step": "resample", "factor": 2, "interpolation": "linear"},
        {"step": "resample", "spacing_mm": [1, 2, 1.5], "interpolation": "linear"},
        {"step": "resize_in_plane", "size": 6},
        {"step": "keep_slices", "trim": [2, 1]},
        {"step": "crop_to_brain", "margin": 1},
    ],
    ids=lambda step: step["step"],
)
def test_the_affine_says_where_each_voxel_lies(step):
    shape = (12, 12, 9)
    brain = np.zeros(shape, dtype=bool)
    brain[3:9, 2:11, 2:8] = True
    result = run(scan_of(world_coordinates(shape), brain=brain), step)
    expected = world_coordinates(result.shape, result.affine)
    inside = (slice(None), slice(1, -1), slice(2, -2), slice(1, -1))  # clear of padding and borders
    np.testing.assert_allclose(result.images[inside], expected[inside], atol=1e-4)


def test_crop_or_pad_is_central_and_takes_the_odd_voxel_from_the_start():
    values = np.arange(5.0).reshape(1, 5, 1, 1)
    assert run(scan_of(values), {"step": "crop_or_pad", "size": [2, 1, 1]}).images.ravel().tolist() == [2, 3]
    padded = run(scan_of(values), {"step": "crop_or_pad", "size": [8, 1, 1]})
    assert padded.images.ravel().tolist() == [0, 0, 0, 1, 2, 3, 4, 0]


def test_crop_to_brain_keeps_the_bounding_box():
    brain = np.zeros((6, 7, 8), dtype=bool)
    brain[2, 3:5, 1:7] = True
    assert run(scan_of(np.ones((1, 6, 7, 8)), brain=brain), {"step": "crop_to_brain"}).shape == (1, 2, 6)


def test_percentile_divides_by_the_percentile_of_positive_voxels_without_clipping():
    values = np.random.default_rng(0).normal(5, 3, (1, 6, 6, 6)).astype(np.float32)
    result = run(scan_of(values), {"step": "normalise", "upper": 99, "region": "positive"})
    np.testing.assert_allclose(result.images, values / np.percentile(values[values > 0], 99), rtol=1e-5)
    assert result.images.max() > 1


def test_rescaling_uses_the_brain_alone_and_clips_when_asked():
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 100, (1, 8, 8, 8)).astype(np.float32)
    brain = rng.random((8, 8, 8)) < 0.5
    result = run(
        scan_of(values, brain=brain),
        {"step": "normalise", "lower": 1, "upper": 99, "region": "brain", "clip": True},
    )
    low, high = np.percentile(values[0][brain], [1, 99])
    np.testing.assert_allclose(result.images, ((values - low) / (high - low)).clip(0, 1), atol=1e-5)


def test_window_maps_hounsfield_units_to_the_unit_interval():
    values = np.array([-1000.0, 0, 40, 80, 1000]).reshape(1, 5, 1, 1)
    step = {"step": "normalise", "method": "window", "lower": 0, "upper": 80, "clip": True}
    assert run(scan_of(values), step).images.ravel().tolist() == [0, 0, 0.5, 1, 1]


def test_an_empty_image_cannot_be_normalised():
    with pytest.raises(ScanError, match="no voxel"):
        run(scan_of(np.zeros((1, 4, 4, 4))), {"step": "normalise"})


def test_halving_agrees_with_a_cubic_spline_of_scipy():
    rng = np.random.default_rng(2)
    values = ndimage.gaussian_filter(rng.random((16, 12, 10)), 1).astype(np.float32)
    result = run(scan_of(values[None]), {"step": "resample", "factor": 2})
    where = np.stack(np.meshgrid(*[np.arange(n // 2) * 2 + 0.5 for n in values.shape], indexing="ij"))
    expected = ndimage.map_coordinates(values, where, order=3, mode="mirror")
    assert result.shape == (8, 6, 5)
    np.testing.assert_allclose(result.images[0], expected, atol=1e-4)


def test_bilinear_resize_of_masks_keeps_what_exceeds_one_half():
    lesion = np.zeros((8, 8, 2), dtype=bool)
    lesion[2:4, 2:4, 0] = True
    lesion[6, 6, 1] = True  # a quarter of a pixel of the small grid
    result = run(scan_of(np.ones((1, 8, 8, 2)), lesion=lesion), {"step": "resize_in_plane", "size": 4})
    assert np.argwhere(result.lesion).tolist() == [[1, 1, 0]]


def test_slices_are_kept_from_the_first_to_the_last_with_signal():
    values = np.zeros((2, 4, 4, 7), dtype=np.float32)
    values[0, 1, 1, 2] = 1.2  # mean over two modalities 0.6
    values[:, 1, 1, 5] = 0.6
    values[0, 1, 1, 6] = 0.9  # mean 0.45 is not enough
    result = run(scan_of(values), {"step": "keep_slices", "above": 0.5})
    np.testing.assert_array_equal(result.images, values[..., 2:6])


def test_a_scan_without_signal_keeps_no_slice():
    with pytest.raises(ScanError, match="no axial slice"):
        run(scan_of(np.zeros((1, 4, 4, 7))), {"step": "keep_slices", "above": 0.5})


def test_smoothing_reduces_noise_and_keeps_the_grid():
    values = np.random.default_rng(3).normal(10, 1, (1, 10, 10, 10))
    result = run(scan_of(values), {"step": "smooth"})
    assert result.images.std() < values.std()
    assert result.shape == (10, 10, 10)


def test_the_recipe_of_behrendt_gives_96_by_96_by_50():
    rng = np.random.default_rng(4)
    brain = np.zeros((240, 240, 155), dtype=bool)
    brain[60:180, 50:190, 20:140] = True
    image = (rng.random(brain.shape) * brain)[None]
    result = run(
        scan_of(image, brain=brain),
        {"step": "crop_or_pad", "size": [192, 192, 100]},
        {"step": "normalise", "lower": 1, "upper": 99, "region": "brain", "clip": True},
        {"step": "resample", "factor": 2},
    )
    assert result.shape == (96, 96, 50)
    np.testing.assert_allclose(result.spacing_mm, 2)


@pytest.mark.parametrize(
    "step",
    [
        {"step": "normalise", "lower": 99, "upper": 1},
        {"step": "normalise", "upper": 101},
        {"step": "resample"},
        {"step": "resample", "factor": 2, "spacing_mm": [1, 1, 1]},
        {"step": "keep_slices"},
        {"step": "keep_slices", "above": 1, "trim": [1, 1]},
        {"step": "sharpen"},
    ],
)
def test_contradictory_steps_are_refused(step):
    with pytest.raises(ValidationError):
        Recipe(modalities=("t1",), steps=(step,))


@pytest.mark.parametrize(("depth", "kept"), [(9, 4), (10, 5), (1, 0)])
def test_the_middle_slice_is_half_the_number_of_slices_rounded_down(depth, kept):
    images = np.broadcast_to(np.arange(depth, dtype=np.float32), (1, 4, 4, depth))
    result = run(scan_of(images), {"step": "keep_slices", "middle": True})
    assert result.images.shape == (1, 4, 4, 1)
    assert (result.images == kept).all()
    assert result.affine[2, 3] == kept


def test_padding_to_a_square_adds_the_lowest_value_of_each_image_on_both_sides():
    images = np.stack([np.full((3, 6, 2), 5.0), np.full((3, 6, 2), 7.0)])
    images[:, 1, 1, 1] = (1, 2)
    lesion = np.ones((3, 6, 2), dtype=bool)
    result = run(scan_of(images, lesion=lesion), {"step": "pad_to_square"})
    assert result.shape == (6, 6, 2)
    np.testing.assert_array_equal(result.images[:, 2:5], images)
    assert (result.images[0, [0, 1, 5]] == 1).all()
    assert (result.images[1, [0, 1, 5]] == 2).all()
    assert result.lesion.sum() == lesion.sum()
    np.testing.assert_allclose(result.affine @ (2, 0, 0, 1), AFFINE @ (0, 0, 0, 1))


def test_a_square_is_not_padded():
    images = np.random.default_rng(0).random((1, 5, 5, 2))
    np.testing.assert_array_equal(
        run(scan_of(images), {"step": "pad_to_square"}).images, images.astype(np.float32)
    )


def test_a_modality_named_twice_is_refused():
    with pytest.raises(ValidationError, match="twice"):
        Recipe(modalities=("t1", "t1"))


def test_n4_removes_a_smooth_field_unless_it_was_run_before() -> None:

    from brainuad.preprocessing.recipe_steps import Scan, apply_steps

    x, y, z = np.meshgrid(*(np.linspace(-1, 1, 48),) * 3, indexing="ij")
    brain = x**2 + y**2 + z**2 < 0.8
    image = ((100 + 20 * np.sin(9 * y)) * np.exp(0.4 * x) * brain).astype(np.float32)[None]
    scan = Scan(image, brain, np.zeros_like(brain), np.eye(4))
    (step,) = Recipe.model_validate(
        {"modalities": ["t2"], "steps": [{"step": "bias_correct", "shrink": 2}]}
    ).steps
    corrected = apply_steps(scan, [step]).images[0]

    def left_to_right(volume: np.ndarray) -> float:
        return float(volume[brain & (x > 0.3)].mean() / volume[brain & (x < -0.3)].mean())

    assert left_to_right(image[0]) > 1.4
    assert 0.93 < left_to_right(corrected) < 1.07
    assert apply_steps(replace(scan, bias_corrected=True), [step]).images is image


def test_a_lesion_can_take_every_pixel_that_it_touches() -> None:
    lesion = np.zeros((8, 8, 1), dtype=bool)
    lesion[2, 3, 0] = True  # a quarter of one pixel of the half grid
    step = {"step": "resize_in_plane", "size": 4}
    images = np.ones((1, 8, 8, 1))
    assert run(scan_of(images, lesion=lesion), step).lesion.sum() == 0
    touched = run(scan_of(images, lesion=lesion), {**step, "masks": "linear-gt0"}).lesion
    assert np.argwhere(touched).tolist() == [[1, 1, 0]]


RAMP = np.random.default_rng(0).gamma(2, 1, (2, 10, 8, 5)).astype(np.float32)


def test_an_equalised_copy_follows_the_images_onto_every_grid():
    steps = [
        {"step": "keep_equalised", "modality": "t1"},
        {"step": "crop_or_pad", "size": [12, 8, 4]},
        {"step": "resample", "factor": 2, "interpolation": "linear"},
        {"step": "pad_to_square"},
        {"step": "resize_in_plane", "size": 5, "antialias": True},
    ]
    recipe = Recipe(modalities=("flair", "t1"), steps=steps)
    scan = replace(scan_of(RAMP), modalities=("flair", "t1"))
    kept = apply_steps(scan, recipe.steps).equalised
    equalised = equalise(RAMP[1], RAMP[1] > 0, 256)
    expected = apply_steps(scan_of(equalised[None]), recipe.steps[1:]).images[0]
    np.testing.assert_allclose(kept, expected, atol=1e-6)


def test_equalisation_before_resizing_is_that_of_the_full_grid_and_no_scaling_changes_it():
    steps = [
        {"step": "normalise", "upper": 99},
        {"step": "keep_equalised", "modality": "t1"},
        {"step": "resize_in_plane", "size": 4},
    ]
    scan = replace(scan_of(RAMP[:1]), modalities=("t1",))
    result = apply_steps(scan, Recipe(modalities=("t1",), steps=steps).steps)
    whole = equalise(RAMP[0], RAMP[0] > 0, 256)
    expected = run(scan_of(whole[None]), {"step": "resize_in_plane", "size": 4}).images[0]
    np.testing.assert_allclose(result.equalised, expected, atol=0.01)  # bins may round
    late = equalise(result.images[0], result.images[0] > 0, 256)
    assert np.abs(late - expected).max() > 0.05


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([{"step": "keep_equalised", "modality": "t2"}], "modality 't2' is not in the recipe"),
        ([{"step": "keep_equalised", "modality": "t1"}] * 2, "one keep_equalised only"),
    ],
)
def test_a_copy_that_cannot_be_kept_is_an_error(steps, reason):
    with pytest.raises(ValidationError, match=reason):
        Recipe(modalities=("t1",), steps=steps)


def test_slices_remember_lesions_that_resizing_loses():
    lesion = np.zeros((16, 16, 4), dtype=bool)
    lesion[3, 3, 1] = True  # one pixel of 16 that become one
    lesion[4:12, 4:12, 2] = True
    scan = scan_of(np.ones((1, 16, 16, 4)), lesion=lesion)
    steps = [{"step": "resize_in_plane", "size": 4, "masks": "nearest"}, {"step": "keep_slices", "first": 1}]
    result = run(scan, *steps)
    assert result.lesion.any(axis=(0, 1)).tolist() == [False, True, False]
    assert result.lesion_slices.tolist() == [True, True, False]
    assert run(result, {"step": "resize_in_plane", "size": 2}).lesion_slices.tolist() == [True, True, False]
    assert run(result, {"step": "crop_or_pad", "size": [None, None, 5]}).lesion_slices.sum() == 2
