"""Thresholding of one bright modality after histogram equalisation; nothing is trained.

Meissen et al. 2021 (Challenging current semi-supervised anomaly segmentation methods for brain MRI), as used
by Kascenas 2023 and Frotscher 2023 on FLAIR and by Behrendt 2023 on T2.
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.preprocessing.equalise import equalise
from brainuad.randomness import Draws
from brainuad.settings import Settings


class ThresholdingSettings(Settings):
    """Which modality is equalised, where, and in how many bins."""

    modality: str = "flair"
    # positive: voxels above 0 (Kascenas); brain: the brain mask, which Behrendt's B-spline ringing needs.
    region: Literal["positive", "brain"] = "positive"
    bins: int = Field(256, ge=2)
    # packed: the arrays; recipe: the copy that the recipe's step keep_equalised made, with the same settings, before it
    # resized the slices (Kascenas, Frotscher).
    equalised: Literal["packed", "recipe"] = "packed"


class Thresholding(ScoringRule):
    """The equalised intensity, in [0, 1], is the anomaly score."""

    kind = "thresholding"
    reconstructs = False
    settings_class = ThresholdingSettings

    def __init__(self, settings: Any, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        if settings.equalised == "recipe":
            return  # the recipe's step says the modality
        if settings.modality not in shape.channels:
            raise InputError(
                f"thresholding: modality {settings.modality!r} is not in the recipe's channels "
                f"({', '.join(shape.channels)}). Set `modality` of the method to one of them."
            )
        self.channel = shape.channels.index(settings.modality)

    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The equalised volume; the "reconstruction" is zero, so that its l1 error is the mean intensity."""
        return Scored(self._equalised(scan), torch.zeros_like(scan.images))

    def _equalised(self, scan: Scan) -> Tensor:
        if self.settings.equalised == "recipe":
            if scan.equalised is None:
                raise InputError(
                    "thresholding: `equalised: recipe` needs arrays with an equalised copy. Put a step keep_equalised "
                    "into the recipe, or set `equalised: packed`."
                )
            return scan.equalised.clamp(0, 1)
        volume = scan.images[:, self.channel].cpu().numpy()
        inside = volume > 0 if self.settings.region == "positive" else scan.brain[:, 0].cpu().numpy()
        return torch.from_numpy(equalise(volume, inside, self.settings.bins))
