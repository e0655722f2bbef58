"""Auto-encoder with a dense (AE) or a spatial latent space (AE-S).

Baur et al. 2021, Autoencoders for unsupervised anomaly segmentation in brain MR images: a comparative study. Used by
Behrendt et al. 2023, section 4.2 (dense), and Bercea et al. 2023 (reversed auto-encoders), section 4 (spatial).
"""

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor

from brainuad.methods.base import QUICK_TRAINING, Batch, ImageShape, Model, ModelSettings
from brainuad.methods.patched_ddpm import BEHRENDT_TRAINING
from brainuad.networks.settings import StridedCoderSettings
from brainuad.networks.vae import spatial_auto_encoder, strided_auto_encoder
from brainuad.randomness import Draws
from brainuad.training.settings import TrainingSettings


class AutoEncoderSettings(ModelSettings):
    """The settings of Behrendt 2023; Bercea 2023 sets `architecture` and the training."""

    # dense: a latent vector (Behrendt); spatial: the map of the last width is the latent (Bercea).
    architecture: Literal["dense", "spatial"] = "dense"
    # 96 pixels are halved to 6 and 128 to 8. Behrendt does not give the length of the latent: that of Baur's code.
    network: StridedCoderSettings = StridedCoderSettings(widths=(32, 64, 128, 128), latent=128)
    # On the latent. Not stated in the papers; a later study of Bercea's group has 0.2 for the spatial architecture.
    dropout: float = Field(0.0, ge=0, lt=1)
    # Both papers: l1.
    loss: Literal["l1", "l2"] = "l1"
    training: TrainingSettings = BEHRENDT_TRAINING


class AutoEncoder(Model):
    """Squeezes an image through the latent space and rebuilds it."""

    kind = "auto-encoder"
    settings_class = AutoEncoderSettings
    quick: ClassVar = {
        "network": {"widths": [16, 32, 64, 64], "latent": 64},
        "training": {**QUICK_TRAINING, "epoch": "slices"},
    }

    def __init__(self, settings: AutoEncoderSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        build = strided_auto_encoder if settings.architecture == "dense" else spatial_auto_encoder
        self.network = build(settings.network, len(shape.channels), shape.size, settings.dropout)

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """mean |x - x_hat| or mean (x - x_hat)^2, over all pixels and channels."""
        x = batch.images
        x_hat = self.network(x)
        if self.settings.loss == "l1":
            return (x - x_hat).abs().mean()
        return (x - x_hat).square().mean()

    def reconstruct(self, x: Tensor) -> Tensor:
        """The rebuilt image."""
        return self.network(x)
