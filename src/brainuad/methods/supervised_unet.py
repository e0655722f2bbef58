"""Supervised U-Net: the upper reference of Kascenas 2023, trained on images with annotated tumours.

Kascenas et al. 2023, The role of noise in denoising models for anomaly detection in medical images, Medical
Image Analysis 90, table 3: the DAE's network with one output, trained on the volumes of the training
subjects with their tumour slices; the target is the union of the annotated sub-regions. The paper states
neither loss nor schedule: here sigmoid cross-entropy and soft Dice, and the schedule of the DAE.
"""

from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from brainuad.methods.base import (
    QUICK_TRAINING,
    QUICK_TRAINING_3D,
    AnyDimensionSettings,
    Batch,
    ImageShape,
    Model,
    Scan,
    Scored,
    ScoringRule,
)
from brainuad.methods.dae import KASCENAS_TRAINING, KASCENAS_TRAINING_3D
from brainuad.methods.reconstruction import per_pass
from brainuad.networks.coders import halved
from brainuad.networks.dae_unet import DaeUnet
from brainuad.networks.settings import DaeUnetSettings
from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.training.settings import TrainingSettings


class SegmentationLossSettings(Settings):
    """Weights and variant of the two terms; the paper does not give them."""

    cross_entropy: float = Field(1.0, ge=0)
    dice: float = Field(1.0, ge=0)
    # batch: one Dice over all pixels of a batch, because an image without a lesion has no Dice; image: the mean
    # over the images, in which small lesions count as much as large ones.
    dice_over: Literal["batch", "image"] = "batch"
    # plain: sum p + sum y in the denominator. squared: sum p^2 + sum y (V-Net, Milletari 2016).
    denominator: Literal["plain", "squared"] = "plain"

    @model_validator(mode="after")
    def _some_term(self) -> Self:
        if self.cross_entropy == self.dice == 0:
            raise ValueError("cross_entropy and dice cannot both be 0")
        return self


class SupervisedUnetSettings(AnyDimensionSettings):
    """The settings of Kascenas 2023 for 2-D MRI; with `dimension: 3` those of its DAE for 3-D CT."""

    network: DaeUnetSettings = DaeUnetSettings(widths=(64, 128, 256, 512))
    loss: SegmentationLossSettings = SegmentationLossSettings()
    training: TrainingSettings = KASCENAS_TRAINING

    defaults_in_3d: ClassVar = {
        "network": DaeUnetSettings(widths=(32, 64, 128, 256)),
        "training": KASCENAS_TRAINING_3D,
    }
    quick_in_3d: ClassVar = {"network": {"widths": [8, 16, 32]}, "training": QUICK_TRAINING_3D}


class SupervisedUnet(Model):
    """U-Net f whose sigmoid is the probability that a pixel belongs to a lesion."""

    kind = "unet"
    settings_class = SupervisedUnetSettings
    learns_from_lesions = True
    quick: ClassVar = {
        "network": {"widths": [16, 32, 64]},
        "training": QUICK_TRAINING,
    }

    def __init__(self, settings: SupervisedUnetSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        halved(shape.size, len(settings.network.widths) - 1, least=2)
        self.network = DaeUnet(settings.network, len(shape.channels), 1, dims=len(shape.size))
        self.criterion = segmentation_loss(settings.loss)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """BCE(sigmoid(f(x)), y) + 1 - Dice(sigmoid(f(x)), y), with y = 1 in the lesion."""
        y = batch.lesion
        assert y is not None, "batches of this model carry lesion masks"
        logits = self.network(batch.images)  # (batch, 1, *size)
        # The sums over pixels need more digits than mixed precision leaves.
        return self.criterion(logits.float(), y.float())

    def predict_probability(self, x: Tensor) -> Tensor:
        """The probability of a lesion, (batch, 1, *size) in [0, 1]."""
        return torch.sigmoid(self.network(x).float())


def segmentation_loss(settings: SegmentationLossSettings) -> nn.Module:
    """MONAI's loss of logits and targets (batch, 1, *size), both float."""
    from monai.losses.dice import DiceCELoss

    return DiceCELoss(
        sigmoid=True,
        lambda_ce=settings.cross_entropy,
        lambda_dice=settings.dice,
        batch=settings.dice_over == "batch",
        squared_pred=settings.denominator == "squared",
    )


class SegmentationSettings(Settings):
    """How a segmentation model is run over a volume."""

    batch_size: int = Field(64, gt=0)


class Segmentation(ScoringRule):
    """The predicted probability is the anomaly score; there is no reconstruction."""

    kind = "segmentation"
    settings_class = SegmentationSettings
    needs = "predict_probability"
    dimensions = (2, 3)
    # Probabilities reach 1, so that the largest stored value is 2^15.
    scale_exponent = 15

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The probability map of one volume."""
        pieces = scan.images.split(per_pass(self.settings.batch_size, scan.images))
        return Scored(torch.cat([self.model.predict_probability(x)[:, 0] for x in pieces]))
