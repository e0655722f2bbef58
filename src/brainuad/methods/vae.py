"""Variational auto-encoder (VAE), in the variants of Kascenas 2023, Behrendt 2023 and Bercea 2023.

Kascenas et al. 2023, section 4.3 and figure B.10: the DAE's network without skip connections and with a
latent vector of 128. Behrendt et al. 2023, section 4.2: the dense auto-encoder of Baur et al. 2021. Bercea et al.
2023 (reversed auto-encoders), section 4: the network and the loss of Zimmerer et al. 2019.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from torch import Tensor

from brainuad.methods.base import (
    QUICK_TRAINING,
    QUICK_TRAINING_3D,
    AnyDimensionSettings,
    Batch,
    ImageShape,
    Model,
)
from brainuad.methods.dae import KASCENAS_TRAINING, KASCENAS_TRAINING_3D
from brainuad.methods.reconstruction import foreground
from brainuad.networks.settings import ConvolutionalCoderSettings, StagedCoderSettings, StridedCoderSettings
from brainuad.networks.vae import (
    convolutional_vae,
    kl_to_standard_normal,
    sample_latent,
    staged_vae,
    strided_vae,
)
from brainuad.randomness import Draws
from brainuad.training.settings import TrainingSettings


class VaeSettings(AnyDimensionSettings):
    """The settings of Kascenas 2023; the other papers set architecture, error, reduction and training."""

    # staged: the DAE's blocks (Kascenas); strided: 5 x 5 convolutions of stride 2 (Baur, Behrendt); convolutional:
    # 4 x 4 convolutions of stride 2 down to one pixel (Zimmerer, Bercea).
    architecture: Literal["staged", "strided", "convolutional"] = "staged"
    staged: StagedCoderSettings = StagedCoderSettings(widths=(64, 128, 256, 512), latent=128)
    strided: StridedCoderSettings = StridedCoderSettings(widths=(32, 64, 128, 128), latent=128)
    convolutional: ConvolutionalCoderSettings = ConvolutionalCoderSettings()
    # l2: fg * (x - x_hat)^2, as the DAE; l1: |x - x_hat| (Behrendt); gaussian: (x - x_hat)^2 / 2, the negative
    # log-likelihood of a normal distribution of variance 1 without its constant (Zimmerer, Bercea).
    error: Literal["l2", "l1", "gaussian"] = "l2"
    # mean: over pixels and over latent dimensions; neither Kascenas nor Behrendt says, and a beta of 0.001 balances
    # an error that is a mean. sum: over both, so that the loss is the negative evidence bound (Zimmerer, Bercea).
    reduction: Literal["mean", "sum"] = "mean"
    # Kascenas, Behrendt: 0.001. Bercea: 1.
    beta: float = Field(0.001, ge=0)
    training: TrainingSettings = KASCENAS_TRAINING

    defaults_in_3d: ClassVar = {
        "staged": StagedCoderSettings(widths=(32, 64, 128, 256), latent=128),
        "training": KASCENAS_TRAINING_3D,
    }
    quick_in_3d: ClassVar = {"staged": {"widths": [8, 16, 32], "latent": 64}, "training": QUICK_TRAINING_3D}

    @model_validator(mode="after")
    def _volumes_are_staged(self) -> Self:
        if self.dimension == 3 and self.architecture != "staged":
            raise ValueError(f"architecture {self.architecture!r} is for slices; dimension 3 needs 'staged'")
        return self


class Vae(Model):
    """Encodes to a normal distribution over the latent z and decodes it."""

    kind = "vae"
    settings_class = VaeSettings
    quick: ClassVar = {
        "staged": {"widths": [16, 32, 64], "latent": 64},
        "strided": {"widths": [16, 32, 64, 64], "latent": 64},
        "convolutional": {"widths": [16, 32, 64], "latent": 64},
        "training": {**QUICK_TRAINING, "epoch": "slices"},
    }

    def __init__(self, settings: VaeSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels = len(shape.channels)
        if settings.architecture == "staged":
            self.network = staged_vae(settings.staged, channels, shape.size)
        elif settings.architecture == "strided":
            self.network = strided_vae(settings.strided, channels, shape.size)
        else:
            self.network = convolutional_vae(settings.convolutional, channels, shape.size)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """Reconstruction error + beta * KL(q(z | x) || N(0, I)), each reduced alike, averaged over the batch."""
        x = batch.images
        mu, log_variance = self.network.encode(x)
        z = sample_latent(mu, log_variance, draws.generator("z"))
        error = self.reconstruction_error(x, self.network.decode(z), foreground(x))  # (batch, channel, *size)
        kl = kl_to_standard_normal(mu, log_variance)  # (batch, latent)
        if self.settings.reduction == "sum":
            return (error.flatten(1).sum(dim=1) + self.settings.beta * kl.sum(dim=1)).mean()
        return error.mean() + self.settings.beta * kl.mean()

    def reconstruction_error(self, x: Tensor, x_hat: Tensor, fg: Tensor) -> Tensor:
        """The error of every pixel (batch, channel, *size) that the loss reduces.

        `fg` (batch, 1, *size) is the foreground, outside of which an l2 error is 0 and the decoder is untrained.
        """
        if self.settings.error == "l1":
            return (x - x_hat).abs()
        if self.settings.error == "gaussian":
            return (x - x_hat).square() / 2
        return fg * (x - x_hat).square()

    def reconstruct(self, x: Tensor) -> Tensor:
        """The decoded mean of q(z | x)."""
        return self.network(x)

    def latent(self, x: Tensor) -> Tensor:
        """The mean of q(z | x): (batch, latent)."""
        return self.network.encode(x)[0]

    def encode_decode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The decoded mean of q(z | x), and the mean and log-variance (batch, latent) of q(z | x)."""
        mu, log_variance = self.network.encode(x)
        return self.network.decode(mu), mu, log_variance
