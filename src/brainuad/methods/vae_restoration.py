"""Restoration with a variational auto-encoder: the healthy image nearest to x by the model, found by gradient ascent.

You et al. 2019 and Chen et al. 2020, Unsupervised lesion detection via image restoration with a normative prior; used
by Kascenas et al. 2023, section 4.3, with 100 steps. Step size, clipping and the way to find the weight of the total
variation, which Kascenas et al. do not give, are those of You's released code.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.methods.reconstruction import ResidualSettings, foreground, per_pass, residual
from brainuad.networks.vae import kl_to_standard_normal
from brainuad.randomness import Draws


class VaeRestorationSettings(ResidualSettings):
    """How an image is restored, and how its distance from x becomes an anomaly map."""

    # Kascenas: 100. You: 500.
    iterations: int = Field(100, gt=0)
    # You: 5e-3 for the first 100 steps, then 2e-3.
    step: float = Field(5e-3, gt=0)
    # You: the gradient of each pixel is cut to +-50.
    gradient_limit: float = Field(50.0, gt=0)
    # You: 1. The weight that training with means implies is beta * pixels * channels / latent: 0.512 for the
    # slices of Kascenas, 6.16 for its volumes.
    kl_weight: float = Field(1.0, ge=0)
    # Pixels that may change. You: the brain mask.
    region: Literal["brain", "foreground"] = "brain"
    # lambda. null: that of `tv_weights` with which healthy validation slices change least (You).
    tv_weight: float | None = Field(None, ge=0)
    tv_weights: tuple[float, ...] = Field(
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2), min_length=1
    )
    # At most so many slices (or the volumes that have so many), spread evenly over the scans, are restored with each
    # of `tv_weights`.
    calibration_slices: int = Field(256, gt=0)


class VaeRestoration(ScoringRule):
    """|x - x_r| for the restored image x_r = argmax ELBO(x_r) - lambda * TV(x - x_r), from x_r = x on."""

    kind = "vae-restoration"
    settings_class = VaeRestorationSettings
    needs = "encode_decode"
    dimensions = (2, 3)
    quick: ClassVar = {
        "iterations": 20,
        "step": 0.01,
        "kl_weight": 0.01,
        "tv_weights": [0.0, 0.05],
        "calibration_slices": 8,
    }

    def __init__(self, settings: VaeRestorationSettings, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        # `needs` names one method of the model, and `elbo` calls two.
        if not hasattr(model, "reconstruction_error"):
            raise InputError(
                "rule 'vae-restoration' needs a model that can reconstruction_error, the error of its training, as "
                "well as encode_decode. Score a model of kind 'vae'."
            )

    @classmethod
    def needs_calibration(cls, settings: VaeRestorationSettings) -> bool:
        """Whether lambda is to be found on healthy scans."""
        return settings.tv_weight is None

    def calibrate(self, scans: Sequence[Scan], draws: Draws) -> dict[str, Any]:
        """The `tv_weight` of `tv_weights` that minimises mean |x - x_r| over healthy samples."""
        x, region = self._spread_samples(scans)
        changes = [
            float((x - self.restore(x, region, weight)).abs().mean()) for weight in self.settings.tv_weights
        ]
        return {"tv_weight": self.settings.tv_weights[int(np.argmin(changes))]}

    def _spread_samples(self, scans: Sequence[Scan]) -> tuple[Tensor, Tensor]:
        """Images (sample, channel, *size) and regions (sample, 1, *size) at even distances in the scans."""
        places = [(number, i) for number, scan in enumerate(scans) for i in range(len(scan.images))]
        count = min(per_pass(self.settings.calibration_slices, scans[0].images), len(places))
        chosen = [places[i] for i in np.linspace(0, len(places) - 1, count).round().astype(int)]
        x, brain = [], []
        for number in dict.fromkeys(number for number, _ in chosen):
            scan, wanted = scans[number], [i for n, i in chosen if n == number]
            x.append(scan.images[wanted])
            brain.append(scan.brain[wanted])
        return torch.cat(x), self._region(torch.cat(x), torch.cat(brain))

    def _region(self, x: Tensor, brain: Tensor) -> Tensor:
        return brain.float() if self.settings.region == "brain" else foreground(x)

    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The map of |x - x_r| and the restored image x_r of one volume."""
        if self.settings.tv_weight is None:
            raise InputError(
                "rule 'vae-restoration': tv_weight is null and was not chosen on healthy validation scans. "
                "Let the workflow calibrate the method, or give a number."
            )
        x = scan.images
        x_r = self.restore(x, self._region(x, scan.brain), self.settings.tv_weight)
        return Scored(residual(x, x_r, self.settings), x_r)

    def restore(self, x: Tensor, region: Tensor, tv_weight: float) -> Tensor:
        """x_r of images (sample, channel, *size), which changes inside `region` (sample, 1, *size) only."""
        size = per_pass(self.settings.batch_size, x)
        pieces = zip(x.split(size), region.split(size), strict=True)
        return torch.cat([self._ascend(*piece, tv_weight) for piece in pieces])

    def _ascend(self, x: Tensor, region: Tensor, tv_weight: float) -> Tensor:
        limit, fg = self.settings.gradient_limit, foreground(x)
        x_r = x.clone()
        for _ in range(self.settings.iterations):
            with torch.enable_grad():
                x_r.requires_grad_()
                objective = self.elbo(x_r, fg) - tv_weight * total_variation(x - x_r)
                (g,) = torch.autograd.grad(objective.sum(), x_r)
            x_r = x_r.detach() + self.settings.step * g.clamp(-limit, limit) * region
        return x_r

    def elbo(self, x_r: Tensor, fg: Tensor) -> Tensor:
        """-(error of rec(x_r) + kl_weight KL(q(z | x_r) || N(0, I))) of each sample, summed over pixels and dimensions.

        The error is that of the model's training: for l2, fg (x_r - rec)^2. `fg` (sample, 1, *size) is the foreground
        of x: it does not move while x_r does.
        """
        rec, mu, log_variance = self.model.encode_decode(x_r)
        error = self.model.reconstruction_error(x_r, rec, fg).flatten(1).sum(dim=1)
        kl = kl_to_standard_normal(mu, log_variance).flatten(1).sum(dim=1)
        return -(error + self.settings.kl_weight * kl)


def total_variation(difference: Tensor) -> Tensor:
    """The sum of absolute differences between neighbouring pixels, over all axes and channels, of each sample."""
    along = [difference.diff(dim=axis).abs().flatten(1).sum(dim=1) for axis in range(2, difference.dim())]
    return torch.stack(along).sum(dim=0)
