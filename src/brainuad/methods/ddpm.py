"""Denoising diffusion model (DDPM) that predicts the noise, with Gaussian, simplex, coarse or pyramidal noise.

One model serves several scoring rules: iterative reconstruction (`anoddpm.py`), KL and KL + inpainting
(`kl.py`), ANDi (`andi.py`) and AutoDDPM (`autoddpm.py`). The defaults are those of Kascenas et al. 2023,
The role of noise in denoising models for anomaly detection in medical images, section 3.4; the network is
that of Diff-SCM for 128 x 128 images. The other papers' settings are in their studies.
"""

from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from brainuad.diffusion.process import q_sample
from brainuad.diffusion.schedule import make_schedule
from brainuad.diffusion.settings import ScheduleSettings
from brainuad.methods.base import (
    QUICK_TRAINING,
    QUICK_TRAINING_3D,
    AnyDimensionSettings,
    Batch,
    ImageShape,
    Model,
)
from brainuad.methods.dae import KASCENAS_AUGMENTATION_3D
from brainuad.networks.adm_unet import AdmUnet
from brainuad.networks.andi_unet import AndiUnet
from brainuad.networks.coders import halved
from brainuad.networks.settings import AdmUnetSettings, AndiUnetSettings, MonaiUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws
from brainuad.training.settings import OptimiserSettings, TrainingSettings

# The paper gives batch, schedule, rate and decay of the average for CT, not the widths and the iterations: these are
# those of its DAE.
ADM_3D = AdmUnetSettings(width=32, multipliers=(1, 2, 3, 4), attention_factors=(8,), recompute=True)
TRAINING_3D = TrainingSettings(
    iterations=25_600,
    batch_size=4,
    validate_every=500,
    validation_batches=8,
    keep="last",
    ema_decay=0.95,
    augmentation=KASCENAS_AUGMENTATION_3D,
    optimiser=OptimiserSettings(name="adamw", learning_rate=1e-4, weight_decay=0.01, schedule="one-cycle"),
)


class DdpmSettings(AnyDimensionSettings):
    """The settings of Kascenas 2023 for 2-D MRI and, with `dimension: 3`, for 3-D CT.

    The number of iterations in 2-D is that of Diff-SCM.
    """

    # adm: guided diffusion (Kascenas, AnoDDPM); andi: Frotscher 2023; monai: Bercea 2023 (AutoDDPM).
    architecture: Literal["adm", "andi", "monai"] = "adm"
    adm: AdmUnetSettings = AdmUnetSettings()
    andi: AndiUnetSettings = AndiUnetSettings()
    monai: MonaiUnetSettings = MonaiUnetSettings()
    # What the network sees: symmetric is [-1, 1]; unit leaves the recipe's [0, 1] (Bercea 2023).
    value_range: Literal["symmetric", "unit"] = "symmetric"
    schedule: ScheduleSettings = ScheduleSettings()
    noise: NoiseSettings = NoiseSettings()
    # The array index of t is drawn from first_t <= t < last_t.
    first_t: int = Field(0, ge=0)
    last_t: int = Field(1000, gt=0)
    training: TrainingSettings = TrainingSettings(
        iterations=50_000,
        batch_size=64,
        validate_every=500,
        validation_batches=8,
        keep="last",
        ema_decay=0.9999,
        optimiser=OptimiserSettings(name="adamw", learning_rate=1e-4, weight_decay=0.01),
    )

    defaults_in_3d: ClassVar = {"adm": ADM_3D, "training": TRAINING_3D}
    quick_in_3d: ClassVar = {
        "adm": {
            "width": 8,
            "multipliers": [1, 1, 2],
            "res_blocks": 1,
            "attention_factors": [],
            "heads": 1,
            "head_channels": None,
            "dropout": 0,
            "recompute": False,
        },
        "training": {**QUICK_TRAINING_3D, "ema_decay": None},
    }

    @model_validator(mode="after")
    def _volumes_are_adm(self) -> Self:
        if self.dimension == 3 and self.architecture != "adm":
            raise ValueError(f"architecture {self.architecture!r} is for slices; dimension 3 needs 'adm'")
        return self

    @model_validator(mode="after")
    def _times_lie_in_the_schedule(self) -> Self:
        if not self.first_t < self.last_t <= self.schedule.steps:
            raise ValueError(
                f"times {self.first_t} <= t < {self.last_t} are not a part of 0 <= t < {self.schedule.steps}"
            )
        return self


class Ddpm(Model):
    """Predicts the noise eps in x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps."""

    kind = "ddpm"
    settings_class = DdpmSettings
    quick: ClassVar = {
        "adm": {
            "width": 16,
            "multipliers": [1, 1, 2],
            "res_blocks": 1,
            "attention_factors": [4],
            "heads": 1,
            "head_channels": None,
            "dropout": 0,
        },
        "andi": {"widths": [16, 32, 32], "attention_levels": [2], "heads": 2, "time_channels": 64},
        "monai": {"channels": [16, 16, 32], "attention_levels": [2], "head_channels": 16},
        "training": {**QUICK_TRAINING, "ema_decay": None},
    }

    def __init__(self, settings: DdpmSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        self.network = build_network(settings, shape)
        self.schedule = make_schedule(settings.schedule)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """mean (eps - eps_theta(x_t, t))^2 (Kascenas 2023, section 3.4; Ho 2020, equation 14)."""
        x_0 = self.to_network_range(batch.images)
        first, last = self.settings.first_t, self.settings.last_t
        t = torch.randint(first, last, (len(x_0),), generator=draws.generator("t"), device=draws.device)
        eps = self.draw_noise(x_0.shape, draws.generator("noise"))
        return (eps - self.predict_eps(q_sample(self.schedule, x_0, t, eps), t)).square().mean()

    def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
        """The noise in x_t (batch, channel, *size) at the array indices t (batch,)."""
        return self.network(x_t, t)

    def draw_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """A field of the noise that the model was trained with."""
        return draw_noise(self.settings.noise, tuple(shape), generator, generator.device)

    def to_network_range(self, x: Tensor) -> Tensor:
        """From the recipe's range to the network's."""
        return x * 2 - 1 if self.settings.value_range == "symmetric" else x

    def from_network_range(self, v: Tensor) -> Tensor:
        """From the network's range to the recipe's."""
        return (v + 1) / 2 if self.settings.value_range == "symmetric" else v


def build_network(settings: DdpmSettings, shape: ImageShape) -> nn.Module:
    """The network that predicts the noise; an `InputError` if it cannot be made for images of this shape."""
    channels = len(shape.channels)
    match settings.architecture:
        case "adm":
            halved(shape.size, len(settings.adm.multipliers) - 1)
            return AdmUnet(settings.adm, channels, channels, dims=len(shape.size))
        case "andi":
            return AndiUnet(settings.andi, channels)
        case "monai":
            from brainuad.networks.monai_unet import MonaiUnet  # MONAI takes seconds to import

            halved(shape.size, len(settings.monai.channels) - 1)
            return MonaiUnet(settings.monai, channels)
