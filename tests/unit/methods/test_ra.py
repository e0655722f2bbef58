"""The reversed auto-encoder: its embedding loss by hand, its ablations, and the map put together anew."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.exposure import equalize_adapthist
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape, Model, Scan
from brainuad.methods.ra import Ra, RaMap, RaMapSettings, RaSettings, equalised, reversed_loss
from brainuad.methods.si_vae import SiVae, SiVaeSettings
from brainuad.networks.settings import PerceptualSettings, ResidualCoderSettings
from brainuad.randomness import Draws, torch_generator

SMALL = ResidualCoderSettings(widths=(3, 4), latent=5)
RANDOM = PerceptualSettings(weights="random")


class Steps:
    """Stands for the training engine."""

    def __init__(self, model: Model) -> None:
        self.model, self.optimisers, self.step = model, model.optimisers(), 0

    def compute(self, name: str, *arguments: Any) -> Any:
        return getattr(self.model, name)(*arguments)

    def descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad()
        loss.backward()
        self.optimisers[name].step()


def images(count: int = 3, channels: int = 1, size: int = 8, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch_generator(seed))


def trained(kind: type[SiVae], settings: SiVaeSettings, updates: int = 5) -> dict[str, Tensor]:
    """The state of a model of this kind after some updates."""
    torch.manual_seed(0)
    model = kind(settings, ImageShape(("t1",), (8, 8)))
    trainer = Steps(model)
    for step in range(updates):
        x = images(seed=step)
        model.update(Batch(x, x[:, :1] > 0), Draws(1, ("training", step)), trainer)
    return model.state_dict()


def test_without_the_reversed_loss_training_is_that_of_an_si_vae_bit_for_bit() -> None:
    same = {"network": SMALL, "beta_rec": 0.5, "beta_neg": 128.0}
    expected = trained(SiVae, SiVaeSettings(**same))
    found = trained(Ra, RaSettings(**same, reverse_weight=0.0))
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    reversed_too = trained(Ra, RaSettings(**same))
    assert not all(torch.equal(reversed_too[name], value) for name, value in expected.items())


def test_reversed_loss_is_half_the_square_error_and_one_minus_the_cosine_of_each_level() -> None:
    E_x = [torch.tensor([[[[3.0, 4.0]]], [[[1.0, 0.0]]]]), torch.tensor([[[[2.0]]], [[[-1.0]]]])]
    E_rec = [torch.tensor([[[[4.0, 3.0]]], [[[0.0, 2.0]]]]), torch.tensor([[[[1.0]]], [[[3.0]]]])]
    first = 0.5 * (1 + 1 + 1 + 4) / 4 + ((1 - 24 / 25) + 1) / 2
    second = 0.5 * (1 + 16) / 2 + (0 + 2) / 2
    torch.testing.assert_close(reversed_loss(E_x, E_rec), torch.tensor(first + second))


def test_reversed_loss_of_equal_embeddings_is_zero() -> None:
    levels = [images(channels=2), images(channels=4, size=4)]
    torch.testing.assert_close(reversed_loss(levels, levels), torch.tensor(0.0))


def test_reversed_loss_of_mixed_precision_embeddings_keeps_small_angles() -> None:
    E_x = images(channels=4).bfloat16()
    E_rec = (E_x.float() + 0.02 * images(channels=4, seed=1)).bfloat16()
    expected = reversed_loss([E_x.double()], [E_rec.double()]).item()
    assert reversed_loss([E_x], [E_rec]).item() == pytest.approx(expected, rel=0.01)


class Scaling(nn.Module):
    """An "encoder" whose one embedding is w y, and a record of the images seen."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.8))
        self.seen: list[Tensor] = []

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        self.seen.append(y)
        mu = self.w * y.mean(dim=(1, 2, 3))[:, None]
        return mu, torch.full_like(mu, -60.0), [self.w * y]


class Flat(nn.Module):
    """A "decoder" to an image that is half of z at every pixel."""

    def forward(self, z: Tensor) -> Tensor:
        return (0.5 * z)[..., None, None].expand(-1, 1, 8, 8)


def tiny(reverse_weight: float) -> Ra:
    """A model of one number, trained with nothing but the embedding loss."""
    settings = RaSettings(network=SMALL, beta_rec=0, beta_kl=0, beta_neg=0, reverse_weight=reverse_weight)
    model = Ra(settings, ImageShape(("t1",), (8, 8)))
    model.encoder, model.decoder = Scaling(), Flat()
    return model


def test_reversed_gradient_reaches_both_embeddings_and_stops_at_the_reconstruction() -> None:
    model, x = tiny(0.005), images()
    loss, _ = model.encoder_loss(x, torch.zeros(3, 1), Draws(0))
    loss.backward()
    rec = model.reconstruct(x).detach()
    # The embeddings are w x and w rec: the cosine does not depend on w, the square error is w^2 (x - rec)^2.
    slope = 0.005 * 0.5 * 2 * 0.8 * (x - rec).square().mean()
    torch.testing.assert_close(model.encoder.w.grad, slope)


def test_reversed_loss_is_added_to_the_encoder_loss_with_its_weight() -> None:
    x, n = images(), torch.zeros(3, 1)
    with_loss, without = (tiny(weight).encoder_loss(x, n, Draws(0))[0] for weight in (0.005, 0.0))
    model = tiny(0.005)
    rec = model.reconstruct(x)
    torch.testing.assert_close(with_loss - without, 0.005 * reversed_loss([0.8 * x], [0.8 * rec]))


def test_reconstructions_pass_the_encoder_once_more_for_the_reversed_loss() -> None:
    model, x, n = tiny(0.005), images(), torch.ones(3, 1)
    rec, fake = model.reconstruct(x), model.decoder(n)
    model.encoder.seen.clear()
    model.encoder_loss(x, n, Draws(0))
    for found, expected in zip(model.encoder.seen, (x, rec, rec, fake), strict=True):
        torch.testing.assert_close(found, expected)


def test_paper_settings_are_those_of_the_released_code() -> None:
    settings = RaSettings()
    weights = (settings.beta_rec, settings.beta_kl, settings.beta_neg, settings.reverse_weight)
    assert weights == (0.5, 1, 128, 0.005)
    assert (settings.network.latent, settings.gamma_r) == (128, 1e-8)


class Halving:
    """A "model" that reconstructs half of the image, or more if the image is dark."""

    def reconstruct(self, x: Tensor) -> Tensor:
        return 0.5 * x + 0.1 * (1 - x)


class Distance:
    """A "perceptual distance" that differs from the residual and is not smooth."""

    def to(self, device: Any) -> "Distance":
        return self

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        return (a.roll(1, dims=2) - b.roll(1, dims=2)).square() + 0.05


def scan(x: Tensor) -> Scan:
    return Scan("s1", x, x[:, :1] > 0)


def rule(model: Any = None, channels: int = 1, size: int = 32, **settings: Any) -> RaMap:
    names = tuple(f"c{number}" for number in range(channels))
    chosen = RaMapSettings(**{"perceptual": RANDOM, **settings})
    return RaMap(chosen, model or Halving(), ImageShape(names, (size, size)))


def map_by_hand(x: np.ndarray, rec: np.ndarray, equalise: bool, weighting: bool) -> np.ndarray:
    """A of one grey image."""

    def saliency(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        distance = (np.roll(a, 1, axis=0) - np.roll(b, 1, axis=0)) ** 2 + 0.05
        return gaussian_filter(distance, sigma=2)

    weight = saliency(x, rec) if weighting else 1.0
    if not equalise:
        return np.abs(rec - x) * weight
    eq_x, eq_rec = equalize_adapthist(x), equalize_adapthist(rec)
    return np.abs(eq_rec - eq_x) * weight * (saliency(eq_x, eq_rec) if weighting else 1.0)


@pytest.mark.parametrize("equalise", [True, False])
@pytest.mark.parametrize("weighting", [True, False])
def test_every_ablation_equals_the_map_by_hand(equalise: bool, weighting: bool) -> None:
    chosen = rule(equalise=equalise, perceptual_weighting=weighting, batch_size=2)
    if weighting:
        chosen.perceptual = Distance()
    x = images(count=5, size=32)
    scored = chosen.score(scan(x), Draws(0))
    rec = Halving().reconstruct(x)
    pairs = zip(x[:, 0].numpy(), rec[:, 0].numpy(), strict=True)
    expected = np.stack([map_by_hand(*pair, equalise, weighting) for pair in pairs])
    np.testing.assert_allclose(scored.anomaly_map.numpy(), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(scored.pseudo_healthy, rec)
    assert scored.image_score == pytest.approx(expected.mean(), rel=1e-4)


def test_both_switches_off_leave_the_plain_residual() -> None:
    x = images(count=2, channels=3, size=32)
    plain = rule(channels=3, equalise=False, perceptual_weighting=False).score(scan(x), Draws(0))
    torch.testing.assert_close(plain.anomaly_map, (x - Halving().reconstruct(x)).abs().mean(dim=1))


def test_map_of_several_channels_is_the_mean_of_the_maps_of_each() -> None:
    x = images(count=2, channels=3, size=32)
    together = rule(channels=3).score(scan(x), Draws(0)).anomaly_map
    alone = [rule().score(scan(x[:, c : c + 1]), Draws(0)).anomaly_map for c in range(3)]
    torch.testing.assert_close(together, torch.stack(alone).mean(dim=0))


def test_values_outside_the_unit_interval_are_clipped_first() -> None:
    class Identity:
        def reconstruct(self, x: Tensor) -> Tensor:
            return x.clamp(0, 1)

    scored = rule(Identity()).score(scan(3 * images(size=32) - 1), Draws(0))
    assert not scored.anomaly_map.any()


@pytest.mark.parametrize("equalise", [True, False])
def test_map_of_a_perfect_reconstruction_is_zero(equalise: bool) -> None:
    class Identity:
        def reconstruct(self, x: Tensor) -> Tensor:
            return x

    scored = rule(Identity(), equalise=equalise).score(scan(images(size=32)), Draws(0))
    assert not scored.anomaly_map.any()
    assert scored.image_score == 0


def test_equalisation_is_that_of_scikit_image_slice_by_slice() -> None:
    x = images(count=4, size=32) * torch.tensor([1.0, 0.1, 0.5, 0.9]).view(4, 1, 1, 1)
    for slice_, image in zip(equalised(x), x, strict=True):
        np.testing.assert_array_equal(slice_[0].numpy(), equalize_adapthist(image[0].numpy()))


def test_empty_slices_are_equalised_to_finite_values() -> None:
    scored = rule().score(scan(torch.zeros(2, 1, 32, 32)), Draws(0))
    assert torch.isfinite(scored.anomaly_map).all()


@pytest.mark.parametrize("sample_z", [True, False])
def test_map_does_not_depend_on_how_many_slices_are_scored_at_once(sample_z: bool) -> None:
    torch.manual_seed(0)
    model = Ra(RaSettings(network=SMALL), ImageShape(("c0",), (32, 32))).eval()
    x = images(count=5, size=32)
    maps = [
        rule(model, sample_z=sample_z, batch_size=size).score(scan(x), Draws(3)).anomaly_map
        for size in (2, 5)
    ]
    torch.testing.assert_close(*maps)


def test_a_sampled_reconstruction_depends_on_the_draws_and_the_mean_does_not() -> None:
    torch.manual_seed(0)
    model = Ra(RaSettings(network=SMALL), ImageShape(("c0",), (32, 32))).eval()
    x = images(size=32)

    def reconstruction(sample_z: bool, seed: int) -> Tensor:
        return rule(model, sample_z=sample_z).score(scan(x), Draws(seed)).pseudo_healthy

    torch.testing.assert_close(reconstruction(False, 1), model.reconstruct(x))
    assert torch.equal(reconstruction(True, 1), reconstruction(True, 1))
    assert not torch.equal(reconstruction(True, 1), reconstruction(True, 2))


def test_sampling_is_refused_for_a_model_without_latent_distribution() -> None:
    with pytest.raises(InputError, match="sample_z"):
        rule(Halving(), sample_z=True)


def test_pretrained_features_are_asked_for_only_where_they_are_used() -> None:
    assert RaMap.pretrained_networks(RaMapSettings()) == ("squeeze",)
    assert RaMap.remarks(RaMapSettings()) == ()
    assert RaMap.pretrained_networks(RaMapSettings(perceptual_weighting=False)) == ()
    assert RaMap.pretrained_networks(RaMapSettings(perceptual=RANDOM)) == ()
    assert len(RaMap.remarks(RaMapSettings(perceptual=RANDOM))) == 1
    assert RaMap.remarks(RaMapSettings(perceptual=RANDOM, perceptual_weighting=False)) == ()


def test_the_latent_vector_decodes_to_the_reconstruction() -> None:
    model = Ra(RaSettings(network=SMALL), ImageShape(("t1",), (8, 8))).eval()
    z = model.latent(images())
    assert z.shape == (3, 5)
    torch.testing.assert_close(model.decoder(z), model.reconstruct(images()))
