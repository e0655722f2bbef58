"""Coarse noise: low-resolution Gaussian noise, up-sampled and shifted (Kascenas 2023, algorithm 1)."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def coarse_noise(
    shape: Sequence[int],
    resolution: int,
    generator: torch.Generator,
    *,
    roll: Literal["sample", "batch"] = "sample",
    normalise: bool = False,
) -> Tensor:
    """Coarse noise of `shape` (batch, channel, *spatial) whose low-resolution grid is N(0, 1).

    The grid has `resolution` points on every axis; linear up-sampling brings the mean variance down by a
    factor of about 2/3 per axis, which `normalise` undoes. Shifts are circular and the same for all channels.
    """
    batch, channels, *spatial = shape
    low = (batch, channels, *(resolution for _ in spatial))
    grid = torch.randn(low, generator=generator, device=generator.device)
    field = F.interpolate(grid, size=tuple(spatial), mode=LINEAR[len(spatial)], align_corners=True)
    if normalise:
        field = field / math.sqrt(math.prod(variance_kept(resolution, size) for size in spatial))
    draws = batch if roll == "sample" else 1
    shifts = [torch.randint(size, (draws,), generator=generator, device=grid.device) for size in spatial]
    return roll_samples(field, torch.stack(shifts, dim=1).expand(batch, -1))


def variance_kept(resolution: int, size: int) -> float:
    """The mean variance of unit white noise after linear up-sampling from `resolution` to `size` points."""
    weights = F.interpolate(
        torch.eye(resolution, dtype=torch.float64)[None], size=size, mode="linear", align_corners=True
    )  # (1, resolution, size)
    return float(weights.square().sum(dim=1).mean())


def roll_samples(field: Tensor, shifts: Tensor) -> Tensor:
    """`field` (batch, channel, *spatial), sample b rolled by `shifts[b]` (batch, axis) as torch.roll does."""
    batch, channels, *spatial = field.shape
    axes = len(spatial)
    index = [
        torch.arange(batch, device=field.device).view(-1, *[1] * (axes + 1)),
        torch.arange(channels, device=field.device).view(1, -1, *[1] * axes),
    ]
    for axis, size in enumerate(spatial):
        source = (torch.arange(size, device=field.device) - shifts[:, axis, None]) % size  # (batch, size)
        index.append(source.view(batch, 1, *(size if a == axis else 1 for a in range(axes))))
    return field[tuple(index)]
