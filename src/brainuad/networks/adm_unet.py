"""The guided-diffusion U-Net, also called ADM (Dhariwal and Nichol 2021, appendix; Nichol and Dhariwal 2021).

Used by Kascenas 2023, Behrendt 2023 and AnoDDPM. Residual blocks receive the time step; self-attention
follows them at chosen resolutions; all tensors of the encoder are skip connections.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from brainuad.networks.settings import AdmUnetSettings

Resample = Literal["none", "down", "up"]
CONV: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
POOL: dict[int, type[nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


def time_embedding(t: Tensor, channels: int, max_period: float = 10_000.0) -> Tensor:
    """Cosines and sines (batch, channels) of the times `t` (batch,), frequencies falling geometrically."""
    half = channels // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, device=t.device) / half)
    angles = t.float()[:, None] * frequencies
    embedding = torch.cat([torch.cos(angles), torch.sin(angles)], dim=1)
    return F.pad(embedding, (0, channels - 2 * half))


def normalisation(channels: int) -> nn.GroupNorm:
    """Group normalisation with 32 groups, or as many as divide the channels of a smaller network."""
    return nn.GroupNorm(math.gcd(32, channels), channels)


def zeroed(module: nn.Module) -> nn.Module:
    """`module` with all parameters set to zero."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def resampler(dims: int, resample: Resample) -> nn.Module:
    """Average pooling by 2, nearest up-sampling by 2, or nothing."""
    if resample == "down":
        return POOL[dims](2)
    return nn.Upsample(scale_factor=2, mode="nearest") if resample == "up" else nn.Identity()


class ResBlock(nn.Module):
    """A residual block that receives the time step and may halve or double the resolution."""

    def __init__(
        self,
        settings: AdmUnetSettings,
        dims: int,
        channels_in: int,
        channels_out: int,
        resample: Resample = "none",
    ) -> None:
        super().__init__()
        conv = CONV[dims]
        self.scale_shift = settings.scale_shift
        self.norm_in = normalisation(channels_in)
        self.resample = resampler(dims, resample)
        self.conv_in = conv(channels_in, channels_out, 3, padding=1)
        self.time = nn.Linear(4 * settings.width, (2 if settings.scale_shift else 1) * channels_out)
        self.norm_out = normalisation(channels_out)
        self.dropout = nn.Dropout(settings.dropout)
        self.conv_out = zeroed(conv(channels_out, channels_out, 3, padding=1))
        same = channels_in == channels_out
        self.skip = nn.Identity() if same else conv(channels_in, channels_out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """The output for `x` (batch, channel, *spatial) and the time `embedding` (batch, 4 * width)."""
        h = self.conv_in(self.resample(F.silu(self.norm_in(x))))
        time = self.time(F.silu(embedding))
        time = time.view(*time.shape, *[1] * (x.ndim - 2))  # (batch, channel, 1, 1, ...)
        if self.scale_shift:
            scale, shift = time.chunk(2, dim=1)
            h = self.norm_out(h) * (1 + scale) + shift
        else:
            h = self.norm_out(h + time)
        return self.skip(self.resample(x)) + self.conv_out(self.dropout(F.silu(h)))


class Attention(nn.Module):
    """Multi-head self-attention over all positions, with a residual connection."""

    def __init__(self, settings: AdmUnetSettings, dims: int, channels: int) -> None:
        super().__init__()
        self.heads = channels // settings.head_channels if settings.head_channels else settings.heads
        self.norm = normalisation(channels)
        self.qkv = CONV[dims](channels, 3 * channels, 1)
        self.project = zeroed(CONV[dims](channels, channels, 1))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """`x` (batch, channel, *spatial) plus what each position gathers from all; the time is not used."""
        batch, channels = x.shape[:2]
        qkv = self.qkv(self.norm(x)).reshape(batch, 3, self.heads, channels // self.heads, -1)
        q, k, v = qkv.transpose(-1, -2).unbind(1)  # (batch, head, position, channel)
        gathered = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2)
        return x + self.project(gathered.reshape(x.shape))


class Downsample(nn.Module):
    """A convolution of stride 2."""

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        self.conv = CONV[dims](channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """`x` at half the resolution; the time is not used."""
        return self.conv(x)


class Upsample(nn.Module):
    """Nearest-neighbour up-sampling by 2 and a convolution."""

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        self.conv = CONV[dims](channels, channels, 3, padding=1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """`x` at twice the resolution; the time is not used."""
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class Block(nn.ModuleList):
    """Layers that receive the time embedding, one after the other."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """The output of the last layer."""
        for layer in self:
            x = layer(x, embedding)
        return x


class AdmUnet(nn.Module):
    """Images (batch, channel, *spatial) and time steps (batch,) to images of the same size.

    The output is zero at initialisation. `dims` is the number of spatial axes; sides must be multiples of
    2^(levels - 1).
    """

    def __init__(self, settings: AdmUnetSettings, channels_in: int, channels_out: int, dims: int = 2) -> None:
        super().__init__()
        self.settings = settings
        self.dims = dims
        width, finest = settings.width, settings.width * settings.multipliers[0]
        self.time = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, 4 * width))
        self.first = CONV[dims](channels_in, finest, 3, padding=1)
        self.encoder, skips = self._encoder()
        bottom = skips[-1]
        self.middle = Block(
            [
                ResBlock(settings, dims, bottom, bottom),
                Attention(settings, dims, bottom),
                ResBlock(settings, dims, bottom, bottom),
            ]
        )
        self.decoder = self._decoder(skips)
        self.last = nn.Sequential(
            normalisation(finest), nn.SiLU(), zeroed(CONV[dims](finest, channels_out, 3, padding=1))
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The prediction for `x` at the time steps `t`."""
        embedding = self.time(time_embedding(t, self.settings.width))
        x = self.first(x)
        skips = [x]
        for block in self.encoder:
            x = self._run(block, x, embedding)
            skips.append(x)
        x = self._run(self.middle, x, embedding)
        for block in self.decoder:
            x = self._run(block, torch.cat([x, skips.pop()], dim=1), embedding)
        return self.last(x)

    def _run(self, block: nn.Module, x: Tensor, embedding: Tensor) -> Tensor:
        """The block's output; with `recompute` its input is all that is kept for the backward pass."""
        if self.settings.recompute and torch.is_grad_enabled():
            return checkpoint(block, x, embedding, use_reentrant=False)
        return block(x, embedding)

    def _encoder(self) -> tuple[nn.ModuleList, list[int]]:
        """The blocks of the encoder, and the channels of all skip connections."""
        settings = self.settings
        channels = settings.width * settings.multipliers[0]
        blocks, skips = nn.ModuleList(), [channels]
        for level, multiplier in enumerate(settings.multipliers):
            if level:
                blocks.append(Block([self._step(channels, "down")]))
                skips.append(channels)
            for _ in range(settings.res_blocks):
                blocks.append(self._block(channels, settings.width * multiplier, level))
                channels = settings.width * multiplier
                skips.append(channels)
        return blocks, skips

    def _decoder(self, skips: list[int]) -> nn.ModuleList:
        settings = self.settings
        channels, remaining = skips[-1], list(skips)
        blocks = nn.ModuleList()
        for level, multiplier in reversed(list(enumerate(settings.multipliers))):
            for _ in range(settings.res_blocks + 1):
                block = self._block(channels + remaining.pop(), settings.width * multiplier, level)
                channels = settings.width * multiplier
                blocks.append(block)
            if level:
                block.append(self._step(channels, "up"))
        return blocks

    def _block(self, channels_in: int, channels_out: int, level: int) -> Block:
        block = Block([ResBlock(self.settings, self.dims, channels_in, channels_out)])
        if 2**level in self.settings.attention_factors:
            block.append(Attention(self.settings, self.dims, channels_out))
        return block

    def _step(self, channels: int, resample: Resample) -> nn.Module:
        if self.settings.resblock_updown:
            return ResBlock(self.settings, self.dims, channels, channels, resample)
        layer = Downsample if resample == "down" else Upsample
        return layer(self.dims, channels)
