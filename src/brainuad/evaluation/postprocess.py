"""Post-processing of anomaly maps before the threshold, and of masks after it, in the order of a list.

Every step picks one of the values of the map or 0, so that a float16 map stays one.
"""

from collections.abc import Sequence
from typing import Literal

import cc3d
import numpy as np
from scipy import ndimage

from brainuad.evaluation.settings import (
    MaskBrain,
    MaskBrainInterior,
    Median,
    PostProcessingStep,
    RemoveComponents,
)

_CROSS = {2: ndimage.generate_binary_structure(2, 1)[:, :, None], 3: ndimage.generate_binary_structure(3, 1)}


def apply(anomaly_map: np.ndarray, brain: np.ndarray, steps: Sequence[PostProcessingStep]) -> np.ndarray:
    """The map (x, y, z), non-negative, after the steps that act on maps; `brain` is (x, y, z) bool."""
    for step in steps:
        match step:
            case MaskBrain():
                anomaly_map = np.where(eroded(brain, step.erosion, step.dimensions), anomaly_map, 0)
            case MaskBrainInterior():
                anomaly_map = np.where(interior(brain, step), anomaly_map, 0)
            case Median():
                anomaly_map = median(anomaly_map, step.size, step.dimensions)
    return anomaly_map


def apply_to_mask(predicted: np.ndarray, steps: Sequence[PostProcessingStep]) -> np.ndarray:
    """The thresholded map (x, y, z) bool after the steps that act on masks."""
    for step in steps:
        if isinstance(step, RemoveComponents):
            predicted = without_small_components(predicted, step.at_most, step.connectivity)
    return predicted


def eroded(brain: np.ndarray, iterations: int, dimensions: int) -> np.ndarray:
    """The mask after erosions by a cross, in each axial slice or in three dimensions."""
    if iterations == 0:
        return brain
    return ndimage.binary_erosion(brain, _CROSS[dimensions], iterations=iterations)


def interior(brain: np.ndarray, step: MaskBrainInterior) -> np.ndarray:
    """Where more than a share of a window is brain (average pooling, zero-padded)."""
    count = brain.astype(np.int32)
    for axis in range(step.dimensions):
        count = ndimage.convolve1d(count, np.ones(step.window, dtype=np.int32), axis=axis, mode="constant")
    return count / step.window**step.dimensions > step.share


def median(anomaly_map: np.ndarray, size: int, dimensions: int) -> np.ndarray:
    """The median filter of SciPy with reflected borders, of a non-negative map.

    Only the box around the non-zero voxels is filtered: beyond it more than half of any window is 0.
    """
    window = (size, size, size if dimensions == 3 else 1)
    used = ndimage.find_objects((anomaly_map > 0).astype(np.uint8))
    if not used:
        return anomaly_map
    margins = [w // 2 for w in window]
    box = tuple(slice(max(s.start - m, 0), s.stop + m) for s, m in zip(used[0], margins, strict=True))
    filtered = np.zeros_like(anomaly_map)
    filtered[box] = ndimage.median_filter(anomaly_map[box], size=window, mode="reflect")
    return filtered


def without_small_components(
    predicted: np.ndarray, at_most: int, connectivity: Literal[6, 18, 26] = 26
) -> np.ndarray:
    """The mask without its connected components of at most `at_most` voxels."""
    if at_most == 0 or not predicted.any():
        return predicted
    return cc3d.dust(predicted, threshold=at_most + 1, connectivity=connectivity, binary_image=True) > 0
