"""Anomaly map from one reconstruction: the residual between the image and its pseudo-healthy version.

Kascenas 2023, section 3.3: absolute error, averaged over the modalities, zero outside the foreground.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from brainuad.methods.base import Scan, Scored, ScoringRule
from brainuad.randomness import Draws
from brainuad.settings import Settings


class ResidualSettings(Settings):
    """How a reconstruction becomes an anomaly map."""

    error: Literal["absolute", "squared"] = "absolute"
    over_modalities: Literal["mean", "max"] = "mean"
    # Kascenas masks with the foreground; Behrendt and Bercea leave masking to the post-processing.
    mask_foreground: bool = True
    batch_size: int = Field(64, gt=0)


class ReconstructionResidual(ScoringRule):
    """|x - x_hat| for any model that reconstructs in one deterministic pass."""

    kind = "reconstruction"
    settings_class = ResidualSettings
    needs = "reconstruct"

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map and the reconstruction of one volume."""
        x = scan.images
        pieces = [self.model.reconstruct(slices) for slices in x.split(self.settings.batch_size)]
        x_hat = torch.cat(pieces)
        return Scored(residual(x, x_hat, self.settings), x_hat)


def residual(x: Tensor, x_hat: Tensor, settings: ResidualSettings) -> Tensor:
    """The map (slice, x, y) from images and reconstructions (slice, channel, x, y)."""
    error = (x - x_hat).abs() if settings.error == "absolute" else (x - x_hat).square()
    combined = error.mean(dim=1) if settings.over_modalities == "mean" else error.amax(dim=1)
    return combined * foreground(x)[:, 0] if settings.mask_foreground else combined


def foreground(x: Tensor) -> Tensor:
    """Where the channel sum exceeds 0.01 (Kascenas 2023, section 3.3): (batch, 1, *size), float."""
    return (x.sum(dim=1, keepdim=True) > 0.01).float()
