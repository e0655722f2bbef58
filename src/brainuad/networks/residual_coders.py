"""The residual encoder and decoder of SI-VAE and RA, which are those of IntroVAE at 128 x 128.

Daniel and Tamar 2021, Soft-IntroVAE, CVPR; Bercea et al. 2023, Generalizing Unsupervised Anomaly Detection:
Towards Unbiased Pathology Screening, MIDL (RA), in the sizes of its released code.
"""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from brainuad.networks.coders import halved
from brainuad.networks.settings import ResidualCoderSettings

SLOPE = 0.2


class ResidualBlock(nn.Module):
    """LeakyReLU(BN(conv(LeakyReLU(BN(conv(x))))) + identity); a 1 x 1 convolution where the widths differ."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.identity = nn.Identity() if a == b else nn.Conv2d(a, b, 1, bias=False)
        self.residual = nn.Sequential(
            nn.Conv2d(a, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(b, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
        )
        self.activation = nn.LeakyReLU(SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Features (batch, b, height, width) from features (batch, a, height, width)."""
        return self.activation(self.residual(x) + self.identity(x))


class ResidualEncoder(nn.Module):
    """Images to the mean and log-variance of q(z | x), and to the embeddings on the way."""

    def __init__(self, settings: ResidualCoderSettings, channels: int, spatial: Sequence[int]) -> None:
        super().__init__()
        first, *others = settings.widths
        stem = nn.Sequential(
            nn.Conv2d(channels, first, 5, padding=2, bias=False), nn.BatchNorm2d(first), nn.LeakyReLU(SLOPE)
        )
        stages: list[nn.Module] = [stem]
        stages += [ResidualBlock(a, b) for a, b in zip(settings.widths, others, strict=False)]
        self.stages = nn.ModuleList(stages)
        self.pool = nn.AvgPool2d(2)
        last = settings.widths[-1]
        self.bottom = ResidualBlock(last, last)
        features = last * math.prod(halved(spatial, len(settings.widths)))
        self.to_latent = nn.Linear(features, 2 * settings.latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """mu and log sigma^2, each (batch, latent), and E^l(x), the outputs of the average pools."""
        embeddings = []
        for stage in self.stages:
            x = self.pool(stage(x))
            embeddings.append(x)
        mu, log_variance = self.to_latent(self.bottom(x).flatten(1)).float().chunk(2, dim=1)
        return mu, log_variance, embeddings


class ResidualDecoder(nn.Sequential):
    """Vectors (batch, latent) to images (batch, channels, height, width) in [0, 1]."""

    def __init__(self, settings: ResidualCoderSettings, channels: int, spatial: Sequence[int]) -> None:
        widths = settings.widths[::-1]
        bottom = (widths[0], *halved(spatial, len(widths)))
        layers: list[nn.Module] = [
            nn.Linear(settings.latent, math.prod(bottom)),
            nn.ReLU(),
            nn.Unflatten(1, bottom),
        ]
        for a, b in zip((widths[0], *widths), widths, strict=False):
            layers += [ResidualBlock(a, b), nn.Upsample(scale_factor=2, mode="nearest")]
        last = widths[-1]
        layers += [ResidualBlock(last, last), nn.Conv2d(last, channels, 5, padding=2), nn.Sigmoid()]
        super().__init__(*layers)
