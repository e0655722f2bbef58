"""Reversed auto-encoder (RA): an SI-VAE whose reconstructions must look the same to its encoder as the images.

Bercea et al. 2023, Generalizing Unsupervised Anomaly Detection: Towards Unbiased Pathology Screening, MIDL,
section 3. Where the paper and the released code differ in a value, the released code is followed.
"""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from scipy.ndimage import gaussian_filter
from skimage.exposure import equalize_adapthist
from torch import Tensor

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.methods.si_vae import SiVae, SiVaeSettings
from brainuad.networks.perceptual import PerceptualDistance
from brainuad.networks.settings import PerceptualSettings, ResidualCoderSettings
from brainuad.randomness import Draws
from brainuad.settings import Settings


class RaSettings(SiVaeSettings):
    """The settings of the released code; the paper gives other weights and a bottleneck of 256 for SI-VAE."""

    network: ResidualCoderSettings = ResidualCoderSettings(latent=128)
    beta_rec: float = Field(0.5, ge=0)
    beta_neg: float = Field(128.0, ge=0)
    # 0 is the ablation without the reversed loss (Bercea 2023, table 3): an SI-VAE with these settings.
    reverse_weight: float = Field(0.005, ge=0)


class Ra(SiVae):
    """SI-VAE with the reversed embedding loss."""

    kind = "ra"
    settings_class = RaSettings
    # All weights are half of those of SI-VAE, as beta_rec is.
    quick: ClassVar = {**SiVae.quick, "beta_kl": 0.015, "beta_neg": 12.8}

    def reversed_term(self, embeddings: list[Tensor], rec: Tensor) -> Tensor | float:
        """reverse_weight * L_reversed(E(x), E(rec)), by one more pass of the encoder over the fixed rec."""
        if self.settings.reverse_weight == 0:
            return 0.0
        _, _, of_rec = self.encoder(rec)
        return self.settings.reverse_weight * reversed_loss(embeddings, of_rec)


def reversed_loss(E_x: list[Tensor], E_rec: list[Tensor]) -> Tensor:
    """L_reversed = sum over levels l of MSE(E^l(x), E^l(rec)) / 2 + mean(1 - cos(E^l(x), E^l(rec))) (eq. 4)."""
    # A cosine near 1 needs more digits than mixed precision leaves.
    pairs = [(a.flatten(1).float(), b.flatten(1).float()) for a, b in zip(E_x, E_rec, strict=True)]
    terms = [0.5 * F.mse_loss(a, b) + (1 - F.cosine_similarity(a, b)).mean() for a, b in pairs]
    return torch.stack(terms).sum()


class RaMapSettings(Settings):
    """The map of Bercea 2023; both switches off leave the plain residual (table 3)."""

    # Residuals of adaptively equalised images (HE).
    equalise: bool = True
    # Residuals weighted with the perceptual distance (PL).
    perceptual_weighting: bool = True
    perceptual: PerceptualSettings = PerceptualSettings()
    # Smoothing of the perceptual distance in pixels; in the released code, not in the paper.
    sigma: float = Field(2.0, ge=0)
    # The released code decodes one draw of z, so that its maps are random; here z = mu unless this is set.
    sample_z: bool = False
    batch_size: int = Field(64, gt=0)


class RaMap(ScoringRule):
    """A = |eq(rec) - eq(x)| * S(x, rec) * S(eq(x), eq(rec)), for any model that reconstructs."""

    kind = "ra"
    settings_class = RaMapSettings
    needs = "reconstruct"
    quick: ClassVar = {"perceptual": {"weights": "random"}}
    # Maps are products of numbers below 1: few exceed 0.1.
    scale_exponent = 12

    def __init__(self, settings: RaMapSettings, model: Any, shape: ImageShape) -> None:
        super().__init__(settings, model, shape)
        if settings.sample_z and not isinstance(model, SiVae):
            raise InputError(
                "scoring rule 'ra': sample_z draws latent vectors of a model of kind si-vae or ra, and this model "
                "is of another kind. Set sample_z to false."
            )
        self.perceptual = PerceptualDistance(settings.perceptual) if settings.perceptual_weighting else None

    @classmethod
    def pretrained_networks(cls, settings: RaMapSettings) -> tuple[str, ...]:
        """The features of the perceptual distance, if the map is weighted with trained ones."""
        wanted = settings.perceptual_weighting and settings.perceptual.weights == "pretrained"
        return (settings.perceptual.network,) if wanted else ()

    @classmethod
    def remarks(cls, settings: RaMapSettings) -> tuple[str, ...]:
        """Whether the perceptual distance has random weights."""
        if settings.perceptual_weighting and settings.perceptual.weights == "random":
            return ("The perceptual distance of the map has random weights instead of trained ones.",)
        return ()

    def load_pretrained(self, folder: Path) -> None:
        """Loads the weights of the perceptual distance."""
        if self.pretrained_networks(self.settings) and self.perceptual is not None:
            self.perceptual.load_pretrained(folder)

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The map and the reconstruction of one volume, and the mean of the map as image score."""
        size = self.settings.batch_size
        x = scan.images
        rec = torch.cat(self._reconstructions(x, draws))
        pieces = zip(x.split(size), rec.split(size), strict=True)
        A = torch.cat([self._map(some_x, some_rec) for some_x, some_rec in pieces])
        return Scored(A, rec, float(A.mean()))

    def _reconstructions(self, x: Tensor, draws: Draws) -> list[Tensor]:
        chunks = x.split(self.settings.batch_size)
        if not self.settings.sample_z:
            return [self.model.reconstruct(chunk) for chunk in chunks]
        shape = (len(x), self.model.settings.network.latent)
        eps = torch.randn(shape, generator=draws.generator("z"), device=draws.device).to(x)
        return [
            self.model.reconstruct(*pair)
            for pair in zip(chunks, eps.split(self.settings.batch_size), strict=True)
        ]

    def _map(self, x: Tensor, rec: Tensor) -> Tensor:
        """A (slice, x, y); each channel is treated as a grey image of its own, and the maps are averaged."""
        slices, channels = x.shape[:2]
        x, rec = (images.clamp(0, 1).flatten(0, 1)[:, None] for images in (x, rec))
        eq_x, eq_rec = (equalised(images) if self.settings.equalise else images for images in (x, rec))
        A = (eq_rec - eq_x).abs()
        if self.perceptual is not None:
            A = A * self._saliency(x, rec)
            if self.settings.equalise:
                A = A * self._saliency(eq_x, eq_rec)
        return A[:, 0].unflatten(0, (slices, channels)).mean(dim=1)

    def _saliency(self, a: Tensor, b: Tensor) -> Tensor:
        """S(a, b): the perceptual distance of grey images (batch, 1, x, y) at each pixel, smoothed."""
        assert self.perceptual is not None
        distance = self.perceptual.to(a.device).distance(a, b)
        smooth = gaussian_filter(distance.cpu().numpy(), (0, 0, self.settings.sigma, self.settings.sigma))
        return torch.from_numpy(smooth).to(a)


def equalised(images: Tensor) -> Tensor:
    """Contrast-limited adaptive histogram equalisation of grey images (batch, 1, x, y), each by itself."""
    pieces = [equalize_adapthist(image) for image in images[:, 0].cpu().numpy()]
    return torch.from_numpy(np.stack(pieces)[:, None]).to(images)
