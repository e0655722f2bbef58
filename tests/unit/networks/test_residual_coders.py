"""The coders of SI-VAE and RA: published sizes, embeddings, and what does not fit."""

import pytest
import torch
from torch import nn

from brainuad.errors import InputError
from brainuad.networks.residual_coders import ResidualBlock, ResidualDecoder, ResidualEncoder
from brainuad.networks.settings import ResidualCoderSettings

SMALL = ResidualCoderSettings(widths=(4, 6, 6), latent=5)


@pytest.mark.parametrize(("latent", "parameters"), [(128, 29_430_785), (256, 32_576_769)])
def test_encoder_and_decoder_at_128_pixels_have_the_published_number_of_parameters(
    latent: int, parameters: int
) -> None:
    settings = ResidualCoderSettings(latent=latent)
    with torch.device("meta"):
        networks = [coder(settings, 1, (128, 128)) for coder in (ResidualEncoder, ResidualDecoder)]
    assert sum(p.numel() for network in networks for p in network.parameters()) == parameters


def test_embeddings_at_128_pixels_are_the_outputs_of_five_average_pools() -> None:
    with torch.device("meta"):
        encoder = ResidualEncoder(ResidualCoderSettings(), 1, (128, 128))
        mu, log_variance, embeddings = encoder(torch.empty(2, 1, 128, 128))
    shapes = [(64, 64, 64), (128, 32, 32), (256, 16, 16), (512, 8, 8), (512, 4, 4)]
    assert [tuple(embedding.shape[1:]) for embedding in embeddings] == shapes
    assert mu.shape == log_variance.shape == (2, 128)


def test_every_embedding_is_the_mean_over_pairs_of_pixels_of_what_the_stage_gives() -> None:
    encoder = ResidualEncoder(SMALL, 2, (16, 8)).eval()
    given: list[torch.Tensor] = []
    for stage in encoder.stages:
        stage.register_forward_hook(lambda module, x, y: given.append(y))
    _, _, embeddings = encoder(torch.rand(3, 2, 16, 8))
    for full, pooled in zip(given, embeddings, strict=True):
        by_hand = full.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean(dim=(3, 5))
        torch.testing.assert_close(pooled, by_hand)


def test_decoder_doubles_the_bottom_to_the_image_and_ends_in_the_unit_interval() -> None:
    images = ResidualDecoder(SMALL, 2, (16, 8))(50 * torch.randn(3, 5))
    assert images.shape == (3, 2, 16, 8)
    assert images.min() >= 0
    assert images.max() <= 1


@pytest.mark.parametrize(("a", "b"), [(3, 3), (3, 5)])
def test_a_block_without_residual_is_a_leaky_identity(a: int, b: int) -> None:
    block = ResidualBlock(a, b).eval()
    nn.init.zeros_(block.residual[-1].weight)
    x = torch.randn(2, a, 4, 4)
    shortcut = x if a == b else torch.einsum("oi,bihw->bohw", block.identity.weight[..., 0, 0], x)
    torch.testing.assert_close(block(x), torch.where(shortcut > 0, shortcut, 0.2 * shortcut))


@pytest.mark.parametrize("coder", [ResidualEncoder, ResidualDecoder])
def test_an_image_that_cannot_be_halved_so_often_is_refused(coder: type) -> None:
    with pytest.raises(InputError, match="every side must be a multiple of 32"):
        coder(ResidualCoderSettings(), 1, (96, 100))
