"""Multiresolution knowledge distillation (MKD).

Salehi et al. 2021, Multiresolution knowledge distillation for anomaly detection, CVPR, section 3; a
baseline of Bercea et al. 2023, Generalizing unsupervised anomaly detection, MIDL, who give no settings. The
defaults are those of the released code for MVTec. The cloner, the layers and the map follow that code.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from scipy import ndimage
from torch import Tensor, nn, optim

from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape, Model, ModelSettings, Scan, Scored, ScoringRule
from brainuad.networks.distillation import TeacherAndCloner, guided_relus
from brainuad.networks.settings import DistillationSettings
from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.training.optimisers import build_optimiser
from brainuad.training.settings import OptimiserSettings, TrainingSettings

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The layers at which teacher and cloner have the same width, counted from 0 among the 13 outputs: the poolings
# after the second to fifth block.
CriticalLayer = Literal[3, 6, 9, 12]
CROSS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)


class MkdSettings(ModelSettings):
    """The settings of Salehi 2021 for MVTec."""

    networks: DistillationSettings = DistillationSettings()
    critical_layers: tuple[CriticalLayer, ...] = Field((3, 6, 9, 12), min_length=1)
    # lambda: 0.5 for MVTec, 0.01 for the other data sets of Salehi 2021.
    mse_weight: float = Field(0.5, ge=0)
    # imagenet: the mean and deviation that the teacher was trained with. none: images as they are, as the
    # released code gives them for MVTec.
    normalisation: Literal["imagenet", "none"] = "imagenet"
    # 601 epochs over the 712 slices of Bercea 2023.
    training: TrainingSettings = TrainingSettings(
        iterations=6_611,
        batch_size=64,
        validate_every=110,
        validation_batches=8,
        keep="last",
        optimiser=OptimiserSettings(name="adam", learning_rate=1e-3),
    )


class Mkd(Model):
    """A cloner that learns to answer healthy images as the teacher does."""

    kind = "mkd"
    settings_class = MkdSettings
    quick: ClassVar = {
        "networks": {"weights": "random", "teacher_width": 32, "cloner_width": 8},
        "training": {
            "iterations": 1000,
            "batch_size": 8,
            "validate_every": 200,
            "validation_batches": 4,
            "optimiser": {"learning_rate": 1e-3},
        },
    }

    mean: Tensor
    std: Tensor

    def __init__(self, settings: MkdSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        if len(shape.channels) not in (1, 3) or len(shape.size) != 2 or min(shape.size) < 32:
            raise InputError(
                f"model mkd: images of {len(shape.channels)} modalities and size {shape.size}, but VGG16 takes "
                "slices of 1 or 3 modalities and of at least 32 x 32 pixels. Choose another recipe."
            )
        self.networks = TeacherAndCloner(settings.networks)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    @classmethod
    def pretrained_networks(cls, settings: MkdSettings) -> tuple[str, ...]:
        """VGG16, unless the teacher is random."""
        return ("vgg",) if settings.networks.weights == "pretrained" else ()

    @classmethod
    def remarks(cls, settings: MkdSettings) -> tuple[str, ...]:
        """That the teacher is random, where it is."""
        if settings.networks.weights == "pretrained":
            return ()
        return ("The teacher has random weights in place of VGG16's from ImageNet.",)

    def load_pretrained(self, folder: Path) -> None:
        """Takes the teacher's weights from `folder`; from then on they are part of the model."""
        self.networks.load_pretrained(folder)

    def optimisers(self) -> dict[str, optim.Optimizer]:
        """Adam over the cloner; the teacher is frozen."""
        return {"model": build_optimiser(self.settings.training.optimiser, self.networks.cloner.parameters())}

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """L_total = L_dir + lambda * L_val over the critical layers (section 3), averaged over images."""
        return self.discrepancy(self.to_teacher_input(batch.images), self.settings.critical_layers).mean()

    def to_teacher_input(self, x: Tensor) -> Tensor:
        """Images (batch, 1 or 3, x, y) in [0, 1] as the teacher takes them (batch, 3, x, y)."""
        v = x.expand(-1, 3, -1, -1)
        return (v - self.mean) / self.std if self.settings.normalisation == "imagenet" else v

    def discrepancy(self, v: Tensor, layers: Sequence[int]) -> Tensor:
        """sum over layers of 1 - cos(a_T, a_C) + lambda * mean (a_T - a_C)^2, one number per image (batch,)."""
        source, cloned = self.networks(v)
        total = torch.zeros(len(v), device=v.device)
        for layer in layers:
            # A cosine near 1 needs more digits than mixed precision leaves.
            a_T, a_C = source[layer].flatten(1).float(), cloned[layer].flatten(1).float()
            L_val = (a_T - a_C).square().mean(dim=1)
            L_dir = 1 - F.cosine_similarity(a_T, a_C)
            total = total + L_dir + self.settings.mse_weight * L_val
        return total

    @property
    def cloner(self) -> nn.Sequential:
        """The trained network."""
        return self.networks.cloner


class MkdRuleSettings(Settings):
    """How gradients of the discrepancy become a map; the defaults follow the released code."""

    # The layers of the score and of the gradient; the shallowest critical layer is left out.
    layers: tuple[CriticalLayer, ...] = Field((6, 9, 12), min_length=1)
    # guided: gradients through the cloner pass its ReLUs only where positive (the released configuration).
    # smooth-grad: gradients averaged over noisy copies of the image. gradients: as they are.
    localisation: Literal["guided", "smooth-grad", "gradients"] = "guided"
    # smooth-grad: the number of noisy copies, and the noise as a share of the image's range.
    samples: int = Field(50, ge=1)
    noise: float = Field(0.05, ge=0)
    # image: each slice is scaled to [0, 1] by its own minimum and percentile, as in the released code. A healthy
    # slice then reaches 1 as well, so slices and volumes cannot be compared by one threshold.
    # none: gradients keep their size, which compares.
    scaling: Literal["image", "none"] = "image"
    percentile: float = Field(99.0, gt=0, le=100)
    sigma: float = Field(4.0, ge=0)
    # The released code opens the map at every threshold; the opening of the map itself does the same.
    opening: bool = True
    batch_size: int = Field(16, gt=0)


class MkdRule(ScoringRule):
    """How strongly each pixel drives teacher and cloner apart (Salehi 2021, section 3)."""

    kind = "mkd"
    settings_class = MkdRuleSettings
    needs = "discrepancy"
    # With a random teacher the guided gradients of healthy and abnormal tissue hardly differ; the plain ones do. On
    # slices of 64 x 64 pixels the last two poolings leave 4 and 2 pixels a side, which tell no place.
    quick: ClassVar = {"layers": (6,), "sigma": 2.0, "localisation": "gradients", "scaling": "none"}
    scale_exponent = 12

    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The map from gradients, and the mean discrepancy of the slices that hold brain."""
        sizes, saliencies = [], []
        for first in range(0, len(scan.images), self.settings.batch_size):
            v = self.model.to_teacher_input(scan.images[first : first + self.settings.batch_size])
            with torch.no_grad():
                sizes.append(self.model.discrepancy(v, self.settings.layers))
            numbers = range(first, first + len(v))
            saliencies.append(self._saliency(v, [draws.within("slice", number) for number in numbers]))
        holds_brain = scan.brain.flatten(1).any(dim=1)
        if not holds_brain.any():
            holds_brain = torch.ones_like(holds_brain)
        return Scored(self._to_map(torch.cat(saliencies)), None, float(torch.cat(sizes)[holds_brain].mean()))

    def _saliency(self, v: Tensor, draws: list[Draws]) -> Tensor:
        """sum over channels of |d discrepancy / d v|: (slice, x, y)."""
        if self.settings.localisation == "guided":
            with guided_relus(self.model.cloner):
                return self._gradient(v)
        if self.settings.localisation == "gradients":
            return self._gradient(v)
        spread = self.settings.noise * (v.amax(dim=(1, 2, 3)) - v.amin(dim=(1, 2, 3))).view(-1, 1, 1, 1)
        total = torch.zeros_like(v[:, 0])
        for number in range(self.settings.samples):
            generators = [own.generator("smooth-grad", number) for own in draws]
            n = torch.stack([torch.randn(v.shape[1:], generator=g, device=g.device) for g in generators])
            total += self._gradient(v + spread * n)
        return total / self.settings.samples

    def _gradient(self, v: Tensor) -> Tensor:
        with torch.enable_grad():
            v = v.detach().requires_grad_()
            # Images do not mix, so the gradient of the sum is each image's own.
            total = self.model.discrepancy(v, self.settings.layers).sum()
            return torch.autograd.grad(total, v)[0].abs().sum(dim=1)

    def _to_map(self, saliency: Tensor) -> Tensor:
        smoothed = saliency.double().cpu().numpy()
        if self.settings.scaling == "image":
            smoothed = scaled_by_image(smoothed, self.settings.percentile)
        smoothed = ndimage.gaussian_filter(smoothed, (0, self.settings.sigma, self.settings.sigma))
        if self.settings.opening:
            smoothed = ndimage.grey_opening(smoothed, footprint=CROSS)
        return torch.from_numpy(smoothed).float()


def scaled_by_image(maps: np.ndarray, percentile: float) -> np.ndarray:
    """Each of the maps (slice, x, y) from its minimum and percentile to 0 and 1, clipped; 0 where it is flat."""
    low = maps.min(axis=(1, 2), keepdims=True)
    reach = np.percentile(maps, percentile, axis=(1, 2), keepdims=True) - low
    return np.clip((maps - low) / np.where(reach > 0, reach, np.inf), 0, 1)
