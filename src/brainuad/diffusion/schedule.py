"""Noise schedules of diffusion models (Ho 2020; Nichol and Dhariwal 2021).

Arrays are 0-based: index i belongs to the time t = i + 1 of the papers, so that alpha_bar[i] is the product
alpha_1 ... alpha_{i + 1}. Functions and networks receive the index.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from brainuad.diffusion.settings import ScheduleSettings

MAX_BETA = 0.999


@dataclass(frozen=True)
class Schedule:
    """The sequences beta_t, alpha_t, alpha_bar_t and alpha_bar_{t-1}: float64, (steps,), on one device."""

    beta: Tensor
    alpha: Tensor
    alpha_bar: Tensor
    alpha_bar_previous: Tensor

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
    return Schedule(1 - alpha, alpha, alpha_bar, torch.cat([alpha_bar.new_ones(1), alpha_bar[:-1]]))


def linear_beta(settings: ScheduleSettings) -> Tensor:
    """beta_1 ... beta_T at equal distances (Ho 2020)."""
    return torch.linspace(settings.beta_first, settings.beta_last, settings.steps, dtype=torch.float64)


def cosine_beta(settings: ScheduleSettings) -> Tensor:
    """beta_t = 1 - f(t) / f(t - 1), at most 0.999, with f(t) = cos^2((t / T + s) / (1 + s) pi / 2)."""
    t = torch.arange(settings.steps + 1, dtype=torch.float64)
    f = torch.cos((t / settings.steps + settings.offset) / (1 + settings.offset) * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).clamp(max=MAX_BETA)
