"""AutoDDPM's network: its published size, its output, and that attention without its matrix is the same."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from brainuad.networks.monai_unet import MonaiUnet
from brainuad.networks.settings import MonaiUnetSettings
from brainuad.randomness import torch_generator

SMALL = MonaiUnetSettings(channels=(16, 32, 32), head_channels=16)


def awakened(channels: int) -> MonaiUnet:
    network = MonaiUnet(SMALL, channels).eval()
    generator = torch_generator(0, "weights")
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1, generator=generator)
    return network


def test_parameters_are_as_many_as_upstream() -> None:
    with torch.device("meta"):
        network = MonaiUnet(MonaiUnetSettings(), 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == 18_500_993


def test_paper_scale_output_has_the_size_of_the_input() -> None:
    with torch.device("meta"):
        network = MonaiUnet(MonaiUnetSettings(), 1)
        assert network(torch.empty(2, 1, 128, 128), torch.zeros(2)).shape == (2, 1, 128, 128)


@pytest.mark.parametrize("channels", [1, 4])
def test_every_number_of_modalities_fits(channels: int) -> None:
    x = torch.randn(2, channels, 32, 24, generator=torch_generator(0))
    assert awakened(channels)(x, torch.tensor([3, 900])).shape == x.shape


def test_output_is_zero_at_initialisation() -> None:
    x = torch.randn(2, 1, 32, 32, generator=torch_generator(0))
    assert not MonaiUnet(SMALL, 1)(x, torch.tensor([3, 900])).any()


def test_output_depends_on_the_time_of_its_own_sample_only() -> None:
    x = torch.randn(1, 1, 16, 16, generator=torch_generator(0)).expand(3, -1, -1, -1)
    first, second, third = awakened(1)(x, torch.tensor([5, 600, 5]))
    torch.testing.assert_close(first, third)
    assert (first - second).abs().max() > 1e-3


def test_attention_without_the_matrix_of_all_pairs_is_the_same() -> None:
    network = awakened(1)
    x, t = torch.randn(2, 1, 32, 32, generator=torch_generator(0)), torch.tensor([5, 600])
    fast = network(x, t)
    blocks = [module for module in network.modules() if hasattr(module, "use_flash_attention")]
    assert blocks
    for block in blocks:
        block.use_flash_attention = False
    torch.testing.assert_close(fast, network(x, t), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("levels", [(3,), (5,), (-1,), (1, 5)])
def test_attention_at_a_level_that_there_is_not_is_refused(levels: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="but the levels are 0 to 2"):
        MonaiUnetSettings(attention_levels=levels)


def can_be_built(**given: Any) -> bool:
    """Whether MONAI makes the network of these settings."""
    try:
        with torch.device("meta"):
            MonaiUnet(MonaiUnetSettings.model_construct(res_blocks=1, **given), 1)
    except ValueError:
        return False
    return True


def are_accepted(**given: Any) -> bool:
    try:
        MonaiUnetSettings(**given)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("channels", [(16, 32), (24, 16), (32, 48)])
@pytest.mark.parametrize("levels", [(), (0,), (1,), (0, 1)])
@pytest.mark.parametrize("head", [8, 16, 24, 64])
def test_settings_are_accepted_where_the_network_can_be_built(
    channels: tuple[int, ...], levels: tuple[int, ...], head: int
) -> None:
    given = {"channels": channels, "attention_levels": levels, "head_channels": head}
    assert are_accepted(**given) == can_be_built(**given)


def test_heads_larger_than_a_level_with_attention_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"256 channels, .* do not divide into attention heads of 512"):
        MonaiUnetSettings(head_channels=512)
