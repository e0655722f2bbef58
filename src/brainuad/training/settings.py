"""Settings of the training engine that every trainable model shares."""

from typing import Literal

from pydantic import Field

from brainuad.settings import Settings


class OptimiserSettings(Settings):
    """One optimiser and its learning-rate schedule; schedules advance once per optimiser step."""

    name: Literal["adam", "adamw", "rmsprop"] = "adam"
    learning_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    amsgrad: bool = False
    schedule: Literal["constant", "cosine", "one-cycle", "warmup-cosine"] = "constant"
    # cosine: steps from the highest to the lowest rate (half a period); it then climbs again.
    half_period: int = Field(3200, gt=0)
    # cosine: the rate changes once in so many steps (a "pseudo-epoch").
    steps_per_change: int = Field(1, gt=0)
    # warmup-cosine: linear from minimum_rate over this share of all steps, then cosine back to it.
    warmup_share: float = Field(0.05, ge=0, lt=1)
    minimum_rate: float = Field(0.0, ge=0)


class TrainingSettings(Settings):
    """How long, on how much, and what is kept."""

    iterations: int = Field(gt=0)
    batch_size: int = Field(16, gt=0)
    # What an epoch passes over: every slice once, or one random slice of every volume.
    epoch: Literal["slices", "volumes"] = "slices"
    validate_every: int = Field(32, gt=0)
    validation_batches: int = Field(32, gt=0)
    keep: Literal["best", "last"] = "best"
    gradient_clip: float | None = Field(None, gt=0)
    ema_decay: float | None = Field(None, gt=0, lt=1)
    ema_start: int = Field(0, ge=0)
    log_every: int = Field(10, gt=0)
    optimiser: OptimiserSettings = OptimiserSettings()
