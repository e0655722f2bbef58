"""What the forward process implies, in forms that the code itself does not use."""

from torch import Tensor

from brainuad.diffusion.process import Time, at
from brainuad.diffusion.schedule import Schedule


def eps_from_x_0(schedule: Schedule, x_t: Tensor, t: Time, x_0: Tensor) -> Tensor:
    """eps = (x_t - sqrt(alpha_bar_t) x_0) / sqrt(1 - alpha_bar_t)."""
    return (x_t - at(schedule.alpha_bar.sqrt(), t, x_t) * x_0) / at((1 - schedule.alpha_bar).sqrt(), t, x_t)


def posterior_mean_from_eps(schedule: Schedule, x_t: Tensor, t: Time, eps: Tensor) -> Tensor:
    """The mean of q(x_{t-1} | x_t, x_0), of the noise that made x_t (Ho 2020, equation 11).

    It is (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t).
    """
    of_eps = schedule.beta / (1 - schedule.alpha_bar).sqrt()
    return (x_t - at(of_eps, t, x_t) * eps) / at(schedule.alpha.sqrt(), t, x_t)
