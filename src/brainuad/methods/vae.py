"""Variational auto-encoder (VAE) reconstruction, in the variants of Kascenas 2023 and Behrendt 2023.

Kascenas et al. 2023, section 4.3 and figure B.10: the DAE's network without skip connections and with a
latent vector of 128. Behrendt et al. 2023, section 4.2: the dense auto-encoder of Baur et al. 2021.
Neither paper says how the KL is reduced; here it is a mean over latent dimensions and batch, so that its
weight of 0.001 balances an error that is a mean over pixels.
"""

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor

from brainuad.methods.base import Batch, ImageShape, Model, ModelSettings
from brainuad.methods.dae import KASCENAS_TRAINING
from brainuad.methods.reconstruction import foreground
from brainuad.networks.settings import StagedCoderSettings, StridedCoderSettings
from brainuad.networks.vae import kl_to_standard_normal, sample_latent, staged_vae, strided_vae
from brainuad.randomness import Draws
from brainuad.training.settings import TrainingSettings


class VaeSettings(ModelSettings):
    """The settings of Kascenas 2023; Behrendt's variant sets `architecture`, `error` and the training."""

    # staged: the DAE's blocks (Kascenas); strided: 5 x 5 convolutions of stride 2 (Baur, Behrendt).
    architecture: Literal["staged", "strided"] = "staged"
    staged: StagedCoderSettings = StagedCoderSettings(widths=(64, 128, 256, 512), latent=128)
    strided: StridedCoderSettings = StridedCoderSettings(widths=(32, 64, 128, 128), latent=128)
    # l2: mean(fg * (x - x_hat)^2), as the DAE; l1: mean |x - x_hat|.
    error: Literal["l2", "l1"] = "l2"
    beta: float = Field(0.001, ge=0)
    training: TrainingSettings = KASCENAS_TRAINING


class Vae(Model):
    """Encodes to a normal distribution over the latent z and decodes it."""

    kind = "vae"
    settings_class = VaeSettings
    quick: ClassVar = {
        "staged": {"widths": [16, 32, 64], "latent": 64},
        "strided": {"widths": [16, 32, 64, 64], "latent": 64},
        "training": {
            "iterations": 250,
            "batch_size": 8,
            "epoch": "slices",
            "validate_every": 50,
            "validation_batches": 4,
            "optimiser": {"learning_rate": 1e-3, "schedule": "one-cycle"},
        },
    }

    def __init__(self, settings: VaeSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels = len(shape.channels)
        if settings.architecture == "staged":
            self.network = staged_vae(settings.staged, channels, shape.size)
        else:
            self.network = strided_vae(settings.strided, channels, shape.size)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """Reconstruction error + beta * KL(q(z | x) || N(0, I))."""
        x = batch.images
        mu, log_variance = self.network.encode(x)
        z = sample_latent(mu, log_variance, draws.generator("z"))
        kl = kl_to_standard_normal(mu, log_variance).mean()
        return self._error(x, self.network.decode(z)) + self.settings.beta * kl

    def _error(self, x: Tensor, x_hat: Tensor) -> Tensor:
        if self.settings.error == "l1":
            return (x - x_hat).abs().mean()
        return (foreground(x) * (x - x_hat).square()).mean()

    def reconstruct(self, x: Tensor) -> Tensor:
        """The decoded mean of q(z | x)."""
        return self.network(x)
