"""Coarse noise: variance, correlation length and shifts."""

import numpy as np
import pytest
import torch

from brainuad.noise.coarse import coarse_noise, roll_samples, variance_kept
from brainuad.randomness import torch_generator


def draw(shape: tuple[int, ...], resolution: int = 16, **options: object) -> torch.Tensor:
    return coarse_noise(shape, resolution, torch_generator(0, "coarse"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("shape", "axes"), [((64, 4, 128, 128), 2), ((40, 1, 80, 112, 88), 3)])
def test_variance_falls_by_two_thirds_per_axis(shape: tuple[int, ...], axes: int) -> None:
    field = draw(shape)
    assert float(field.square().mean()) == pytest.approx((2 / 3) ** axes, rel=0.05)
    assert abs(float(field.mean())) < 0.02


def test_variance_kept_is_the_mean_square_of_linear_weights() -> None:
    grid = np.linspace(0, 15, 128)
    share = grid - np.floor(grid)
    assert variance_kept(16, 128) == pytest.approx(np.mean(share**2 + (1 - share) ** 2))


@pytest.mark.parametrize("shape", [(64, 4, 96, 96), (20, 2, 40, 56, 44)])
def test_normalised_noise_has_unit_variance(shape: tuple[int, ...]) -> None:
    assert float(draw(shape, normalise=True).square().mean()) == pytest.approx(1, rel=0.05)


def test_neighbours_agree_and_points_two_grid_cells_apart_do_not() -> None:
    field = draw((64, 4, 128, 128))
    cell = 127 / 15

    def correlation(lag: int) -> float:
        return float((field[..., lag:] * field[..., :-lag]).mean() / field.square().mean())

    assert correlation(1) > 0.95
    assert abs(correlation(2 * round(cell) + 1)) < 0.1


def test_full_resolution_is_white_noise() -> None:
    field = draw((4, 2, 32, 32), resolution=32)
    assert float(field.std()) == pytest.approx(1, rel=0.05)
    assert abs(float((field[..., 1:] * field[..., :-1]).mean())) < 0.05


@pytest.mark.parametrize("spatial", [(5, 7), (4, 5, 6)])
def test_each_sample_is_rolled_by_its_own_shift(spatial: tuple[int, ...]) -> None:
    field = torch.randn(3, 2, *spatial, generator=torch_generator(0, "field"))
    shifts = torch.tensor([[0] * len(spatial), [1] * len(spatial), [3, 2, 4][: len(spatial)]])
    rolled = roll_samples(field, shifts)
    axes = tuple(range(1, len(spatial) + 1))
    for sample, shift in enumerate(shifts.tolist()):
        torch.testing.assert_close(rolled[sample], field[sample].roll(shift, axes))


@pytest.mark.parametrize(("roll", "distinct"), [("batch", 1), ("sample", 8)])
def test_shifts_are_per_batch_or_per_sample(roll: str, distinct: int) -> None:
    size = 61
    field = draw((8, 1, size, size), resolution=4, roll=roll)
    # Only at the seam do neighbouring pixels jump: the seam shows the shift.
    jumps = (field - field.roll(1, -1)).abs().amax(dim=(1, 2))  # (sample, column)
    assert len(set(jumps.argmax(dim=1).tolist())) == pytest.approx(distinct, abs=distinct // 4)


def test_noise_as_fine_as_the_image_is_gaussian_noise() -> None:
    field = draw((2, 3, 64, 64), 64)
    normal = torch.randn((2, 3, 64, 64), generator=torch_generator(0, "coarse"))
    # A shift alone lies between them.
    values, expected = (images.flatten(2).sort(dim=2).values for images in (field, normal))
    assert torch.allclose(values, expected, atol=1e-6)
