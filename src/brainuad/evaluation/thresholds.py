"""How a threshold is chosen: exactly or by bisection on validation lesions, on healthy maps, or by Yen.

Thresholds are in the units of the stored maps. A voxel is called abnormal when its score is at least the
threshold.
"""

import numpy as np
from scipy import ndimage

from brainuad.evaluation.float16_counts import PATTERNS, VALUES, PatternCounts, pattern_above, value_of
from brainuad.evaluation.metrics import best_dice, dice_curve


def exact_threshold(counts: PatternCounts) -> float:
    """The score at which the pooled Dice of `counts` is highest."""
    return best_dice(counts)[1]


def bisection_threshold(counts: PatternCounts, steps: int = 10) -> float:
    """The threshold of the greedy search of Behrendt 2023 on pooled voxels.

    From (0, highest score) the interval is halved `steps` times: Dice is compared at its quarter points and
    the half around the better one is kept; the best point seen is the threshold.
    """
    curve = np.append(dice_curve(counts), 0.0)
    low, high = 0.0, float(VALUES[counts.occupied[-1]])
    best_value, best_point = 0.0, 0.0
    for _ in range(steps):
        quarter = (high - low) / 4
        lower, upper = low + quarter, high - quarter
        lower_dice, upper_dice = curve[pattern_above(np.array([lower, upper]))]
        middle = low + 2 * quarter
        if lower_dice >= upper_dice:
            value, point, high = lower_dice, lower, middle
        else:
            value, point, low = upper_dice, upper, middle
        if value >= best_value:
            best_value, best_point = value, point
    return value_of(int(pattern_above(best_point)))


def healthy_threshold(counts: PatternCounts, rate: float) -> float:
    """The lowest float16 threshold at which at most `rate` of the healthy voxels are called abnormal."""
    called = np.append(counts.false_positives(), 0)
    allowed = rate * counts.negatives.sum()
    return value_of(int(np.argmax(called[: PATTERNS + 1] <= allowed)))


def healthy_grid_threshold(counts: PatternCounts, rate: float, scale: float) -> float | None:
    """The lowest of 1000 thresholds from 0 to below 1 with at most `rate` of the healthy voxels above it.

    That is the search of Bercea 2023 (RA). The grid is in true units, the result in stored ones (times
    `scale`): the lowest float16 number above the threshold, so that the voxels above it are marked and those
    that equal it, such as a background of 0, are not. None where even the highest threshold has more voxels
    above it.
    """
    patterns = pattern_above(np.linspace(0, 1, 1000, endpoint=False) * scale)
    above = np.append(counts.false_positives(), 0)[patterns]
    kept = np.flatnonzero(above <= rate * counts.negatives.sum())
    return value_of(int(patterns[kept[0]])) if len(kept) else None


def yen_threshold(anomaly_map: np.ndarray) -> float:
    """Yen's threshold of one map (256 bins, background included); voxels above it are abnormal."""
    from skimage.filters import threshold_yen

    if anomaly_map.min() == anomaly_map.max():
        return float(anomaly_map.max())
    return float(threshold_yen(anomaly_map, nbins=256))


def yen_mask(anomaly_map: np.ndarray, threshold: float, dilation: int) -> np.ndarray:
    """Voxels above Yen's threshold, dilated by a six-neighbour cross (Frotscher 2023: once)."""
    mask = anomaly_map > threshold
    if dilation == 0:
        return mask
    return ndimage.binary_dilation(mask, ndimage.generate_binary_structure(3, 1), iterations=dilation)
