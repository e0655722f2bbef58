"""The U-Net of the denoising auto-encoder (Kascenas 2022 and 2023).

Each stage is two of (reflection padding, weight-standardised convolution, Swish, group normalisation);
average pooling goes down, transposed convolution goes up.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from brainuad.networks.settings import DaeUnetSettings


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose filters have mean 0 and standard deviation 1 (Qiao 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        """The convolution with standardised filters."""
        return self._conv_forward(x, standardised(self.weight), self.bias)


class StandardisedConv3d(nn.Conv3d):
    """The three-dimensional form of StandardisedConv2d."""

    def forward(self, x: Tensor) -> Tensor:
        """The convolution with standardised filters."""
        return self._conv_forward(x, standardised(self.weight), self.bias)


STANDARDISED_CONV: dict[int, type[nn.Module]] = {2: StandardisedConv2d, 3: StandardisedConv3d}
CONV: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
CONV_TRANSPOSE: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
POOL: dict[int, type[nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


def standardised(weight: Tensor) -> Tensor:
    """`weight` with each output channel less its mean and over its standard deviation + 1e-5."""
    filters = weight.flatten(1)
    filters = (filters - filters.mean(1, keepdim=True)) / (filters.std(1, keepdim=True) + 1e-5)
    return filters.view_as(weight)


def group_count(channels: int) -> int:
    """The middle (the upper of two) of the divisors of `channels`: 8 of 64, 16 of 128 and 256, 32 of 512."""
    divisors = [n for n in range(1, channels + 1) if channels % n == 0]
    return divisors[len(divisors) // 2]


def stage(dims: int, channels_in: int, channels_out: int) -> nn.Sequential:
    """Two weight-standardised 3 x 3 convolutions that keep the image size."""
    layers: list[nn.Module] = []
    for channels in (channels_in, channels_out):
        layers += [
            STANDARDISED_CONV[dims](channels, channels_out, 3, padding=1, padding_mode="reflect"),
            nn.SiLU(),
            nn.GroupNorm(group_count(channels_out), channels_out),
        ]
    return nn.Sequential(*layers)


class DaeUnet(nn.Module):
    """Images (batch, channel, *spatial) to images of the same size, without output activation.

    `dims` is the number of spatial axes. Sides must be multiples of 2^(levels - 1), where levels = len(widths).
    """

    def __init__(self, settings: DaeUnetSettings, channels_in: int, channels_out: int, dims: int = 2) -> None:
        super().__init__()
        widths = settings.widths
        steps = list(pairwise(widths))
        self.pool = POOL[dims](2)
        self.down = nn.ModuleList(
            stage(dims, a, b) for a, b in zip((channels_in, *widths), widths, strict=False)
        )
        self.enlarge = nn.ModuleList(CONV_TRANSPOSE[dims](b, a, 2, stride=2) for a, b in reversed(steps))
        self.up = nn.ModuleList(stage(dims, 2 * a, a) for a, _ in reversed(steps))
        self.last = CONV[dims](widths[0], channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of `x`."""
        skips = []
        for number, down in enumerate(self.down):
            x = down(self.pool(x) if number else x)
            skips.append(x)
        for enlarge, up, skip in zip(self.enlarge, self.up, skips[-2::-1], strict=True):
            x = up(torch.cat([enlarge(x), skip], dim=1))
        return self.last(x)
