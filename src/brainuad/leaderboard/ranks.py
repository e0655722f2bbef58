"""Ranks of methods, and how they would change with other test subjects."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Values = npt.NDArray[np.float64]
_DIGITS = 12  # means that differ by less are rounding of equal ones


def ranks_of(means: Values) -> Values:
    """Ranks along the last axis, 1 for the highest mean; equal means share the mean of their ranks."""
    return np.asarray(rankdata(-np.round(means, _DIGITS), method="average", axis=-1), dtype=float)


@dataclass(frozen=True)
class Stability:
    """Of each method: its rank, and over the resamples its mean rank, interval and chance to be first."""

    rank: Values
    mean: Values
    low: Values
    high: Values
    first: Values


def resampling_weights(subjects: int, resamples: int, generator: np.random.Generator) -> Values:
    """How often each subject is drawn, as shares: (resamples, subjects), each row adds up to 1."""
    return generator.multinomial(subjects, np.full(subjects, 1 / subjects), size=resamples) / subjects


def rank_stability(values: Values, weights: Values, confidence: float) -> Stability:
    """Ranks by the mean over subjects of `values` (subjects, methods), under each row of `weights`.

    The interval is that of percentiles. Methods that are first together share that resample's chance.
    """
    drawn = ranks_of(weights @ values)  # (resamples, methods)
    leaders = drawn == drawn.min(axis=1, keepdims=True)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return Stability(
        rank=ranks_of(values.mean(axis=0)),
        mean=drawn.mean(axis=0),
        low=low,
        high=high,
        first=(leaders / leaders.sum(axis=1, keepdims=True)).mean(axis=0),
    )
