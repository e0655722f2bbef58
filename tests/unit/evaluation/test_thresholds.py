"""Thresholds against searches over plain arrays."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_yen

from brainuad.evaluation import thresholds
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.thresholded import at_least


def random_case(seed=0, count=3000, scale=1.0):
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.1
    return ((rng.exponential(size=count) + truth) * scale).astype(np.float16), truth


def dice_of(predicted, truth):
    return 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum())


def plain_bisection(scores, truth, steps):
    """The search on the scores themselves, written as a recursion."""

    def search(low, high, left, best):
        if left == 0:
            return best
        points = [low + (high - low) * share for share in (0.25, 0.75)]
        values = [dice_of(scores > point, truth) for point in points]
        chosen = 0 if values[0] >= values[1] else 1
        if values[chosen] >= best[0]:
            best = values[chosen], points[chosen]
        middle = (low + high) / 2
        low, high = (low, middle) if chosen == 0 else (middle, high)
        return search(low, high, left - 1, best)

    return search(0.0, float(scores.max()), steps, (0.0, 0.0))


@pytest.mark.parametrize("seed", range(8))
def test_bisection_equals_a_plain_search(seed):
    scores, truth = random_case(seed)
    expected_dice, expected_point = plain_bisection(scores.astype(np.float64), truth, 10)
    threshold = thresholds.bisection_threshold(PatternCounts.of(scores, truth), 10)
    np.testing.assert_array_equal(scores >= threshold, scores.astype(np.float64) > expected_point)
    assert dice_of(scores >= threshold, truth) == pytest.approx(expected_dice)


@pytest.mark.parametrize("seed", range(3))
def test_the_exact_threshold_is_never_worse_than_bisection(seed):
    scores, truth = random_case(seed)
    counts = PatternCounts.of(scores, truth)
    exact = dice_of(scores >= thresholds.exact_threshold(counts), truth)
    assert exact >= dice_of(scores >= thresholds.bisection_threshold(counts), truth)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05, 0.5, 1.0])
def test_the_healthy_threshold_is_the_lowest_that_keeps_the_rate(rate):
    scores, _ = random_case(scale=0.01)
    threshold = thresholds.healthy_threshold(PatternCounts.of(scores, np.zeros(len(scores), bool)), rate)
    assert (scores >= threshold).mean() <= rate
    if threshold > 0:
        below = np.nextafter(np.float16(threshold), np.float16(0))
        assert (scores >= below).mean() > rate


def test_a_rate_that_ties_cannot_keep_puts_the_threshold_above_them():
    scores = np.full(10, 0.5, dtype=np.float16)
    threshold = thresholds.healthy_threshold(PatternCounts.of(scores, np.zeros(10, bool)), 0.05)
    assert threshold == np.nextafter(np.float16(0.5), np.float16(1))


def test_yen_is_that_of_scikit_image_and_does_not_depend_on_a_power_of_two():
    scores = random_case()[0].astype(np.float32).reshape(10, 20, 15)
    threshold = thresholds.yen_threshold(scores)
    assert threshold == threshold_yen(scores)
    assert thresholds.yen_threshold(scores * 64) == 64 * threshold


def test_yen_marks_nothing_in_a_constant_map():
    flat = np.full((4, 4, 4), 0.3, dtype=np.float32)
    assert not thresholds.yen_mask(flat, thresholds.yen_threshold(flat), 1).any()


def test_the_yen_mask_grows_by_one_cross():
    scores = np.zeros((7, 7, 7), dtype=np.float32)
    scores[3, 3, 3] = 1
    mask = thresholds.yen_mask(scores, 0.5, dilation=1)
    assert mask.sum() == 7
    assert thresholds.yen_mask(scores, 0.5, dilation=0).sum() == 1
    cross = ndimage.generate_binary_structure(3, 1)
    np.testing.assert_array_equal(mask, ndimage.binary_dilation(scores > 0.5, cross))


def plain_grid_search(images, rate):
    """The search of Bercea 2023 (RA), image by image, on values in true units."""
    for threshold in np.linspace(0, 1, 1000, endpoint=False):
        if np.mean([(image > threshold).mean() for image in images]) <= rate:
            return threshold
    return None


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05, 0.5])
@pytest.mark.parametrize("exponent", [0, 8, 14])
def test_the_healthy_threshold_on_the_grid_equals_a_plain_search(rate, exponent):
    rng = np.random.default_rng(exponent)
    stored = (rng.exponential(size=(7, 20, 20)) * 0.05 * 2**exponent).astype(np.float16)
    counts = PatternCounts.of(stored, np.zeros(stored.shape, bool))
    expected = plain_grid_search(stored.astype(np.float64) / 2**exponent, rate)
    found = thresholds.healthy_grid_threshold(counts, rate, 2.0**exponent)
    np.testing.assert_array_equal(at_least(stored, found), stored.astype(np.float64) / 2**exponent > expected)


@pytest.mark.parametrize("level", [0.0, 0.25, 0.998])
def test_on_the_grid_tied_values_count_only_above_the_threshold(level):
    scores = np.full((4, 5), level, dtype=np.float16)
    counts = PatternCounts.of(scores, np.zeros(scores.shape, bool))
    expected = plain_grid_search([scores.astype(np.float64)], 0.05)
    found = thresholds.healthy_grid_threshold(counts, 0.05, 1.0)
    assert np.nextafter(np.float16(found), np.float16(0)) <= expected < found
    assert not at_least(scores, found).any()


@pytest.mark.parametrize("nonzero", [0, 1, 20])
def test_on_the_grid_a_background_of_zero_is_not_marked(nonzero):
    scores = np.zeros((20, 20), dtype=np.float16)
    scores.flat[:nonzero] = 0.25  # at most 5 %
    counts = PatternCounts.of(scores, np.zeros(scores.shape, bool))
    found = thresholds.healthy_grid_threshold(counts, 0.05, 1.0)
    np.testing.assert_array_equal(at_least(scores, found), scores > 0)


def test_beyond_the_grid_there_is_no_threshold():
    counts = PatternCounts.of(np.full(10, 3, dtype=np.float16), np.zeros(10, bool))
    assert thresholds.healthy_grid_threshold(counts, 0.05, 1.0) is None


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3])
def test_the_exact_healthy_threshold_keeps_the_mean_rate_of_equal_images(rate):
    rng = np.random.default_rng(3)
    images = (rng.exponential(size=(6, 30, 30)) * rng.random((6, 1, 1))).astype(np.float16)
    counts = PatternCounts.of(images, np.zeros(images.shape, bool))
    threshold = thresholds.healthy_threshold(counts, rate)
    below = np.nextafter(np.float16(threshold), np.float16(0))
    assert np.mean([(image >= threshold).mean() for image in images]) <= rate
    assert np.mean([(image >= below).mean() for image in images]) > rate
