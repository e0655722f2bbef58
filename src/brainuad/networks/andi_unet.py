"""The small U-Net of ANDi (Frotscher et al. 2023), which predicts the noise in an image.

Sizes are those of the authors' released code, where up-sampling blocks give fewer channels than the skip
connection of their level has. Every convolution is without a bias and is followed by a normalisation over
all channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from brainuad.networks.adm_unet import time_embedding
from brainuad.networks.settings import AndiUnetSettings


class NormalisedConv(nn.Sequential):
    """A 3 x 3 convolution and a normalisation over all channels: conv+."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        conv = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        super().__init__(conv, nn.GroupNorm(1, channels_out))


class ResidualConv(nn.Module):
    """GELU(x + conv+(x)): res+, the only non-linearity of the convolutional blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = NormalisedConv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """The output, of the shape of `x`."""
        return F.gelu(x + self.conv(x))


class TimedConvs(nn.Module):
    """res+ and conv+ to other channels, to which a linear map of the time embedding is added."""

    def __init__(self, channels_in: int, channels_out: int, time_channels: int) -> None:
        super().__init__()
        self.residual = ResidualConv(channels_in)
        self.conv = NormalisedConv(channels_in, channels_out)
        self.time = nn.Linear(time_channels, channels_out)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """The output (batch, channel, x, y) for the time `embedding` (batch, time_channels)."""
        return self.conv(self.residual(x)) + self.time(F.silu(embedding))[:, :, None, None]


class SelfAttention(nn.Module):
    """Self-attention over all pixels and two linear layers, each with a residual connection."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = nn.MultiheadAttention(channels, heads, batch_first=True)
        self.linear = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The output, of the shape of `x`."""
        pixels = x.flatten(2).transpose(1, 2)  # (batch, pixel, channel)
        normed = self.norm(pixels)
        pixels = pixels + self.attention(normed, normed, normed, need_weights=False)[0]
        pixels = pixels + self.linear(pixels)
        return pixels.transpose(1, 2).reshape(x.shape)


class AndiUnet(nn.Module):
    """U-Net whose output has the shape of its input; any size that can be halved often enough fits."""

    def __init__(self, settings: AndiUnetSettings, channels: int) -> None:
        super().__init__()
        widths, self.time_channels = settings.widths, settings.time_channels

        def attention(level: int, width: int) -> nn.Module:
            used = level in settings.attention_levels
            return SelfAttention(width, settings.heads) if used else nn.Identity()

        last = len(widths) - 1
        self.stem = nn.Sequential(NormalisedConv(channels, widths[0]), ResidualConv(widths[0]))
        self.down = nn.ModuleList(
            TimedConvs(widths[level - 1], widths[level], self.time_channels) for level in range(1, last + 1)
        )
        self.attend_down = nn.ModuleList(attention(level, widths[level]) for level in range(1, last + 1))
        bottom = settings.bottom or 2 * widths[last]
        self.bottom = nn.Sequential(
            NormalisedConv(widths[last], bottom),
            NormalisedConv(bottom, widths[last]),
            attention(last, widths[last]),
        )
        self.up, self.attend_up = nn.ModuleList(), nn.ModuleList()
        below = widths[last]
        for level in reversed(range(last)):
            out = widths[max(level - 1, 0)]
            self.up.append(TimedConvs(widths[level] + below, out, self.time_channels))
            self.attend_up.append(attention(level, out))
            below = out
        self.out = nn.Conv2d(below, channels, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The noise in `x` (batch, channel, x, y) at the array indices `t` (batch,)."""
        embedding = time_embedding(t, self.time_channels)
        h = self.stem(x)
        skips = []
        for convs, attend in zip(self.down, self.attend_down, strict=True):
            skips.append(h)
            h = attend(convs(F.max_pool2d(h, 2), embedding))
        h = self.bottom(h)
        for convs, attend in zip(self.up, self.attend_up, strict=True):
            skip = skips.pop()
            h = F.interpolate(h, size=skip.shape[2:], mode="bilinear", align_corners=True)
            h = attend(convs(torch.cat([skip, h], dim=1), embedding))
        return self.out(h)
