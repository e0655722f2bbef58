"""Patched DDPM: patches, what is noised, L_rec and L_p by brute force, and the one-shot restoration."""

import math

import pytest
import torch
from torch import Tensor, nn

from brainuad.diffusion.process import q_sample
from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape, Scan
from brainuad.methods.patched_ddpm import (
    OneShotSettings,
    PatchedDdpm,
    PatchedDdpmSettings,
    PatchedOneShot,
    PatchSettings,
    from_network_range,
    grid_starts,
    to_network_range,
)
from brainuad.networks.adm_unet import AdmUnet
from brainuad.networks.settings import AdmUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.randomness import Draws, torch_generator

SIDE = 24
SMALL = AdmUnetSettings(width=8, multipliers=(1, 2), res_blocks=1, attention_factors=(), dropout=0.0)
WHOLE = {"sampling": "fixed", "size": SIDE}


class Recorder(nn.Module):
    """A "network" that keeps what it sees; it answers with a constant, or with its input."""

    def __init__(self, answer: float | None = None) -> None:
        super().__init__()
        self.answer = answer
        self.x: list[Tensor] = []
        self.t: list[Tensor] = []

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.x.append(x.clone())
        self.t.append(t.clone())
        return x if self.answer is None else torch.full_like(x, self.answer)


class Counting(nn.Module):
    """A "network" whose k-th answer is k everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.calls += 1
        return torch.full_like(x, float(self.calls))


def model(patch: dict, side: int = SIDE, network: nn.Module | None = None) -> PatchedDdpm:
    settings = PatchedDdpmSettings(network=SMALL, patch=PatchSettings(**patch))
    ddpm = PatchedDdpm(settings, ImageShape(("t2",), (side, side))).eval()
    if network is None:
        generator = torch_generator(0, "weights")
        for parameter in ddpm.network.parameters():
            nn.init.normal_(parameter, 0, 0.1, generator=generator)
    else:
        ddpm.network = network
    return ddpm


def batch(size: int = 5, side: int = SIDE) -> Batch:
    x = torch.rand(size, 1, side, side, generator=torch_generator(0))
    return Batch(x, torch.ones(size, 1, side, side, dtype=torch.bool))


def scan(slices: int = 5) -> Scan:
    return Scan("s", batch(slices).images, batch(slices).brain)


def noised(ddpm: PatchedDdpm, x_0: Tensor, t: Tensor, draws: Draws) -> Tensor:
    """x_t, from the noise that the loss draws."""
    eps = draw_noise(ddpm.settings.noise, tuple(x_0.shape), draws.generator("noise"))
    return q_sample(ddpm.schedule, x_0, t, eps)


# Patches.


def test_grid_of_48_on_96_is_the_four_quadrants() -> None:
    quadrants = [(0, 48, 0, 48), (0, 48, 48, 96), (48, 96, 0, 48), (48, 96, 48, 96)]
    assert model({"size": 48}, side=96).grid() == quadrants


def test_grid_of_60_on_96_is_four_patches_from_0_and_36() -> None:
    corners = [(box[0], box[2]) for box in model({"size": 60}, side=96).grid()]
    assert corners == [(0, 0), (0, 36), (36, 0), (36, 36)]


@pytest.mark.parametrize("size", [*range(1, 30), 96, 100])
def test_starts_are_the_fewest_that_cover_the_side(size: int) -> None:
    side = 96
    starts = grid_starts(side, size)
    covered = {i for start in starts for i in range(start, min(start + size, side))}
    assert covered == set(range(side))
    assert len(starts) == math.ceil(side / size)
    assert all(start + min(size, side) <= side for start in starts)


@pytest.mark.parametrize("size", [24, 32, 48, 96])
def test_patches_that_divide_the_side_do_not_overlap(size: int) -> None:
    count = torch.zeros(96, 96)
    for top, bottom, left, right in model({"size": size}, side=96).grid():
        count[top:bottom, left:right] += 1
    assert (count == 1).all()


def test_fixed_patches_are_drawn_evenly_from_the_grid() -> None:
    ddpm = model({"size": 12})
    masks = ddpm._draw_patches(torch.zeros(2_000, 1, SIDE, SIDE), torch_generator(0))
    assert (masks.sum(dim=(1, 2, 3)) == 144).all()
    corners = masks[:, 0, [0, 0, 12, 12], [0, 12, 0, 12]]  # one pixel of each patch of the grid
    assert (corners.sum(dim=1) == 1).all()
    assert corners.float().mean(dim=0).sub(0.25).abs().max() < 0.04


def test_random_patches_start_anywhere_and_are_cut_at_the_border() -> None:
    ddpm = model({"size": 12, "sampling": "random"})
    masks = ddpm._draw_patches(torch.zeros(20_000, 1, SIDE, SIDE), torch_generator(0))[:, 0]
    first = masks.flatten(1).float().argmax(dim=1)
    starts = torch.bincount(first, minlength=SIDE**2)
    assert (starts > 0).all()
    rows, columns = first // SIDE, first % SIDE
    area = (SIDE - rows).clamp(max=12) * (SIDE - columns).clamp(max=12)
    torch.testing.assert_close(masks.sum(dim=(1, 2)), area)


# Training.


def test_whole_image_patch_trains_as_a_ddpm() -> None:
    losses = [
        model(patch).loss(batch(), Draws(3))
        for patch in (
            {"sampling": "none", "loss": "image"},
            {**WHOLE, "loss": "image"},
            {**WHOLE, "loss": "patch"},
        )
    ]
    assert losses[0] > 0
    assert losses[0] == losses[1] == losses[2]


@pytest.mark.parametrize("sampling", ["fixed", "random"])
def test_only_the_patch_is_noised_and_by_one_field_for_the_batch(sampling: str) -> None:
    network = Recorder(0.0)
    ddpm = model({"size": 12, "sampling": sampling}, network=network)
    ddpm.loss(batch(), Draws(3))
    x_0, (x_tilde,), (t,) = to_network_range(batch().images), network.x, network.t
    M = ddpm._draw_patches(x_0, Draws(3).generator("patch"))
    x_t = noised(ddpm, x_0, t, Draws(3))
    assert torch.equal(x_tilde[~M], x_0[~M])
    assert torch.equal(x_tilde[M], x_t[M])
    alpha_bar = ddpm.schedule.alpha_bar[t].float().view(-1, 1, 1, 1)
    eps = (x_t - alpha_bar.sqrt() * x_0) / (1 - alpha_bar).sqrt()
    torch.testing.assert_close(eps, eps[:1].expand_as(eps), atol=1e-3, rtol=0)


@pytest.mark.parametrize("loss", ["image", "patch"])
def test_losses_equal_sums_over_pixels_by_brute_force(loss: str) -> None:
    ddpm = model({"size": 12, "loss": loss}, network=Recorder(0.3))
    x_0 = to_network_range(batch().images)
    M = ddpm._draw_patches(x_0, Draws(3).generator("patch"))
    total = 0.0
    for sample in range(5):
        for row in range(SIDE):
            for column in range(SIDE):
                if loss == "image" or M[sample, 0, row, column]:
                    total += abs(float(x_0[sample, 0, row, column]) - 0.3)
    assert float(ddpm.loss(batch(), Draws(3))) == pytest.approx(total / x_0.numel(), rel=1e-5)


def test_perfect_restoration_costs_nothing() -> None:
    constant = Batch(torch.full((5, 1, SIDE, SIDE), 0.75), batch().brain)
    for loss in ("image", "patch"):
        assert model({"size": 12, "loss": loss}, network=Recorder(0.5)).loss(constant, Draws(3)) == 0


def test_times_are_drawn_from_all_array_indices() -> None:
    network = Recorder(0.0)
    ddpm = model({"size": 12}, network=network)
    ddpm.loss(batch(20_000, side=SIDE), Draws(3))
    assert (int(network.t[0].min()), int(network.t[0].max())) == (0, 999)
    assert float(network.t[0].float().mean()) == pytest.approx(499.5, abs=8)


# Scoring.


def score(ddpm: PatchedDdpm, **settings):
    rule = PatchedOneShot(OneShotSettings(**settings), ddpm, ddpm.shape)
    return rule.score(scan(), Draws(4))


def test_whole_image_patch_scores_as_a_ddpm() -> None:
    expected, found = score(model({"sampling": "none"})), score(model(WHOLE))
    assert torch.equal(expected.anomaly_map, found.anomaly_map)
    assert torch.equal(expected.pseudo_healthy, found.pseudo_healthy)


@pytest.mark.parametrize("size", [12, 10, 24])
def test_network_that_restores_nothing_leaves_the_noise(size: int) -> None:
    ddpm = model({"size": size}, network=Recorder())
    x_0 = to_network_range(scan().images)
    eps = draw_noise(ddpm.settings.noise, (1, 1, SIDE, SIDE), Draws(4).generator("noise"))
    x_t = q_sample(ddpm.schedule, x_0, 249, eps)
    scored = score(ddpm, t_test=250)
    torch.testing.assert_close(scored.pseudo_healthy, (x_t + 1) / 2)
    torch.testing.assert_close(scored.anomaly_map, ((x_t - x_0) / 2).abs()[:, 0])


def test_each_patch_is_noised_alone_and_at_index_t_test_less_one() -> None:
    network = Recorder()
    ddpm = model({"size": 12}, network=network)
    score(ddpm, t_test=500)
    x_0 = to_network_range(scan().images)
    assert len(network.x) == 4
    assert all((t == 499).all() for t in network.t)
    for x_tilde, (top, bottom, left, right) in zip(network.x, ddpm.grid(), strict=True):
        changed = (x_tilde != x_0).any(dim=(0, 1))
        outside = torch.ones(SIDE, SIDE, dtype=torch.bool)
        outside[top:bottom, left:right] = False
        assert changed[~outside].all()
        assert not changed[outside].any()


def test_overlapping_patches_are_averaged_by_how_many_cover_a_pixel() -> None:
    ddpm = model({"size": 16}, network=Counting())
    total, count = torch.zeros(SIDE, SIDE), torch.zeros(SIDE, SIDE)
    for number, (top, bottom, left, right) in enumerate(ddpm.grid(), start=1):
        total[top:bottom, left:right] += number
        count[top:bottom, left:right] += 1
    assert set(count.unique().tolist()) == {1, 2, 4}
    scored = score(ddpm)
    expected = from_network_range(total / count).expand(5, 1, SIDE, SIDE)
    torch.testing.assert_close(scored.pseudo_healthy, expected)


def test_batch_size_does_not_change_the_map() -> None:
    ddpm = model({"size": 12})
    maps = [score(ddpm, batch_size=size).anomaly_map for size in (2, 64)]
    torch.testing.assert_close(maps[0], maps[1])


def test_network_range_is_minus_one_to_one() -> None:
    x = torch.tensor([0.0, 0.25, 1.0])
    assert to_network_range(x).tolist() == [-1, -0.5, 1]
    assert torch.equal(from_network_range(to_network_range(x)), x)


def test_a_time_later_than_the_model_has_is_refused() -> None:
    ddpm = model({"size": 12})
    with pytest.raises(
        InputError, match=r"time 1200 of a scoring rule is later than .* 1000\. Choose an earlier"
    ):
        PatchedOneShot(OneShotSettings(t_test=1200), ddpm, ddpm.shape)
    score(ddpm, t_test=1000)


def test_a_size_that_the_network_cannot_halve_is_refused() -> None:
    with pytest.raises(InputError, match=r"image size \(90, 90\): every side must be a multiple of 4"):
        PatchedDdpm(PatchedDdpmSettings(), ImageShape(("t2",), (90, 90)))


# Published settings.


@pytest.mark.parametrize(("scale_shift", "count"), [(True, 37_513_857), (False, 34_493_313)])
def test_paper_scale_has_as_many_parameters_as_the_released_code(scale_shift: bool, count: int) -> None:
    settings = PatchedDdpmSettings().network.model_copy(update={"scale_shift": scale_shift})
    with torch.device("meta"):
        network = AdmUnet(settings, 1, 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_half_of_the_signal_is_left_at_the_published_test_time() -> None:
    ddpm = model({"size": 12})
    assert OneShotSettings().t_test == 500
    assert float(ddpm.schedule.alpha_bar[499]) == pytest.approx(0.494, abs=5e-4)


def test_paper_scale_trains_1600_epochs_of_one_slice_of_each_of_358_volumes() -> None:
    training = PatchedDdpmSettings().training
    assert training.epoch == "volumes"
    assert training.iterations == 1_600 * (358 // training.batch_size)
    assert training.validate_every == 358 // training.batch_size
