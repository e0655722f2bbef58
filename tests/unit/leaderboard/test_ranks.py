"""Ranks and their stability against brute force."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata

from brainuad.leaderboard.ranks import rank_stability, ranks_of, resampling_weights


def brute_force(values: np.ndarray) -> np.ndarray:
    """The ranks in every ordered resample of the subjects: (resamples, methods)."""
    draws = product(range(len(values)), repeat=len(values))
    return np.array([rankdata(-np.round(values[list(draw)].mean(axis=0), 12)) for draw in draws])


def every_weight(subjects: int) -> np.ndarray:
    draws = product(range(subjects), repeat=subjects)
    return np.array([np.bincount(draw, minlength=subjects) for draw in draws]) / subjects


def test_the_highest_mean_is_first_and_ties_share_their_ranks() -> None:
    assert ranks_of(np.array([0.2, 0.9, 0.5, 0.5])).tolist() == [4, 1, 2.5, 2.5]


def test_rounding_does_not_break_ties() -> None:
    assert ranks_of(np.array([0.1 + 0.2, 0.3])).tolist() == [1.5, 1.5]


def test_stability_over_every_resample_is_that_of_brute_force() -> None:
    values = np.array([[0.9, 0.5, 0.5, 0.1], [0.2, 0.6, 0.1, 0.1], [0.4, 0.4, 0.8, 0.1]])
    expected = brute_force(values)
    found = rank_stability(values, every_weight(3), 0.9)
    np.testing.assert_allclose(found.mean, expected.mean(axis=0))
    np.testing.assert_allclose(found.low, np.percentile(expected, 5, axis=0))
    np.testing.assert_allclose(found.high, np.percentile(expected, 95, axis=0))
    first = [[1 / (row == row.min()).sum() if rank == row.min() else 0 for rank in row] for row in expected]
    np.testing.assert_allclose(found.first, np.mean(first, axis=0))


def test_drawn_resamples_come_close_to_all_resamples() -> None:
    values = np.random.default_rng(0).random((5, 4))
    weights = resampling_weights(5, 20_000, np.random.default_rng(1))
    drawn, exact = rank_stability(values, weights, 0.95), rank_stability(values, every_weight(5), 0.95)
    np.testing.assert_allclose(drawn.mean, exact.mean, atol=0.03)
    np.testing.assert_allclose(drawn.first, exact.first, atol=0.02)


def test_chances_of_being_first_add_up_to_one() -> None:
    values = np.random.default_rng(2).integers(0, 3, (6, 5)) / 2
    weights = resampling_weights(6, 500, np.random.default_rng(3))
    assert rank_stability(values, weights, 0.95).first.sum() == pytest.approx(1)


def test_a_method_that_always_wins_is_surely_first() -> None:
    values = np.array([[0.9, 0.1], [0.8, 0.7], [0.5, 0.2]])
    found = rank_stability(values, every_weight(3), 0.95)
    assert (found.rank.tolist(), found.high.tolist(), found.first.tolist()) == ([1, 2], [1, 2], [1, 0])


def test_a_single_method_and_a_single_subject_have_rank_one() -> None:
    found = rank_stability(np.array([[0.4]]), resampling_weights(1, 100, np.random.default_rng(0)), 0.95)
    assert (found.rank[0], found.mean[0], found.low[0], found.high[0], found.first[0]) == (1, 1, 1, 1, 1)


def test_the_same_generator_gives_the_same_weights() -> None:
    first, second = (resampling_weights(7, 50, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.sum(axis=1), 1)
