"""The soft-introspective VAE: both losses and their gradients by hand, the order of the passes, the settings."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from brainuad.methods.base import Batch, ImageShape
from brainuad.methods.si_vae import SiVae, SiVaeSettings
from brainuad.networks.perceptual import PerceptualDistance
from brainuad.networks.settings import PerceptualSettings, ResidualCoderSettings
from brainuad.randomness import Draws, torch_generator

SHAPE = ImageShape(("t1",), (4, 4))
SMALL = ResidualCoderSettings(widths=(3, 4), latent=5)
# A spread of exp(-30), so that z = mu; its KL is 29.5 + mu^2 / 2.
LOG_VARIANCE = -60.0
WEIGHTS = {"beta_rec": 0.7, "beta_kl": 0.9, "beta_neg": 0.05, "gamma_r": 0.3}
W_E, W_D = 0.8, 0.6


class MeanEncoder(nn.Module):
    """mu = w mean(y), and a record of the images seen."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(W_E, dtype=torch.float64))
        self.seen: list[Tensor] = []

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        self.seen.append(y)
        mu = self.w * y.mean(dim=(1, 2, 3))[:, None]
        return mu, torch.full_like(mu, LOG_VARIANCE), [self.w * y]


class FlatDecoder(nn.Module):
    """An image that is w z at every pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(W_D, dtype=torch.float64))

    def forward(self, z: Tensor) -> Tensor:
        return (self.w * z)[..., None, None].expand(-1, 1, 4, 4)


def tiny(**settings: Any) -> SiVae:
    """A model of two numbers."""
    model = SiVae(SiVaeSettings(network=SMALL, **{**WEIGHTS, **settings}), SHAPE)
    model.encoder, model.decoder = MeanEncoder(), FlatDecoder()
    return model


def images(count: int = 3, size: int = 4) -> Tensor:
    return torch.rand(count, 1, size, size, generator=torch_generator(0), dtype=torch.float64)


def latents() -> Tensor:
    return torch.tensor([[0.5], [-1.2], [2.0]], dtype=torch.float64)


def kl(mu: float) -> float:
    return 0.5 * (mu**2 + math.exp(LOG_VARIANCE) - 1 - LOG_VARIANCE)


def encoder_loss_by_hand(w_e: float, fixed_w_e: float = W_E) -> float:
    """L_E of `tiny` as a function of the encoder's weight; re-encoded images are made with `fixed_w_e`."""
    b, s = WEIGHTS, 1 / 16
    real, generated = 0.0, 0.0
    for image, (noise,) in zip(images().numpy(), latents().tolist(), strict=True):
        mean = image.mean()
        rec, fixed_rec, fake = W_D * w_e * mean, W_D * fixed_w_e * mean, W_D * noise
        real += s * (b["beta_rec"] * np.square(image - rec).sum() + b["beta_kl"] * kl(w_e * mean)) / 3
        for y, fixed_y in ((rec, fixed_rec), (fake, fake)):
            error = 16 * (y - W_D * w_e * fixed_y) ** 2
            generated += math.exp(-2 * s * (b["beta_rec"] * error + b["beta_neg"] * kl(w_e * fixed_y))) / 3
    return real + 0.25 * generated


def decoder_loss_by_hand(w_d: float, fixed_w_d: float = W_D) -> float:
    """L_D of `tiny` as a function of the decoder's weight; z and its targets are made with `fixed_w_d`."""
    b, s = WEIGHTS, 1 / 16
    total = 0.0
    for image, (noise,) in zip(images().numpy(), latents().tolist(), strict=True):
        z = W_E * image.mean()
        loss = b["beta_rec"] * np.square(image - w_d * z).sum()
        for v in (z, noise):
            loss += 0.5 * b["beta_kl"] * kl(W_E * w_d * v)
            z_again = W_E * fixed_w_d * v
            own = 16 * (fixed_w_d * v - w_d * z_again) ** 2
            loss += b["gamma_r"] * 0.5 * b["beta_rec"] * own
        total += s * loss / 3
    return total


def encoded(model: SiVae) -> Tensor:
    return model.latent(images()).detach()


def test_encoder_loss_equals_a_sum_over_images_by_hand() -> None:
    loss, z = tiny().encoder_loss(images(), latents(), Draws(0))
    assert loss.item() == pytest.approx(encoder_loss_by_hand(W_E), rel=1e-12)
    torch.testing.assert_close(z, encoded(tiny()))
    assert not z.requires_grad


def test_decoder_loss_equals_a_sum_over_images_by_hand() -> None:
    model = tiny()
    loss, error = model.decoder_loss(images(), latents(), encoded(model), Draws(0))
    assert loss.item() == pytest.approx(decoder_loss_by_hand(W_D), rel=1e-12)
    assert error.item() == pytest.approx(
        float((images() - model.reconstruct(images()).detach()).square().mean())
    )


def test_gradient_of_the_encoder_loss_stops_at_the_images_that_are_encoded_again() -> None:
    model = tiny()
    model.encoder_loss(images(), latents(), Draws(0))[0].backward()
    h = 1e-6
    slope = (encoder_loss_by_hand(W_E + h) - encoder_loss_by_hand(W_E - h)) / (2 * h)
    assert model.encoder.w.grad.item() == pytest.approx(slope, rel=1e-6)
    assert model.decoder.w.grad is None


def test_gradient_of_the_decoder_loss_passes_the_encoder_but_stops_at_latents_and_targets() -> None:
    model = tiny()
    model.decoder_loss(images(), latents(), encoded(model), Draws(0))[0].backward()
    h = 1e-6
    slope = (decoder_loss_by_hand(W_D + h) - decoder_loss_by_hand(W_D - h)) / (2 * h)
    assert model.decoder.w.grad.item() == pytest.approx(slope, rel=1e-6)
    assert model.encoder.w.grad is None


def test_encoder_sees_images_reconstructions_and_generated_images_in_the_released_order() -> None:
    model = tiny()
    x, n = images(), latents()
    rec, fake = model.reconstruct(x), model.decoder(n)
    z = encoded(model)
    model.encoder.seen.clear()
    model.encoder_loss(x, n, Draws(0))
    model.decoder_loss(x, n, z, Draws(0))
    for found, expected in zip(model.encoder.seen, (x, rec, fake, rec, fake), strict=True):
        torch.testing.assert_close(found, expected)


def test_losses_stay_finite_where_the_exponential_vanishes() -> None:
    model = tiny(beta_neg=1e6)
    loss, _ = model.encoder_loss(images(), 1e4 * latents(), Draws(0))
    loss.backward()
    assert math.isfinite(loss.item())
    assert math.isfinite(model.encoder.w.grad.item())


class Steps:
    """Stands for the training engine; keeps what was computed."""

    def __init__(self, model: SiVae) -> None:
        self.model, self.optimisers = model, model.optimisers()
        self.calls: list[tuple[str, tuple[Any, ...], Any]] = []
        self.step = 0

    def compute(self, name: str, *arguments: Any) -> Any:
        value = getattr(self.model, name)(*arguments)
        self.calls.append((name, arguments, value))
        return value

    def descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad()
        loss.backward()
        self.optimisers[name].step()


def small() -> SiVae:
    torch.manual_seed(0)
    return SiVae(SiVaeSettings(network=SMALL), ImageShape(("t1",), (8, 8)))


def batch() -> Batch:
    x = images(size=8).float()
    return Batch(x, x[:, :1] > 0)


def test_an_update_steps_the_encoder_then_the_decoder_with_the_same_latents() -> None:
    model = small()
    trainer = Steps(model)
    before = [[p.clone() for p in part.parameters()] for part in (model.encoder, model.decoder)]
    numbers = model.update(batch(), Draws(1), trainer)
    (first, given, (_, z)), (second, passed, (_, error)) = trainer.calls
    assert (first, second) == ("encoder_loss", "decoder_loss")
    assert passed[1] is given[1]
    assert passed[2] is z
    assert numbers["loss"] == error.item()
    for part, old in zip((model.encoder, model.decoder), before, strict=True):
        assert all(not torch.equal(p, q) for p, q in zip(part.parameters(), old, strict=True))
        assert all(p.requires_grad for p in part.parameters())


@pytest.mark.parametrize(("step", "part"), [("encoder_loss", "decoder"), ("decoder_loss", "encoder")])
def test_a_frozen_network_gets_no_gradient_but_its_running_statistics_move(step: str, part: str) -> None:
    model = small()
    x, n, z = batch().images, torch.randn(3, 5), torch.randn(3, 5)
    frozen = getattr(model, part)
    before = {name: value.clone() for name, value in frozen.named_buffers()}
    arguments = (x, n) if step == "encoder_loss" else (x, n, z)
    getattr(model, step)(*arguments, Draws(0))[0].backward()
    trained = model.encoder if part == "decoder" else model.decoder
    assert all(p.grad is None for p in frozen.parameters())
    assert all(p.grad is not None for p in trained.parameters())
    assert all(not torch.equal(value, before[name]) for name, value in frozen.named_buffers())


def test_reconstruction_decodes_the_mean_unless_a_draw_is_given() -> None:
    model = small().eval()
    x, eps = batch().images, torch.randn(3, 5)
    mu, log_variance, _ = model.encoder(x)
    torch.testing.assert_close(model.latent(x), mu)
    torch.testing.assert_close(model.reconstruct(x), model.decoder(mu))
    z = mu + log_variance.exp().sqrt() * eps
    torch.testing.assert_close(model.reconstruct(x, eps), model.decoder(z))
    expected = (model.reconstruct(x) - x).square().mean()
    torch.testing.assert_close(model.validation_loss(batch(), Draws(0)), expected)


def test_errors_are_divided_by_the_number_of_values_of_an_image() -> None:
    model = SiVae(SiVaeSettings(network=SMALL), ImageShape(("t1", "t2"), (8, 4)))
    assert model.s == 1 / (2 * 8 * 4)


def test_paper_settings_are_those_of_bercea_2023() -> None:
    settings = SiVaeSettings()
    weights = (settings.beta_rec, settings.beta_kl, settings.beta_neg, settings.gamma_r)
    assert weights == (1, 1, 256, 1e-8)
    assert settings.network.latent == 256
    training = settings.training
    assert training.iterations == 1500 * training.validate_every
    assert training.patience == 500 * training.validate_every
    assert (training.augmentation.affine, training.augmentation.flip) == (1, 0.5)
    assert (training.optimiser.learning_rate, training.batch_size) == (5e-5, 8)


def perceptual(size: int = 64) -> SiVae:
    settings = SiVaeSettings(
        network=SMALL, log_perceptual=True, perceptual=PerceptualSettings(weights="random")
    )
    torch.manual_seed(0)
    model = SiVae(settings, ImageShape(("t1",), (size, size)))
    model.load_pretrained(Path())
    return model.eval()


def test_validations_log_the_perceptual_distance_of_image_and_reconstruction_if_asked() -> None:
    model = perceptual()
    x = torch.rand(2, 1, 64, 64, generator=torch_generator(0))
    with torch.no_grad():
        numbers = model.validation_numbers(Batch(x, x > 0), Draws(0))
        distance = PerceptualDistance(PerceptualSettings(weights="random")).eval()
        expected = distance.distance(x, model.reconstruct(x)).mean()
    torch.testing.assert_close(numbers["validation_perceptual"], expected)
    torch.testing.assert_close(numbers["validation"], F.mse_loss(model.reconstruct(x), x))
    assert set(small().eval().validation_numbers(batch(), Draws(0))) == {"validation"}


def test_the_perceptual_network_is_no_part_of_the_model() -> None:
    torch.manual_seed(0)
    plain = SiVae(SiVaeSettings(network=SMALL), ImageShape(("t1",), (64, 64)))
    same = perceptual()
    assert plain.state_dict().keys() == same.state_dict().keys()
    assert all(torch.equal(value, same.state_dict()[name]) for name, value in plain.state_dict().items())


def test_only_a_trained_perceptual_network_is_asked_for() -> None:
    random, alex = PerceptualSettings(weights="random"), PerceptualSettings(network="alex")
    for settings, networks in (
        (SiVaeSettings(perceptual=alex), ()),
        (SiVaeSettings(log_perceptual=True, perceptual=random), ()),
        (SiVaeSettings(log_perceptual=True, perceptual=alex), ("alex",)),
    ):
        assert SiVae.pretrained_networks(settings) == networks


def test_a_logged_distance_of_a_random_network_is_remarked() -> None:
    random = PerceptualSettings(weights="random")
    assert SiVae.remarks(SiVaeSettings(perceptual=random)) == ()
    assert SiVae.remarks(SiVaeSettings(log_perceptual=True)) == ()
    (remark,) = SiVae.remarks(SiVaeSettings(log_perceptual=True, perceptual=random))
    assert "perceptual distance of validations has random weights" in remark
