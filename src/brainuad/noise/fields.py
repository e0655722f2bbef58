"""Noise fields of all kinds, drawn from an explicit generator.

Gaussian, coarse and simplex noise are those of Kascenas 2023, pyramidal noise that of Frotscher 2023.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from brainuad.noise.coarse import coarse_noise
from brainuad.noise.pyramid import pyramid_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.noise.simplex import SimplexOctaves, draw_simplex_noise


def draw_noise(
    settings: NoiseSettings,
    shape: Sequence[int],
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Tensor:
    """A float32 noise field of `shape` (batch, channel, *spatial) on `device`, times `settings.scale`.

    The numbers come from `generator`, which may live on another device, and from nothing else: the same
    state of the generator gives the same field. Channels are independent, and samples too unless `shared`.
    """
    batch, channels, *spatial = shape
    drawn = (1 if settings.shared else batch, channels, *spatial)
    field = settings.scale * _unit_noise(settings, drawn, generator, torch.device(device))
    return field.expand(batch, *field.shape[1:]).contiguous()


def _unit_noise(
    settings: NoiseSettings, shape: tuple[int, ...], generator: torch.Generator, device: torch.device
) -> Tensor:
    match settings.kind:
        case "gaussian":
            return torch.randn(shape, generator=generator, device=generator.device).to(device)
        case "coarse":
            return coarse_noise(
                shape, settings.resolution, generator, roll=settings.roll, normalise=settings.normalise
            ).to(device)
        case "pyramid":
            return pyramid_noise(
                shape, settings.levels, settings.discount, generator, literal_eq=settings.literal_eq
            ).to(device)
        case "simplex":
            octaves = SimplexOctaves(settings.octaves, settings.persistence, settings.frequency)
            plane_z = settings.plane_z if settings.lattice_dims == 3 else None
            return draw_simplex_noise(shape, octaves, plane_z, generator, device)
