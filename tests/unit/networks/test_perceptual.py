"""The perceptual distance: equal to torchmetrics' LPIPS, a distance by its axioms, random without side effects."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brainuad.errors import InputError
from brainuad.networks.perceptual import PerceptualDistance, published_heads
from brainuad.networks.pretrained import random_features
from brainuad.networks.settings import PerceptualSettings
from brainuad.randomness import torch_generator
from tests.unit.networks.lpips_reference import reference_map

NETWORKS = ["squeeze", "alex", "vgg"]
FILES = {"squeeze": "squeezenet1_1.pth", "alex": "alexnet.pth", "vgg": "vgg16.pth"}


def images(channels: int = 3, size: int = 64) -> Tensor:
    return torch.rand(2, channels, size, size, generator=torch_generator(0, "images"))


def random_distance(network: str = "squeeze") -> PerceptualDistance:
    return PerceptualDistance(PerceptualSettings(network=network, weights="random"))


@pytest.mark.parametrize("network", NETWORKS)
def test_map_equals_that_of_torchmetrics_with_the_same_features_and_the_published_heads(
    network: str, tmp_path: Path
) -> None:
    weights = {
        f"features.{name}": value for name, value in random_features(network, seed=9).state_dict().items()
    }
    torch.save(weights, tmp_path / FILES[network])
    perceptual = PerceptualDistance(PerceptualSettings(network=network))
    perceptual.load_pretrained(tmp_path)
    a = images()
    b = (a + 0.2 * torch.randn(a.shape, generator=torch_generator(1))).clamp(0, 1)
    expected = reference_map(network, weights, a, b)
    assert expected.mean() > 1e-3
    torch.testing.assert_close(perceptual.distance(a, b), expected, rtol=1e-4, atol=1e-6)


def test_random_map_is_the_mean_over_layers_of_the_squared_distance_of_unit_vectors() -> None:
    perceptual = random_distance("alex")
    a, b = images(), images().flip(0)
    expected = torch.zeros(2, 1, 64, 64)
    for stop in (2, 5, 8, 10, 12):  # up to each ReLU
        vectors = []
        for x in (a, b):
            scaled = (2 * x - 1 - torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)) / torch.tensor(
                [0.458, 0.448, 0.450]
            ).view(1, 3, 1, 1)
            vectors.append(F.normalize(perceptual.features[:stop](scaled), dim=1))
        squared = (vectors[0] - vectors[1]).square().sum(dim=1, keepdim=True)
        expected += F.interpolate(squared, (64, 64), mode="bilinear") / 5
    torch.testing.assert_close(perceptual.distance(a, b), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("size", [32, 64])
def test_distance_is_a_non_negative_map_of_the_size_of_the_images(network: str, size: int) -> None:
    a = images(1, size)
    distance = random_distance(network).distance(a, a.flip(2))
    assert distance.shape == (2, 1, size, size)
    assert distance.min() >= 0
    assert distance.mean() > 0


def test_distance_of_identical_images_is_zero() -> None:
    assert random_distance().distance(images(), images()).max() == 0


def test_distance_is_symmetric() -> None:
    a, b = images(), images().flip(0)
    perceptual = random_distance()
    torch.testing.assert_close(perceptual.distance(a, b), perceptual.distance(b, a))


def test_distance_grows_with_the_change_and_lies_where_the_change_is() -> None:
    a = images(1)
    changed = torch.zeros_like(a)
    changed[:, :, 8:24, 8:24] = 1
    perceptual = random_distance()
    maps = [perceptual.distance(a, a + share * changed * (1 - a)) for share in (0.2, 0.5, 1.0)]
    means = [float(distance.mean()) for distance in maps]
    assert means == sorted(means)
    assert maps[-1][..., 8:24, 8:24].mean() > 3 * maps[-1][..., 40:, 40:].mean()


def test_a_grey_image_equals_its_three_fold_repetition() -> None:
    a, b = images(1), images(1).flip(0)
    perceptual = random_distance()
    repeated = perceptual.distance(a.repeat(1, 3, 1, 1), b.repeat(1, 3, 1, 1))
    assert torch.equal(perceptual.distance(a, b), repeated)


def test_images_of_a_batch_do_not_influence_each_other() -> None:
    a, b = images(), images().flip(2)
    perceptual = random_distance()
    alone = perceptual.distance(a[1:], b[1:])
    torch.testing.assert_close(perceptual.distance(a, b)[1:], alone)


def test_gradients_reach_the_images_and_no_weight() -> None:
    a = images().requires_grad_()
    perceptual = random_distance()
    perceptual.distance(a, images().flip(0)).mean().backward()
    assert a.grad is not None
    assert a.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in perceptual.parameters())


def test_random_weights_are_the_same_each_time_and_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    first = random_distance().distance(images(), images().flip(0))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(random_distance().distance(images(), images().flip(0)), first)


def test_random_weights_need_no_file(tmp_path: Path) -> None:
    perceptual = random_distance()
    perceptual.load_pretrained(tmp_path)
    assert perceptual.distance(images(), images().flip(0)).mean() > 0


def test_missing_weights_are_an_error_and_never_random_ones(tmp_path: Path) -> None:
    perceptual = PerceptualDistance(PerceptualSettings())
    with pytest.raises(InputError, match="no weights of SqueezeNet"):
        perceptual.load_pretrained(tmp_path)
    with pytest.raises(AssertionError):
        perceptual.distance(images(), images())


def test_several_modalities_at_once_are_refused() -> None:
    with pytest.raises(InputError, match="one modality at a time"):
        random_distance().distance(images(4), images(4))


@pytest.mark.parametrize("network", NETWORKS)
def test_published_heads_weigh_every_channel_of_every_layer_from_zero_up(network: str) -> None:
    heads = published_heads(network)
    own = random_distance(network)
    assert [head.shape for head in heads] == [
        getattr(own, f"head{number}").shape for number in range(len(heads))
    ]
    assert all(head.min() >= 0 for head in heads)
    assert all(head.max() > 0 for head in heads)
