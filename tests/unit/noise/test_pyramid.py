"""Pyramidal noise: level sizes and variance."""

import math

import pytest
import torch

from brainuad.noise.pyramid import cumulative_sizes, equation_sizes, pyramid_noise
from brainuad.randomness import numpy_generator, torch_generator


@pytest.mark.parametrize("literal_eq", [False, True])
@pytest.mark.parametrize("shape", [(8, 4, 128, 128), (2, 1, 20, 28, 22)])
def test_variance_is_one(shape: tuple[int, ...], literal_eq: bool) -> None:
    field = pyramid_noise(shape, 10, 0.8, torch_generator(0, "pyramid"), literal_eq=literal_eq)
    assert field.shape == shape
    assert float(field.std()) == pytest.approx(1, rel=1e-5)


def test_released_sizes_collapse_in_four_levels_of_a_128_image() -> None:
    random = numpy_generator(0, "ratios")
    for _ in range(200):
        sizes = cumulative_sizes((128, 128), random.uniform(2, 4, 10))
        assert len(sizes) == 4
        assert sizes[0] == (128, 128)
        assert 32 <= sizes[1][0] <= 64
        assert 2 <= sizes[2][0] <= 16
        assert sizes[3] == (1, 1)


def test_equation_sizes_start_at_full_resolution_and_fall_to_one() -> None:
    ratios = [2.0, 2.5, 3.0, 2.0, 4.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    sizes = equation_sizes((128, 96), ratios)
    assert len(sizes) == 10
    assert sizes[0] == (128, 96)
    assert sizes[1] == (math.ceil(128 / 2.5), math.ceil(96 / 2.5))
    assert sizes[3] == (16, 12)
    assert sizes[-1] == (1, 1)


def test_long_range_correlation_exceeds_that_of_white_noise() -> None:
    field = pyramid_noise((64, 1, 64, 64), 10, 0.8, torch_generator(0, "pyramid"))
    assert float((field[..., 4:] * field[..., :-4]).mean()) > 0.05


@pytest.mark.parametrize(
    ("literal_eq", "weights"),
    [
        (False, [1, 1, 0.8, 0.64, 0.512]),  # four levels of a 128 image after the noise at full resolution
        (True, [0.8, 0.64, 0.512, 0.4096]),
    ],
    ids=["released code", "equation 9"],
)
def test_levels_are_summed_with_the_weights_of_the_paper(literal_eq: bool, weights: list[float]) -> None:
    levels = 10 if not literal_eq else len(weights)
    field = pyramid_noise((3, 2, 128, 128), levels, 0.8, torch_generator(5, "pyramid"), literal_eq=literal_eq)
    generator = torch_generator(5, "pyramid")
    ratios = (2 + 2 * torch.rand(levels, generator=generator)).tolist()
    if literal_eq:
        sizes = [math.ceil(128 / ratio**level) for level, ratio in enumerate(ratios)]
    else:
        sizes = [128]
        for level, ratio in enumerate(ratios[:4]):
            sizes.append(max(1, int(sizes[-1] / ratio**level)))
    expected = torch.zeros(3, 2, 128, 128)
    for side, weight in zip(sizes, weights, strict=True):
        noise = torch.randn(3, 2, side, side, generator=generator)
        expected += weight * torch.nn.functional.interpolate(noise, size=(128, 128), mode="bilinear")
    torch.testing.assert_close(field, expected / expected.std())


def test_one_level_of_the_equation_is_white_noise() -> None:
    generator = torch_generator(3, "pyramid")
    field = pyramid_noise((2, 1, 16, 16), 1, 0.8, generator, literal_eq=True)
    again = torch_generator(3, "pyramid")
    torch.rand(1, generator=again)
    white = torch.randn(2, 1, 16, 16, generator=again)
    torch.testing.assert_close(field, white / white.std())
