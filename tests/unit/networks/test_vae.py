"""Auto-encoders with a dense latent space: sizes, shapes, draws and divergence."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from brainuad.errors import InputError
from brainuad.networks.settings import ConvolutionalCoderSettings, StagedCoderSettings, StridedCoderSettings
from brainuad.networks.vae import (
    convolutional_vae,
    kl_to_standard_normal,
    sample_latent,
    spatial_auto_encoder,
    staged_vae,
    strided_auto_encoder,
    strided_vae,
)
from brainuad.randomness import torch_generator

SIZES = [(64, 64), (96, 96), (128, 128)]


@pytest.mark.parametrize("spatial", SIZES)
def test_staged_vae_keeps_the_image_size(spatial: tuple[int, ...]) -> None:
    with torch.device("meta"):
        vae = staged_vae(StagedCoderSettings(), 4, spatial)
        mu, log_variance = vae.encode(torch.empty(2, 4, *spatial))
        assert mu.shape == log_variance.shape == (2, 128)
        assert vae.decode(mu).shape == (2, 4, *spatial)


def test_staged_vae_keeps_the_size_of_a_volume() -> None:
    with torch.device("meta"):
        vae = staged_vae(StagedCoderSettings(widths=(32, 64, 128, 256)), 1, (80, 112, 88))
        assert vae(torch.empty(1, 1, 80, 112, 88)).shape == (1, 1, 80, 112, 88)


def test_staged_vae_squeezes_everything_through_the_latent_vector() -> None:
    with torch.device("meta"):
        vae = staged_vae(StagedCoderSettings(), 4, (128, 128))
        linear = [module for module in vae.modules() if isinstance(module, torch.nn.Linear)]
    features = 512 * 16 * 16
    assert [(m.in_features, m.out_features) for m in linear] == [(features, 256), (128, features)]


@pytest.mark.parametrize("spatial", SIZES)
@pytest.mark.parametrize("build", [strided_vae, strided_auto_encoder, spatial_auto_encoder])
def test_strided_networks_keep_the_image_size(build, spatial: tuple[int, ...]) -> None:
    with torch.device("meta"):
        network = build(StridedCoderSettings(), 1, spatial)
        assert network(torch.empty(2, 1, *spatial)).shape == (2, 1, *spatial)


@pytest.mark.parametrize("spatial", [(32, 32), (96, 96), (128, 160)])
def test_convolutional_vae_keeps_the_image_size_and_has_one_latent_vector(spatial: tuple[int, ...]) -> None:
    with torch.device("meta"):
        vae = convolutional_vae(ConvolutionalCoderSettings(), 1, spatial)
        assert vae.encode(torch.empty(2, 1, *spatial))[0].shape == (2, 512)
        assert vae(torch.empty(2, 1, *spatial)).shape == (2, 1, *spatial)


def test_strided_bottom_of_a_96_image_is_6_by_6_with_16_channels() -> None:
    with torch.device("meta"):
        network = strided_auto_encoder(StridedCoderSettings(), 1, (96, 96))
        linear = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(576, 128), (128, 576)]


@pytest.mark.parametrize(
    "network",
    [
        staged_vae(StagedCoderSettings(widths=(8, 16), latent=4), 2, (16, 16)),
        strided_vae(StridedCoderSettings(widths=(4, 8, 8), latent=4), 2, (16, 16)),
        convolutional_vae(ConvolutionalCoderSettings(widths=(4, 8, 8), latent=4), 2, (16, 16)),
    ],
    ids=["staged", "strided", "convolutional"],
)
def test_gradients_of_a_drawn_reconstruction_reach_all_parameters(network) -> None:
    x = torch.randn(3, 2, 16, 16, generator=torch_generator(0))
    mu, log_variance = network.encode(x)
    rec = network.decode(sample_latent(mu, log_variance, torch_generator(0)))
    (rec.square().mean() + kl_to_standard_normal(mu, log_variance).mean()).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_forward_decodes_the_mean() -> None:
    vae = strided_vae(StridedCoderSettings(widths=(4, 8), latent=4), 1, (16, 16))
    x = torch.randn(3, 1, 16, 16, generator=torch_generator(0))
    torch.testing.assert_close(vae(x), vae.decode(vae.encode(x)[0]))


def test_draws_have_the_mean_and_deviation_of_the_latent_distribution() -> None:
    mu, log_variance = torch.full((200_000, 1), 1.5), torch.full((200_000, 1), -1.0)
    z = sample_latent(mu, log_variance, torch_generator(0))
    assert float(z.mean()) == pytest.approx(1.5, abs=0.01)
    assert float(z.var()) == pytest.approx(float(torch.tensor(-1.0).exp()), rel=0.01)


def test_divergence_is_that_of_normal_distributions() -> None:
    mu, log_variance = torch.randn(2, 5, 7, generator=torch_generator(0))
    expected = kl_divergence(Normal(mu, torch.exp(0.5 * log_variance)), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mu, log_variance), expected)


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (staged_vae, StagedCoderSettings()),
        (strided_vae, StridedCoderSettings()),
        (spatial_auto_encoder, StridedCoderSettings()),
        (convolutional_vae, ConvolutionalCoderSettings()),
    ],
)
def test_sizes_that_do_not_halve_are_refused(build, settings) -> None:
    with pytest.raises(InputError, match="must be a multiple of"):
        build(settings, 1, (100, 100))
