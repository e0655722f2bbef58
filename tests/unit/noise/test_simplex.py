"""Simplex noise against the opensimplex package."""

import numpy as np
import opensimplex
import pytest
import torch
from opensimplex.internals import _init

from brainuad.errors import InputError
from brainuad.noise import simplex
from brainuad.noise.simplex import SimplexOctaves, draw_simplex_noise, permutations, simplex_fields
from brainuad.randomness import numpy_generator, torch_generator

SEEDS = np.array([0, 3, 2**61 + 5, -12345])
OCTAVES = SimplexOctaves()
# The original leaves out a few contributions near the edge of the kernel in three dimensions.
LEFT_OUT = 2e-4


def package_plane(seed: int, height: int, width: int, octaves: SimplexOctaves) -> np.ndarray:
    """The sum over octaves of noise2array, indexed [y, x]."""
    opensimplex.seed(seed)
    total = np.zeros((height, width))
    for octave in range(octaves.octaves):
        step = 2**octave / octaves.frequency
        noise = opensimplex.noise2array(np.arange(width) * step, np.arange(height) * step)
        total += octaves.persistence**octave * noise
    return total


def package_volume(seed: int, z: np.ndarray, height: int, width: int, octaves: SimplexOctaves) -> np.ndarray:
    """The sum over octaves of noise3array, indexed [z, y, x]."""
    opensimplex.seed(seed)
    total = np.zeros((len(z), height, width))
    for octave in range(octaves.octaves):
        step = 2**octave / octaves.frequency
        noise = opensimplex.noise3array(np.arange(width) * step, np.arange(height) * step, z * step)
        total += octaves.persistence**octave * noise
    return total


def test_permutations_are_those_of_the_package() -> None:
    random = numpy_generator(0, "seeds")
    seeds = np.append(SEEDS, random.integers(-(2**63), 2**63 - 1, 20))
    for seed, permutation in zip(seeds, permutations(seeds), strict=True):
        np.testing.assert_array_equal(permutation, _init(int(seed))[0])


@pytest.mark.parametrize("octaves", [OCTAVES, SimplexOctaves(3, 0.5, 20.0)])
def test_two_dimensional_fields_equal_the_package(octaves: SimplexOctaves) -> None:
    fields = simplex_fields(SEEDS, (40, 56), octaves)
    for seed, field in zip(SEEDS, fields.numpy(), strict=True):
        np.testing.assert_allclose(field, package_plane(int(seed), 40, 56, octaves), atol=3e-6)


def test_planes_of_three_dimensional_noise_equal_the_package() -> None:
    fields = simplex_fields(SEEDS, (40, 56), OCTAVES, plane_z=10.0)
    for seed, field in zip(SEEDS, fields.numpy(), strict=True):
        package = package_volume(int(seed), np.array([10.0]), 40, 56, OCTAVES)[0]
        np.testing.assert_allclose(field, package, atol=LEFT_OUT)
        assert np.mean(np.abs(field - package) > 3e-6) < 0.2


def test_volumes_equal_the_package() -> None:
    fields = simplex_fields(SEEDS[:2], (8, 20, 24), OCTAVES)
    for seed, field in zip(SEEDS, fields.numpy(), strict=False):
        package = package_volume(int(seed), np.arange(8), 20, 24, OCTAVES)
        np.testing.assert_allclose(field, package, atol=LEFT_OUT)


def test_three_dimensional_noise_is_the_sum_over_all_lattice_points_in_reach() -> None:
    field = simplex_fields(SEEDS[1:2], (5, 6, 7), SimplexOctaves(1, 1.0, 2.7))[0].numpy()
    permutation = permutations(SEEDS[1:2])[0]
    for index in np.ndindex(field.shape):
        point = np.array(index[::-1]) / 2.7
        cell = np.floor(point - point.sum() / 6).astype(int)
        total = 0.0
        for vertex in cell + np.array(list(np.ndindex(8, 8, 8))) - 3:
            offset = point - vertex - vertex.sum() / 3
            hashed = 0
            for coordinate in vertex:
                hashed = permutation[(hashed + coordinate) & 255]
            attenuation = max(0.0, 2 - offset @ offset)
            total += attenuation**4 * (offset @ np.array(simplex.GRADIENTS[3][hashed % 24]))
        assert field[index] == pytest.approx(total / 103, abs=1e-6)


def test_large_volumes_are_made_in_slabs_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simplex_fields(SEEDS, (9, 16, 20), OCTAVES)
    monkeypatch.setattr(simplex, "POINTS_PER_MATRIX", 2 * 16 * 20)
    torch.testing.assert_close(simplex_fields(SEEDS, (9, 16, 20), OCTAVES), whole)


@pytest.mark.parametrize(("plane_z", "octave_std", "field_std"), [(None, 0.37, 0.49), (10.0, 0.31, 0.42)])
def test_standard_deviations_are_those_of_the_papers_generator(
    plane_z: float | None, octave_std: float, field_std: float
) -> None:
    seeds = np.arange(300)
    fields = simplex_fields(seeds, (64, 64), OCTAVES, plane_z)
    assert float(fields.std(dim=(1, 2)).mean()) == pytest.approx(field_std, rel=0.1)
    assert 0.25 < float(fields.mean(dim=(1, 2)).std()) < 0.45
    assert 1 < float(fields.abs().max()) < sum(0.8**octave for octave in range(6))
    # One octave at a frequency without phase relation to the pixels.
    octave = simplex_fields(seeds, (64, 64), SimplexOctaves(1, 0.8, 7.3), plane_z)
    assert float(octave.std()) == pytest.approx(octave_std, rel=0.1)


def test_amplitudes_of_six_octaves_add_up_to_3_69() -> None:
    one = simplex_fields(SEEDS, (8, 8), SimplexOctaves(1, 0.8, 5.0))
    total = sum(simplex_fields(SEEDS, (8, 8), SimplexOctaves(1, 0.8, 5.0)) * 0.8**o for o in range(6))
    torch.testing.assert_close(total, one * 3.69, rtol=1e-3, atol=1e-4)


def test_samples_and_channels_are_independent() -> None:
    noise = draw_simplex_noise((16, 4, 32, 32), OCTAVES, 10.0, torch_generator(0, "simplex"), "cpu")
    correlations = np.corrcoef(noise[..., ::4, ::4].flatten(2).flatten(0, 1).numpy())
    off_diagonal = correlations[~np.eye(len(correlations), dtype=bool)]
    assert abs(off_diagonal.mean()) < 0.05
    assert len(np.unique(noise[..., 5, 5])) == 64


def test_two_dimensional_lattice_for_a_volume_is_refused() -> None:
    with pytest.raises(InputError, match="lattice_dims"):
        draw_simplex_noise((1, 1, 4, 4, 4), OCTAVES, None, torch_generator(0), "cpu")
