"""Histogram equalisation of a volume, as Meissen 2021 does it before thresholding."""

import numpy as np


def equalise(volume: np.ndarray, inside: np.ndarray, bins: int) -> np.ndarray:
    """The histogram-equalised voxels `inside` a whole volume, float32 in [0, 1], and 0 elsewhere."""
    from skimage.exposure import equalize_hist

    if not inside.any():
        return np.zeros(volume.shape, dtype=np.float32)
    equalised = equalize_hist(volume / max(volume.max(), 1e-12), nbins=bins, mask=inside)
    return (equalised * inside).astype(np.float32)
