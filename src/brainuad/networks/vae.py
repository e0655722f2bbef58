"""Auto-encoders and variational auto-encoders with a dense latent space (Kingma and Welling 2014).

Kascenas 2023: staged coders, latent 128. Behrendt 2023, after Baur 2021: strided coders, latent 128.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from brainuad.networks.coders import StagedDecoder, StagedEncoder, StridedDecoder, StridedEncoder
from brainuad.networks.settings import StagedCoderSettings, StridedCoderSettings


class AutoEncoder(nn.Module):
    """An encoder to latent vectors and a decoder from them."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of `x`."""
        return self.decoder(self.encoder(x))


class Vae(nn.Module):
    """An encoder to the mean and log-variance of a latent normal distribution, and a decoder."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and log-variance (batch, latent) of q(z | x)."""
        mu, log_variance = self.encoder(x).chunk(2, dim=1)
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


def strided_auto_encoder(
    settings: StridedCoderSettings, channels: int, spatial: Sequence[int]
) -> AutoEncoder:
    """The dense auto-encoder of Baur 2021 for images (batch, channels, height, width)."""
    return AutoEncoder(
        StridedEncoder(settings, channels, spatial, settings.latent),
        StridedDecoder(settings, channels, spatial),
    )
