"""KL divergence of the diffusion model, as an anomaly map and as the mask of an inpainting.

Kascenas et al. 2023, The role of noise in denoising models for anomaly detection in medical images, section
3.4, after Pinaya et al. 2022, Fast unsupervised brain anomaly detection and segmentation with diffusion models.
The divergence of the model's step from the true one is, up to a weight, the squared error of the predicted
noise. The inpainting is that of Lugmayr et al. 2022 (RePaint) without its jumps back in time.
"""

from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from brainuad.diffusion.process import ReverseProcess, q_sample
from brainuad.diffusion.schedule import check_time, up_to
from brainuad.diffusion.settings import ReverseSettings
from brainuad.diffusion.timesteps import in_chunks, predicted_noise
from brainuad.methods.base import Scan, Scored, ScoringRule
from brainuad.methods.reconstruction import ResidualSettings, combine, difference, per_pass
from brainuad.randomness import Draws


class KlSettings(ResidualSettings):
    """Which times are compared, and how their errors become a map."""

    # The paper averages over "a set of t within [400, 600]"; that it has 21 times is our choice.
    first_t: int = Field(400, ge=1)
    last_t: int = Field(600, ge=1)
    t_step: int = Field(10, ge=1)
    # squared: the divergence up to a weight. absolute: "the difference", as the paper may also be read.
    error: Literal["absolute", "squared"] = "squared"

    @model_validator(mode="after")
    def _times_are_a_range(self) -> Self:
        if self.first_t > self.last_t:
            raise ValueError(f"first_t = {self.first_t} lies behind last_t = {self.last_t}")
        return self


class Kl(ScoringRule):
    """The mean error of the predicted noise over times and modalities."""

    kind = "kl"
    settings_class = KlSettings
    needs = "predict_eps"
    dimensions = (2, 3)
    quick: ClassVar = {"t_step": 40}

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The KL map K of one volume."""
        return Scored(kl_map(self.model, scan.images, self.settings, draws))


class KlInpaintingSettings(KlSettings):
    """What is inpainted, and from which time on."""

    # The paper does not say whether the percentile is that of a slice or of a volume, nor of which pixels. For a
    # model of volumes both are the same.
    percentile: float = Field(97.5, ge=0, le=100)
    percentile_of: Literal["slice", "volume"] = "slice"
    t_inpaint: int = Field(500, ge=1)
    # null: every step (the paper). A number: so many steps, spread evenly; faster and coarser.
    steps: int | None = Field(None, ge=1)
    # As in the released code of Diff-SCM, from which the model is.
    reverse: ReverseSettings = ReverseSettings(variance="large")


class KlInpainting(ScoringRule):
    """|x - x_hat|, where x_hat is x with its highest KL values painted over by the model."""

    kind = "kl-inpainting"
    settings_class = KlInpaintingSettings
    needs = "predict_eps"
    dimensions = (2, 3)
    quick: ClassVar = {"t_step": 40, "steps": 15, "percentile": 90.0}

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map, zero outside the mask, and the inpainted volume."""
        x = scan.images
        K = kl_map(self.model, x, self.settings, draws)
        M = above_percentile(K, self.settings.percentile, self.settings.percentile_of)[:, None]
        x_hat = self._inpaint(x, M, draws.within("inpainting"))
        return Scored(combine((x - x_hat).abs(), x, self.settings), x_hat)

    def _inpaint(self, x: Tensor, M: Tensor, draws: Draws) -> Tensor:
        """x with new values where M, drawn so that they fit to the rest (RePaint, algorithm 1, without jumps)."""
        schedule = up_to(self.model.schedule, self.settings.t_inpaint, self.settings.steps)
        process = ReverseProcess(schedule, self.settings.reverse)
        predict_eps = in_chunks(self.model.predict_eps, per_pass(self.settings.batch_size, x))
        x_0 = self.model.to_network_range(x)

        def draw_noise(purpose: str, t: int, shape: torch.Size) -> Tensor:
            return self.model.draw_noise(shape, draws.generator(purpose, t))

        x_t = q_sample(schedule, x_0, schedule.steps - 1, draw_noise("known", schedule.steps, x_0.shape))
        for t in reversed(range(schedule.steps)):
            unknown = process.step(predict_eps, x_t, t, partial(draw_noise, "unknown", t))
            known = q_sample(schedule, x_0, t - 1, draw_noise("known", t, x_0.shape)) if t else x_0
            x_t = torch.where(M, unknown, known)
        return torch.where(M, self.model.from_network_range(x_t), x)


def kl_map(model: Any, x: Tensor, settings: KlSettings, draws: Draws) -> Tensor:
    """K (sample, *size): the error of the predicted noise, mean over t and over the modalities, masked."""
    check_time(model.schedule, settings.last_t)
    x_0 = model.to_network_range(x)
    times = range(settings.first_t - 1, settings.last_t, settings.t_step)  # array indices

    def draw_noise(t: int) -> Tensor:
        return model.draw_noise(x_0.shape, draws.generator("kl", t))

    total = torch.zeros_like(x_0)
    passes = predicted_noise(model, x_0, times, draw_noise, per_pass(settings.batch_size, x))
    for _, eps, eps_hat in passes:
        total += difference(eps_hat, eps, settings.error)
    return combine(total / len(times), x, settings)


def above_percentile(K: Tensor, percentile: float, percentile_of: Literal["slice", "volume"]) -> Tensor:
    """Where K (sample, *size) exceeds the percentile of all pixels of its sample or of the volume.

    A sample is a slice, or, for a model of volumes, the volume.
    """
    values = K.cpu().numpy()
    axes = tuple(range(1, K.ndim)) if percentile_of == "slice" else None
    return torch.from_numpy(values > np.percentile(values, percentile, axis=axes, keepdims=True)).to(K.device)
