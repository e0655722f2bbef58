"""The sequential VAE: loss in closed form, context from neighbouring slices, volumes of any length."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from brainuad.methods.base import Batch, ImageShape, Scan
from brainuad.methods.reconstruction import ResidualSettings, residual
from brainuad.methods.svae import SequenceReconstruction, Svae, SvaeSettings
from brainuad.methods.vae import Vae, VaeSettings
from brainuad.networks.settings import StridedCoderSettings
from brainuad.networks.vae import kl_to_standard_normal
from brainuad.randomness import Draws, torch_generator

SHAPE = ImageShape(("t1", "t2"), (16, 16))


def model(sequence: int = 3, **settings) -> Svae:
    """A small model in evaluation mode whose attention matters."""
    coder = StridedCoderSettings(widths=(4, 8), latent=8)
    torch.manual_seed(0)
    svae = Svae(SvaeSettings(coder=coder, sequence=sequence, hidden=8, **settings), SHAPE).eval()
    nn.init.normal_(svae.positions)
    return svae


def volume(slices: int) -> Tensor:
    return torch.rand(slices, 2, 16, 16, generator=torch_generator(0))


def sequences(count: int, slices: int) -> Batch:
    x = volume(count * slices).unflatten(0, (count, slices))
    return Batch(x, x.sum(dim=2, keepdim=True) > 0)


def with_posterior(svae: Svae, mu: float, log_variance: float) -> Svae:
    """The model with one posterior for all images, and a decoder of images that all equal the mean of z."""
    nn.init.zeros_(svae.posterior.weight)
    with torch.no_grad():
        svae.posterior.bias.copy_(torch.tensor([mu] * 8 + [log_variance] * 8))

    class MeanImage(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return z.mean(dim=1).view(-1, 1, 1, 1).expand(-1, 2, 16, 16)

    svae.decoder = MeanImage()
    return svae


def test_loss_is_absolute_error_plus_weighted_mean_divergence() -> None:
    batch = sequences(4, 3)
    error = (batch.images - 0.6).abs().mean()
    divergence = (0.6**2 - 1 + 60) / 2  # 0.5 (mu^2 + sigma^2 - 1 - log sigma^2), sigma nearly 0
    loss = with_posterior(model(), 0.6, -60.0).loss(batch, Draws(0))
    torch.testing.assert_close(loss, error + 0.001 * divergence)


def test_divergence_of_a_nearly_standard_posterior_is_exact_in_mixed_precision() -> None:
    log_variance = 1 / 64
    svae = with_posterior(model(), 0.0, log_variance)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        divergence = kl_to_standard_normal(*svae.encode(torch.zeros(1, 3, 8)))
    expected = (math.exp(log_variance) - 1 - log_variance) / 2
    torch.testing.assert_close(divergence, torch.full((1, 3, 8), expected), rtol=0.01, atol=0)


def test_each_slice_has_its_own_draw_of_the_latent_vector() -> None:
    batch, draws = sequences(4, 3), Draws(7)
    eps = torch.randn(4, 3, 8, generator=draws.generator("z"))
    rec = eps.mean(dim=2)[..., None, None, None]
    loss = with_posterior(model(beta=0), 0.0, 0.0).loss(batch, draws)
    torch.testing.assert_close(loss, (batch.images - rec).abs().mean())


def test_the_order_of_the_slices_matters() -> None:
    svae, x = model(), volume(3)
    there, back = svae.reconstruct_volume(x, 64), svae.reconstruct_volume(x.flip(0), 64).flip(0)
    assert not torch.allclose(there, back, atol=1e-4)


def test_a_slice_is_seen_by_its_neighbours_and_not_beyond_the_sequence() -> None:
    svae, x = model(), volume(6)  # two sequences of three slices
    changed = x.clone()
    changed[1] = 0
    before, after = svae.reconstruct_volume(x, 64), svae.reconstruct_volume(changed, 64)
    differs = (before != after).flatten(1).any(dim=1)
    assert differs.tolist() == [True] * 3 + [False] * 3


def test_without_attention_and_positions_each_slice_is_on_its_own() -> None:
    svae, x = model(), volume(3)
    for parameter in (svae.positions, *svae.attention.self_attn.out_proj.parameters()):
        nn.init.zeros_(parameter)
    alone = torch.cat([svae.reconstruct_volume(x[k : k + 1], 64) for k in range(3)])
    torch.testing.assert_close(svae.reconstruct_volume(x, 64), alone)


def test_overlapping_sequences_cover_a_volume_and_are_averaged() -> None:
    svae, x = model(sequence=3), volume(7)
    means: list[list[Tensor]] = [[] for _ in x]
    for start in (0, 2, 4):
        mu, _ = svae.encode(svae.encoder(x[start : start + 3])[None])
        for k in range(3):
            means[start + k].append(mu[0, k])
    z = torch.stack([torch.stack(found).mean(dim=0) for found in means])
    torch.testing.assert_close(svae.reconstruct_volume(x, 64), svae.decoder(z))


def test_a_volume_that_is_shorter_than_the_sequence_is_one_sequence() -> None:
    svae, x = model(sequence=5), volume(2)
    mu, _ = svae.encode(svae.encoder(x)[None])
    torch.testing.assert_close(svae.reconstruct_volume(x, 64), svae.decoder(mu[0]))


def test_map_is_the_residual_of_the_whole_volume_whatever_the_batch_size() -> None:
    svae, x = model(), volume(7)
    scan = Scan("a", x, x.sum(dim=1, keepdim=True) > 0)
    rules = [
        SequenceReconstruction(ResidualSettings(batch_size=size, interior_window=3), svae, SHAPE)
        for size in (1, 3, 64)
    ]
    scored = [rule.score(scan, Draws(0)) for rule in rules]
    expected = svae.reconstruct_volume(x, 64)
    for found in scored:
        torch.testing.assert_close(found.pseudo_healthy, expected)
        torch.testing.assert_close(found.anomaly_map, residual(x, expected, rules[0].settings))


def test_training_takes_sequences_of_the_length_in_the_settings() -> None:
    assert Svae.sequence_length(SvaeSettings()) == 25
    assert Svae.sequence_length(SvaeSettings(sequence=50)) == 50
    assert Vae.sequence_length(VaeSettings()) is None


def test_heads_must_divide_the_latent_vector() -> None:
    with pytest.raises(ValidationError, match=r"coder.latent = 128 does not divide into 3 heads"):
        SvaeSettings(heads=3)


def test_paper_scale_has_about_as_many_parameters_as_the_vae() -> None:
    shape = ImageShape(("t2",), (96, 96))
    with torch.device("meta"):
        svae, vae = Svae(SvaeSettings(), shape), Vae(VaeSettings(architecture="strided"), shape)
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (svae, vae)]
    features, z, hidden = 6 * 6 * 16, 128, 256
    attention = 4 * (z * z + z) + 2 * z * hidden + hidden + z + 2 * 2 * z
    heads = (z + 1) * 2 * z - (
        features + 1
    ) * z  # mu and log sigma^2 come from 128 features, not from the map
    assert counts[0] == counts[1] + 25 * z + attention + heads
    assert counts[0] < 1.1 * counts[1]
