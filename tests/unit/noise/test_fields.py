"""Noise of every kind: shape, scale and reproducibility."""

import pytest
import torch

from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import torch_generator

KINDS = ["gaussian", "coarse", "simplex", "pyramid"]
SHAPES = [(3, 2, 24, 20), (2, 1, 8, 12, 10)]

every_kind = pytest.mark.parametrize("kind", KINDS)
every_shape = pytest.mark.parametrize("shape", SHAPES)


@every_kind
@every_shape
def test_same_generator_state_gives_the_same_field(kind: str, shape: tuple[int, ...]) -> None:
    settings = NoiseSettings(kind=kind)
    first, second, other = (draw_noise(settings, shape, torch_generator(seed, "n")) for seed in (1, 1, 2))
    assert first.shape == shape
    assert first.dtype == torch.float32
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@every_kind
def test_generator_advances_between_fields(kind: str) -> None:
    generator = torch_generator(0, "n")
    first, second = (draw_noise(NoiseSettings(kind=kind), SHAPES[0], generator) for _ in range(2))
    assert not torch.equal(first, second)


@every_kind
def test_global_random_state_is_neither_read_nor_changed(kind: str) -> None:
    state = torch.random.get_rng_state()
    draw_noise(NoiseSettings(kind=kind), SHAPES[0], torch_generator(0, "n"))
    assert torch.equal(torch.random.get_rng_state(), state)


@every_kind
def test_scale_multiplies_the_field(kind: str) -> None:
    unit = draw_noise(NoiseSettings(kind=kind), SHAPES[0], torch_generator(0, "n"))
    scaled = draw_noise(NoiseSettings(kind=kind, scale=0.2), SHAPES[0], torch_generator(0, "n"))
    torch.testing.assert_close(scaled, 0.2 * unit)


@every_kind
@every_shape
def test_shared_noise_repeats_over_samples_but_not_channels(kind: str, shape: tuple[int, ...]) -> None:
    noise = draw_noise(NoiseSettings(kind=kind, shared=True), (3, 2, *shape[2:]), torch_generator(0, "n"))
    assert torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[:, 0], noise[:, 1])
    noise[0] += 1  # Samples do not share memory.
    assert not torch.equal(noise[0], noise[1])


@every_kind
def test_unshared_samples_differ(kind: str) -> None:
    noise = draw_noise(NoiseSettings(kind=kind), SHAPES[0], torch_generator(0, "n"))
    assert not torch.equal(noise[0], noise[1])


def test_gaussian_noise_has_the_deviation_of_its_scale() -> None:
    noise = draw_noise(NoiseSettings(scale=0.2), (8, 4, 64, 64), torch_generator(0, "n"))
    assert float(noise.std()) == pytest.approx(0.2, rel=0.01)
    assert abs(float(noise.mean())) < 0.002


def test_two_dimensional_and_three_dimensional_lattices_differ() -> None:
    fields = [
        draw_noise(NoiseSettings(kind="simplex", lattice_dims=dims), SHAPES[0], torch_generator(0, "n"))
        for dims in (2, 3)
    ]
    assert not torch.equal(*fields)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every_kind
@every_shape
def test_generators_of_either_device_fill_a_cuda_tensor(kind: str, shape: tuple[int, ...]) -> None:
    settings = NoiseSettings(kind=kind)
    for device in ("cpu", "cuda"):
        first, second = (
            draw_noise(settings, shape, torch_generator(1, "n", device=device), "cuda") for _ in range(2)
        )
        assert first.device.type == "cuda"
        assert torch.equal(first, second)
    from_cpu = draw_noise(settings, shape, torch_generator(1, "n"), "cuda").cpu()
    torch.testing.assert_close(from_cpu, draw_noise(settings, shape, torch_generator(1, "n")))
