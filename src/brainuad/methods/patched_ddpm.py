"""Patched DDPM (pDDPM), and the one-shot DDPM that is its case of one patch covering the whole image.

Behrendt et al. 2023, Patched Diffusion Models for Unsupervised Anomaly Detection in Brain MRI, MIDL.
The network predicts the image x_0 (not the noise) from an image in which one patch has been noised; at test
time each patch is noised and restored in one step, and the patches are put together.
"""

import math
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from brainuad.diffusion.process import q_sample
from brainuad.diffusion.schedule import check_time, make_schedule
from brainuad.diffusion.settings import ScheduleSettings
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
from brainuad.methods.reconstruction import ResidualSettings, residual
from brainuad.networks.adm_unet import AdmUnet
from brainuad.networks.coders import halved
from brainuad.networks.settings import AdmUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.training.settings import OptimiserSettings, TrainingSettings

Box = tuple[int, int, int, int]  # first and last-exclusive row, first and last-exclusive column

# Of all models of the paper: 1,600 epochs of 11 batches.
BEHRENDT_TRAINING = TrainingSettings(
    iterations=17_600,
    batch_size=32,
    epoch="volumes",
    validate_every=11,
    validation_batches=2,
    # The paper says 1e-5; the released code, which holds the diffusion models alone, has 1e-4.
    optimiser=OptimiserSettings(name="adam", learning_rate=1e-4),
)


class PatchSettings(Settings):
    """Where the noised patch lies, and where the loss is taken."""

    # none: the whole image (DDPM); fixed: from a grid without overlap; random: anywhere.
    sampling: Literal["none", "fixed", "random"] = "fixed"
    size: int = Field(48, gt=0)
    # image: L_rec over all pixels; patch: L_p, in which pixels outside the patch count as restored.
    loss: Literal["image", "patch"] = "patch"


class PatchedDdpmSettings(ModelSettings):
    """The released code's settings where it and the paper differ; the paper's values are named beside."""

    patch: PatchSettings = PatchSettings()
    # Attention in the middle block only: the released code's factors (6, 12, 24) are never reached.
    network: AdmUnetSettings = AdmUnetSettings(
        width=128,
        multipliers=(1, 2, 2),
        res_blocks=3,
        attention_factors=(),
        head_channels=64,
        scale_shift=True,
        resblock_updown=True,
        dropout=0.0,
    )
    # The paper says linear, 1e-4 to 2e-2; the results were made with the cosine schedule.
    schedule: ScheduleSettings = ScheduleSettings(kind="cosine", steps=1000)
    noise: NoiseSettings = NoiseSettings(kind="simplex", lattice_dims=2, shared=True)
    training: TrainingSettings = BEHRENDT_TRAINING


class PatchedDdpm(Model):
    """Predicts x_0 from an image whose patch is x_t and whose rest is x_0."""

    kind = "patched-ddpm"
    settings_class = PatchedDdpmSettings
    quick: ClassVar = {
        "network": {
            "width": 16,
            "multipliers": [1, 1, 2],
            "res_blocks": 1,
            "attention_factors": [],
            "head_channels": 16,
        },
        "patch": {"size": 32},
        "training": {**QUICK_TRAINING, "iterations": 160, "epoch": "slices"},
    }

    def __init__(self, settings: PatchedDdpmSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels = len(shape.channels)
        halved(shape.size, len(settings.network.multipliers) - 1)
        self.network = AdmUnet(settings.network, channels, channels)
        self.schedule = make_schedule(settings.schedule)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """mean |x_0 - f(M x_t + (1 - M) x_0, t)| (eqs. 4 and 5)."""
        x_0 = to_network_range(batch.images)
        t = torch.randint(
            self.schedule.steps, (len(x_0),), generator=draws.generator("t"), device=draws.device
        )
        eps = draw_noise(self.settings.noise, tuple(x_0.shape), draws.generator("noise"), x_0.device)
        M = self._draw_patches(x_0, draws.generator("patch"))
        x_tilde = torch.where(M, q_sample(self.schedule, x_0, t, eps), x_0)
        rec = self.predict_x0(x_tilde, t)
        if self.settings.patch.loss == "patch":
            rec = torch.where(M, rec, x_0)
        return (x_0 - rec).abs().mean()

    def predict_x0(self, x_tilde: Tensor, t: Tensor) -> Tensor:
        """The restored image from a partly noised one at array index t, both in [-1, 1]."""
        return self.network(x_tilde, t)

    def grid(self) -> list[Box]:
        """The patches that are restored at test time: they overlap where the size does not fit."""
        size = self.settings.patch.size
        return self._boxes(*(grid_starts(side, size) for side in self.shape.size))

    def training_grid(self) -> list[Box]:
        """The patches to draw from: their stride is their size, and the last ones are cut at the border."""
        size = self.settings.patch.size
        return self._boxes(*(list(range(0, side, size)) for side in self.shape.size))

    def _boxes(self, rows: list[int], columns: list[int]) -> list[Box]:
        height, width = self.shape.size
        if self.settings.patch.sampling == "none":
            return [(0, height, 0, width)]
        size = self.settings.patch.size
        return [(r, min(r + size, height), c, min(c + size, width)) for r in rows for c in columns]

    def _draw_patches(self, x_0: Tensor, generator: torch.Generator) -> Tensor:
        """One patch per sample as a mask (batch, 1, *size)."""
        boxes = self.training_grid()
        height, width = self.shape.size
        size = self.settings.patch.size
        masks = torch.zeros((len(x_0), 1, height, width), dtype=torch.bool, device=x_0.device)
        for mask in masks[:, 0]:
            if self.settings.patch.sampling == "random":
                # A patch may reach over the border, where it is cut (released code).
                r, c = (_integer_below(limit, generator) for limit in (height, width))
                mask[r : r + size, c : c + size] = True
            else:
                top, bottom, left, right = boxes[_integer_below(len(boxes), generator)]
                mask[top:bottom, left:right] = True
        return masks


class OneShotSettings(ResidualSettings):
    """At which time the image is noised for the single restoring step."""

    t_test: int = Field(500, gt=0)
    mask: Literal["none", "foreground", "interior"] = "none"


class PatchedOneShot(ScoringRule):
    """|x - x_hat|; x_hat is put together from patches, each noised to t_test and restored in one step."""

    kind = "patched-one-shot"
    settings_class = OneShotSettings
    needs = "predict_x0"

    def __init__(self, settings: OneShotSettings, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        check_time(model.schedule, settings.t_test)

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map and the restored volume; one noise field serves all slices."""
        x = scan.images
        noise = draw_noise(self.model.settings.noise, (1, *x.shape[1:]), draws.generator("noise"), x.device)
        pieces = [self._restore(slices, noise) for slices in x.split(self.settings.batch_size)]
        x_hat = torch.cat(pieces)
        return Scored(residual(x, x_hat, self.settings), x_hat)

    def _restore(self, x: Tensor, noise: Tensor) -> Tensor:
        x_0 = to_network_range(x)
        # Array index i belongs to time t = i + 1.
        t = torch.full((len(x),), self.settings.t_test - 1, device=x.device)
        x_t = q_sample(self.model.schedule, x_0, t, noise.expand_as(x_0))
        total, count = torch.zeros_like(x_0), torch.zeros_like(x_0)
        for top, bottom, left, right in self.model.grid():
            patch = (..., slice(top, bottom), slice(left, right))
            x_tilde = x_0.clone()
            x_tilde[patch] = x_t[patch]
            total[patch] += self.model.predict_x0(x_tilde, t)[patch]
            count[patch] += 1
        return from_network_range(total / count)


def to_network_range(x: Tensor) -> Tensor:
    """[0, 1] to [-1, 1]."""
    return x * 2 - 1


def from_network_range(v: Tensor) -> Tensor:
    """[-1, 1] to [0, 1]."""
    return (v + 1) / 2


def grid_starts(length: int, size: int) -> list[int]:
    """First indices of ceil(length / size) patches that cover `length`, evenly spread."""
    if size >= length:
        return [0]
    count = math.ceil(length / size)
    return [round(k * (length - size) / (count - 1)) for k in range(count)]


def _integer_below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator, device=generator.device))
