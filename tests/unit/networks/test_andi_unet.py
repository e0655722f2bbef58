"""The U-Net of ANDi: published size, widths level by level, resolutions, time, attention."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from brainuad.networks.andi_unet import AndiUnet, ResidualConv, SelfAttention, TimedConvs
from brainuad.networks.settings import AndiUnetSettings
from brainuad.randomness import torch_generator

SMALL = AndiUnetSettings(widths=(8, 16, 16), attention_levels=(2,), heads=2, time_channels=32)


def paper() -> AndiUnet:
    with torch.device("meta"):
        return AndiUnet(AndiUnetSettings(), 4)


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch_generator(0, "image"))


def outputs_of(network: AndiUnet, kind: type[nn.Module], x: Tensor) -> list[tuple[int, ...]]:
    """The shapes (channel, x, y) that the modules of one kind give, in the order of the forward pass."""
    shapes: list[tuple[int, ...]] = []

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shapes.append(tuple(output.shape[1:]))

    for module in network.modules():
        if isinstance(module, kind):
            module.register_forward_hook(record)
    network(x, torch.zeros(len(x), dtype=torch.long, device=x.device))
    return shapes


def test_parameters_are_as_many_as_upstream() -> None:
    assert sum(parameter.numel() for parameter in paper().parameters()) == 9_720_964


def test_blocks_have_the_widths_and_resolutions_of_the_released_code() -> None:
    shapes = outputs_of(paper(), TimedConvs, torch.empty(1, 4, 128, 128, device="meta"))
    down = [(64, 64, 64), (128, 32, 32), (256, 16, 16), (256, 8, 8)]
    up = [(128, 16, 16), (64, 32, 32), (32, 64, 64), (32, 128, 128)]
    assert shapes == down + up


def test_attention_follows_at_32_pixels_and_below_and_at_the_bottom() -> None:
    shapes = outputs_of(paper(), SelfAttention, torch.empty(1, 4, 128, 128, device="meta"))
    down, bottom = [(128, 32, 32), (256, 16, 16), (256, 8, 8)], [(256, 8, 8)]
    assert shapes == [*down, *bottom, (128, 16, 16), (64, 32, 32)]


def test_the_bottom_is_twice_as_wide_unless_a_width_is_given() -> None:
    assert paper().bottom[0][0].out_channels == 512
    assert AndiUnet(SMALL.model_copy(update={"bottom": 24}), 1).bottom[0][0].out_channels == 24


@pytest.mark.parametrize("size", [(32, 32), (36, 28), (17, 23)])
def test_output_has_the_shape_of_the_input_even_if_it_cannot_be_halved_evenly(size: tuple[int, int]) -> None:
    x = image(2, 3, *size)
    assert AndiUnet(SMALL, 3)(x, torch.tensor([3, 900])).shape == x.shape


def test_the_time_enters_as_sines_and_cosines_of_geometric_frequencies() -> None:
    torch.manual_seed(0)
    block, t = TimedConvs(4, 6, 8), 37
    seen: list[Tensor] = []
    network = AndiUnet(SMALL.model_copy(update={"time_channels": 8}), 1)
    network.down[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    network(image(1, 1, 16, 16), torch.tensor([t]))
    angles = [t * 10_000 ** (-2 * k / 8) for k in range(4)]
    expected = [math.cos(angle) for angle in angles] + [math.sin(angle) for angle in angles]
    assert seen[0][0].tolist() == pytest.approx(expected, abs=1e-5)
    x, embedding = image(1, 4, 8, 8), seen[0]
    shift = block.time(embedding * torch.sigmoid(embedding))
    assert torch.allclose(
        block(x, embedding) - shift[:, :, None, None], block.conv(block.residual(x)), atol=1e-6
    )


def test_residual_convolution_is_gelu_of_the_sum() -> None:
    torch.manual_seed(0)
    block, x = ResidualConv(4), image(2, 4, 8, 8)
    h = nn.functional.conv2d(x, block.conv[0].weight, padding=1)
    h = (h - h.mean((1, 2, 3), keepdim=True)) / (h.var((1, 2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    total = (x + h).detach()
    assert torch.allclose(block(x), total * 0.5 * (1 + torch.erf(total / math.sqrt(2))), atol=1e-5)


def test_attention_moves_with_its_pixels() -> None:
    torch.manual_seed(0)
    block, x = SelfAttention(8, 2), image(1, 8, 4, 4)
    order = torch.randperm(16, generator=torch_generator(0, "order"))

    def shuffled(y: Tensor) -> Tensor:
        return y.flatten(2)[:, :, order].reshape(y.shape)

    assert torch.allclose(block(shuffled(x)), shuffled(block(x)), atol=1e-5)


def test_without_attention_levels_there_is_none() -> None:
    network = AndiUnet(SMALL.model_copy(update={"attention_levels": ()}), 1)
    assert not [m for m in network.modules() if isinstance(m, SelfAttention)]


@pytest.mark.parametrize("change", [{"heads": 3}, {"attention_levels": (0,)}, {"attention_levels": (3,)}])
def test_settings_that_give_no_network_are_refused(change: dict) -> None:
    with pytest.raises(ValidationError, match="level"):
        AndiUnetSettings(**{**SMALL.model_dump(), **change})
