"""Reconstruction by diffusion: noise the image to a time t, take the noise away step by step, compare.

Wyatt et al. 2022, AnoDDPM: Anomaly Detection with Denoising Diffusion Probabilistic Models using Simplex
Noise, CVPR workshops. The defaults are those of Kascenas et al. 2023, The role of noise in denoising models
for anomaly detection in medical images, section 3.4. The noise is of the kind that the model was trained with,
when the image is noised and in each step back.
"""

import math
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from brainuad.diffusion.process import ReverseProcess, q_sample
from brainuad.diffusion.schedule import up_to
from brainuad.diffusion.settings import ReverseSettings
from brainuad.diffusion.timesteps import in_chunks
from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.methods.reconstruction import ResidualSettings, per_pass, residual
from brainuad.randomness import Draws

TURN_DEGREES = 15


class DiffusionReconstructionSettings(ResidualSettings):
    """The settings of Kascenas 2023; AnoDDPM has the squared error."""

    # The image is noised to this time and t_test steps lead back (1 ... T; the array index is t_test - 1).
    t_test: int = Field(250, ge=0)
    # null: every step (all papers). A number: so many steps, spread evenly; faster and coarser.
    steps: int | None = Field(None, ge=1)
    # Reconstructions that are averaged. 5: Kascenas 2023, AnoDDPM. 1: Frotscher 2023, Bercea 2023.
    repeats: int = Field(5, ge=1)
    # large: Kascenas 2023 and AnoDDPM (released code). small: Frotscher 2023, Bercea 2023.
    reverse: ReverseSettings = ReverseSettings(variance="large")
    # true: one field per step back serves all slices, each with a random turn and flip (Frotscher 2023, because
    # simplex noise was slow). The noise that makes x_t is always each slice's own, as in training.
    reuse_noise: bool = False
    # true: the reconstruction is clamped to [0, 1] (Bercea 2023).
    clamp: bool = False


class DiffusionReconstruction(ScoringRule):
    """|x - x_hat|, where x_hat is x noised to t_test and denoised again, the mean of several times."""

    kind = "diffusion-reconstruction"
    settings_class = DiffusionReconstructionSettings
    needs = "predict_eps"
    dimensions = (2, 3)
    quick: ClassVar = {"steps": 20, "repeats": 1}

    def __init__(self, settings: DiffusionReconstructionSettings, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        if settings.reuse_noise and len(shape.size) == 3:
            raise InputError(
                "rule 'diffusion-reconstruction': reuse_noise turns one field for many slices, but the model looks "
                "at whole volumes. Set reuse_noise to false in the method's settings."
            )

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map and the mean reconstruction of one volume."""
        x = scan.images
        x_hat = torch.zeros_like(x)
        for repeat in range(self.settings.repeats):
            reconstruction = self._reconstruct(x, draws.within("repeat", repeat))
            x_hat += (reconstruction - x_hat) / (repeat + 1)  # the mean so far
        if self.settings.clamp:
            x_hat = x_hat.clamp(0, 1)
        return Scored(residual(x, x_hat, self.settings), x_hat)

    def _reconstruct(self, x: Tensor, draws: Draws) -> Tensor:
        """One draw of x_0 given x_t at t_test."""
        schedule = up_to(self.model.schedule, self.settings.t_test, self.settings.steps)
        if schedule.steps == 0:
            return x
        process = ReverseProcess(schedule, self.settings.reverse)
        predict_eps = in_chunks(self.model.predict_eps, per_pass(self.settings.batch_size, x))
        x_0 = self.model.to_network_range(x)
        eps = self.model.draw_noise(x_0.shape, draws.generator("forward", "noise"))
        x_t = q_sample(schedule, x_0, schedule.steps - 1, eps)
        for t in reversed(range(schedule.steps)):
            x_t = process.step(predict_eps, x_t, t, partial(self._step_noise, draws.within("step", t)))
        return self.model.from_network_range(x_t)

    def _step_noise(self, draws: Draws, shape: torch.Size) -> Tensor:
        """Noise (sample, channel, *size) of the model's kind for one step back."""
        generator = draws.generator("noise")
        if not self.settings.reuse_noise:
            return self.model.draw_noise(shape, generator)
        slices, channels, *size = shape
        side = math.ceil(math.hypot(*size))  # the image fits into such a square at any angle
        field = self.model.draw_noise(torch.Size((1, channels, side, side)), generator)
        return turned_views(field, slices, (size[0], size[1]), draws.generator("turns"))


def turned_views(field: Tensor, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """`count` views (count, channel, *size) of a square field (1, channel, side, side).

    Each is the middle of the field after a turn by a random multiple of 15 degrees and, with probability 1/2
    per axis, a flip. The nearest pixel is taken, so that the distribution of the values stays.
    """
    device = generator.device
    side = field.shape[-1]
    turn = torch.randint(360 // TURN_DEGREES, (count,), generator=generator, device=device) * TURN_DEGREES
    flip = torch.randint(2, (2, count), generator=generator, device=device) * 2.0 - 1
    cosine, sine = torch.deg2rad(turn).cos(), torch.deg2rad(turn).sin()
    height, width = (length / side for length in size)
    rows = [
        torch.stack([flip[0] * cosine * width, -flip[1] * sine * height, torch.zeros_like(cosine)], dim=1),
        torch.stack([flip[0] * sine * width, flip[1] * cosine * height, torch.zeros_like(cosine)], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), [count, field.shape[1], *size], align_corners=False)
    return F.grid_sample(field.expand(count, -1, -1, -1), grid.to(field), mode="nearest", align_corners=False)
