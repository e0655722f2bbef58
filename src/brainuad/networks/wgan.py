"""Generator, critic and encoder of f-AnoGAN: residual networks between latent vectors and images.

Schlegl et al. 2019, f-AnoGAN, Medical Image Analysis 54, and its released code for 64 x 64 images, which follows
Gulrajani et al. 2017, Improved training of Wasserstein GANs. Kascenas et al. 2023 add one block for 128 x 128
images and change the resolution by strided and transposed convolutions.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn

from brainuad.networks.coders import halved
from brainuad.networks.settings import WganSettings

Norm = Callable[[int], nn.Module]


class Residual(nn.Module):
    """shortcut(x) + residual(x)."""

    def __init__(self, shortcut: nn.Module, residual: nn.Module) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """The sum of both branches, which change the resolution alike."""
        return self.shortcut(x) + self.residual(x)


class Generator(nn.Sequential):
    """Latent vectors (batch, latent) to images (batch, channels, height, width) in [-1, 1]."""

    def __init__(self, settings: WganSettings, channels: int, spatial: Sequence[int]) -> None:
        widths = settings.widths[::-1]
        start = (widths[0], *halved(spatial, len(widths) - 1))
        super().__init__(
            nn.Linear(settings.latent, math.prod(start)),
            nn.Unflatten(1, start),
            *(up_block(settings, a, b) for a, b in pairwise(widths)),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
            nn.Conv2d(widths[-1], channels, 3, padding=1),
            nn.Tanh(),
        )


class Critic(nn.Module):
    """Images to scores, higher for real ones, and to the features f that lead to them."""

    def __init__(self, settings: WganSettings, channels: int, spatial: Sequence[int]) -> None:
        super().__init__()
        # Batch normalisation would couple the samples, for each of which the gradient is penalised.
        self.features = trunk(settings, channels, layer_norm)
        self.output = nn.Linear(flat_size(settings, spatial), 1)

    def forward(self, x: Tensor) -> Tensor:
        """The scores (batch,) of images (batch, channel, height, width)."""
        return self.output(self.features(x)).squeeze(1).float()


class Encoder(nn.Sequential):
    """Images (batch, channel, height, width) to latent vectors (batch, latent)."""

    def __init__(self, settings: WganSettings, channels: int, spatial: Sequence[int]) -> None:
        super().__init__(
            trunk(settings, channels, nn.BatchNorm2d),
            nn.Linear(flat_size(settings, spatial), settings.latent),
            nn.Tanh() if settings.encoder_output == "tanh" else nn.Identity(),
        )


def trunk(settings: WganSettings, channels: int, norm: Norm) -> nn.Sequential:
    """Images to the flattened map at the coarsest level."""
    first = nn.Conv2d(channels, settings.widths[0], 3, padding=1)
    blocks = (down_block(settings, a, b, norm) for a, b in pairwise(settings.widths))
    return nn.Sequential(first, *blocks, nn.Flatten())


def flat_size(settings: WganSettings, spatial: Sequence[int]) -> int:
    """The length of the flattened map at the coarsest level."""
    return settings.widths[-1] * math.prod(halved(spatial, len(settings.widths) - 1))


def layer_norm(width: int) -> nn.Module:
    """Normalisation over all channels and pixels of a sample, with a scale and shift per channel."""
    return nn.GroupNorm(1, width)


def down_block(settings: WganSettings, a: int, b: int, norm: Norm) -> Residual:
    """A pre-activated residual block that halves the resolution in its second convolution."""
    halve: nn.Module
    shortcut: nn.Module
    if settings.resampling == "strided":
        halve, shortcut = nn.Conv2d(a, b, 4, stride=2, padding=1), nn.Conv2d(a, b, 2, stride=2)
    else:
        halve = nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.AvgPool2d(2))
        shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(a, b, 1))
    first = nn.Conv2d(a, a, 3, padding=1, bias=False)
    return Residual(shortcut, nn.Sequential(norm(a), nn.ReLU(), first, norm(a), nn.ReLU(), halve))


def up_block(settings: WganSettings, a: int, b: int) -> Residual:
    """A pre-activated residual block that doubles the resolution in its first convolution."""
    double: nn.Module
    shortcut: nn.Module
    if settings.resampling == "strided":
        double = nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
        shortcut = nn.ConvTranspose2d(a, b, 2, stride=2)
    else:
        double = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, padding=1, bias=False))
        shortcut = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 1))
    last = nn.Conv2d(b, b, 3, padding=1)
    return Residual(
        shortcut, nn.Sequential(nn.BatchNorm2d(a), nn.ReLU(), double, nn.BatchNorm2d(b), nn.ReLU(), last)
    )
