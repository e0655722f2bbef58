"""Restoration: gradient ascent in closed form, total variation by brute force, lambda by trying every value."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape, Scan
from brainuad.methods.reconstruction import foreground
from brainuad.methods.vae import Vae, VaeSettings
from brainuad.methods.vae_restoration import VaeRestoration, VaeRestorationSettings, total_variation
from brainuad.networks.settings import ConvolutionalCoderSettings, StagedCoderSettings, StridedCoderSettings
from brainuad.randomness import Draws, torch_generator

SHAPE = ImageShape(("t1", "t2"), (8, 8))


class Masked:
    """A model that was trained with the squared error of the foreground."""

    def reconstruction_error(self, x: Tensor, x_hat: Tensor, fg: Tensor) -> Tensor:
        return fg * (x - x_hat).square()


class Constant(Masked):
    """A model that rebuilds every image as `level`, with the prior as posterior."""

    def __init__(self, level: float) -> None:
        self.level = level

    def encode_decode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z = torch.zeros(len(x), 3)
        return torch.full_like(x, self.level), z, z


class Perfect(Masked):
    """A model that rebuilds every image and whose latent mean is the image itself."""

    def encode_decode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return x, x.flatten(1), torch.zeros_like(x.flatten(1))


def rule(model: Any, **settings: Any) -> VaeRestoration:
    return VaeRestoration(VaeRestorationSettings(**{"tv_weight": 0.0, **settings}), model, SHAPE)


def scan(slices: int = 3, name: str = "s1") -> Scan:
    """Slices (2 x 8 x 8) whose left half is background and whose lower right quarter is outside the brain."""
    x = 0.2 + 0.6 * torch.rand(slices, 2, 8, 8, generator=torch_generator(0, name))
    x[..., :4] = 0
    brain = x.sum(dim=1, keepdim=True) > 0
    brain[:, :, 4:] = False
    return Scan(name, x, brain)


def test_the_paper_takes_100_steps_and_finds_lambda_on_healthy_scans() -> None:
    settings = VaeRestorationSettings()
    assert (settings.iterations, settings.step, settings.gradient_limit) == (100, 5e-3, 50)
    assert VaeRestoration.needs_calibration(settings)
    assert not VaeRestoration.needs_calibration(VaeRestorationSettings(tv_weight=1.4))


def test_a_pixel_approaches_its_reconstruction_by_the_same_share_in_every_step() -> None:
    s = scan()
    x_r = rule(Constant(0.5), iterations=30, step=0.01).score(s, Draws(0)).pseudo_healthy
    # The gradient of -(x_r - 0.5)^2 is -2 (x_r - 0.5).
    expected = torch.where(s.brain, 0.5 + (1 - 0.02) ** 30 * (s.images - 0.5), s.images)
    torch.testing.assert_close(x_r, expected)


def test_the_divergence_pulls_the_latent_mean_to_zero() -> None:
    s = scan()
    x_r = rule(Perfect(), iterations=20, step=0.05, kl_weight=0.5).score(s, Draws(0)).pseudo_healthy
    torch.testing.assert_close(x_r, torch.where(s.brain, (1 - 0.025) ** 20 * s.images, s.images))


def test_the_gradient_of_each_pixel_is_cut() -> None:
    s = scan()
    found = rule(Constant(-9.0), iterations=5, step=0.01, gradient_limit=2.0).score(s, Draws(0))
    torch.testing.assert_close(found.pseudo_healthy, s.images - 5 * 0.01 * 2 * s.brain)


@pytest.mark.parametrize("region", ["brain", "foreground"])
def test_pixels_outside_the_region_keep_their_value(region: str) -> None:
    s = scan()
    x_r = rule(Constant(0.5), region=region).score(s, Draws(0)).pseudo_healthy
    inside = s.brain if region == "brain" else s.images.sum(dim=1, keepdim=True) > 0
    changed = (x_r != s.images).any(dim=1, keepdim=True)
    assert torch.equal(changed, inside)


def test_the_map_is_the_mean_absolute_change_over_the_modalities() -> None:
    s = scan()
    scored = rule(Constant(0.5)).score(s, Draws(0))
    torch.testing.assert_close(scored.anomaly_map, (s.images - scored.pseudo_healthy).abs().mean(dim=1))


def test_total_variation_counts_every_pair_of_neighbours_once() -> None:
    d = torch.randn(2, 3, 4, 5, generator=torch_generator(0), dtype=torch.float64)
    expected = [0.0, 0.0]
    for n, c, i, j in product(range(2), range(3), range(4), range(5)):
        for a, b in ((i + 1, j), (i, j + 1)):
            if a < 4 and b < 5:
                expected[n] += abs(float(d[n, c, a, b] - d[n, c, i, j]))
    torch.testing.assert_close(total_variation(d), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("size", [(4, 5), (3, 4, 2)])
def test_the_gradient_of_total_variation_equals_finite_differences(size: tuple[int, ...]) -> None:
    d = torch.randn(2, 2, *size, generator=torch_generator(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(total_variation, (d,))


def test_total_variation_does_not_hold_back_a_change_that_is_the_same_everywhere() -> None:
    x = torch.full((1, 2, 8, 8), 0.8)
    s = Scan("flat", x, torch.ones(1, 1, 8, 8, dtype=torch.bool))
    free, held = (rule(Constant(0.2), tv_weight=w).score(s, Draws(0)).pseudo_healthy for w in (0.0, 2.0))
    torch.testing.assert_close(held, free)


def test_total_variation_holds_back_the_change_of_single_pixels() -> None:
    s = scan()
    weights = (0.0, 0.1, 0.3)
    changes = [
        total_variation(s.images - rule(Constant(0.5), tv_weight=w).score(s, Draws(0)).pseudo_healthy).sum()
        for w in weights
    ]
    assert changes[0] > changes[1] > changes[2]


def change_by_hand(x: np.ndarray, brain: np.ndarray, level: float, weight: float) -> float:
    """mean |x - x_r| after 100 steps of 0.005 with the model `Constant`, from formulas."""
    x_r = x.copy()
    for _ in range(100):
        d = x - x_r
        gradient_of_tv = np.zeros_like(d)
        for axis in (2, 3):
            sign = np.sign(np.diff(d, axis=axis))
            low = [slice(None)] * 4
            high = [slice(None)] * 4
            low[axis], high[axis] = slice(None, -1), slice(1, None)
            # d = x - x_r, so its derivative by x_r is -1.
            gradient_of_tv[tuple(high)] -= sign
            gradient_of_tv[tuple(low)] += sign
        x_r = x_r + 0.005 * (-2 * (x_r - level) - weight * gradient_of_tv) * brain
    return float(np.abs(x - x_r).mean())


def test_lambda_is_the_weight_that_changes_healthy_slices_least() -> None:
    scans = [scan(2, "h1"), scan(3, "h2")]
    weights = (0.0, 0.05, 0.2, 0.8, 2.0)
    x = np.concatenate([s.images.double().numpy() for s in scans])
    brain = np.concatenate([s.brain.numpy() for s in scans])
    changes = [change_by_hand(x, brain, 0.45, weight) for weight in weights]
    best = weights[int(np.argmin(changes))]
    assert best not in {weights[0], weights[-1]}
    chosen = rule(Constant(0.45), tv_weight=None, tv_weights=weights).calibrate(scans, Draws(0))
    assert chosen == {"tv_weight": best}


def test_lambda_is_chosen_on_at_most_so_many_slices_at_even_distances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scans = [scan(4, "h1"), scan(5, "h2")]
    tried: list[Tensor] = []

    def restore(self: VaeRestoration, x: Tensor, region: Tensor, tv_weight: float) -> Tensor:
        tried.append(x)
        return x

    monkeypatch.setattr(VaeRestoration, "restore", restore)
    chosen = rule(Constant(0.5), tv_weight=None, calibration_slices=3).calibrate(scans, Draws(0))
    expected = torch.stack([scans[0].images[0], scans[1].images[0], scans[1].images[4]])
    assert all(torch.equal(x, expected) for x in tried)
    # Equal changes: the smallest weight.
    assert chosen == {"tv_weight": 0.0}


def test_a_rule_without_lambda_says_what_to_do() -> None:
    with pytest.raises(InputError, match="calibrate the method, or give a number"):
        rule(Constant(0.5), tv_weight=None).score(scan(), Draws(0))


@pytest.mark.parametrize("architecture", ["staged", "strided", "convolutional"])
def test_every_vae_restores_each_slice_for_itself(architecture: Any) -> None:
    small = {
        "staged": StagedCoderSettings(widths=(4, 8), latent=3),
        "strided": StridedCoderSettings(widths=(4, 8), latent=3),
        "convolutional": ConvolutionalCoderSettings(widths=(4, 8), latent=3),
    }
    torch.manual_seed(0)
    model = Vae(VaeSettings(architecture=architecture, **small), SHAPE).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    s = scan(5)
    whole, single = (
        rule(model, tv_weight=0.1, iterations=20, batch_size=size).score(s, Draws(0)) for size in (5, 2)
    )
    assert whole.pseudo_healthy is not None
    assert not torch.equal(whole.pseudo_healthy, s.images)
    torch.testing.assert_close(whole.pseudo_healthy, single.pseudo_healthy, atol=1e-5, rtol=0)
    assert not whole.anomaly_map.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_restoration_raises_the_evidence_bound_of_a_trained_model() -> None:
    torch.manual_seed(1)
    model = Vae(VaeSettings(staged=StagedCoderSettings(widths=(4, 8), latent=3)), SHAPE).eval()
    s = scan()
    found = rule(model, region="foreground")
    x_r = found.score(s, Draws(0)).pseudo_healthy
    assert x_r is not None
    with torch.no_grad():
        fg = foreground(s.images)
        assert bool((found.elbo(x_r, fg) > found.elbo(s.images, fg)).all())


class Leaky(nn.Module):
    """A network that decodes the foreground to 0.5 and the background to `garbage` times the mean of the image."""

    def __init__(self, background: Tensor, garbage: float) -> None:
        super().__init__()
        self.background, self.garbage = background, garbage

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = x.flatten(1).mean(dim=1, keepdim=True)
        return mean, torch.zeros_like(mean)

    def decode(self, z: Tensor) -> Tensor:
        leaked = self.garbage * z.view(-1, *[1] * (self.background.ndim - 1))
        return torch.where(self.background, leaked, torch.full_like(leaked, 0.5))


def leaky_rule(x: Tensor, garbage: float, **settings: Any) -> VaeRestoration:
    """A rule whose model is a VAE with the network `Leaky`, for volumes where `x` holds volumes."""
    shape = ImageShape(("t1", "t2"), tuple(x.shape[2:]))
    small = StagedCoderSettings(widths=(4, 8), latent=3)
    model = Vae(VaeSettings(dimension=x.ndim - 2, staged=small), shape)
    model.network = Leaky(foreground(x) == 0, garbage)
    chosen = {"tv_weight": 0.0, "kl_weight": 0.0, "iterations": 30, "step": 0.01, **settings}
    return VaeRestoration(VaeRestorationSettings(**chosen), model, shape)


def as_volume(s: Scan) -> Scan:
    """The slices of a scan (slice, channel, x, y) as one volume (1, channel, x, y, slice)."""
    return Scan(s.subject, *(t.movedim(0, -1)[None] for t in (s.images, s.brain)))


@pytest.mark.parametrize("s", [scan(), as_volume(scan(4))], ids=["slices", "volume"])
def test_what_the_untrained_background_is_decoded_to_changes_no_pixel(s: Scan) -> None:
    x_r = leaky_rule(s.images, garbage=30.0).score(s, Draws(0)).pseudo_healthy
    expected = torch.where(s.brain, 0.5 + (1 - 0.02) ** 30 * (s.images - 0.5), s.images)
    torch.testing.assert_close(x_r, expected)


@pytest.mark.parametrize("s", [scan(), as_volume(scan(4))], ids=["slices", "volume"])
def test_what_the_untrained_background_is_decoded_to_does_not_choose_lambda(s: Scan) -> None:
    weights = (0.0, 0.1, 0.4, 1.6)
    changes = [
        float((s.images - leaky_rule(s.images, 0.0).restore(s.images, s.brain.float(), w)).abs().mean())
        for w in weights
    ]
    rule_with_garbage = leaky_rule(s.images, 5.0, tv_weight=None, tv_weights=weights)
    assert rule_with_garbage.calibrate([s], Draws(0)) == {"tv_weight": weights[int(np.argmin(changes))]}


def test_the_foreground_is_that_of_the_image_and_not_of_the_restored_one() -> None:
    s = Scan("dark", torch.full((1, 2, 8, 8), 0.02), torch.ones(1, 1, 8, 8, dtype=torch.bool))
    x_r = rule(Constant(-0.5), iterations=30, step=0.01).score(s, Draws(0)).pseudo_healthy
    # Long below the foreground's 0.01, the values still approach -0.5 by the same share in every step.
    torch.testing.assert_close(x_r, -0.5 + (1 - 0.02) ** 30 * (s.images + 0.5))


@pytest.mark.parametrize("error", ["l2", "l1", "gaussian"])
def test_the_evidence_bound_has_the_error_that_the_vae_was_trained_with(error: Any) -> None:
    torch.manual_seed(1)
    staged = StagedCoderSettings(widths=(4, 8), latent=3)
    model = Vae(VaeSettings(staged=staged, error=error, reduction="sum", beta=0), SHAPE).eval()
    s = scan()
    with torch.no_grad():
        found = rule(model, kl_weight=0.0).elbo(s.images, foreground(s.images))
        model.network.encode = certain(model.network.encode)
        loss = model.loss(Batch(s.images, s.brain), Draws(0))
    torch.testing.assert_close(-found.mean(), loss)


def certain(encode: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The encoder with a variance of exp(-60), so that a draw of z is the mean."""

    def encode_with_certainty(x: Tensor) -> tuple[Tensor, Tensor]:
        mu, _ = encode(x)
        return mu, torch.full_like(mu, -60.0)

    return encode_with_certainty
