"""Settings of the training engine that every trainable model shares."""

from typing import Literal, Self

from pydantic import Field, model_validator

from brainuad.settings import Settings


class OptimiserSettings(Settings):
    """One optimiser and its learning-rate schedule; schedules advance once per optimiser step."""

    name: Literal["adam", "adamw", "rmsprop"] = "adam"
    learning_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    amsgrad: bool = False
    schedule: Literal["constant", "cosine", "one-cycle", "warmup-cosine", "plateau"] = "constant"
    # cosine: steps from the highest to the lowest rate (half a period); it then climbs again.
    half_period: int = Field(3200, gt=0)
    # cosine: the rate changes once in so many steps (a "pseudo-epoch").
    steps_per_change: int = Field(1, gt=0)
    # warmup-cosine: linear from minimum_rate over this share of all steps, then cosine back to it.
    warmup_share: float = Field(0.05, ge=0, lt=1)
    minimum_rate: float = Field(0.0, ge=0)
    # plateau: the rate is multiplied by the factor after more than so many validations without a lower loss.
    plateau_factor: float = Field(0.1, gt=0, lt=1)
    plateau_patience: int = Field(10, ge=0)


class AugmentationSettings(Settings):
    """Random affine transforms and mirroring of the training images; no image is changed by default."""

    # Share of the images that are rotated, moved and scaled.
    affine: float = Field(0.0, ge=0, le=1)
    # Ranges of Bercea 2023 (reversed auto-encoders): angle either way, shift either way as a share of the side,
    # and magnification.
    rotation_degrees: float = Field(10.0, ge=0)
    translation: float = Field(0.1, ge=0, lt=1)
    scale: tuple[float, float] = (0.9, 1.1)
    # Share of the images that are mirrored left to right.
    flip: float = Field(0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _scale_is_a_range(self) -> Self:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale {self.scale} is not a range of positive numbers, lowest first")
        return self


class TrainingSettings(Settings):
    """How long, on how much, and what is kept."""

    iterations: int = Field(gt=0)
    batch_size: int = Field(16, gt=0)
    # What an epoch passes over: every slice once, or one random slice of every volume.
    epoch: Literal["slices", "volumes"] = "slices"
    validate_every: int = Field(32, gt=0)
    validation_batches: int = Field(32, gt=0)
    keep: Literal["best", "last"] = "best"
    # Ends the training after so many iterations in which the validation loss did not fall by more than this gain.
    patience: int | None = Field(None, gt=0)
    minimum_gain: float = Field(0.0, ge=0)
    gradient_clip: float | None = Field(None, gt=0)
    ema_decay: float | None = Field(None, gt=0, lt=1)
    ema_start: int = Field(0, ge=0)
    log_every: int = Field(10, gt=0)
    augmentation: AugmentationSettings = AugmentationSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
