"""The forward and reverse processes of denoising diffusion (Ho 2020), for noise of any kind.

`t` is an array index (0 for the papers' t = 1): one number, or one per sample (batch,). Images are
(batch, channel, *spatial). Symbols are those of the papers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from brainuad.diffusion.schedule import Schedule
from brainuad.diffusion.settings import ReverseSettings

Time = Tensor | int
PredictNoise = Callable[[Tensor, Tensor], Tensor]
DrawNoise = Callable[[torch.Size], Tensor]


def at(sequence: Tensor, t: Time, x: Tensor) -> Tensor:
    """sequence[t] in the type and on the device of `x`, shaped (batch or 1, 1, 1, ...) to multiply it."""
    index = torch.as_tensor(t, device=x.device)
    return sequence.to(x.device)[index].to(x.dtype).view(-1, *[1] * (x.ndim - 1))


def q_sample(schedule: Schedule, x_0: Tensor, t: Time, eps: Tensor) -> Tensor:
    """x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps."""
    return at(schedule.alpha_bar.sqrt(), t, x_0) * x_0 + at((1 - schedule.alpha_bar).sqrt(), t, x_0) * eps


def q_step(schedule: Schedule, x_previous: Tensor, t: Time, eps: Tensor) -> Tensor:
    """x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps, one step of the forward process."""
    return (
        at(schedule.alpha.sqrt(), t, x_previous) * x_previous + at(schedule.beta.sqrt(), t, x_previous) * eps
    )


def x_0_from_eps(schedule: Schedule, x_t: Tensor, t: Time, eps: Tensor) -> Tensor:
    """x_0 = (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t)."""
    return (x_t - at((1 - schedule.alpha_bar).sqrt(), t, x_t) * eps) / at(schedule.alpha_bar.sqrt(), t, x_t)


def posterior_mean(schedule: Schedule, x_0: Tensor, x_t: Tensor, t: Time) -> Tensor:
    """The mean of q(x_{t-1} | x_t, x_0) (Ho 2020, equation 7; Frotscher 2023, equation 2)."""
    remaining = 1 - schedule.alpha_bar
    of_x_0 = schedule.alpha_bar_previous.sqrt() * schedule.beta / remaining
    of_x_t = schedule.alpha.sqrt() * (1 - schedule.alpha_bar_previous) / remaining
    return at(of_x_0, t, x_t) * x_0 + at(of_x_t, t, x_t) * x_t


def posterior_variance(schedule: Schedule) -> Tensor:
    """The variance of q(x_{t-1} | x_t, x_0) for all t (steps,), float64; zero at index 0."""
    return schedule.beta * (1 - schedule.alpha_bar_previous) / (1 - schedule.alpha_bar)


@dataclass(frozen=True)
class ReverseProcess:
    """Ancestral sampling of x_{t-1} given x_t with a network that predicts the noise."""

    schedule: Schedule
    settings: ReverseSettings

    def deviation(self) -> Tensor:
        """The standard deviation of each step's noise (steps,), float64; zero at index 0, the last step."""
        small = posterior_variance(self.schedule)
        variance = small if self.settings.variance == "small" else self.schedule.beta.clone()
        variance[0] = 0
        return variance.sqrt()

    def predict_x_0(self, x_t: Tensor, t: Time, eps: Tensor) -> Tensor:
        """x_0 from the predicted noise, clipped if the settings say so."""
        x_0 = x_0_from_eps(self.schedule, x_t, t, eps)
        return x_0 if self.settings.clip is None else x_0.clamp(*self.settings.clip)

    def step(self, predict_eps: PredictNoise, x_t: Tensor, t: Time, draw_noise: DrawNoise) -> Tensor:
        """A draw of x_{t-1}; at t = 0 its mean, which is the predicted x_0.

        `predict_eps` receives x_t and the times that a network is told (batch,); `draw_noise` a shape.
        """
        times = torch.as_tensor(t, device=x_t.device).expand(len(x_t))
        told = self.schedule.network_time.to(x_t.device)[times]
        x_0 = self.predict_x_0(x_t, times, predict_eps(x_t, told))
        mean = posterior_mean(self.schedule, x_0, x_t, times)
        return mean + at(self.deviation(), times, x_t) * draw_noise(x_t.shape)
