"""Noise schedules against their closed forms."""

import math

import pytest
import torch

from brainuad.diffusion.schedule import make_schedule, schedule_of
from brainuad.diffusion.settings import ScheduleSettings

LINEAR = make_schedule(ScheduleSettings())
COSINE = make_schedule(ScheduleSettings(kind="cosine"))


@pytest.mark.parametrize(
    ("schedule", "t", "alpha_bar"),
    [(COSINE, 500, 0.494), (LINEAR, 500, 0.079), (LINEAR, 250, 0.524), (LINEAR, 200, 0.659)],
)
def test_alpha_bar_is_as_published(schedule, t: int, alpha_bar: float) -> None:
    assert float(schedule.alpha_bar[t - 1]) == pytest.approx(alpha_bar, abs=5e-4)


def test_linear_beta_runs_from_1e_4_to_2e_2_in_equal_steps() -> None:
    assert LINEAR.steps == 1000
    assert float(LINEAR.beta[0]) == pytest.approx(1e-4)
    assert float(LINEAR.beta[-1]) == pytest.approx(0.02)
    torch.testing.assert_close(LINEAR.beta.diff(), torch.full((999,), 0.0199 / 999, dtype=torch.float64))


def test_cosine_alpha_bar_is_the_squared_cosine() -> None:
    def f(t: int) -> float:
        return math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2

    for t in (1, 10, 500, 990):
        assert float(COSINE.alpha_bar[t - 1]) == pytest.approx(f(t) / f(0), rel=1e-9)


def test_cosine_beta_is_at_most_0_999() -> None:
    assert float(COSINE.beta.max()) == pytest.approx(0.999)


@pytest.mark.parametrize("schedule", [LINEAR, COSINE])
def test_alpha_bar_is_the_product_of_alphas_from_one(schedule) -> None:
    product = 1.0
    for i in range(20):
        assert float(schedule.alpha_bar_previous[i]) == pytest.approx(product, rel=1e-12)
        product *= float(schedule.alpha[i])
        assert float(schedule.alpha_bar[i]) == pytest.approx(product, rel=1e-12)
        assert float(schedule.beta[i] + schedule.alpha[i]) == pytest.approx(1, rel=1e-12)


def test_sequences_are_float64_for_any_input() -> None:
    schedule = schedule_of(torch.tensor([0.1, 0.2], dtype=torch.float32))
    assert schedule.alpha_bar.dtype == torch.float64
    assert schedule.alpha_bar_previous.dtype == torch.float64
