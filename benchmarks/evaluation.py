"""Seconds per volume of 128 × 128 × 155 voxels for each part of an evaluation, and alternatives to them."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from brainuad.evaluation import postprocess, thresholds
from brainuad.evaluation.detection import detect, truth_components
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.metrics import average_precision, best_dice, dice_curve

SHAPE = (128, 128, 155)


def head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A map, a brain that fills about a quarter of the volume, and a lesion."""
    generator = np.random.default_rng(0)
    distance = (np.indices(SHAPE) - np.reshape([64, 64, 77], (3, 1, 1, 1))) / np.reshape(
        [46, 56, 66], (3, 1, 1, 1)
    )
    brain = (distance**2).sum(axis=0) < 1
    lesion = np.zeros(SHAPE, dtype=bool)
    lesion[50:65, 60:80, 70:85] = True
    scores = (generator.exponential(size=SHAPE) * 0.05 + 0.1 * lesion) * brain
    return scores.astype(np.float16).astype(np.float32), brain, lesion


def itk_median(scores: np.ndarray, size: int) -> np.ndarray:
    """SimpleITK's median with SciPy's borders."""
    margin = size // 2
    image = sitk.GetImageFromArray(np.pad(scores, margin, mode="symmetric"))
    return sitk.GetArrayFromImage(sitk.Median(image, [margin] * 3))[(slice(margin, -margin),) * 3]


def timed(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The function's result, after printing its shortest time of two."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - start)
    print(f"{name:48s} {min(seconds):8.3f} s")
    return result


def main() -> None:
    """Prints one line per part."""
    scores, brain, lesion = head()
    timed("mask_brain, erosion 3", lambda: postprocess.eroded_in_slices(brain, 3))
    timed("mask_brain_interior", postprocess.interior, brain, 5, 0.95)
    for size in (3, 5):
        ours = timed(f"median {size}³, zero outside the brain", postprocess.median, scores, size, 3)
        scipy = timed(
            "    SciPy, whole volume", lambda s=size: ndimage.median_filter(scores, s, mode="reflect")
        )
        itk = timed("    SimpleITK, whole volume", itk_median, scores, size)
        assert np.array_equal(ours, scipy)
        assert np.array_equal(ours, itk)
    timed("median 5² per slice", postprocess.median, scores, 5, 2)
    half = scores.astype(np.float16)
    counts = timed("counts", PatternCounts.of, half, lesion)
    timed(
        "average precision, best Dice, curve",
        lambda: (average_precision(counts), best_dice(counts), dice_curve(counts)),
    )
    timed("bisection", thresholds.bisection_threshold, counts)
    timed("Yen", thresholds.yen_threshold, scores)
    predicted = half >= thresholds.exact_threshold(counts)
    timed("remove components", postprocess.without_small_components, predicted, 7)
    lesions = timed("components of the truth", truth_components, lesion)
    timed("lesion-wise detection", detect, lesions, predicted, scores, brain & ~lesion, 0.1)


if __name__ == "__main__":
    main()
