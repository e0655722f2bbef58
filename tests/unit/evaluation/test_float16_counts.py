"""Counts per float16 pattern against plain counting."""

import numpy as np
import pytest

from brainuad.evaluation.float16_counts import PATTERNS, VALUES, PatternCounts, pattern_above, value_of


def random_case(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.exponential(size=count).astype(np.float16), rng.random(count) < 0.2


def test_patterns_are_ordered_as_their_values():
    assert (np.diff(VALUES) > 0).all()
    assert VALUES[0] == 0
    assert VALUES[-1] == np.finfo(np.float16).max


def test_counts_agree_with_unique_values():
    scores, truth = random_case(5000)
    counts = PatternCounts.of(scores, truth)
    values, expected = np.unique(scores[truth], return_counts=True)
    np.testing.assert_array_equal(VALUES[counts.positives > 0], values)
    np.testing.assert_array_equal(counts.positives[counts.positives > 0], expected)
    assert counts.total == 5000
    assert counts.total_positives == truth.sum()


def test_streaming_equals_counting_at_once():
    scores, truth = random_case(600_000)  # more than one internal chunk
    once = PatternCounts.of(scores, truth)
    streamed = PatternCounts.empty()
    for part in np.array_split(np.arange(len(scores)), 7):
        streamed.add(scores[part], truth[part])
    np.testing.assert_array_equal(once.positives, streamed.positives)
    np.testing.assert_array_equal(once.negatives, streamed.negatives)


def test_merging_equals_counting_together():
    first, second = random_case(100, 1), random_case(50, 2)
    merged = PatternCounts.of(*first)
    merged.merge(PatternCounts.of(*second))
    together = PatternCounts.of(*[np.concatenate(pair) for pair in zip(first, second, strict=True)])
    np.testing.assert_array_equal(merged.positives, together.positives)
    np.testing.assert_array_equal(merged.negatives, together.negatives)


def test_volumes_that_are_not_contiguous_are_counted_too():
    scores, truth = (a.reshape(10, 20, 30) for a in random_case(6000))
    counts = PatternCounts.of(scores.transpose(2, 0, 1), truth.transpose(2, 0, 1))
    np.testing.assert_array_equal(counts.positives, PatternCounts.of(scores, truth).positives)


@pytest.mark.parametrize("value", [-1.0, np.inf, np.nan])
def test_negative_and_non_finite_scores_are_refused(value):
    with pytest.raises(ValueError, match="non-negative and finite"):
        PatternCounts.of(np.array([0.5, value], dtype=np.float16), np.zeros(2, dtype=bool))


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="float16"):
        PatternCounts.of(np.zeros(3, dtype=np.float32), np.zeros(3, dtype=bool))


def test_the_pattern_above_is_the_first_that_exceeds_a_value():
    assert VALUES[pattern_above(0.0)] == np.nextafter(np.float16(0), np.float16(1))
    assert pattern_above(-1.0) == 0
    assert VALUES[pattern_above(0.1)] > 0.1 >= VALUES[pattern_above(0.1) - 1]
    assert value_of(int(pattern_above(VALUES[-1]))) == np.inf
    assert pattern_above(VALUES[-1]) == PATTERNS
