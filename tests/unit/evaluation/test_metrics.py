"""Metrics from counts against scikit-learn and brute force over thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from brainuad.evaluation import metrics
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.settings import ThresholdGrid


def dice_of(predicted, truth):
    return 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum())


def brute_best_dice(scores, truth):
    return max(dice_of(scores >= value, truth) for value in np.unique(scores))


def random_case(kind, count=400, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.15
    scores = rng.exponential(size=count) + 0.7 * truth
    if kind == "ties":
        scores = np.round(scores)
    if kind == "all-ties":
        scores = np.full(count, 0.25)
    if kind == "full":
        truth[:] = True
    if kind == "one-voxel":
        truth[:] = False
        truth[7] = True
    if kind == "tiny-values":
        scores = scores * 1e-7  # subnormal in float16, with many zeros
    if kind == "one-score":
        return np.array([0.5], dtype=np.float16), np.array([True])
    return scores.astype(np.float16), truth


KINDS = ["random", "ties", "all-ties", "full", "one-voxel", "tiny-values", "one-score"]


@pytest.mark.parametrize("kind", KINDS)
def test_average_precision_equals_that_of_scikit_learn(kind):
    scores, truth = random_case(kind)
    expected = average_precision_score(truth, scores)
    assert metrics.average_precision(PatternCounts.of(scores, truth)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_best_dice_equals_brute_force_over_all_scores(kind):
    scores, truth = random_case(kind)
    value, threshold = metrics.best_dice(PatternCounts.of(scores, truth))
    assert value == pytest.approx(brute_best_dice(scores, truth), abs=1e-12)
    assert dice_of(scores >= threshold, truth) == pytest.approx(value, abs=1e-12)
    assert threshold in scores


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 60000, width=16), st.booleans()), min_size=1, max_size=40))
def test_any_scores_give_the_values_of_the_references(pairs):
    scores = np.array([score for score, _ in pairs], dtype=np.float16)
    truth = np.array([label for _, label in pairs])
    counts = PatternCounts.of(scores, truth)
    if not truth.any():
        assert np.isnan(metrics.average_precision(counts))
        return
    expected = average_precision_score(truth, scores)
    assert metrics.average_precision(counts) == pytest.approx(expected, abs=1e-12)
    assert metrics.best_dice(counts)[0] == pytest.approx(brute_best_dice(scores, truth), abs=1e-12)


def test_empty_truth_has_no_average_precision_and_no_dice():
    counts = PatternCounts.of(np.array([0.0, 0.5], dtype=np.float16), np.zeros(2, dtype=bool))
    assert np.isnan(metrics.average_precision(counts))
    assert np.isnan(metrics.best_dice(counts)).all()
    assert metrics.precision_recall_curve(counts, 10).empty


def test_no_voxel_at_all_is_undefined():
    assert np.isnan(metrics.average_precision(PatternCounts.empty()))
    assert np.isnan(metrics.best_dice(PatternCounts.empty())).all()


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.7, 1e9])
def test_a_dice_curve_gives_the_dice_at_any_threshold(threshold):
    scores, truth = random_case("random")
    curve = metrics.dice_curve(PatternCounts.of(scores, truth))
    expected = dice_of(scores.astype(np.float64) >= threshold, truth)
    assert metrics.value_at(curve, threshold) == pytest.approx(expected)


def test_the_grid_of_a_paper_gives_its_dice():
    scores, truth = random_case("random")
    counts = PatternCounts.of(scores, truth)
    patterns = metrics.grid_patterns(ThresholdGrid(start=0, stop=1, step=0.1), counts, scale=1)
    value, _ = metrics.best_on_grid(metrics.dice_curve(counts), patterns)
    expected = max(dice_of(scores > 0.1 * k, truth) for k in range(10))
    assert value == pytest.approx(expected)


def test_a_grid_is_in_true_units():
    scores, truth = random_case("random")
    grid = ThresholdGrid(start=0.1, stop=1, step=0.1)
    plain, scaled = PatternCounts.of(scores, truth), PatternCounts.of(scores * np.float16(8), truth)
    values = [
        metrics.best_on_grid(metrics.dice_curve(counts), metrics.grid_patterns(grid, counts, scale))[0]
        for counts, scale in ((plain, 1.0), (scaled, 8.0))
    ]
    assert values[0] == values[1]


def test_a_normalised_grid_refers_to_the_range_of_the_test_set():
    scores, truth = random_case("random")
    counts = PatternCounts.of(scores, truth)
    grid = ThresholdGrid(start=0.01, stop=0.3, step=0.01, normalised=True)
    value, _ = metrics.best_on_grid(metrics.dice_curve(counts), metrics.grid_patterns(grid, counts, 1))
    exact = scores.astype(float)
    normalised = (exact - exact.min()) / (exact.max() - exact.min())
    assert value == pytest.approx(max(dice_of(normalised > 0.01 * k, truth) for k in range(1, 30)))


def test_the_curve_is_thinned_and_keeps_its_ends():
    scores, truth = random_case("random", count=20_000)
    counts = PatternCounts.of(scores, truth)
    full = metrics.precision_recall_curve(counts, 10**6)
    thin = metrics.precision_recall_curve(counts, 50)
    assert len(thin) <= 50
    assert thin.iloc[0].tolist() == full.iloc[0].tolist()
    assert thin["recall"].iloc[-1] == 1
    assert np.dot(np.diff(full["recall"], prepend=0), full["precision"]) == pytest.approx(
        metrics.average_precision(counts)
    )


def test_confusion_gives_the_textbook_ratios():
    predicted = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    truth = np.array([1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    confusion = metrics.Confusion.of(predicted, truth)
    assert confusion.precision == confusion.recall == confusion.dice == pytest.approx(2 / 3)
    assert confusion.false_positive_rate == pytest.approx(1 / 5)


def test_confusions_add_up():
    rng = np.random.default_rng(0)
    predicted, truth = rng.random((2, 100)) < 0.3
    parts = [metrics.Confusion.of(predicted[part], truth[part]) for part in (slice(0, 40), slice(40, 100))]
    assert parts[0] + parts[1] == metrics.Confusion.of(predicted, truth)


def test_dice_of_an_empty_truth_is_undefined_and_of_no_prediction_zero():
    none, some = np.zeros(4, dtype=bool), np.array([1, 0, 0, 0], dtype=bool)
    assert np.isnan(metrics.Confusion.of(some, none).dice)
    assert metrics.Confusion.of(none, some).dice == 0
    assert np.isnan(metrics.Confusion.of(none, some).precision)


def test_image_auroc_equals_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    healthy, abnormal = rng.normal(0, 1, 30), rng.normal(1, 1, 27)
    expected = roc_auc_score(np.repeat([0, 1], [30, 27]), np.concatenate([healthy, abnormal]))
    assert metrics.image_auroc(healthy, abnormal) == pytest.approx(expected)
    assert np.isnan(metrics.image_auroc(np.array([np.nan]), abnormal))
