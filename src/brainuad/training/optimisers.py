"""Optimisers and learning-rate schedules built from their settings."""

import math
from collections.abc import Iterable

from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from brainuad.training.settings import OptimiserSettings


def build_optimiser(settings: OptimiserSettings, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
    """The optimiser over `parameters`."""
    lr, decay = settings.learning_rate, settings.weight_decay
    if settings.name == "rmsprop":
        return optim.RMSprop(parameters, lr=lr, weight_decay=decay)
    kind = optim.Adam if settings.name == "adam" else optim.AdamW
    return kind(parameters, lr=lr, betas=settings.betas, weight_decay=decay, amsgrad=settings.amsgrad)


def build_schedule(settings: OptimiserSettings, optimiser: optim.Optimizer, iterations: int) -> LRScheduler:
    """The learning-rate schedule over all steps of `optimiser`, for `after_step` and `after_validation`."""
    if settings.schedule == "one-cycle":
        return OneCycleLR(optimiser, max_lr=settings.learning_rate, total_steps=iterations + 1)

    if settings.schedule == "plateau":
        return ReduceLROnPlateau(
            optimiser,
            factor=settings.plateau_factor,
            patience=settings.plateau_patience,
            min_lr=settings.minimum_rate,
        )

    def factor(step: int) -> float:
        return rate_factor(settings, step, iterations)

    return LambdaLR(optimiser, factor)


def rate_factor(settings: OptimiserSettings, step: int, iterations: int) -> float:
    """The learning rate at `step` as a share of `settings.learning_rate`."""
    floor = settings.minimum_rate / settings.learning_rate
    if settings.schedule == "cosine":
        position = (step // settings.steps_per_change) * settings.steps_per_change / settings.half_period
        return floor + (1 - floor) * (1 + math.cos(math.pi * position)) / 2
    if settings.schedule == "warmup-cosine":
        warmup = max(1, round(settings.warmup_share * iterations))
        if step < warmup:
            return floor + (1 - floor) * step / warmup
        position = min(1.0, (step - warmup) / max(1, iterations - warmup))
        return floor + (1 - floor) * (1 + math.cos(math.pi * position)) / 2
    return 1.0


def after_step(schedule: LRScheduler) -> None:
    """Moves a schedule on by one optimiser step."""
    if not isinstance(schedule, ReduceLROnPlateau):
        schedule.step()


def after_validation(schedule: LRScheduler, loss: float) -> None:
    """Tells a schedule that follows the validation loss what it is."""
    if isinstance(schedule, ReduceLROnPlateau):
        schedule.step(loss)
