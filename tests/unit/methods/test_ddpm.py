"""The diffusion model: its loss by brute force, its noise and times, its networks, published sizes."""

from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape
from brainuad.methods.ddpm import Ddpm, DdpmSettings, build_network
from brainuad.networks.settings import AdmUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws, torch_generator
from brainuad.study import overlay

SIDE = 16
SMALL = AdmUnetSettings(width=8, multipliers=(1, 2), res_blocks=1, attention_factors=(), dropout=0.0)
KINDS = ["gaussian", "coarse", "simplex", "pyramid"]


class Recorder(nn.Module):
    """A "network" that keeps what it sees and finds no noise."""

    def __init__(self) -> None:
        super().__init__()
        self.x: list[Tensor] = []
        self.t: list[Tensor] = []

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.x.append(x)
        self.t.append(t)
        return torch.zeros_like(x)


def model(**settings) -> Ddpm:
    ddpm = Ddpm(DdpmSettings(adm=SMALL, **settings), ImageShape(("t1", "t2"), (SIDE, SIDE)))
    ddpm.network = Recorder()
    return ddpm


def batch(size: int = 4) -> Batch:
    x = torch.rand(size, 2, SIDE, SIDE, generator=torch_generator(0))
    return Batch(x, torch.ones(size, 1, SIDE, SIDE, dtype=torch.bool))


@pytest.mark.parametrize("value_range", ["symmetric", "unit"])
@pytest.mark.parametrize("kind", KINDS)
def test_loss_is_the_mean_squared_error_of_the_noise_that_was_added(kind: str, value_range: str) -> None:
    noise = NoiseSettings(kind=kind)
    ddpm = model(noise=noise, value_range=value_range)
    loss = ddpm.loss(batch(), Draws(3))
    eps = draw_noise(noise, (4, 2, SIDE, SIDE), Draws(3).generator("noise"))
    x_0 = batch().images * 2 - 1 if value_range == "symmetric" else batch().images
    for sample, t in enumerate(ddpm.network.t[0]):
        alpha_bar = float(ddpm.schedule.alpha_bar[t])
        x_t = alpha_bar**0.5 * x_0[sample] + (1 - alpha_bar) ** 0.5 * eps[sample]
        torch.testing.assert_close(ddpm.network.x[0][sample], x_t)
    torch.testing.assert_close(loss, eps.square().mean())


@pytest.mark.parametrize(("first_t", "last_t"), [(0, 1000), (1, 1000), (0, 800)])
def test_times_are_drawn_evenly_from_the_chosen_ones(first_t: int, last_t: int) -> None:
    ddpm = model(first_t=first_t, last_t=last_t)
    ddpm.predict_eps = lambda x_t, t: ddpm.network(x_t[:1], t)  # type: ignore[method-assign]
    images = torch.zeros(1, 2, SIDE, SIDE).expand(20_000, -1, -1, -1)
    draws = Draws(3)
    t = torch.randint(first_t, last_t, (20_000,), generator=draws.generator("t"))
    ddpm.draw_noise = lambda shape, generator: torch.zeros(1, 1, 1, 1)  # type: ignore[method-assign]
    ddpm.loss(Batch(images, images[:, :1].bool()), draws)
    assert torch.equal(ddpm.network.t[0], t)
    assert (int(t.min()), int(t.max())) == (first_t, last_t - 1)


@pytest.mark.parametrize(("first_t", "last_t"), [(5, 5), (0, 1001)])
def test_times_outside_the_schedule_are_refused(first_t: int, last_t: int) -> None:
    with pytest.raises(ValidationError, match="times"):
        DdpmSettings(first_t=first_t, last_t=last_t)


@pytest.mark.parametrize(("value_range", "expected"), [("symmetric", [-1, -0.5, 1]), ("unit", [0, 0.25, 1])])
def test_network_range_is_as_chosen_and_undone(value_range: str, expected: list[float]) -> None:
    x = torch.tensor([0.0, 0.25, 1.0])
    ddpm = model(value_range=value_range)
    assert ddpm.to_network_range(x).tolist() == expected
    assert torch.equal(ddpm.from_network_range(ddpm.to_network_range(x)), x)


@pytest.mark.parametrize("architecture", ["adm", "andi", "monai"])
def test_every_architecture_learns_at_quick_settings(architecture: str) -> None:
    paper = DdpmSettings().model_dump(mode="json")
    settings = DdpmSettings.model_validate(overlay(paper, {**Ddpm.quick, "architecture": architecture}))
    ddpm = Ddpm(settings, ImageShape(("t1", "t2"), (32, 32)))
    optimiser = torch.optim.Adam(ddpm.parameters(), lr=1e-3)
    images = torch.rand(4, 2, 32, 32, generator=torch_generator(0))
    losses = []
    for _ in range(8):
        loss = ddpm.loss(Batch(images, images[:, :1] > 0), Draws(0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("architecture", "channels", "count"),
    [("adm", 4, 26_335_172), ("andi", 4, 9_720_964), ("monai", 1, 18_500_993)],
)
def test_parameters_at_paper_scale(architecture: str, channels: int, count: int) -> None:
    shape = ImageShape(("flair", "t1", "t1ce", "t2")[:channels], (128, 128))
    with torch.device("meta"):
        network = build_network(DdpmSettings(architecture=architecture), shape)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize(("architecture", "multiple"), [("adm", 16), ("monai", 4)])
def test_images_that_cannot_be_halved_often_enough_are_refused(architecture: str, multiple: int) -> None:
    with pytest.raises(InputError, match=f"multiple of {multiple}"):
        Ddpm(DdpmSettings(architecture=architecture), ImageShape(("t1",), (128, 90)))


def test_schedule_is_that_of_the_settings() -> None:
    assert SimpleNamespace(**vars(model().schedule)).beta[-1] == pytest.approx(0.02)
    assert model(schedule={"kind": "cosine"}).schedule.alpha_bar[499] == pytest.approx(0.494, abs=5e-4)
