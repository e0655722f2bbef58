"""Denoising auto-encoder (DAE) with Gaussian, simplex or coarse noise.

Kascenas et al. 2023, The role of noise in denoising models for anomaly detection in medical images,
Medical Image Analysis 90, section 3.2. The network and the optimiser follow the authors' released code,
which has a fourth, 512-wide block at the bottom and a cosine period of 6,400 iterations.
"""

from typing import ClassVar, Literal

from torch import Tensor

from brainuad.methods.base import (
    QUICK_TRAINING,
    QUICK_TRAINING_3D,
    AnyDimensionSettings,
    Batch,
    ImageShape,
    Model,
)
from brainuad.methods.reconstruction import foreground
from brainuad.networks.coders import halved
from brainuad.networks.dae_unet import DaeUnet
from brainuad.networks.settings import DaeUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws
from brainuad.training.settings import AugmentationSettings, OptimiserSettings, TrainingSettings

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

# 3-D CT: flips and affine transforms. Their ranges and the other settings of the optimiser are not stated; flips are
# left to right, and a shift of 0.05 is up to 4 to 6 voxels.
KASCENAS_AUGMENTATION_3D = AugmentationSettings(affine=1.0, translation=0.05, flip=0.5)
KASCENAS_TRAINING_3D = TrainingSettings(
    iterations=25_600,
    batch_size=3,
    validate_every=32,
    validation_batches=32,
    gradient_clip=0.5,
    augmentation=KASCENAS_AUGMENTATION_3D,
    optimiser=OptimiserSettings(
        name="adam", amsgrad=True, learning_rate=1e-3, weight_decay=1e-5, schedule="one-cycle"
    ),
)


class DaeSettings(AnyDimensionSettings):
    """The settings of Kascenas 2023, for 2-D MRI and, with `dimension: 3`, for 3-D CT."""

    network: DaeUnetSettings = DaeUnetSettings(widths=(64, 128, 256, 512))
    noise: NoiseSettings = NoiseSettings(kind="coarse", scale=0.2, resolution=16)
    # l2: Kascenas, on the foreground. l1: Behrendt 2023 and Bercea 2023, on all pixels (Behrendt's l1 error on
    # healthy scans counts the background too).
    loss: Literal["l2", "l1"] = "l2"
    training: TrainingSettings = KASCENAS_TRAINING

    # The paper gives 32, 64 and 128; the bottom block is wider by as much as in 2-D.
    defaults_in_3d: ClassVar = {
        "network": DaeUnetSettings(widths=(32, 64, 128, 256)),
        "training": KASCENAS_TRAINING_3D,
    }
    # After 250 steps at the rate of other models it denoises head CT no better than the identity does. After 500 the
    # edges of the skull still hide blood in the sulci.
    quick_in_3d: ClassVar = {
        "network": {"widths": [8, 16, 32]},
        "training": {
            **QUICK_TRAINING_3D,
            "iterations": 1_000,
            "optimiser": {"learning_rate": 2e-3, "schedule": "one-cycle"},
        },
    }


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
        halved(shape.size, len(settings.network.widths) - 1, least=2)
        channels = len(shape.channels)
        self.network = DaeUnet(settings.network, channels, channels, dims=len(shape.size))

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
