"""Metrics from float16 counts (exact, of any number of voxels) and from masks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainuad.evaluation.float16_counts import PATTERNS, VALUES, PatternCounts, pattern_above
from brainuad.evaluation.settings import ThresholdGrid


def average_precision(counts: PatternCounts) -> float:
    """Average precision, the step-wise sum over recall that the papers call AUPRC; NaN without positives."""
    if counts.total_positives == 0:
        return float("nan")
    used = counts.positives > 0
    true_positives = counts.true_positives()[used]
    precision = true_positives / (true_positives + counts.false_positives()[used])
    return float(np.dot(counts.positives[used], precision) / counts.total_positives)


def dice_curve(counts: PatternCounts) -> np.ndarray:
    """Dice at each threshold, (PATTERNS,): 2 TP / (predicted + positives); NaN without positives."""
    if counts.total_positives == 0:
        return np.full(PATTERNS, np.nan)
    true_positives = counts.true_positives()
    predicted = true_positives + counts.false_positives()
    return 2 * true_positives / (predicted + counts.total_positives)


def best_dice(counts: PatternCounts) -> tuple[float, float]:
    """The highest Dice over all thresholds (⌈Dice⌉) and its threshold; both NaN without positives."""
    return best_of_curve(dice_curve(counts), counts)


def best_of_curve(curve: np.ndarray, counts: PatternCounts) -> tuple[float, float]:
    """The highest value of a curve over thresholds at scores that occur in `counts`, and that score."""
    occupied = counts.occupied
    if not len(occupied) or np.isnan(curve[occupied]).all():
        return float("nan"), float("nan")
    best = occupied[np.nanargmax(curve[occupied])]
    return float(curve[best]), float(VALUES[best])


def value_at(curve: np.ndarray, threshold: float) -> float:
    """The value of a Dice curve where voxels with a score of at least `threshold` are called abnormal."""
    pattern = int(np.searchsorted(VALUES, threshold, side="left"))
    return float(curve[pattern]) if pattern < PATTERNS else 0.0


def grid_patterns(grid: ThresholdGrid, counts: PatternCounts, scale: float) -> np.ndarray:
    """The patterns at which scores, stored as `scale` times the true value, exceed a grid's thresholds.

    `counts` are those of the whole test set, whose range normalised grids refer to.
    """
    thresholds = np.arange(grid.start, grid.stop - 1e-9 * grid.step, grid.step)
    if not grid.normalised:
        return pattern_above(thresholds * scale)
    low, high = VALUES[counts.occupied[[0, -1]]]
    return pattern_above(low + thresholds * (high - low))


def best_on_grid(curve: np.ndarray, patterns: np.ndarray) -> tuple[float, float]:
    """The highest Dice of a curve at the patterns of a grid (0 where nothing is predicted), and its score."""
    if np.isnan(curve).all():
        return float("nan"), float("nan")
    values = np.append(curve, 0.0)[patterns]
    best = int(np.argmax(values))
    return float(values[best]), float(np.append(VALUES, np.inf)[patterns[best]])


def precision_recall_curve(counts: PatternCounts, points: int) -> pd.DataFrame:
    """Recall, precision and threshold, thinned to at most `points` rows that are even in recall.

    Rows go from the highest threshold to the lowest; the table is empty without positives.
    """
    used = np.flatnonzero(counts.positives)[::-1]
    true_positives = counts.true_positives()[used]
    recall = true_positives / max(counts.total_positives, 1)
    precision = true_positives / (true_positives + counts.false_positives()[used])
    curve = pd.DataFrame({"recall": recall, "precision": precision, "threshold": VALUES[used]})
    if len(curve) <= points:
        return curve
    kept = np.searchsorted(recall, np.linspace(recall[0], 1, points))
    return curve.iloc[np.unique(kept.clip(max=len(curve) - 1))].reset_index(drop=True)


@dataclass(frozen=True)
class Confusion:
    """Voxels of a prediction: true positives, false positives, false negatives, and all."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    voxels: int = 0

    @classmethod
    def of(cls, predicted: np.ndarray, truth: np.ndarray) -> "Confusion":
        """The confusion of two bool masks of one shape."""
        tp = int(np.count_nonzero(predicted & truth))
        return cls(
            tp, int(np.count_nonzero(predicted)) - tp, int(np.count_nonzero(truth)) - tp, int(truth.size)
        )

    def __add__(self, other: "Confusion") -> "Confusion":
        return Confusion(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.voxels + other.voxels
        )

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN); NaN without a true lesion."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn) if self.tp + self.fn else float("nan")

    @property
    def precision(self) -> float:
        """TP / (TP + FP); NaN where nothing is predicted."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """TP / (TP + FN); NaN without a true lesion."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def false_positive_rate(self) -> float:
        """FP / (FP + TN)."""
        return _ratio(self.fp, self.voxels - self.tp - self.fn)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def image_auroc(healthy: np.ndarray, abnormal: np.ndarray) -> float:
    """Area under the ROC curve of image scores; NaN unless both groups have finite scores."""
    from sklearn.metrics import roc_auc_score

    healthy, abnormal = healthy[np.isfinite(healthy)], abnormal[np.isfinite(abnormal)]
    if not len(healthy) or not len(abnormal):
        return float("nan")
    labels = np.repeat([0, 1], [len(healthy), len(abnormal)])
    return float(roc_auc_score(labels, np.concatenate([healthy, abnormal])))
