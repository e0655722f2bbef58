"""The denoising auto-encoder's U-Net: its published size, shapes and weight standardisation."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape
from brainuad.methods.registry import models
from brainuad.networks.dae_unet import DaeUnet, StandardisedConv2d, group_count, standardised
from brainuad.networks.settings import DaeUnetSettings
from brainuad.randomness import torch_generator


def test_paper_size_has_7_703_748_parameters() -> None:
    with torch.device("meta"):
        network = DaeUnet(DaeUnetSettings(), 4, 4)
    assert sum(parameter.numel() for parameter in network.parameters()) == 7_703_748


@pytest.mark.parametrize(("dims", "spatial"), [(2, (128, 128)), (2, (96, 64)), (3, (80, 112, 88))])
def test_output_has_the_size_of_the_input(dims: int, spatial: tuple[int, ...]) -> None:
    with torch.device("meta"):
        network = DaeUnet(DaeUnetSettings(widths=(32, 64, 128, 256)), 2, 3, dims=dims)
        assert network(torch.empty(2, 2, *spatial)).shape == (2, 3, *spatial)


@pytest.mark.parametrize(("dims", "spatial"), [(2, (16, 24)), (3, (8, 8, 12))])
def test_gradients_reach_the_input_and_all_parameters(dims: int, spatial: tuple[int, ...]) -> None:
    network = DaeUnet(DaeUnetSettings(widths=(8, 12, 16)), 2, 2, dims=dims)
    x = torch.randn(2, 2, *spatial, generator=torch_generator(0), requires_grad=True)
    network(x).square().mean().backward()
    assert x.grad is not None
    assert x.grad.abs().min() > 0
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize(("channels", "groups"), [(16, 4), (64, 8), (128, 16), (256, 16), (512, 32), (7, 7)])
def test_group_count_is_the_middle_divisor(channels: int, groups: int) -> None:
    assert group_count(channels) == groups


def test_filters_have_zero_mean_and_unit_deviation() -> None:
    weight = 3 + 5 * torch.randn(6, 4, 3, 3, generator=torch_generator(0))
    filters = standardised(weight).flatten(1)
    torch.testing.assert_close(filters.mean(1), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(filters.std(1), torch.ones(6), atol=1e-4, rtol=0)


def test_convolution_reflects_at_the_border() -> None:
    conv = StandardisedConv2d(2, 3, 3, padding=1, padding_mode="reflect")
    x = torch.randn(1, 2, 6, 5, generator=torch_generator(0))
    padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
    torch.testing.assert_close(conv(x), F.conv2d(padded, standardised(conv.weight), conv.bias))


def test_scaling_all_weights_of_a_convolution_changes_nothing() -> None:
    conv = StandardisedConv2d(2, 3, 3)
    x = torch.randn(1, 2, 6, 5, generator=torch_generator(0))
    before = conv(x)
    with torch.no_grad():
        conv.weight.mul_(7).add_(0.5)
    torch.testing.assert_close(conv(x), before, atol=1e-3, rtol=1e-3)


def test_memory_format_does_not_change_the_result() -> None:
    network = DaeUnet(DaeUnetSettings(widths=(8, 16)), 1, 1)
    x = torch.randn(2, 1, 16, 16, generator=torch_generator(0))
    expected = network(x)
    network = network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        network(x.to(memory_format=torch.channels_last)), expected, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("dae", {"network": {"widths": (4, 8, 8)}}),
        ("unet", {"network": {"widths": (4, 8, 8)}}),
        ("vae", {"architecture": "staged", "staged": {"widths": (4, 8, 8)}}),
    ],
)
def test_a_side_of_one_pixel_at_the_bottom_is_refused_because_it_cannot_be_mirrored(
    kind: str, settings: dict[str, Any]
) -> None:
    chosen = models()[kind]
    with torch.device("meta"):
        for size in ((8, 8), (16, 8)):
            chosen(chosen.settings_class.model_validate(settings), ImageShape(("t1",), size))
        with pytest.raises(InputError, match=r"image size \(16, 4\): every side must be at least 8"):
            chosen(chosen.settings_class.model_validate(settings), ImageShape(("t1",), (16, 4)))
