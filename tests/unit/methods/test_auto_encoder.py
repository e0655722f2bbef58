"""The auto-encoders of Behrendt 2023 (dense) and Bercea 2023 (spatial): losses, latent spaces, published sizes."""

from itertools import pairwise
from typing import Any

import pytest
import torch

from brainuad.errors import InputError
from brainuad.methods.auto_encoder import AutoEncoder, AutoEncoderSettings
from brainuad.methods.base import Batch, ImageShape
from brainuad.networks.settings import StridedCoderSettings
from brainuad.randomness import Draws, torch_generator

SHAPE = ImageShape(("t1", "t2"), (16, 16))
SMALL = StridedCoderSettings(widths=(4, 8), latent=3)


def model(**settings: Any) -> AutoEncoder:
    torch.manual_seed(0)
    return AutoEncoder(AutoEncoderSettings(network=SMALL, **settings), SHAPE)


def batch() -> Batch:
    x = torch.rand(3, 2, 16, 16, generator=torch_generator(0))
    return Batch(x, x[:, :1] > 0.5)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_the_loss_is_a_mean_over_all_pixels(loss: Any) -> None:
    auto_encoder = model(loss=loss)
    x = batch().images
    error = x - auto_encoder.reconstruct(x)
    expected = error.abs().mean() if loss == "l1" else error.square().mean()
    torch.testing.assert_close(auto_encoder.loss(batch(), Draws(0)), expected)


@pytest.mark.parametrize("architecture", ["dense", "spatial"])
def test_every_parameter_learns(architecture: Any) -> None:
    auto_encoder = model(architecture=architecture)
    auto_encoder.loss(batch(), Draws(0)).backward()
    assert all(p.grad is not None and p.grad.any() for p in auto_encoder.parameters())


def test_dropout_acts_on_the_latent_in_training_only() -> None:
    auto_encoder = model(architecture="spatial", dropout=0.5)
    x = batch().images
    first, second = auto_encoder.reconstruct(x), auto_encoder.reconstruct(x)
    assert not torch.equal(first, second)
    auto_encoder.eval()
    network = auto_encoder.network
    assert torch.equal(auto_encoder.reconstruct(x), network.decoder(network.encoder(x)))


def test_without_dropout_reconstruction_draws_nothing() -> None:
    auto_encoder = model().train()
    before = torch.get_rng_state()
    auto_encoder.reconstruct(batch().images)
    assert torch.equal(torch.get_rng_state(), before)


def convolutions(channels: int) -> int:
    """Weights and biases of the 5 x 5 convolutions on both sides, and of the last 1 x 1 convolution."""
    down = sum((25 * a + 1) * b for a, b in pairwise((channels, 32, 64, 128, 128)))
    up = sum((25 * a + 1) * b for a, b in pairwise((128, 128, 64, 32, 32)))
    return down + up + 33 * channels


def test_behrendt_squeezes_6_by_6_by_16_through_a_vector_of_128() -> None:
    with torch.device("meta"):
        auto_encoder = AutoEncoder(AutoEncoderSettings(), ImageShape(("t2",), (96, 96)))
        z = auto_encoder.network.encoder(torch.empty(2, 1, 96, 96))
    assert z.shape == (2, 128)
    flat = 6 * 6 * 16
    dense = 129 * 16 + (flat + 1) * 128 + 129 * flat + 17 * 128
    assert sum(p.numel() for p in auto_encoder.parameters()) == convolutions(1) + dense == 1_510_641


def test_bercea_keeps_a_map_of_8_by_8_by_128() -> None:
    with torch.device("meta"):
        auto_encoder = AutoEncoder(
            AutoEncoderSettings(architecture="spatial"), ImageShape(("t1",), (128, 128))
        )
        z = auto_encoder.network.encoder(torch.empty(2, 1, 128, 128))
        assert auto_encoder.reconstruct(torch.empty(2, 1, 128, 128)).shape == (2, 1, 128, 128)
    assert z.shape == (2, 128, 8, 8)
    assert sum(p.numel() for p in auto_encoder.parameters()) == convolutions(1)


@pytest.mark.parametrize("architecture", ["dense", "spatial"])
def test_a_size_that_does_not_halve_is_refused(architecture: Any) -> None:
    with pytest.raises(InputError, match="must be a multiple of 16"):
        AutoEncoder(AutoEncoderSettings(architecture=architecture), ImageShape(("t2",), (100, 100)))
