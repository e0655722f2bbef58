"""Denoising auto-encoder (DAE) with Gaussian, simplex or coarse noise.

Kascenas et al. 2023, The role of noise in denoising models for anomaly detection in medical images,
Medical Image Analysis 90, section 3.2. The network and the optimiser follow the authors' released code,
which has a fourth, 512-wide block at the bottom and a cosine period of 6,400 iterations.
"""

from typing import ClassVar, Literal

from torch import Tensor

from brainuad.methods.base import QUICK_TRAINING, Batch, ImageShape, Model, ModelSettings
from brainuad.methods.reconstruction import foreground
from brainuad.networks.dae_unet import DaeUnet
from brainuad.networks.settings import DaeUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws
from brainuad.training.settings import OptimiserSettings, TrainingSettings

# 2-D MRI: 2,100 pseudo-epochs of 32 iterations; the cosine has a period of 200 of them (released code).
KASCENAS_TRAINING = TrainingSettings(
    iterations=67_200,
    batch_size=16,
    validate_every=32,
    validation_batches=32,
    gradient_clip=0.5,
    optimiser=OptimiserSettings(
        name="adam",
        amsgrad=True,
        learning_rate=1e-4,
        weight_decay=1e-5,
        schedule="cosine",
        half_period=3_200,
        steps_per_change=32,
    ),
)


class DaeSettings(ModelSettings):
    """The settings of Kascenas 2023 for 2-D MRI."""

    network: DaeUnetSettings = DaeUnetSettings(widths=(64, 128, 256, 512))
    noise: NoiseSettings = NoiseSettings(kind="coarse", scale=0.2, resolution=16)
    # l2: Kascenas, on the foreground. l1: Behrendt 2023 and Bercea 2023, on all pixels (Behrendt's l1 error on
    # healthy scans counts the background too).
    loss: Literal["l2", "l1"] = "l2"
    training: TrainingSettings = KASCENAS_TRAINING


class Dae(Model):
    """U-Net that is shown x + n and learns to give back x."""

    kind = "dae"
    settings_class = DaeSettings
    quick: ClassVar = {
        "network": {"widths": [16, 32, 64]},
        "training": QUICK_TRAINING,
    }

    def __init__(self, settings: DaeSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels = len(shape.channels)
        self.network = DaeUnet(settings.network, channels, channels)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """mean(fg * (f(x + n * fg) - x)^2) over all pixels and channels (eq. 1), or the mean absolute error."""
        x = batch.images
        fg = foreground(x)
        n = draw_noise(self.settings.noise, tuple(x.shape), draws.generator("noise"), x.device)
        rec = self.network(x + n * fg)
        if self.settings.loss == "l1":
            return (rec - x).abs().mean()
        return (fg * (rec - x).square()).mean()

    def reconstruct(self, x: Tensor) -> Tensor:
        """The denoised image; no noise is added at test time."""
        return self.network(x)
