"""Models and a perceptual distance with simple answers, and AutoDDPM rules that use them."""

import torch
from torch import Tensor

from brainuad.diffusion.process import at
from brainuad.diffusion.schedule import make_schedule
from brainuad.diffusion.settings import ScheduleSettings
from brainuad.methods.autoddpm import AutoDdpm, AutoDdpmSettings
from brainuad.methods.base import ImageShape, Scan
from brainuad.randomness import Draws, torch_generator

SHAPE = (3, 2, 12, 10)  # slice, channel, x, y
SCHEDULE = make_schedule(ScheduleSettings())
DRAWS = Draws(3, ("scoring", "s"))
FEW = {"steps": 3, "resamples": 2}


class Fake:
    """A model that takes every image for a noisy version of one that is 0.5 everywhere; keeps what it is asked."""

    schedule = SCHEDULE

    def __init__(self) -> None:
        self.times: list[int] = []
        self.sizes: list[int] = []

    def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
        self.times += t.tolist()
        self.sizes.append(len(x_t))
        alpha_bar = at(SCHEDULE.alpha_bar, t, x_t)
        return (x_t - alpha_bar.sqrt() * 0.5) / (1 - alpha_bar).sqrt()

    def draw_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        return torch.randn(shape, generator=generator)

    def to_network_range(self, x: Tensor) -> Tensor:
        return x

    def from_network_range(self, v: Tensor) -> Tensor:
        return v


class Shrinking(Fake):
    """A model without a closed form: its answer depends on all that it is given."""

    def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
        return 0.2 * x_t + t.view(-1, 1, 1, 1) / 500


class Distance(torch.nn.Module):
    """A perceptual distance of |a - b|."""

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        assert a.shape[1] == b.shape[1] == 1
        return (a - b).abs()


def rule(model: Fake | None = None, **settings: object) -> AutoDdpm:
    full = AutoDdpmSettings(**{"perceptual": {"weights": "random"}, **settings})
    chosen = AutoDdpm(full, model or Fake(), ImageShape(("flair", "t1"), SHAPE[2:]))
    chosen.perceptual = Distance()
    return chosen


def volume(seed: int = 0, above: float = 1.0) -> Tensor:
    return above * torch.rand(SHAPE, generator=torch_generator(seed, "images"))


def scan(x: Tensor | None = None, subject: str = "s") -> Scan:
    return Scan(subject, volume() if x is None else x, torch.ones(SHAPE[0], 1, *SHAPE[2:], dtype=torch.bool))
