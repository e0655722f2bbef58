"""Thresholding of one bright modality after histogram equalisation; nothing is trained.

Meissen et al. 2021 (Challenging current semi-supervised anomaly segmentation methods for brain MRI), as used
by Kascenas 2023 and Frotscher 2023 on FLAIR and by Behrendt 2023 on T2.
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from skimage.exposure import equalize_hist

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.randomness import Draws
from brainuad.settings import Settings


class ThresholdingSettings(Settings):
    """Which modality is equalised, and in how many bins."""

    modality: str = "flair"
    # positive: voxels above 0 (Kascenas); brain: the brain mask, which Behrendt's B-spline ringing needs.
    region: Literal["positive", "brain"] = "positive"
    bins: int = Field(256, ge=2)


class Thresholding(ScoringRule):
    """The equalised intensity, in [0, 1], is the anomaly score."""

    kind = "thresholding"
    settings_class = ThresholdingSettings

    def __init__(self, settings: Any, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        if settings.modality not in shape.channels:
            raise InputError(
                f"thresholding: modality {settings.modality!r} is not in the recipe's channels "
                f"({', '.join(shape.channels)}). Set `modality` of the method to one of them."
            )
        self.channel = shape.channels.index(settings.modality)

    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The equalised volume; the "reconstruction" is zero, so that its l1 error is the mean intensity."""
        volume = scan.images[:, self.channel].cpu().numpy()
        inside = volume > 0 if self.settings.region == "positive" else scan.brain[:, 0].cpu().numpy()
        equalised = equalise(volume, inside, self.settings.bins)
        return Scored(torch.from_numpy(equalised), torch.zeros_like(scan.images))


def equalise(volume: np.ndarray, inside: np.ndarray, bins: int) -> np.ndarray:
    """The histogram-equalised voxels `inside` a whole volume, float32 in [0, 1], and 0 elsewhere."""
    if not inside.any():
        return np.zeros(volume.shape, dtype=np.float32)
    equalised = equalize_hist(volume / max(volume.max(), 1e-12), nbins=bins, mask=inside)
    return (equalised * inside).astype(np.float32)
