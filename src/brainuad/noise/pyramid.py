"""Pyramidal Gaussian noise: weighted white noise of falling resolution (Frotscher 2023, eq. 9 and 10)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from brainuad.noise.coarse import LINEAR


def pyramid_noise(
    shape: Sequence[int],
    levels: int,
    discount: float,
    generator: torch.Generator,
    *,
    literal_eq: bool = False,
) -> Tensor:
    """Pyramidal noise of `shape` (batch, channel, *spatial), over its standard deviation in the batch.

    The released code adds white noise at full resolution and levels i = 0, 1, ... of weight discount^i, whose
    sizes fall so fast that a side of 128 has four. Equation 9 (`literal_eq`) has the weights discount^i from
    i = 1 and slowly falling sizes.
    """
    batch, channels, *spatial = shape
    device = generator.device
    ratios = (2 + 2 * torch.rand(levels, generator=generator, device=device)).tolist()
    if literal_eq:
        sizes = equation_sizes(spatial, ratios)
        weights = [discount ** (i + 1) for i in range(len(sizes))]
    else:
        sizes = [tuple(spatial), *cumulative_sizes(spatial, ratios)]
        weights = [1.0, *(discount**i for i in range(len(sizes) - 1))]
    field = torch.zeros(tuple(shape), device=device)
    for size, weight in zip(sizes, weights, strict=True):
        level = torch.randn((batch, channels, *size), generator=generator, device=device)
        field += weight * F.interpolate(
            level, size=tuple(spatial), mode=LINEAR[len(spatial)], align_corners=False
        )
    return field / field.std()


def cumulative_sizes(spatial: Sequence[int], ratios: Sequence[float]) -> list[tuple[int, ...]]:
    """The level sizes of the released code: each divides the one before by r_i^i, down to one point."""
    sizes: list[tuple[int, ...]] = []
    size = tuple(spatial)
    for i, ratio in enumerate(ratios):
        size = tuple(max(1, int(points / ratio**i)) for points in size)
        sizes.append(size)
        if 1 in size:
            break
    return sizes


def equation_sizes(spatial: Sequence[int], ratios: Sequence[float]) -> list[tuple[int, ...]]:
    """The level sizes of equation 10: h_i = ceil(H / r_i^(i-1)) for i = 1, 2, ..."""
    return [tuple(math.ceil(points / ratio**i) for points in spatial) for i, ratio in enumerate(ratios)]
