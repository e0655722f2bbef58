"""Noise schedules against their closed forms."""

import math
from itertools import pairwise

import pytest
import torch

from brainuad.diffusion.schedule import evenly_spaced, make_schedule, respaced, schedule_of, up_to
from brainuad.diffusion.settings import ScheduleSettings
from brainuad.errors import InputError

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


@pytest.mark.parametrize("schedule", [LINEAR, COSINE])
def test_respaced_schedule_keeps_alpha_bar_at_the_kept_times(schedule) -> None:
    indices = [3, 10, 250, 999]
    kept = respaced(schedule, indices)
    torch.testing.assert_close(kept.alpha_bar, schedule.alpha_bar[indices])
    assert kept.network_time.tolist() == indices
    assert float(kept.alpha_bar_previous[0]) == 1
    torch.testing.assert_close(kept.alpha_bar_previous[1:], kept.alpha_bar[:-1])
    torch.testing.assert_close(torch.cumprod(1 - kept.beta, 0), kept.alpha_bar)
    torch.testing.assert_close(kept.alpha, 1 - kept.beta)


@pytest.mark.parametrize("schedule", [LINEAR, COSINE])
def test_respacing_to_every_time_gives_the_same_schedule(schedule) -> None:
    for name, sequence in vars(respaced(schedule, range(1000))).items():
        torch.testing.assert_close(sequence, getattr(schedule, name))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 25, 249, 250])
def test_chosen_times_rise_to_the_last_one_at_equal_distances(count: int) -> None:
    times = evenly_spaced(249, count)
    assert len(times) == count
    assert times[-1] == 249
    assert count == 1 or times[0] == 0
    distances = {b - a for a, b in pairwise(times)}
    assert min(distances, default=1) > 0
    assert max(distances, default=0) - min(distances, default=0) <= 1


@pytest.mark.parametrize("count", [None, 250, 1000])
def test_every_time_is_chosen_where_there_are_no_more(count: int | None) -> None:
    assert evenly_spaced(249, count) == list(range(250))


def test_schedule_up_to_a_time_ends_there() -> None:
    short, coarse = up_to(LINEAR, 250), up_to(LINEAR, 250, 25)
    assert (short.steps, coarse.steps) == (250, 25)
    assert float(short.alpha_bar[-1]) == float(coarse.alpha_bar[-1]) == float(LINEAR.alpha_bar[249])
    torch.testing.assert_close(short.beta, LINEAR.beta[:250])


def test_schedule_up_to_nothing_has_no_steps() -> None:
    assert up_to(LINEAR, 0).steps == up_to(LINEAR, 0, 25).steps == 0


def test_time_beyond_the_schedule_is_refused() -> None:
    with pytest.raises(InputError, match=r"1001.*1000"):
        up_to(LINEAR, 1001)
