"""Noise schedules of diffusion models (Ho 2020; Nichol and Dhariwal 2021).

Arrays are 0-based: index i belongs to the time t = i + 1 of the papers, so that alpha_bar[i] is the product
alpha_1 ... alpha_{i + 1}. Functions and networks receive the index.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from brainuad.diffusion.settings import ScheduleSettings
from brainuad.errors import InputError

MAX_BETA = 0.999


@dataclass(frozen=True)
class Schedule:
    """The sequences beta_t, alpha_t, alpha_bar_t and alpha_bar_{t-1}: float64, (steps,), on one device.

    `network_time` (steps,) int64 is the index that a network is told; it differs from the position in the
    sequences where steps have been left out.
    """

    beta: Tensor
    alpha: Tensor
    alpha_bar: Tensor
    alpha_bar_previous: Tensor
    network_time: Tensor

    @property
    def steps(self) -> int:
        """T, the number of time steps."""
        return len(self.beta)


def make_schedule(settings: ScheduleSettings, device: torch.device | str = "cpu") -> Schedule:
    """The schedule of `settings` on `device`."""
    beta = linear_beta(settings) if settings.kind == "linear" else cosine_beta(settings)
    return schedule_of(beta.to(device))


def schedule_of(beta: Tensor) -> Schedule:
    """The schedule of beta_1 ... beta_T; alpha_bar_0 is 1."""
    alpha = 1 - beta.double()
    alpha_bar = torch.cumprod(alpha, dim=0)
    previous = torch.cat([alpha_bar.new_ones(1), alpha_bar[:-1]])
    return Schedule(1 - alpha, alpha, alpha_bar, previous, torch.arange(len(beta), device=beta.device))


def respaced(schedule: Schedule, indices: Sequence[int]) -> Schedule:
    """The schedule that visits only these rising indices (Nichol and Dhariwal 2021, section 4).

    Its alpha_bar at position k is that of the full schedule at indices[k]; fewer network passes, coarser steps.
    """
    chosen = torch.tensor(indices, dtype=torch.int64, device=schedule.beta.device)
    alpha_bar = schedule.alpha_bar[chosen]
    previous = torch.cat([alpha_bar.new_ones(1), alpha_bar])[: len(chosen)]
    alpha = alpha_bar / previous
    return Schedule(1 - alpha, alpha, alpha_bar, previous, schedule.network_time[chosen])


def evenly_spaced(last: int, count: int | None = None) -> list[int]:
    """`count` array indices from 0 to `last` at equal distances, rising, with `last` among them; null: all."""
    if count is None or count > last:
        return list(range(last + 1))
    return [round(index) for index in np.linspace(last, 0, count)][::-1]


def up_to(schedule: Schedule, t: int, steps: int | None = None) -> Schedule:
    """The schedule of the times 1 ... t, or of `steps` of them at equal distances, t among them.

    Its last position is where an image noised to t starts its way back; with t = 0 there is none.
    """
    check_time(schedule, t)
    return respaced(schedule, evenly_spaced(t - 1, steps))


def check_time(schedule: Schedule, t: int) -> None:
    """Raises an `InputError` if the schedule has no time t (1 ... T)."""
    if t > schedule.steps:
        raise InputError(
            f"time {t} of a scoring rule is later than the last time of its model, {schedule.steps}. "
            "Choose an earlier one in the method's settings."
        )


def linear_beta(settings: ScheduleSettings) -> Tensor:
    """beta_1 ... beta_T at equal distances (Ho 2020)."""
    return torch.linspace(settings.beta_first, settings.beta_last, settings.steps, dtype=torch.float64)


def cosine_beta(settings: ScheduleSettings) -> Tensor:
    """beta_t = 1 - f(t) / f(t - 1), at most 0.999, with f(t) = cos^2((t / T + s) / (1 + s) pi / 2)."""
    t = torch.arange(settings.steps + 1, dtype=torch.float64)
    f = torch.cos((t / settings.steps + settings.offset) / (1 + settings.offset) * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).clamp(max=MAX_BETA)
