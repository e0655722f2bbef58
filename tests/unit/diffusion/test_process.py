"""Forward and reverse process against closed forms."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from brainuad.diffusion.process import (
    ReverseProcess,
    at,
    posterior_mean,
    posterior_variance,
    q_sample,
    q_step,
    x_0_from_eps,
)
from brainuad.diffusion.schedule import make_schedule, respaced, up_to
from brainuad.diffusion.settings import ReverseSettings, ScheduleSettings
from brainuad.randomness import torch_generator
from tests.unit.diffusion.closed_forms import eps_from_x_0, posterior_mean_from_eps

LINEAR = make_schedule(ScheduleSettings())
COSINE = make_schedule(ScheduleSettings(kind="cosine"))
SHAPES = [(4, 2, 6, 5), (4, 1, 3, 4, 5)]
TIMES = torch.tensor([1, 40, 300, 950])

every_schedule = pytest.mark.parametrize("schedule", [LINEAR, COSINE], ids=["linear", "cosine"])
every_shape = pytest.mark.parametrize("shape", SHAPES)


def images(*shape: int, count: int = 2) -> list[Tensor]:
    generator = torch_generator(0, "images")
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)]


def no_noise(shape: torch.Size) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64)


@every_schedule
@every_shape
def test_forward_noising_mixes_each_sample_at_its_own_time(schedule, shape: tuple[int, ...]) -> None:
    x_0, eps = images(*shape)
    x_t = q_sample(schedule, x_0, TIMES, eps)
    for sample, t in enumerate(TIMES):
        alpha_bar = float(schedule.alpha_bar[t])
        expected = alpha_bar**0.5 * x_0[sample] + (1 - alpha_bar) ** 0.5 * eps[sample]
        torch.testing.assert_close(x_t[sample], expected)


@every_schedule
def test_one_time_for_all_samples_may_be_a_number(schedule) -> None:
    x_0, eps = images(*SHAPES[0])
    torch.testing.assert_close(
        q_sample(schedule, x_0, 300, eps), q_sample(schedule, x_0, torch.full((4,), 300), eps)
    )


@every_schedule
@every_shape
def test_x_0_and_eps_follow_from_each_other(schedule, shape: tuple[int, ...]) -> None:
    x_0, eps = images(*shape)
    x_t = q_sample(schedule, x_0, TIMES, eps)
    torch.testing.assert_close(x_0_from_eps(schedule, x_t, TIMES, eps), x_0)
    torch.testing.assert_close(eps_from_x_0(schedule, x_t, TIMES, x_0), eps)


@every_schedule
def test_single_steps_add_up_to_the_forward_process(schedule) -> None:
    x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    scale, variance = x.clone(), 0.0
    for t in range(60):
        scale = q_step(schedule, scale, t, torch.zeros_like(x))
        gain = float(q_step(schedule, x, t, 0 * x))
        variance = gain**2 * variance + float(q_step(schedule, 0 * x, t, x)) ** 2
    assert float(scale) == pytest.approx(float(schedule.alpha_bar[59]) ** 0.5)
    assert variance == pytest.approx(1 - float(schedule.alpha_bar[59]))


@every_schedule
def test_posterior_is_the_product_of_two_gaussians(schedule) -> None:
    """q(x_{t-1} | x_t, x_0) is proportional to q(x_t | x_{t-1}) q(x_{t-1} | x_0)."""
    x_0, x_t = images(*SHAPES[0])
    alpha, beta, previous = (
        at(sequence, TIMES, x_t) for sequence in (schedule.alpha, schedule.beta, schedule.alpha_bar_previous)
    )
    precision = alpha / beta + 1 / (1 - previous)
    mean = (alpha.sqrt() / beta * x_t + previous.sqrt() / (1 - previous) * x_0) / precision
    torch.testing.assert_close(posterior_mean(schedule, x_0, x_t, TIMES), mean)
    torch.testing.assert_close(at(posterior_variance(schedule), TIMES, x_t), 1 / precision)


@every_schedule
@every_shape
def test_both_forms_of_the_posterior_mean_agree(schedule, shape: tuple[int, ...]) -> None:
    x_0, eps = images(*shape)
    for times in (TIMES, torch.zeros(4, dtype=torch.int64)):
        x_t = q_sample(schedule, x_0, times, eps)
        torch.testing.assert_close(
            posterior_mean_from_eps(schedule, x_t, times, eps), posterior_mean(schedule, x_0, x_t, times)
        )


@every_schedule
def test_last_reverse_step_with_the_true_noise_returns_x_0(schedule) -> None:
    x_0, eps = images(*SHAPES[0])
    x_1 = q_sample(schedule, x_0, 0, eps)
    process = ReverseProcess(schedule, ReverseSettings(variance="large", clip=None))
    ones = torch.ones_like(x_0)
    torch.testing.assert_close(process.step(lambda x, t: eps, x_1, 0, lambda shape: ones), x_0)


def test_reverse_process_with_the_true_noise_ends_at_x_0() -> None:
    x_0, eps = images(2, 1, 4, 4)
    x_0 = x_0.clamp(-1, 1)
    process = ReverseProcess(LINEAR, ReverseSettings())
    generator = torch_generator(0, "reverse")
    x = q_sample(LINEAR, x_0, 249, eps)
    for t in range(249, -1, -1):
        x = process.step(
            lambda x_t, times: eps_from_x_0(LINEAR, x_t, times, x_0),
            x,
            t,
            lambda shape: torch.randn(shape, generator=generator, dtype=torch.float64),
        )
    torch.testing.assert_close(x, x_0)


def test_network_receives_one_time_index_per_sample() -> None:
    x_t, _ = images(*SHAPES[0])
    seen: list[Tensor] = []

    def predict_eps(x: Tensor, t: Tensor) -> Tensor:
        seen.append(t)
        return torch.zeros_like(x)

    process = ReverseProcess(LINEAR, ReverseSettings())
    process.step(predict_eps, x_t, 17, no_noise)
    process.step(predict_eps, x_t, TIMES, no_noise)
    assert seen[0].tolist() == [17] * 4
    assert seen[1].tolist() == TIMES.tolist()


def test_network_is_told_the_kept_time_where_steps_are_left_out() -> None:
    x_t, _ = images(*SHAPES[0])
    seen: list[Tensor] = []

    def predict_eps(x: Tensor, t: Tensor) -> Tensor:
        seen.append(t)
        return torch.zeros_like(x)

    process = ReverseProcess(respaced(LINEAR, [5, 80, 200]), ReverseSettings())
    for t in (2, 1, 0):
        process.step(predict_eps, x_t, t, no_noise)
    assert [times.tolist() for times in seen] == [[200] * 4, [80] * 4, [5] * 4]


@pytest.mark.parametrize("steps", [1, 2, 25])
def test_coarse_reverse_process_with_the_true_noise_ends_at_x_0(steps: int) -> None:
    x_0, eps = images(2, 1, 4, 4)
    x_0 = x_0.clamp(-1, 1)
    schedule = up_to(LINEAR, 250, steps)
    process = ReverseProcess(schedule, ReverseSettings())
    x = q_sample(schedule, x_0, steps - 1, eps)
    for t in reversed(range(steps)):
        x = process.step(lambda x_t, told: eps_from_x_0(LINEAR, x_t, told, x_0), x, t, torch.ones)
    torch.testing.assert_close(x, x_0)


@pytest.mark.parametrize(("clip", "largest"), [((-1.0, 1.0), 1.0), (None, 5.0)])
def test_predicted_x_0_is_clipped_when_asked(clip: tuple[float, float] | None, largest: float) -> None:
    x_0 = torch.full((1, 1, 2, 2), 5.0, dtype=torch.float64)
    eps = torch.zeros_like(x_0)
    x_t = q_sample(LINEAR, x_0, 0, eps)
    process = ReverseProcess(LINEAR, ReverseSettings(clip=clip))
    assert float(process.step(lambda x, t: eps, x_t, 0, no_noise).max()) == pytest.approx(largest)


@pytest.mark.parametrize(
    ("variance", "expected"), [("small", posterior_variance(LINEAR)), ("large", LINEAR.beta)]
)
def test_step_adds_noise_of_the_chosen_variance(variance: str, expected: Tensor) -> None:
    x_t, eps = images(*SHAPES[0])
    process = ReverseProcess(LINEAR, ReverseSettings(variance=variance, clip=None))
    with_noise = process.step(lambda x, t: eps, x_t, TIMES, lambda shape: torch.ones_like(x_t))
    without = process.step(lambda x, t: eps, x_t, TIMES, no_noise)
    added = (with_noise - without).square()[:, 0, 0, 0]
    torch.testing.assert_close(added, expected[TIMES])


def test_gradients_flow_through_a_step() -> None:
    x_t, eps = images(*SHAPES[0])
    eps.requires_grad_()
    process = ReverseProcess(LINEAR, ReverseSettings(clip=None))
    process.step(lambda x, t: eps, x_t, TIMES, no_noise).sum().backward()
    assert eps.grad is not None
    assert eps.grad.all()


def test_values_take_the_type_of_the_image() -> None:
    assert at(LINEAR.beta, TIMES, torch.zeros(4, 1, 2, 2, dtype=torch.float32)).dtype == torch.float32


@pytest.mark.parametrize("clip", [(1, -1), (0.5, 0.5)])
def test_a_clip_that_is_no_range_is_refused(clip: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="is not a range, lowest first"):
        ReverseSettings(clip=clip)
