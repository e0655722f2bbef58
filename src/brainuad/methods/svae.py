"""Sequential variational auto-encoder (SVAE): a VAE of slices whose latent vectors see their neighbours.

Behrendt et al. 2022, Capturing Inter-Slice Dependencies of 3D Brain MRI-Scans for Unsupervised Anomaly Detection,
MIDL short paper; a baseline of Behrendt et al. 2023, section 4.2. Only its abstract-level description is public, so
this network is designed anew after it: self-attention over the slices of a volume between the encoder and the
latent variables of a VAE, with about as many parameters as that VAE.
"""

from typing import Any, ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from brainuad.methods.base import (
    QUICK_TRAINING,
    Batch,
    ImageShape,
    Model,
    ModelSettings,
    Scan,
    Scored,
    ScoringRule,
)
from brainuad.methods.patched_ddpm import BEHRENDT_TRAINING, grid_starts
from brainuad.methods.reconstruction import ResidualSettings, residual
from brainuad.networks.coders import StridedDecoder, StridedEncoder
from brainuad.networks.settings import StridedCoderSettings
from brainuad.networks.vae import kl_to_standard_normal, sample_latent
from brainuad.randomness import Draws
from brainuad.training.settings import TrainingSettings


class SvaeSettings(ModelSettings):
    """Behrendt 2023's settings of its VAE; those of the attention are this project's choice."""

    coder: StridedCoderSettings = StridedCoderSettings(widths=(32, 64, 128, 128), latent=128)
    # Consecutive slices in one sequence; 50 are a whole volume of Behrendt 2023.
    sequence: int = Field(25, ge=1)
    heads: int = Field(4, ge=1)
    # Width of the hidden layer behind the attention: small, so that the VAE hardly grows.
    hidden: int = Field(256, ge=1)
    beta: float = Field(0.001, ge=0)
    training: TrainingSettings = BEHRENDT_TRAINING

    @model_validator(mode="after")
    def _heads_divide_latent(self) -> Self:
        if self.coder.latent % self.heads:
            raise ValueError(f"coder.latent = {self.coder.latent} does not divide into {self.heads} heads")
        return self


class Svae(Model):
    """Encodes each slice, lets the slices of a sequence attend to each other, and decodes each slice."""

    kind = "svae"
    settings_class = SvaeSettings
    quick: ClassVar = {
        "coder": {"widths": [16, 32, 64, 64], "latent": 64},
        "sequence": 5,
        "heads": 4,
        "hidden": 64,
        "training": QUICK_TRAINING,
    }

    def __init__(self, settings: SvaeSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels, width = len(shape.channels), settings.coder.latent
        self.encoder = StridedEncoder(settings.coder, channels, shape.size, width)
        self.positions = nn.Parameter(0.02 * torch.randn(settings.sequence, width))
        # Normalised before each part, so that features pass unchanged where the neighbours add nothing.
        self.attention = nn.TransformerEncoderLayer(
            width, settings.heads, settings.hidden, dropout=0.0, batch_first=True, norm_first=True
        )
        self.posterior = nn.Linear(width, 2 * width)
        self.decoder = StridedDecoder(settings.coder, channels, shape.size)

    @classmethod
    def sequence_length(cls, settings: Any) -> int:
        """Consecutive slices in one training sample."""
        return settings.sequence

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """mean |x - x_hat| + beta * KL(q(z | x) || N(0, I)) over all slices of the sequences."""
        x = batch.images.flatten(0, 1)  # (batch * slice, channel, x, y)
        features = self.encoder(x).unflatten(0, batch.images.shape[:2])
        mu, log_variance = self.encode(features)
        z = sample_latent(mu, log_variance, draws.generator("z"))
        kl = kl_to_standard_normal(mu, log_variance).mean()
        return (x - self.decoder(z.flatten(0, 1))).abs().mean() + self.settings.beta * kl

    def encode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and log-variance (batch, slice, latent) of q(z | x) from the features of the slices."""
        attended = self.attention(features + self.positions[: features.shape[1]])
        # The KL of a small log-variance needs more digits than mixed precision leaves.
        mu, log_variance = self.posterior(attended).float().chunk(2, dim=2)
        return mu, log_variance

    def reconstruct_volume(self, x: Tensor, batch_size: int) -> Tensor:
        """The decoded means of q(z | x) for all slices (slice, channel, x, y) of a volume.

        The volume is covered by sequences of the length of training, the same that the positions were learned for;
        the means of a slice that lies in two of them are averaged. A shorter volume is one sequence.
        """
        features = torch.cat([self.encoder(slices) for slices in x.split(batch_size)])
        total, count = torch.zeros_like(features), torch.zeros_like(features)
        length = self.settings.sequence
        for start in grid_starts(len(x), length):
            sequence = slice(start, start + length)
            total[sequence] += self.encode(features[None, sequence])[0][0]
            count[sequence] += 1
        return torch.cat([self.decoder(z) for z in (total / count).split(batch_size)])


class SequenceReconstruction(ScoringRule):
    """|x - x_hat| for a model that reconstructs the slices of a volume together."""

    kind = "sequence-reconstruction"
    settings_class = ResidualSettings
    needs = "reconstruct_volume"

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map and the reconstruction of one volume."""
        x_hat = self.model.reconstruct_volume(scan.images, self.settings.batch_size)
        return Scored(residual(scan.images, x_hat, self.settings), x_hat)
