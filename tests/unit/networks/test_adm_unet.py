"""The guided-diffusion U-Net: published sizes, zero initial output, time and attention."""

from typing import Any

import pytest
import torch
from monai.networks.nets.diffusion_model_unet import get_timestep_embedding
from pydantic import ValidationError
from torch import nn

from brainuad.networks.adm_unet import AdmUnet, Attention, ResBlock, time_embedding
from brainuad.networks.settings import AdmUnetSettings
from brainuad.randomness import torch_generator

KASCENAS = AdmUnetSettings()
BEHRENDT = AdmUnetSettings(
    width=128, multipliers=(1, 2, 2), res_blocks=3, attention_factors=(), head_channels=64, dropout=0.0
)
ANODDPM = AdmUnetSettings(
    width=128, multipliers=(1, 1, 2, 2, 4, 4), attention_factors=(8, 16, 32), heads=2, scale_shift=False
)
SMALL = {"width": 8, "multipliers": (1, 2, 3), "res_blocks": 1, "attention_factors": (2, 4)}


def parameters(settings: AdmUnetSettings, channels: int) -> int:
    with torch.device("meta"):
        network = AdmUnet(settings, channels, channels)
    return sum(parameter.numel() for parameter in network.parameters())


def awakened(network: nn.Module) -> nn.Module:
    """`network` with random values in place of the zeros of its initialisation."""
    generator = torch_generator(0, "weights")
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1, generator=generator)
    return network


@pytest.mark.parametrize(
    ("settings", "channels", "count"),
    [
        (BEHRENDT, 1, 37_513_857),
        (BEHRENDT.model_copy(update={"scale_shift": False}), 1, 34_493_313),
        (ANODDPM, 1, 131_649_793),
    ],
)
def test_parameters_are_as_many_as_upstream(settings: AdmUnetSettings, channels: int, count: int) -> None:
    assert parameters(settings, channels) == count


def test_kascenas_size_is_upstream_without_the_class_conditioning_that_it_never_runs() -> None:
    embedding = 4 * KASCENAS.width
    class_embedding = (KASCENAS.width + 1) * embedding + (embedding + 1) * embedding
    with torch.device("meta"):
        blocks = [m for m in AdmUnet(KASCENAS, 4, 4).modules() if isinstance(m, Attention)]
    # Upstream, each attention block has keys and values of a class embedding besides its own.
    class_attention = sum((embedding + 1) * 2 * block.norm.num_channels for block in blocks)
    assert parameters(KASCENAS, 4) == 28_029_508 - class_embedding - class_attention


@pytest.mark.parametrize("updown", [True, False])
@pytest.mark.parametrize(("dims", "spatial"), [(2, (32, 24)), (3, (16, 8, 12))])
def test_output_has_the_size_of_the_input(dims: int, spatial: tuple[int, ...], updown: bool) -> None:
    with torch.device("meta"):
        network = AdmUnet(AdmUnetSettings(resblock_updown=updown, **SMALL), 2, 3, dims=dims)
        assert network(torch.empty(2, 2, *spatial), torch.zeros(2)).shape == (2, 3, *spatial)


def test_output_is_zero_at_initialisation() -> None:
    network = AdmUnet(AdmUnetSettings(**SMALL), 2, 3)
    output = network(torch.randn(2, 2, 16, 16, generator=torch_generator(0)), torch.tensor([3, 900]))
    assert not output.any()


@pytest.mark.parametrize("scale_shift", [True, False])
@pytest.mark.parametrize("updown", [True, False])
@pytest.mark.parametrize(("dims", "spatial"), [(2, (16, 16)), (3, (8, 8, 8))])
def test_gradients_reach_the_input_and_all_parameters(
    dims: int, spatial: tuple[int, ...], updown: bool, scale_shift: bool
) -> None:
    settings = AdmUnetSettings(resblock_updown=updown, scale_shift=scale_shift, **SMALL)
    network = awakened(AdmUnet(settings, 2, 2, dims=dims))
    x = torch.randn(2, 2, *spatial, generator=torch_generator(0), requires_grad=True)
    network(x, torch.tensor([10, 500])).square().mean().backward()
    assert x.grad is not None
    assert x.grad.any()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_output_depends_on_the_time_of_its_own_sample_only() -> None:
    network = awakened(AdmUnet(AdmUnetSettings(**SMALL), 1, 1)).eval()
    x = torch.randn(1, 1, 16, 16, generator=torch_generator(0)).expand(3, -1, -1, -1)
    first, second, third = network(x, torch.tensor([5, 600, 5]))
    torch.testing.assert_close(first, third)
    assert (first - second).abs().max() > 1e-3


def test_time_embedding_is_the_sinusoidal_one() -> None:
    t = torch.tensor([0, 1, 250, 999])
    torch.testing.assert_close(time_embedding(t, 64), get_timestep_embedding(t, 64))


@pytest.mark.parametrize("heads", [{"heads": 2}, {"head_channels": 4}])
def test_attention_is_softmax_over_all_positions(heads: dict[str, int]) -> None:
    settings = AdmUnetSettings(width=8, multipliers=(1,), attention_factors=(), **heads)
    block = awakened(Attention(settings, 2, 8))
    x = torch.randn(2, 8, 3, 5, generator=torch_generator(0))
    qkv = block.qkv(block.norm(x)).flatten(2)  # (batch, 24, position)
    gathered = []
    for first in (0, 4):
        q, k, v = (qkv[:, start + first : start + first + 4] for start in (0, 8, 16))
        weights = torch.softmax(torch.einsum("bcq,bck->bqk", q, k) / 4**0.5, dim=-1)
        gathered.append(torch.einsum("bqk,bck->bcq", weights, v))
    expected = x + block.project(torch.cat(gathered, dim=1).view_as(x))
    torch.testing.assert_close(block(x, torch.empty(0)), expected)


@pytest.mark.parametrize(("resample", "factor"), [("none", 1.0), ("down", 0.5), ("up", 2.0)])
def test_residual_block_starts_as_the_resampled_identity(resample: str, factor: float) -> None:
    block = ResBlock(AdmUnetSettings(width=8), 2, 8, 8, resample)  # type: ignore[arg-type]
    x = torch.randn(2, 8, 4, 4, generator=torch_generator(0))
    expected = x
    if resample == "down":
        expected = x.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(-1, -2))
    elif resample == "up":
        expected = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(block(x, torch.zeros(2, 32)), expected)


@pytest.mark.parametrize(("dims", "spatial"), [(2, (8, 8)), (3, (8, 4, 8))])
def test_recomputing_changes_neither_output_nor_gradients(dims: int, spatial: tuple[int, ...]) -> None:
    kept = awakened(AdmUnet(AdmUnetSettings(**SMALL, dropout=0.2), 1, 1, dims=dims))
    again = AdmUnet(AdmUnetSettings(**SMALL, dropout=0.2, recompute=True), 1, 1, dims=dims)
    again.load_state_dict(kept.state_dict())
    x = torch.randn(2, 1, *spatial, generator=torch_generator(0))
    outputs = []
    for network in (kept, again):
        torch.manual_seed(0)  # dropout
        outputs.append(network(x, torch.tensor([1, 700])))
        outputs[-1].square().mean().backward()
    assert torch.equal(*outputs)
    for a, b in zip(kept.parameters(), again.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)


def test_memory_format_does_not_change_the_result() -> None:
    network = awakened(AdmUnet(AdmUnetSettings(**SMALL), 1, 1)).eval()
    x, t = torch.randn(2, 1, 16, 16, generator=torch_generator(0)), torch.tensor([1, 2])
    expected = network(x, t)
    network = network.to(memory_format=torch.channels_last)
    output = network(x.to(memory_format=torch.channels_last), t)
    torch.testing.assert_close(output, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "heads",
    [
        # The middle block.
        {"width": 64, "multipliers": (1, 2), "head_channels": 48, "attention_factors": ()},
        {"width": 96, "multipliers": (1, 2, 2), "head_channels": 64, "attention_factors": (1,)},
        {"width": 9, "multipliers": (1, 2), "heads": 2, "attention_factors": (1, 2)},
    ],
)
def test_heads_that_do_not_divide_the_channels_are_refused(heads: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="attention heads"):
        AdmUnetSettings(**heads)


@pytest.mark.parametrize("factor", [0, 3, 8])
def test_attention_at_a_factor_that_no_level_has_is_refused(factor: int) -> None:
    with pytest.raises(ValidationError, match=f"attention at factor {factor}, .* have the factors 1, 2, 4"):
        AdmUnetSettings(multipliers=(1, 2, 2), attention_factors=(4, factor))


@pytest.mark.parametrize(
    "heads",
    [
        {"width": 96, "multipliers": (1, 2, 2), "head_channels": 64, "attention_factors": ()},
        {"width": 96, "multipliers": (1, 2, 2), "head_channels": 64, "attention_factors": (2, 4)},
        {"width": 9, "multipliers": (1, 2), "heads": 2, "attention_factors": (2,)},
    ],
)
def test_levels_without_attention_may_have_any_number_of_channels(heads: dict[str, Any]) -> None:
    with torch.device("meta"):
        network = AdmUnet(AdmUnetSettings(res_blocks=1, **heads), 1, 1)
        assert network(torch.empty(1, 1, 8, 8), torch.zeros(1)).shape == (1, 1, 8, 8)
