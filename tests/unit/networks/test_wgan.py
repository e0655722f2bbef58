"""The networks of f-AnoGAN: widths and maps at the papers' sizes, normalisation, and numbers of parameters."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from brainuad.errors import InputError
from brainuad.networks.settings import WganSettings
from brainuad.networks.wgan import Critic, Encoder, Generator, Residual

KASCENAS = WganSettings()
SCHLEGL = WganSettings(widths=(64, 128, 256, 512, 512), resampling="pooled")
CASES = [(KASCENAS, 4, 128, 4), (SCHLEGL, 1, 96, 6), (SCHLEGL, 1, 64, 4)]


def block_outputs(network: nn.Module, inputs: torch.Tensor) -> list[tuple[int, ...]]:
    """The shapes (channels, height, width) after each residual block."""
    seen: list[tuple[int, ...]] = []
    for block in network.modules():
        if isinstance(block, Residual):
            block.register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape[1:])))
    network(inputs)
    return seen


def maps(settings: WganSettings, size: int) -> list[tuple[int, ...]]:
    """Width and size per level, from the finest to the start map."""
    return [(width, size >> level, size >> level) for level, width in enumerate(settings.widths)]


@pytest.mark.parametrize(("settings", "channels", "size", "start"), CASES)
def test_generator_doubles_a_start_map_up_to_the_image(settings, channels, size, start) -> None:
    with torch.device("meta"):
        generator = Generator(settings, channels, (size, size))
        z = torch.empty(2, 128)
        assert generator(z).shape == (2, channels, size, size)
        assert block_outputs(generator, z) == maps(settings, size)[-2::-1]
    assert generator[1].unflattened_size == (512, start, start)


@pytest.mark.parametrize(("settings", "channels", "size", "start"), CASES)
def test_critic_and_encoder_halve_the_image_down_to_the_start_map(settings, channels, size, start) -> None:
    with torch.device("meta"):
        critic = Critic(settings, channels, (size, size))
        encoder = Encoder(settings, channels, (size, size))
        x = torch.empty(2, channels, size, size)
        assert block_outputs(critic, x) == block_outputs(encoder, x) == maps(settings, size)[1:]
        assert critic(x).shape == (2,)
        assert critic.features(x).shape == (2, 512 * start * start)
        assert encoder(x).shape == (2, 128)


def test_number_of_parameters_for_four_modalities_of_128_pixels() -> None:
    widths, flat = KASCENAS.widths, 512 * 4 * 4
    # First and second convolution, shortcut, and two normalisations of two parameters a channel.
    down = sum(9 * a * a + (16 * a + 1) * b + (4 * a + 1) * b + 4 * a for a, b in pairwise(widths))
    up = sum(16 * b * a + (9 * a + 1) * a + (4 * b + 1) * a + 2 * b + 2 * a for a, b in pairwise(widths))
    trunk = (9 * 4 + 1) * 64 + down
    expected = {
        Generator: (128 + 1) * flat + up + 2 * 64 + (9 * 64 + 1) * 4,
        Critic: trunk + flat + 1,
        Encoder: trunk + (flat + 1) * 128,
    }
    with torch.device("meta"):
        for network, count in expected.items():
            parameters = network(KASCENAS, 4, (128, 128)).parameters()
            assert sum(parameter.numel() for parameter in parameters) == count


@pytest.mark.parametrize("resampling", ["strided", "pooled"])
def test_scores_of_the_critic_do_not_depend_on_the_other_images(resampling) -> None:
    settings = WganSettings(widths=(4, 8, 8), latent=3, resampling=resampling)
    critic = Critic(settings, 1, (16, 16)).train()
    x = torch.randn(3, 1, 16, 16)
    torch.testing.assert_close(critic(x), torch.cat([critic(image[None]) for image in x]))


@pytest.mark.parametrize("resampling", ["strided", "pooled"])
def test_images_and_latent_vectors_lie_between_minus_one_and_one(resampling) -> None:
    settings = WganSettings(widths=(4, 8, 8), latent=3, resampling=resampling)
    generator, encoder = (network(settings, 2, (16, 16)) for network in (Generator, Encoder))
    images = generator(100 * torch.randn(4, 3))
    assert images.shape == (4, 2, 16, 16)
    assert 0.5 < images.abs().max() <= 1
    assert 0.5 < encoder(100 * images).abs().max() <= 1
    linear = Encoder(settings.model_copy(update={"encoder_output": "linear"}), 2, (16, 16))
    linear[1].bias.data += 5
    assert linear(images).abs().max() > 1


def test_an_image_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(InputError, match=r"image size \(96, 100\): every side must be a multiple of 32"):
        Generator(KASCENAS, 1, (96, 100))
