"""ANDi: aggregated normative diffusion.

Frotscher et al. 2023, Unsupervised Anomaly Detection using Aggregated Normative Diffusion. A
diffusion model trained with pyramidal noise is asked, at many times, where a Gaussian-noised image should move
next; where its answer deviates from the truth at all of these times, the image is abnormal. The model is `ddpm`
(`ddpm.py`) with the architecture `andi`. Times are array indices, as in the released code.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from brainuad.diffusion.process import at
from brainuad.diffusion.schedule import Schedule
from brainuad.diffusion.timesteps import predicted_noise
from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.methods.reconstruction import foreground
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws
from brainuad.settings import Settings


class AndiSettings(Settings):
    """At which times the deviations are taken, and how they become one map."""

    # T_l and T_u: first_t <= t < last_t, 125 times.
    first_t: int = Field(75, ge=0)
    last_t: int = Field(200, gt=0)
    # 1: every time (paper). More is faster and noisier.
    t_step: int = Field(1, ge=1)
    # The noise of the test images: Gaussian, whatever the model was trained with. null: what it was trained
    # with (Table 2).
    noise: NoiseSettings | None = NoiseSettings()
    # arithmetic and mean: the first rows of Table 2.
    over_times: Literal["geometric", "arithmetic"] = "geometric"
    over_modalities: Literal["max", "mean"] = "max"
    # none: the paper masks nothing. foreground: zero where the channel sum is at most 0.01.
    mask: Literal["none", "foreground"] = "none"
    batch_size: int = Field(64, gt=0)

    @model_validator(mode="after")
    def _times_rise(self) -> Self:
        if self.first_t >= self.last_t:
            raise ValueError(f"first_t = {self.first_t} is not before last_t = {self.last_t}")
        return self


class Andi(ScoringRule):
    """The geometric mean over t of d_t = (mu_q - mu_theta)^2."""

    kind = "andi"
    settings_class = AndiSettings
    needs = "predict_eps"
    quick: ClassVar = {"t_step": 10}
    # d_t is about 5e-5 times the squared error of the noise, 1e-7 in healthy tissue. Very bright voxels have
    # errors of 10 and more; float16 overflows at 30.
    scale_exponent = 20

    def __init__(self, settings: AndiSettings, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        steps = self.model.schedule.steps
        if settings.last_t > steps:
            raise InputError(
                f"rule 'andi': last_t = {settings.last_t} lies behind the model's {steps} times. "
                "Choose a smaller one in the method's settings."
            )

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The aggregated deviations of one volume."""
        x_0 = self.model.to_network_range(scan.images)

        def noise_at(t: int) -> Tensor:
            return self._draw_noise(x_0.shape, draws.within("t", t).generator("noise"))

        times = range(self.settings.first_t, self.settings.last_t, self.settings.t_step)
        passes = predicted_noise(self.model, x_0, times, noise_at, self.settings.batch_size)
        d = mean_over_times(
            (deviation(self.model.schedule, t, eps, eps_theta) for t, eps, eps_theta in passes),
            geometric=self.settings.over_times == "geometric",
        )
        anomaly_map = d.amax(dim=1) if self.settings.over_modalities == "max" else d.mean(dim=1)
        if self.settings.mask == "foreground":
            anomaly_map = anomaly_map * foreground(scan.images)[:, 0]
        return Scored(anomaly_map)

    def _draw_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        if self.settings.noise is None:
            return self.model.draw_noise(shape, generator)
        return draw_noise(self.settings.noise, tuple(shape), generator, generator.device)


def deviation(schedule: Schedule, t: int, eps: Tensor, eps_theta: Tensor) -> Tensor:
    """d_t = (mu_q - mu_theta)^2, of the noise that made x_t and of its prediction.

    Both means are (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t), of which only eps differs.
    """
    scale = schedule.beta.square() / (schedule.alpha * (1 - schedule.alpha_bar))
    return at(scale, t, eps) * (eps - eps_theta).square()


def mean_over_times(deviations: Iterable[Tensor], *, geometric: bool) -> Tensor:
    """exp(mean log d_t), or the arithmetic mean, of deviations that are held one at a time; float32.

    Where one d_t is 0, its logarithm is minus infinity and the geometric mean 0.
    """
    total, count = torch.zeros((), dtype=torch.float64), 0
    for d_t in deviations:
        total = total.to(d_t.device) + (d_t.double().log() if geometric else d_t.double())
        count += 1
    mean = total / count
    return (mean.exp() if geometric else mean).float()
