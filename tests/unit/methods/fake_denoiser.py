"""A diffusion model that knows the image, for tests of scoring rules, and a small real one."""

import torch
from torch import Tensor, nn

from brainuad.diffusion.schedule import make_schedule
from brainuad.diffusion.settings import ScheduleSettings
from brainuad.methods.base import ImageShape
from brainuad.methods.ddpm import Ddpm, DdpmSettings
from brainuad.networks.settings import AdmUnetSettings
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import torch_generator
from tests.unit.diffusion.closed_forms import eps_from_x_0

SMALL = AdmUnetSettings(width=8, multipliers=(1, 2), res_blocks=1, attention_factors=(), dropout=0.0)


class FakeDenoiser:
    """Finds the noise that leads from x_t to `answer`, one image in [-1, 1]; keeps what it sees.

    Its own noise is Gaussian times `noise_scale`.
    """

    def __init__(self, answer: Tensor, noise_scale: float = 1.0) -> None:
        self.schedule = make_schedule(ScheduleSettings())
        self.answer = answer  # (channel, x, y)
        self.noise_scale = noise_scale
        self.x_t: list[Tensor] = []
        self.t: list[list[int]] = []
        self.shapes: list[tuple[int, ...]] = []

    def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
        self.x_t.append(x_t)
        self.t.append(t.tolist())
        return eps_from_x_0(self.schedule, x_t, t, self.answer.expand_as(x_t))

    def draw_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        self.shapes.append(tuple(shape))
        return self.noise_scale * torch.randn(shape, generator=generator)

    def to_network_range(self, x: Tensor) -> Tensor:
        return 2 * x - 1

    def from_network_range(self, v: Tensor) -> Tensor:
        return (v + 1) / 2


def small_ddpm(side: int = 8, channels: int = 2, noise: NoiseSettings | None = None) -> Ddpm:
    """A diffusion model with random weights, not zero anywhere."""
    settings = DdpmSettings(adm=SMALL, noise=noise or NoiseSettings())
    model = Ddpm(settings, ImageShape(("t1", "t2")[:channels], (side, side))).eval()
    generator = torch_generator(0, "weights")
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0, 0.1, generator=generator)
    return model
