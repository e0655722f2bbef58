"""Encoders from images to latent vectors or maps and decoders back, for auto-encoders.

Staged: the stages of the denoising auto-encoder without its skip connections (Kascenas 2023). Strided: 5 x 5
convolutions of stride 2, with a dense or a spatial latent space (Baur 2021, without batch normalisation; used by
Behrendt 2023 and Bercea 2023). Convolutional: 4 x 4 convolutions of stride 2 down to one pixel (Zimmerer 2019; used
by Bercea 2023).
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from brainuad.errors import InputError
from brainuad.networks.dae_unet import CONV, CONV_TRANSPOSE, POOL, stage
from brainuad.networks.settings import ConvolutionalCoderSettings, StagedCoderSettings, StridedCoderSettings

LEAKY_SLOPE = 0.3


def halved(spatial: Sequence[int], times: int, least: int = 1) -> tuple[int, ...]:
    """The image size after `times` halvings; an `InputError` where a side is odd before or below `least` after them.

    `least` is 2 for networks of `stage`, because a side of 1 cannot be mirrored at its ends.
    """
    if any(side % 2**times for side in spatial):
        raise InputError(
            f"image size {tuple(spatial)}: every side must be a multiple of {2**times}, because the network "
            f"halves it {times} times; change the size of the recipe or the number of levels of the network"
        )
    if min(spatial) < least * 2**times:
        raise InputError(
            f"image size {tuple(spatial)}: every side must be at least {least * 2**times}, because the network "
            f"halves it {times} times{' and mirrors what is left at its ends' if least > 1 else ''}; change the size "
            "of the recipe or the number of levels of the network"
        )
    return tuple(side // 2**times for side in spatial)


class StagedEncoder(nn.Sequential):
    """Images (batch, channels, *spatial) to vectors (batch, outputs)."""

    def __init__(
        self, settings: StagedCoderSettings, channels: int, spatial: Sequence[int], outputs: int
    ) -> None:
        dims, widths = len(spatial), settings.widths
        bottom = (widths[-1], *halved(spatial, len(widths) - 1, least=2))
        layers: list[nn.Module] = [stage(dims, channels, widths[0])]
        for a, b in pairwise(widths):
            layers += [POOL[dims](2), stage(dims, a, b)]
        super().__init__(*layers, nn.Flatten(), nn.Linear(math.prod(bottom), outputs))


class StagedDecoder(nn.Sequential):
    """Vectors (batch, latent) to images (batch, channels, *spatial), without output activation."""

    def __init__(self, settings: StagedCoderSettings, channels: int, spatial: Sequence[int]) -> None:
        dims, widths = len(spatial), settings.widths
        bottom = (widths[-1], *halved(spatial, len(widths) - 1, least=2))
        layers: list[nn.Module] = [nn.Linear(settings.latent, math.prod(bottom)), nn.Unflatten(1, bottom)]
        for b, a in pairwise(reversed(widths)):
            layers += [CONV_TRANSPOSE[dims](b, a, 2, stride=2), stage(dims, a, a)]
        super().__init__(*layers, CONV[dims](widths[0], channels, 1))


def strided_convolutions(settings: StridedCoderSettings, channels: int) -> list[nn.Module]:
    """Layers from images to maps of the last width; each convolution halves the size."""
    layers: list[nn.Module] = []
    for a, b in pairwise((channels, *settings.widths)):
        layers += [nn.Conv2d(a, b, 5, stride=2, padding=2), nn.LeakyReLU(LEAKY_SLOPE)]
    return layers


def strided_transposed_convolutions(settings: StridedCoderSettings, channels: int) -> list[nn.Module]:
    """Layers from maps of the last width to images, without output activation."""
    widths = settings.widths
    layers: list[nn.Module] = [nn.ReLU()]
    for b, a in pairwise((*reversed(widths), widths[0])):
        layers += [
            nn.ConvTranspose2d(b, a, 5, stride=2, padding=2, output_padding=1),
            nn.LeakyReLU(LEAKY_SLOPE),
        ]
    return [*layers, nn.Conv2d(widths[0], channels, 1)]


class StridedEncoder(nn.Sequential):
    """Images (batch, channels, height, width) to vectors (batch, outputs)."""

    def __init__(
        self, settings: StridedCoderSettings, channels: int, spatial: Sequence[int], outputs: int
    ) -> None:
        widths = settings.widths
        reduced = max(1, widths[-1] // settings.reduction)
        features = reduced * math.prod(halved(spatial, len(widths)))
        super().__init__(
            *strided_convolutions(settings, channels),
            nn.Conv2d(widths[-1], reduced, 1),
            nn.Flatten(),
            nn.Linear(features, outputs),
        )


class StridedDecoder(nn.Sequential):
    """Vectors (batch, latent) to images (batch, channels, height, width), without output activation."""

    def __init__(self, settings: StridedCoderSettings, channels: int, spatial: Sequence[int]) -> None:
        widths = settings.widths
        reduced = max(1, widths[-1] // settings.reduction)
        bottom = (reduced, *halved(spatial, len(widths)))
        super().__init__(
            nn.Linear(settings.latent, math.prod(bottom)),
            nn.Unflatten(1, bottom),
            nn.Conv2d(reduced, widths[-1], 1),
            *strided_transposed_convolutions(settings, channels),
        )


class ConvolutionalEncoder(nn.Sequential):
    """Images (batch, channels, height, width) to vectors (batch, outputs), without any bias."""

    def __init__(
        self, settings: ConvolutionalCoderSettings, channels: int, spatial: Sequence[int], outputs: int
    ) -> None:
        layers: list[nn.Module] = []
        for a, b in pairwise((channels, *settings.widths)):
            layers += [nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False), nn.LeakyReLU()]
        height, width = halved(spatial, len(settings.widths))
        layers.append(nn.Conv2d(settings.widths[-1], outputs, (height, width), bias=False))
        super().__init__(*layers, nn.Flatten())


class ConvolutionalDecoder(nn.Sequential):
    """Vectors (batch, latent) to images (batch, channels, height, width), without bias or output activation."""

    def __init__(self, settings: ConvolutionalCoderSettings, channels: int, spatial: Sequence[int]) -> None:
        widths = tuple(reversed(settings.widths))
        height, width = halved(spatial, len(widths))
        layers: list[nn.Module] = [
            nn.Unflatten(1, (settings.latent, 1, 1)),
            nn.ConvTranspose2d(settings.latent, widths[0], (height, width), bias=False),
        ]
        for b, a in pairwise((*widths, channels)):
            layers += [nn.LeakyReLU(), nn.ConvTranspose2d(b, a, 4, stride=2, padding=1, bias=False)]
        super().__init__(*layers)
