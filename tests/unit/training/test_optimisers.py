"""Learning rates against their closed forms."""

import math

import pytest
import torch
from torch import nn

from brainuad.training.optimisers import (
    after_step,
    after_validation,
    build_optimiser,
    build_schedule,
    rate_factor,
)
from brainuad.training.settings import OptimiserSettings


def test_the_cosine_falls_to_zero_in_half_a_period_and_climbs_again() -> None:
    settings = OptimiserSettings(schedule="cosine", half_period=3200, steps_per_change=32)
    assert rate_factor(settings, 0, 67_200) == 1
    assert rate_factor(settings, 1600, 67_200) == pytest.approx(0.5)
    assert rate_factor(settings, 3200, 67_200) == pytest.approx(0, abs=1e-12)
    assert rate_factor(settings, 6400, 67_200) == pytest.approx(1)


def test_the_cosine_is_constant_within_a_pseudo_epoch_and_equals_torch() -> None:
    settings = OptimiserSettings(schedule="cosine", half_period=3200, steps_per_change=32)
    assert rate_factor(settings, 32, 67_200) == rate_factor(settings, 63, 67_200)
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=100)
    for pseudo_epoch in range(250):
        assert rate_factor(settings, 32 * pseudo_epoch, 67_200) == pytest.approx(
            reference.get_last_lr()[0], abs=1e-9
        )
        optimiser.step()
        reference.step()


def test_the_warm_up_is_linear_and_ends_at_the_minimum() -> None:
    settings = OptimiserSettings(
        learning_rate=1e-4, minimum_rate=2e-5, schedule="warmup-cosine", warmup_share=0.05
    )
    assert rate_factor(settings, 0, 1000) == pytest.approx(0.2)
    assert rate_factor(settings, 25, 1000) == pytest.approx(0.6)
    assert rate_factor(settings, 50, 1000) == pytest.approx(1)
    middle = 0.2 + 0.8 * (1 + math.cos(math.pi / 2)) / 2
    assert rate_factor(settings, 525, 1000) == pytest.approx(middle)
    assert rate_factor(settings, 1000, 1000) == pytest.approx(0.2)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle", "warmup-cosine"])
def test_every_schedule_survives_all_iterations(schedule: str) -> None:
    parameter = nn.Parameter(torch.ones(1))
    settings = OptimiserSettings(schedule=schedule)  # type: ignore[arg-type]
    optimiser = build_optimiser(settings, [parameter])
    rates = build_schedule(settings, optimiser, iterations=20)
    for _ in range(20):
        parameter.grad = torch.ones(1)
        optimiser.step()
        rates.step()
        assert math.isfinite(rates.get_last_lr()[0])


def test_the_plateau_cuts_the_rate_only_when_validation_losses_stop_falling() -> None:
    settings = OptimiserSettings(
        learning_rate=1e-3, schedule="plateau", plateau_factor=0.1, plateau_patience=2, minimum_rate=5e-5
    )
    optimiser = build_optimiser(settings, [nn.Parameter(torch.zeros(1))])
    rates = build_schedule(settings, optimiser, iterations=100)
    found = []
    for loss in (1.0, 0.9, 0.9, 0.95, 0.9, 0.8, 0.9, 0.9, 0.9):
        after_step(rates)
        after_validation(rates, loss)
        found.append(optimiser.param_groups[0]["lr"])
    # The third validation in a row without a fall cuts the rate; the second cut stops at the minimum.
    assert found == pytest.approx([1e-3] * 4 + [1e-4] * 4 + [5e-5])


def test_validation_does_not_move_the_other_schedules() -> None:
    settings = OptimiserSettings(schedule="cosine", half_period=10)
    rates = build_schedule(settings, build_optimiser(settings, [nn.Parameter(torch.zeros(1))]), 10)
    before = rates.get_last_lr()
    after_validation(rates, 1.0)
    assert rates.get_last_lr() == before
