"""The variational auto-encoder: loss in closed form, deterministic scoring, published sizes."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from brainuad.methods.base import Batch, ImageShape
from brainuad.methods.vae import Vae, VaeSettings
from brainuad.networks.settings import ConvolutionalCoderSettings, StagedCoderSettings, StridedCoderSettings
from brainuad.randomness import Draws, torch_generator

SHAPE = ImageShape(("t1", "t2"), (16, 16))
SMALL = {
    "staged": StagedCoderSettings(widths=(4, 8), latent=3),
    "strided": StridedCoderSettings(widths=(4, 8), latent=3),
    "convolutional": ConvolutionalCoderSettings(widths=(4, 8), latent=3),
}
ARCHITECTURES = ["staged", "strided", "convolutional"]


class Fixed(nn.Module):
    """A "network" with a given posterior that decodes every latent vector to the mean of its entries."""

    def __init__(self, mu: Tensor, log_variance: Tensor) -> None:
        super().__init__()
        self.mu, self.log_variance = mu, log_variance

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mu, self.log_variance

    def decode(self, z: Tensor) -> Tensor:
        return z.mean(dim=1).view(-1, 1, 1, 1).expand(-1, 2, 16, 16)


def batch() -> Batch:
    """Four images (2 x 16 x 16) whose left half is background."""
    x = 0.2 + torch.rand(4, 2, 16, 16, generator=torch_generator(0))
    x[..., :8] = 0
    return Batch(x, x.sum(dim=1, keepdim=True) > 0)


def model(mu: Tensor, log_variance: Tensor, **settings) -> Vae:
    vae = Vae(VaeSettings(**SMALL, **settings), SHAPE)
    vae.network = Fixed(mu, log_variance)
    return vae


def test_loss_is_masked_square_error_plus_weighted_mean_divergence() -> None:
    mu, log_variance = torch.full((4, 3), 0.6), torch.full((4, 3), -60.0)  # no spread: z = mu
    x = batch().images
    error = (x[..., 8:] - 0.6).square().mean() / 2  # half of the pixels are foreground
    divergence = (0.6**2 - 1 + 60) / 2  # 0.5 (mu^2 + sigma^2 - 1 - log sigma^2)
    loss = model(mu, log_variance).loss(batch(), Draws(0))
    torch.testing.assert_close(loss, error + 0.001 * divergence)


def test_absolute_error_is_a_mean_over_all_pixels_without_mask() -> None:
    mu, log_variance = torch.full((4, 3), 0.6), torch.full((4, 3), -60.0)
    loss = model(mu, log_variance, error="l1", beta=0).loss(batch(), Draws(0))
    torch.testing.assert_close(loss, (batch().images - 0.6).abs().mean())


def test_divergence_is_zero_for_the_prior_and_averaged_over_dimensions_and_samples() -> None:
    def divergence(mu: Tensor, log_variance: Tensor) -> float:
        with_kl = model(mu, log_variance, beta=1.0).loss(batch(), Draws(0))
        without = model(mu, log_variance, beta=0.0).loss(batch(), Draws(0))
        return float(with_kl - without)

    zeros = torch.zeros(4, 3)
    assert divergence(zeros, zeros) == pytest.approx(0, abs=1e-6)
    one_entry = zeros.clone()
    one_entry[2, 1] = 2.0
    assert divergence(one_entry, zeros) == pytest.approx(0.5 * 4 / 12, abs=1e-5)
    variance = torch.full((4, 3), math.log(4.0))
    assert divergence(zeros, variance) == pytest.approx(0.5 * (4 - 1 - math.log(4)), abs=1e-5)


def test_latent_vectors_are_drawn_with_the_posterior_deviation() -> None:
    mu, log_variance = torch.zeros(4, 3), torch.full((4, 3), math.log(0.25))
    draws = Draws(7)
    eps = torch.randn(4, 3, generator=draws.generator("z"))
    rec = (0.5 * eps).mean(dim=1).view(4, 1, 1, 1)
    loss = model(mu, log_variance, error="l1", beta=0).loss(batch(), draws)
    torch.testing.assert_close(loss, (batch().images - rec).abs().mean())


def test_sums_of_the_gaussian_error_and_the_divergence_are_the_negative_evidence_bound() -> None:
    mu, log_variance = torch.full((4, 3), 0.6), torch.full((4, 3), -60.0)  # no spread: z = mu
    x = batch().images
    likelihood = Normal(torch.full_like(x, 0.6), 1.0).log_prob(x) + math.log(2 * math.pi) / 2
    posterior = Normal(mu, torch.exp(log_variance / 2))
    divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    expected = (divergence - likelihood.sum(dim=(1, 2, 3))).mean()
    loss = model(mu, log_variance, error="gaussian", reduction="sum", beta=1.0).loss(batch(), Draws(0))
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("error", ["l2", "l1", "gaussian"])
def test_sums_exceed_means_by_the_number_of_pixels(error) -> None:
    mu, log_variance = torch.full((4, 3), 0.6), torch.full((4, 3), -60.0)
    mean, total = (
        model(mu, log_variance, error=error, reduction=reduction, beta=0).loss(batch(), Draws(0))
        for reduction in ("mean", "sum")
    )
    torch.testing.assert_close(total, mean * 2 * 16 * 16)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_encode_decode_gives_the_reconstruction_and_the_posterior(architecture) -> None:
    vae = Vae(VaeSettings(architecture=architecture, **SMALL), SHAPE)
    x = batch().images
    x_hat, mu, log_variance = vae.encode_decode(x)
    assert mu.shape == log_variance.shape == (4, 3)
    torch.testing.assert_close(x_hat, vae.reconstruct(x))
    torch.testing.assert_close((mu, log_variance), vae.network.encode(x))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_reconstruction_decodes_the_mean_and_draws_nothing(architecture) -> None:
    vae = Vae(VaeSettings(architecture=architecture, **SMALL), SHAPE)
    x = batch().images
    before = torch.get_rng_state()
    rec = vae.reconstruct(x)
    assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(rec, vae.network.decode(vae.network.encode(x)[0]))
    assert rec.shape == x.shape


def stage_size(a: int, b: int) -> int:
    """Parameters of a stage: two 3 x 3 convolutions, each with a group normalisation."""
    return (9 * a + 1) * b + (9 * b + 1) * b + 4 * b


def test_paper_scale_of_kascenas_flattens_16_by_16_by_512_into_a_latent_of_128() -> None:
    widths, flat = (64, 128, 256, 512), 16 * 16 * 512
    encoder = stage_size(4, 64) + sum(stage_size(a, b) for a, b in pairwise(widths))
    dense = (flat + 1) * 2 * 128 + (128 + 1) * flat
    decoder = sum((4 * b + 1) * a + stage_size(a, a) for a, b in pairwise(widths)) + (64 + 1) * 4
    with torch.device("meta"):
        vae = Vae(VaeSettings(), ImageShape(("flair", "t1", "t1ce", "t2"), (128, 128)))
    assert sum(parameter.numel() for parameter in vae.parameters()) == encoder + dense + decoder


def test_paper_scale_of_behrendt_halves_96_four_times_and_has_no_normalisation() -> None:
    widths, flat = (1, 32, 64, 128, 128), 6 * 6 * 16
    encoder = sum((25 * a + 1) * b for a, b in pairwise(widths)) + (128 + 1) * 16
    dense = (flat + 1) * 2 * 128 + (128 + 1) * flat
    decoder = (16 + 1) * 128 + sum((25 * a + 1) * b for a, b in pairwise((128, 128, 64, 32, 32))) + 32 + 1
    with torch.device("meta"):
        vae = Vae(VaeSettings(architecture="strided"), ImageShape(("t2",), (96, 96)))
    assert sum(parameter.numel() for parameter in vae.parameters()) == encoder + dense + decoder
    assert not [m for m in vae.modules() if "Norm" in type(m).__name__]


def test_paper_scale_of_bercea_ends_in_a_4_by_4_convolution_and_has_no_bias() -> None:
    widths = (16, 32, 64, 256, 256)
    encoder = 16 * (sum(a * b for a, b in pairwise((1, *widths))) + 256 * 2 * 512)
    decoder = 16 * (512 * 256 + sum(a * b for a, b in pairwise((256, 256, 64, 32, 16, 1))))
    with torch.device("meta"):
        vae = Vae(VaeSettings(architecture="convolutional"), ImageShape(("t1",), (128, 128)))
        mu, _ = vae.network.encode(torch.empty(2, 1, 128, 128))
    assert mu.shape == (2, 512)
    assert sum(parameter.numel() for parameter in vae.parameters()) == encoder + decoder == 8_995_328
    assert not [name for name, _ in vae.named_parameters() if name.endswith("bias")]
    assert not [m for m in vae.modules() if "Norm" in type(m).__name__]


def test_the_latent_vector_is_the_mean_of_the_posterior() -> None:
    mu, log_variance = torch.rand(4, 3, generator=torch_generator(1)), torch.zeros(4, 3)
    assert torch.equal(model(mu, log_variance).latent(batch().images), mu)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_decoding_the_latent_vector_is_the_reconstruction(architecture: str) -> None:
    vae = Vae(VaeSettings(**SMALL, architecture=architecture), SHAPE).eval()
    x = batch().images
    z = vae.latent(x)
    assert z.shape == (4, 3)
    torch.testing.assert_close(vae.network.decode(z), vae.reconstruct(x))
