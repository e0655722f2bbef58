"""Counts of positives and negatives per float16 value: all that exact metrics of any number of voxels need.

The bit patterns of non-negative, finite float16 numbers (0 to 0x7BFF) are ordered as their values are. One
pass that counts patterns therefore replaces sorting, in constant memory, without any binning error.
"""

from dataclasses import dataclass

import numpy as np

PATTERNS = 0x7C00  # patterns of 0, the positive subnormal and the positive normal numbers
VALUES: np.ndarray = np.arange(PATTERNS, dtype=np.uint16).view(np.float16).astype(np.float64)
_CHUNK = 1 << 18  # voxels counted at once: bincount makes 8-byte integers of them


@dataclass(frozen=True, eq=False)
class PatternCounts:
    """How many positive and negative voxels have each float16 value, (PATTERNS,) int64 each.

    A voxel is called abnormal at threshold i when its score is at least `VALUES[i]`.
    """

    positives: np.ndarray
    negatives: np.ndarray

    @classmethod
    def empty(cls) -> "PatternCounts":
        """Counts of no voxel."""
        return cls(np.zeros(PATTERNS, dtype=np.int64), np.zeros(PATTERNS, dtype=np.int64))

    @classmethod
    def of(cls, scores: np.ndarray, truth: np.ndarray) -> "PatternCounts":
        """Counts of one array of float16 scores and its bool truth, of the same shape."""
        counts = cls.empty()
        counts.add(scores, truth)
        return counts

    def add(self, scores: np.ndarray, truth: np.ndarray) -> None:
        """Counts more voxels: float16 scores, non-negative and finite, and bool truth of the same shape."""
        if scores.dtype != np.float16 or truth.dtype != bool or scores.shape != truth.shape:
            raise TypeError(
                f"float16 scores and bool truth of one shape are needed; "
                f"got {scores.dtype} {scores.shape} and {truth.dtype} {truth.shape}"
            )
        patterns, labels = scores.reshape(-1).view(np.uint16), truth.reshape(-1)
        for start in range(0, len(patterns), _CHUNK):
            part = patterns[start : start + _CHUNK]
            everything = _bincount(part)
            positives = _bincount(part[labels[start : start + _CHUNK]])
            self.positives[:] += positives
            self.negatives[:] += everything - positives

    def merge(self, other: "PatternCounts") -> None:
        """Adds the counts of other voxels."""
        self.positives[:] += other.positives
        self.negatives[:] += other.negatives

    @property
    def total_positives(self) -> int:
        """Voxels that are truly abnormal."""
        return int(self.positives.sum())

    @property
    def total(self) -> int:
        """All voxels."""
        return int(self.positives.sum() + self.negatives.sum())

    @property
    def occupied(self) -> np.ndarray:
        """The patterns that occur, ascending."""
        return np.flatnonzero(self.positives + self.negatives)

    def true_positives(self) -> np.ndarray:
        """Positives at or above each threshold, (PATTERNS,)."""
        return np.cumsum(self.positives[::-1])[::-1]

    def false_positives(self) -> np.ndarray:
        """Negatives at or above each threshold, (PATTERNS,)."""
        return np.cumsum(self.negatives[::-1])[::-1]


def _bincount(patterns: np.ndarray) -> np.ndarray:
    counts = np.bincount(patterns, minlength=PATTERNS)
    if len(counts) > PATTERNS:
        raise ValueError("scores must be non-negative and finite")
    return counts


def pattern_above(value: float | np.ndarray) -> np.ndarray:
    """The lowest pattern whose value exceeds `value` (PATTERNS where none does).

    It turns the papers' strict `score > threshold` into the `score >= VALUES[pattern]` of these counts.
    """
    return np.searchsorted(VALUES, value, side="right")


def value_of(pattern: int) -> float:
    """The score that a pattern stands for; infinity beyond the last, which no voxel reaches."""
    return float(VALUES[pattern]) if pattern < PATTERNS else float("inf")
