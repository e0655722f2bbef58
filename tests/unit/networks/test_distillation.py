"""Teacher and cloner: layers as published, guided gradients by hand."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from brainuad.networks.distillation import TeacherAndCloner, cloner_layers, guided_relus
from brainuad.networks.pretrained import random_features
from brainuad.networks.settings import DistillationSettings

# The released code's cloner "B", with M for a pooling.
CLONER_B = [16, 16, "M", 16, 128, "M", 16, 16, 256, "M", 16, 16, 512, "M", 16, 16, 512, "M"]


def published() -> TeacherAndCloner:
    with torch.device("meta"):
        return TeacherAndCloner(DistillationSettings())


def test_cloner_has_the_widths_of_the_released_code() -> None:
    widths: list[int | str] = []
    for layer in published().cloner:
        if isinstance(layer, nn.Conv2d):
            widths.append(layer.out_channels)
        elif isinstance(layer, nn.MaxPool2d):
            widths.append("M")
    assert widths == CLONER_B


def test_cloner_normalises_except_before_a_pooling_and_has_no_bias() -> None:
    letters = {"Conv2d": "c", "BatchNorm2d": "b", "ReLU": "r", "MaxPool2d": "M"}
    text = "".join(letters[type(layer).__name__] for layer in published().cloner)
    assert text == 2 * "cbrcrM" + 3 * "cbrcbrcrM"
    assert all(layer.bias is None for layer in published().cloner if isinstance(layer, nn.Conv2d))


def test_cloner_and_teacher_have_the_published_numbers_of_parameters() -> None:
    widths = [width for width in CLONER_B if isinstance(width, int)]
    convolutions = sum(9 * a * b for a, b in zip([3, *widths[:-1]], widths, strict=True))
    normalised = 8  # layers of 16 channels that no pooling follows, with a scale and a shift each
    networks = published()
    assert sum(p.numel() for p in networks.cloner.parameters()) == convolutions + normalised * 2 * 16
    assert sum(p.numel() for p in networks.teacher.parameters()) == 14_714_688


def test_the_critical_outputs_of_both_have_the_same_shapes_and_the_others_need_not() -> None:
    networks = TeacherAndCloner(DistillationSettings(weights="random"))
    source, cloned = networks(torch.rand(2, 3, 128, 128))
    assert len(source) == len(cloned) == 13
    shapes = {3: (128, 32, 32), 6: (256, 16, 16), 9: (512, 8, 8), 12: (512, 4, 4)}
    for layer, shape in shapes.items():
        assert tuple(source[layer].shape[1:]) == tuple(cloned[layer].shape[1:]) == shape
    assert [output.shape[2:] for output in source] == [output.shape[2:] for output in cloned]
    assert (source[0].shape[1], cloned[0].shape[1]) == (64, 16)


def test_outputs_are_those_after_the_numbered_layers_of_vgg16() -> None:
    networks = TeacherAndCloner(
        DistillationSettings(weights="random", teacher_width=8, cloner_width=4)
    ).eval()
    x = torch.rand(1, 3, 32, 32)
    source, cloned = networks(x)
    torch.testing.assert_close(source[3], networks.teacher[:10](x))  # second pooling
    torch.testing.assert_close(source[12], networks.teacher(x))
    torch.testing.assert_close(cloned[3], networks.cloner[:12](x))
    torch.testing.assert_close(cloned[12], networks.cloner(x))


def test_loaded_weights_replace_those_of_the_teacher_only(tmp_path: Path) -> None:
    weights = random_features("vgg", seed=5).state_dict()
    torch.save({f"features.{name}": value for name, value in weights.items()}, tmp_path / "vgg16.pth")
    networks = TeacherAndCloner(DistillationSettings()).eval()
    cloner = {name: value.clone() for name, value in networks.cloner.state_dict().items()}
    assert networks(torch.rand(1, 3, 32, 32))[0][0].isnan().all()
    networks.load_pretrained(tmp_path)
    assert torch.equal(networks.teacher[28].weight, weights["28.weight"])
    assert not any(parameter.requires_grad for parameter in networks.teacher.parameters())
    assert all(torch.equal(value, networks.cloner.state_dict()[name]) for name, value in cloner.items())


def test_a_narrow_teacher_cannot_be_pretrained() -> None:
    with pytest.raises(ValidationError, match="pretrained VGG16 has 64 channels"):
        DistillationSettings(teacher_width=32)


def guided_by_hand(layers: nn.Sequential, x: Tensor, gradient: Tensor) -> Tensor:
    """Layer by layer from the last to the first; a ReLU passes what is positive both ways."""
    inputs = []
    for layer in layers:
        inputs.append(x.detach().requires_grad_())
        x = layer(inputs[-1])
    for layer, seen in zip(reversed(layers), reversed(inputs), strict=True):
        if isinstance(layer, nn.ReLU):
            gradient = gradient * (seen > 0) * (gradient > 0)
        else:
            (gradient,) = torch.autograd.grad(layer(seen), seen, gradient)
    return gradient


def test_guided_gradients_equal_those_by_hand_and_differ_from_plain_ones() -> None:
    torch.manual_seed(0)
    layers = cloner_layers(8, 4).eval()
    x = torch.rand(2, 3, 32, 32, requires_grad=True)
    direction = torch.randn(2, 64, 1, 1)
    with guided_relus(layers):
        guided = layers(x)
    plain = layers(x)
    (found,) = torch.autograd.grad(guided, x, direction)
    (without,) = torch.autograd.grad(plain, x, direction)
    expected = guided_by_hand(layers, x, direction)
    assert expected.abs().sum() > 0
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, without)


def test_guidance_changes_no_value_and_ends_with_its_block() -> None:
    layers = cloner_layers(8, 4).eval()
    x = torch.rand(1, 3, 32, 32, requires_grad=True)
    before = layers(x)
    (expected,) = torch.autograd.grad(before.sum(), x)
    with guided_relus(layers):
        assert torch.equal(layers(x), before)
    (found,) = torch.autograd.grad(layers(x).sum(), x)
    assert torch.equal(found, expected)
