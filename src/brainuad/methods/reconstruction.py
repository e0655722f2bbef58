"""Anomaly map from one reconstruction: the residual between the image and its pseudo-healthy version.

Kascenas 2023, section 3.3: absolute error, averaged over the modalities, zero outside the foreground.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from brainuad.methods.base import Scan, Scored, ScoringRule
from brainuad.randomness import Draws
from brainuad.settings import Settings


class ResidualSettings(Settings):
    """How a reconstruction becomes an anomaly map."""

    error: Literal["absolute", "squared"] = "absolute"
    over_modalities: Literal["mean", "max"] = "mean"
    # foreground: Kascenas 2023 as printed. interior: the foreground eroded by a mean over a window, as in its
    # released code, which made the published numbers. none: masking is left to the post-processing (Behrendt).
    mask: Literal["none", "foreground", "interior"] = "foreground"
    interior_window: int = Field(5, gt=0)
    batch_size: int = Field(64, gt=0)


class ReconstructionResidual(ScoringRule):
    """|x - x_hat| for any model that reconstructs in one deterministic pass."""

    kind = "reconstruction"
    settings_class = ResidualSettings
    needs = "reconstruct"
    dimensions = (2, 3)

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map and the reconstruction of one volume."""
        x = scan.images
        pieces = [self.model.reconstruct(some) for some in x.split(per_pass(self.settings.batch_size, x))]
        x_hat = torch.cat(pieces)
        return Scored(residual(x, x_hat, self.settings), x_hat)


def per_pass(batch_size: int, x: Tensor) -> int:
    """How many samples of x a network takes at once: `batch_size` slices, or the volumes that have so many.

    It takes at least one volume.
    """
    return batch_size if x.ndim == 4 else max(1, batch_size // x.shape[-1])


def residual(x: Tensor, x_hat: Tensor, settings: ResidualSettings) -> Tensor:
    """The map (sample, *size) from images and reconstructions (sample, channel, *size)."""
    return combine(difference(x, x_hat, settings.error), x, settings)


def difference(a: Tensor, b: Tensor, error: Literal["absolute", "squared"]) -> Tensor:
    """|a - b| or (a - b)^2, element by element."""
    return (a - b).abs() if error == "absolute" else (a - b).square()


def combine(error: Tensor, x: Tensor, settings: ResidualSettings) -> Tensor:
    """The map (sample, *size) from errors (sample, channel, *size): over the modalities, then masked."""
    combined = error.mean(dim=1) if settings.over_modalities == "mean" else error.amax(dim=1)
    if settings.mask == "none":
        return combined
    fg = foreground(x)
    return combined * (fg if settings.mask == "foreground" else interior(fg, settings.interior_window))[:, 0]


def interior(fg: Tensor, window: int) -> Tensor:
    """Where the mean of the foreground over a window exceeds 0.95; outside the image counts as background.

    An even window reaches one pixel further up than down, as in `evaluation.postprocess.interior`.
    """
    mean = F.avg_pool2d if fg.ndim == 4 else F.avg_pool3d
    padded = F.pad(fg, ((window - 1) // 2, window // 2) * (fg.ndim - 2))
    return (mean(padded, window, stride=1) > 0.95).float()


def foreground(x: Tensor) -> Tensor:
    """Where the channel sum exceeds 0.01 (Kascenas 2023, section 3.3): (batch, 1, *size), float."""
    return (x.sum(dim=1, keepdim=True) > 0.01).float()
