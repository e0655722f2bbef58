"""AutoDDPM: mask, stitch and re-sample.

Bercea et al. 2023, Mask, Stitch, and Re-Sample: Enhancing Robustness and Generalizability in Anomaly Detection
through Automatic Diffusion Models. A coarse reconstruction says where the image may be abnormal; there it is
stitched into the image and re-sampled together with its surroundings, so that what is healthy stays as it was.
The model is `ddpm` (`ddpm.py`) with the architecture `monai`. Times are array indices, as in the released code,
which is followed where the paper differs. Every modality has its own mask (Frotscher 2023).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from brainuad.diffusion.process import ReverseProcess, q_sample, q_step
from brainuad.diffusion.schedule import up_to
from brainuad.diffusion.settings import ReverseSettings
from brainuad.diffusion.timesteps import in_chunks
from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.networks.perceptual import PerceptualDistance
from brainuad.networks.settings import PerceptualSettings
from brainuad.randomness import Draws
from brainuad.settings import Settings


class AutoDdpmSettings(Settings):
    """The settings of Bercea 2023."""

    t_coarse: int = Field(200, ge=1)
    t_inpaint: int = Field(50, ge=1)
    # Times that each step of the inpainting is repeated. 5: the results; 4: the default of the released code.
    resamples: int = Field(5, ge=1)
    # null: every step (the paper). A number: so many, spread evenly, in each of both loops; faster and coarser.
    steps: int | None = Field(None, ge=2)
    reverse: ReverseSettings = ReverseSettings(variance="small")

    # The quantile of an image's residual that counts as 1. 0.95: Bercea 2023; 0.99: Frotscher 2023.
    residual_quantile: float = Field(0.95, gt=0, le=1)
    # The released code scales to [-1, 1] twice before the perceptual distance; its documentation says once.
    lpips_double_scale: bool = False
    perceptual: PerceptualSettings = PerceptualSettings()
    # null: the lowest at which at most `healthy_positive` of all pixels of healthy validation scans are masked.
    mask_threshold: float | None = Field(0.13, ge=0)
    healthy_positive: float = Field(0.05, gt=0, lt=1)
    # A number: the threshold is this quantile of each image instead (-1 in the released code stands for 0.95).
    mask_quantile: float | None = Field(None, gt=0, lt=1)
    # Dilations by 3 x 3 pixels. The paper dilates m_soft before the threshold, which gives the same mask.
    dilations: int = Field(1, ge=0)

    # What is noised at the start of the inpainting. coarse: x_hat (released code); input: x (paper).
    inpaint_from: Literal["coarse", "input"] = "coarse"
    # true: x_hat is stitched into x and not re-sampled (ablation, Figure 5).
    stitch_only: bool = False
    # false: the residual is not weighted with m_soft (ablation, Table 3).
    uncertainty: bool = True
    # For several modalities: Frotscher 2023.
    over_modalities: Literal["max", "mean"] = "max"
    batch_size: int = Field(64, gt=0)


class AutoDdpm(ScoringRule):
    """|x - PH| * m_soft, where PH is x with its suspicious parts re-sampled."""

    kind = "autoddpm"
    settings_class = AutoDdpmSettings
    needs = "predict_eps"
    quick: ClassVar = {
        "steps": 10,
        "resamples": 2,
        "mask_quantile": 0.95,
        "perceptual": {"weights": "random"},
    }
    # Maps are products of numbers below 1: few exceed 0.1.
    scale_exponent = 12

    def __init__(self, settings: AutoDdpmSettings, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        self.perceptual = PerceptualDistance(settings.perceptual)

    @classmethod
    def pretrained_networks(cls, settings: AutoDdpmSettings) -> tuple[str, ...]:
        """The features of the perceptual distance, unless they are random."""
        return (settings.perceptual.network,) if settings.perceptual.weights == "pretrained" else ()

    @classmethod
    def remarks(cls, settings: AutoDdpmSettings) -> tuple[str, ...]:
        """Whether the perceptual distance has random weights."""
        if settings.perceptual.weights == "random":
            return ("The perceptual distance of the mask has random weights instead of trained ones.",)
        return ()

    @classmethod
    def needs_calibration(cls, settings: AutoDdpmSettings) -> bool:
        """Whether the threshold of the mask is to be found on healthy scans."""
        return settings.mask_threshold is None and settings.mask_quantile is None

    def load_pretrained(self, folder: Path) -> None:
        """Loads the weights of the perceptual distance."""
        if self.pretrained_networks(self.settings):
            self.perceptual.load_pretrained(folder)

    @torch.no_grad()
    def calibrate(self, scans: Sequence[Scan], draws: Draws) -> dict[str, Any]:
        """The `mask_threshold` at which healthy scans have at most `healthy_positive` masked pixels."""
        values = []
        for scan in scans:
            x_hat = self.coarse_reconstruction(scan.images, draws.within(scan.subject))
            values.append(self.soft_mask(scan.images, x_hat).flatten().cpu())
        return {"mask_threshold": lowest_threshold(torch.cat(values), self.settings.healthy_positive)}

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The map and the pseudo-healthy version of one volume, and the mean of the map as image score."""
        x = scan.images
        x_hat = self.coarse_reconstruction(x, draws)
        m_soft = self.soft_mask(x, x_hat)
        m = self.mask(m_soft)
        PH = stitched(x, x_hat, m) if self.settings.stitch_only else self.resampled(x, x_hat, m, draws)
        A = (x - PH).abs()
        if self.settings.uncertainty:
            A = A * m_soft
        A = A.amax(dim=1) if self.settings.over_modalities == "max" else A.mean(dim=1)
        return Scored(A, PH, float(A.mean()))

    def coarse_reconstruction(self, x: Tensor, draws: Draws) -> Tensor:
        """x_hat: x noised to t_coarse and denoised again, in [0, 1]."""
        schedule = up_to(self.model.schedule, self.settings.t_coarse + 1, self.settings.steps)
        process = ReverseProcess(schedule, self.settings.reverse)
        predict_eps = in_chunks(self.model.predict_eps, self.settings.batch_size)
        x_0 = self.model.to_network_range(x)
        eps = self.model.draw_noise(x_0.shape, draws.generator("coarse"))
        x_t = q_sample(schedule, x_0, schedule.steps - 1, eps)
        for t in reversed(range(schedule.steps)):
            noise = partial(self.model.draw_noise, generator=draws.generator("coarse", t))
            x_t = process.step(predict_eps, x_t, t, noise)
        return self.model.from_network_range(x_t).clamp(0, 1)

    def soft_mask(self, x: Tensor, x_hat: Tensor) -> Tensor:
        """m_soft (slice, channel, x, y): the normalised residual times the perceptual distance."""
        images = (volume.flatten(0, 1)[:, None].split(self.settings.batch_size) for volume in (x, x_hat))
        pieces = [
            normalised_residual(a, b, self.settings.residual_quantile) * self._perceptual_distance(a, b)
            for a, b in zip(*images, strict=True)
        ]
        return torch.cat(pieces).reshape(x.shape)

    def _perceptual_distance(self, a: Tensor, b: Tensor) -> Tensor:
        if self.settings.lpips_double_scale:
            a, b = 2 * a - 1, 2 * b - 1
        return self.perceptual.to(a.device).distance(a, b)

    def mask(self, m_soft: Tensor) -> Tensor:
        """m: where m_soft exceeds the threshold, dilated; bool."""
        threshold: Tensor | float | None = self.settings.mask_threshold
        if self.settings.mask_quantile is not None:
            threshold = image_quantile(m_soft, self.settings.mask_quantile)
        if threshold is None:
            raise InputError(
                "rule 'autoddpm': mask_threshold is null and was not chosen on healthy validation scans. "
                "Let the workflow calibrate the method, or give a number."
            )
        window = 2 * self.settings.dilations + 1
        m = (m_soft > threshold).float()
        return F.max_pool2d(m, window, stride=1, padding=self.settings.dilations) > 0

    def resampled(self, x: Tensor, x_hat: Tensor, m: Tensor, draws: Draws) -> Tensor:
        """PH: x, with new values where m that were drawn together with what surrounds them.

        Slices without a mask are not computed.
        """
        some = m.flatten(1).any(dim=1)
        if not some.any():
            return x
        schedule = up_to(self.model.schedule, self.settings.t_inpaint + 1, self.settings.steps)
        process = ReverseProcess(schedule, self.settings.reverse)
        predict_eps = in_chunks(self.model.predict_eps, self.settings.batch_size)

        def noise(purpose: str, t: int, u: int, _shape: torch.Size | None = None) -> Tensor:
            """Drawn for the whole volume, so that a slice's noise does not depend on the others' masks."""
            return self.model.draw_noise(x.shape, draws.generator(purpose, t, u))[some]

        m = m[some]
        x_0 = self.model.to_network_range(x[some])
        start = self.model.to_network_range((x_hat if self.settings.inpaint_from == "coarse" else x)[some])
        h = q_sample(schedule, start, schedule.steps - 1, noise("start", schedule.steps, 0))
        for t in reversed(range(1, schedule.steps)):
            for u in range(self.settings.resamples):
                known = q_sample(schedule, x_0, t - 1, noise("known", t, u))
                unknown = process.step(predict_eps, h, t, partial(noise, "unknown", t, u))
                h = torch.where(m, unknown, known)
                if u < self.settings.resamples - 1:
                    h = q_step(schedule, h, t - 1, noise("again", t, u))
        # At t = 0 the released code makes no step: it only puts the known part back.
        PH = x.clone()
        PH[some] = stitched(x[some], self.model.from_network_range(h).clamp(0, 1), m)
        return PH


def stitched(x: Tensor, inner: Tensor, m: Tensor) -> Tensor:
    """m * inner + (1 - m) * x."""
    return torch.where(m, inner, x)


def image_quantile(images: Tensor, quantile: float) -> Tensor:
    """The quantile of each image and channel (batch, channel, 1, 1)."""
    return torch.quantile(images.flatten(2), quantile, dim=2)[..., None, None]


def normalised_residual(x: Tensor, x_hat: Tensor, quantile: float) -> Tensor:
    """|x - x_hat| divided by its quantile per image and channel, at most 1."""
    r = (x - x_hat).abs()
    scale = image_quantile(r, quantile).clamp(min=torch.finfo(r.dtype).tiny)
    return (r / scale).clamp(max=1)


def lowest_threshold(values: Tensor, share: float) -> float:
    """The lowest of the values that at most `share` of them exceed."""
    exceeding = int(share * len(values))
    return float(values.kthvalue(len(values) - exceeding).values)
