"""Auto-encoders and variational auto-encoders (Kingma and Welling 2014).

Kascenas 2023: staged coders, latent 128. Behrendt 2023, after Baur 2021: strided coders, latent 128. Bercea 2023:
strided coders with a spatial latent map (auto-encoder), convolutional coders with a latent of 512 (VAE, after
Zimmerer 2019).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from brainuad.networks.coders import (
    ConvolutionalDecoder,
    ConvolutionalEncoder,
    StagedDecoder,
    StagedEncoder,
    StridedDecoder,
    StridedEncoder,
    halved,
    strided_convolutions,
    strided_transposed_convolutions,
)
from brainuad.networks.settings import ConvolutionalCoderSettings, StagedCoderSettings, StridedCoderSettings


class AutoEncoder(nn.Module):
    """An encoder to a latent vector or map and a decoder from it; dropout, if any, acts on the latent."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of `x`."""
        return self.decoder(self.dropout(self.encoder(x)))


class Vae(nn.Module):
    """An encoder to the mean and log-variance of a latent normal distribution, and a decoder."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and log-variance (batch, latent) of q(z | x)."""
        # In float32 under mixed precision too: rounded to bf16, the KL can even turn negative.
        mu, log_variance = self.encoder(x).float().chunk(2, dim=1)
        return mu, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """The image (batch, channel, *spatial) of the latent vectors `z` (batch, latent)."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of `x` from the mean of q(z | x), without any draw."""
        return self.decode(self.encode(x)[0])


def sample_latent(mu: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """A draw of z = mu + sigma * eps, differentiable in `mu` and `log_variance`."""
    eps = torch.randn(mu.shape, generator=generator, device=generator.device).to(mu)
    return mu + torch.exp(0.5 * log_variance) * eps


def kl_to_standard_normal(mu: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)) of each latent dimension, not reduced."""
    return 0.5 * (mu.square() + log_variance.exp() - 1 - log_variance)


def staged_vae(settings: StagedCoderSettings, channels: int, spatial: Sequence[int]) -> Vae:
    """The VAE of Kascenas 2023 for images (batch, channels, *spatial)."""
    return Vae(
        StagedEncoder(settings, channels, spatial, 2 * settings.latent),
        StagedDecoder(settings, channels, spatial),
    )


def strided_vae(settings: StridedCoderSettings, channels: int, spatial: Sequence[int]) -> Vae:
    """The VAE of Baur 2021 for images (batch, channels, height, width)."""
    return Vae(
        StridedEncoder(settings, channels, spatial, 2 * settings.latent),
        StridedDecoder(settings, channels, spatial),
    )


def convolutional_vae(settings: ConvolutionalCoderSettings, channels: int, spatial: Sequence[int]) -> Vae:
    """The VAE of Zimmerer 2019 for images (batch, channels, height, width)."""
    return Vae(
        ConvolutionalEncoder(settings, channels, spatial, 2 * settings.latent),
        ConvolutionalDecoder(settings, channels, spatial),
    )


def strided_auto_encoder(
    settings: StridedCoderSettings, channels: int, spatial: Sequence[int], dropout: float = 0.0
) -> AutoEncoder:
    """The dense auto-encoder of Baur 2021 for images (batch, channels, height, width)."""
    return AutoEncoder(
        StridedEncoder(settings, channels, spatial, settings.latent),
        StridedDecoder(settings, channels, spatial),
        dropout,
    )


def spatial_auto_encoder(
    settings: StridedCoderSettings, channels: int, spatial: Sequence[int], dropout: float = 0.0
) -> AutoEncoder:
    """The spatial auto-encoder of Baur 2021: its latent is the map of the last width, 8 x 8 x 128 for 128 pixels."""
    halved(spatial, len(settings.widths))
    return AutoEncoder(
        nn.Sequential(*strided_convolutions(settings, channels)),
        nn.Sequential(*strided_transposed_convolutions(settings, channels)),
        dropout,
    )
