"""Seconds per volume of 128 × 128 × 155 voxels for each part of an evaluation, and alternatives to them.

python benchmarks/evaluation.py [--shape 128 128 155]
"""

import argparse
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
from brainuad.evaluation.settings import MaskBrainInterior

SHAPE = (128, 128, 155)


def head(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A map, a brain that fills about a quarter of the volume, and a lesion; all of `shape`."""
    generator = np.random.default_rng(0)
    centre, radius = np.array(shape) / 2, np.array(shape) * (0.36, 0.44, 0.426)
    distance = (np.indices(shape) - centre.reshape(3, 1, 1, 1)) / radius.reshape(3, 1, 1, 1)
    brain = (distance**2).sum(axis=0) < 1
    lesion = np.zeros(shape, dtype=bool)
    lesion[tuple(slice(int(0.42 * size), int(0.55 * size)) for size in shape)] = True
    scores = (generator.exponential(size=shape) * 0.05 + 0.1 * lesion) * brain
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE)
    scores, brain, lesion = head(tuple(parser.parse_args().shape))
    timed("mask_brain, erosion 3", postprocess.eroded, brain, 3, 2)
    interior = MaskBrainInterior(step="mask_brain_interior")
    timed("mask_brain_interior", postprocess.interior, brain, interior)
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
