"""Post-processing against SciPy, PyTorch and brute force."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import ndimage

from brainuad.evaluation import postprocess
from brainuad.evaluation.settings import EvaluationSettings


def steps_of(*steps):
    return EvaluationSettings(postprocessing=steps).postprocessing


def random_map(shape=(14, 12, 10), seed=0):
    return np.random.default_rng(seed).exponential(size=shape).astype(np.float16).astype(np.float32)


def ball(shape=(14, 12, 10), radius=5):
    distance = np.linalg.norm(np.indices(shape) - np.array(shape).reshape(3, 1, 1, 1) / 2, axis=0)
    return distance < radius


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("region", ["everywhere", "inside", "corner", "nowhere", "near-border"])
def test_median_equals_that_of_scipy_wherever_the_map_is_zero(size, dimensions, region):
    scores = random_map()
    if region == "inside":
        scores *= ball()
    elif region == "corner":
        scores[4:], scores[:, 3:], scores[:, :, 5:] = 0, 0, 0
    elif region == "near-border":
        scores[:1], scores[:, -1:], scores[:, :, :1] = 0, 0, 0
    elif region == "nowhere":
        scores[:] = 0
    window = (size, size, size if dimensions == 3 else 1)
    expected = ndimage.median_filter(scores, size=window, mode="reflect")
    step = {"step": "median", "size": size, "dimensions": dimensions}
    result = postprocess.apply(scores, ball(), steps_of(step))
    np.testing.assert_array_equal(result, expected)


def test_the_brain_is_eroded_in_each_slice_by_a_cross():
    brain = ball()
    result = postprocess.apply(np.ones(brain.shape), brain, steps_of({"step": "mask_brain", "erosion": 3}))
    cross = ndimage.generate_binary_structure(2, 1)
    for z in range(brain.shape[2]):
        expected = ndimage.binary_erosion(brain[..., z], cross, iterations=3)
        np.testing.assert_array_equal(result[..., z] > 0, expected)


def test_the_brain_is_eroded_in_three_dimensions_where_asked_for():
    brain = ball()
    step = {"step": "mask_brain", "erosion": 2, "dimensions": 3}
    result = postprocess.apply(np.ones(brain.shape), brain, steps_of(step))
    cross = ndimage.generate_binary_structure(3, 1)
    np.testing.assert_array_equal(result > 0, ndimage.binary_erosion(brain, cross, iterations=2))


def test_without_erosion_the_map_is_kept_inside_the_brain():
    scores, brain = random_map(), ball()
    result = postprocess.apply(scores, brain, steps_of({"step": "mask_brain"}))
    np.testing.assert_array_equal(result, scores * brain)


def test_the_interior_is_average_pooling_of_the_mask():
    brain = ball(radius=6)
    slices = torch.from_numpy(brain.astype(np.float32)).permute(2, 0, 1)[:, None]
    pooled = torch.nn.functional.avg_pool2d(slices, 5, stride=1, padding=2)[:, 0].permute(1, 2, 0)
    result = postprocess.apply(np.ones(brain.shape), brain, steps_of({"step": "mask_brain_interior"}))
    np.testing.assert_array_equal(result > 0, pooled.numpy() > 0.95)


def test_the_interior_of_a_volume_is_average_pooling_along_three_axes():
    brain = ball(radius=6)
    volume = torch.from_numpy(brain.astype(np.float32))[None, None]
    pooled = torch.nn.functional.avg_pool3d(volume, 3, stride=1, padding=1)[0, 0].numpy()
    step = {"step": "mask_brain_interior", "window": 3, "share": 0.9, "dimensions": 3}
    result = postprocess.apply(np.ones(brain.shape), brain, steps_of(step))
    np.testing.assert_array_equal(result > 0, pooled > 0.9)


def test_steps_act_in_the_order_of_the_list():
    scores, brain = random_map(), ball(radius=4)
    mask, median = {"step": "mask_brain"}, {"step": "median", "size": 3}
    mask_first = postprocess.apply(scores, brain, steps_of(mask, median))
    median_first = postprocess.apply(scores, brain, steps_of(median, mask))
    np.testing.assert_array_equal(mask_first, ndimage.median_filter(scores * brain, 3))
    np.testing.assert_array_equal(median_first, ndimage.median_filter(scores, 3) * brain)


def test_a_float16_map_stays_one():
    steps = steps_of({"step": "mask_brain", "erosion": 1}, {"step": "median", "size": 3})
    result = postprocess.apply(random_map(), ball(), steps)
    np.testing.assert_array_equal(result, result.astype(np.float16))


@pytest.mark.parametrize(("connectivity", "order"), [(6, 1), (18, 2), (26, 3)])
def test_small_components_are_removed(connectivity, order):
    mask = np.random.default_rng(1).random((20, 18, 16)) < 0.12
    labels, count = ndimage.label(mask, ndimage.generate_binary_structure(3, order))
    sizes = ndimage.sum_labels(mask, labels, range(count + 1))
    step = {"step": "remove_components", "at_most": 7, "connectivity": connectivity}
    result = postprocess.apply_to_mask(mask, steps_of(step))
    np.testing.assert_array_equal(result, mask & (sizes[labels] > 7))
    assert 0 < result.sum() < mask.sum()


def test_an_empty_mask_stays_empty():
    empty = np.zeros((4, 4, 4), dtype=bool)
    assert not postprocess.apply_to_mask(empty, steps_of({"step": "remove_components"})).any()


def test_an_even_median_is_refused():
    with pytest.raises(ValidationError, match="odd"):
        steps_of({"step": "median", "size": 4})
