"""The denoising auto-encoder: its loss by hand, where noise goes, and the published settings."""

import pytest
import torch
from torch import Tensor, nn

from brainuad.methods.base import Batch, ImageShape
from brainuad.methods.dae import Dae, DaeSettings
from brainuad.networks.settings import DaeUnetSettings
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws, torch_generator
from brainuad.training.optimisers import rate_factor

SHAPE = ImageShape(("t1", "t2"), (16, 16))


class Recorder(nn.Module):
    """A "network" that keeps its input and answers with a multiple of it plus an offset."""

    def __init__(self, factor: float, offset: float) -> None:
        super().__init__()
        self.factor, self.offset = factor, offset
        self.seen = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        return self.factor * x + self.offset


def batch() -> Batch:
    """Four images (2 x 16 x 16) whose left half is background."""
    x = 0.2 + torch.rand(4, 2, 16, 16, generator=torch_generator(0))
    x[..., :8] = 0
    return Batch(x, x.sum(dim=1, keepdim=True) > 0)


def model(factor: float = 1.0, offset: float = 0.0, **settings) -> Dae:
    dae = Dae(DaeSettings(network=DaeUnetSettings(widths=(4, 8)), **settings), SHAPE)
    dae.network = Recorder(factor, offset)
    return dae


def noise_of(dae: Dae) -> Tensor:
    """The noise that the loss draws for `batch` under seed 1."""
    return draw_noise(dae.settings.noise, (4, 2, 16, 16), Draws(1).generator("noise"))


@pytest.mark.parametrize("kind", ["gaussian", "coarse", "simplex"])
def test_identity_network_is_left_with_the_mean_square_of_the_noise_in_the_foreground(kind) -> None:
    dae = model(noise=NoiseSettings(kind=kind, scale=0.2, resolution=8))
    n = noise_of(dae)[..., 8:]
    # The foreground is half of the image, the mean goes over all of it.
    torch.testing.assert_close(dae.loss(batch(), Draws(1)), n.square().mean() / 2)


@pytest.mark.parametrize(("loss", "power"), [("l2", 2), ("l1", 1)])
def test_loss_equals_a_sum_over_pixels_by_hand(loss, power: int) -> None:
    dae = model(factor=0.7, offset=0.1, loss=loss)  # not 0 in the background, which counts for l1 only
    x, n = batch().images, noise_of(dae)
    total = 0.0
    for sample in range(4):
        for row in range(16):
            for column in range(16):
                pixel, noise = x[sample, :, row, column], n[sample, :, row, column]
                inside = float(pixel.sum() > 0.01)
                if inside or loss == "l1":
                    total += float(((0.7 * (pixel + inside * noise) + 0.1 - pixel).abs() ** power).sum())
    assert float(dae.loss(batch(), Draws(1))) == pytest.approx(total / x.numel(), rel=1e-5)


def test_network_sees_noise_in_the_foreground_only_and_unclipped() -> None:
    dae = model(noise=NoiseSettings(kind="gaussian", scale=5.0))
    dae.loss(batch(), Draws(1))
    x, n = batch().images, noise_of(dae)
    assert not dae.network.seen[..., :8].any()
    torch.testing.assert_close(dae.network.seen[..., 8:], (x + n)[..., 8:])
    assert dae.network.seen.min() < -1
    assert dae.network.seen.max() > 2


def test_reconstruction_adds_no_noise() -> None:
    dae = model(factor=0.5)
    x = batch().images
    torch.testing.assert_close(dae.reconstruct(x), x / 2)
    assert dae.network.seen is x


def test_noise_is_a_function_of_the_draws() -> None:
    dae = model(factor=0.5)
    assert dae.loss(batch(), Draws(1)) == dae.loss(batch(), Draws(1))
    assert dae.loss(batch(), Draws(1)) != dae.loss(batch(), Draws(2))


def test_paper_scale_has_7_703_748_parameters() -> None:
    with torch.device("meta"):
        dae = Dae(DaeSettings(), ImageShape(("flair", "t1", "t1ce", "t2"), (128, 128)))
    assert sum(parameter.numel() for parameter in dae.parameters()) == 7_703_748


def test_paper_scale_trains_2100_pseudo_epochs_of_32_batches() -> None:
    training = DaeSettings().training
    assert training.iterations == 2_100 * training.validate_every
    assert (training.batch_size, training.validate_every, training.validation_batches) == (16, 32, 32)
    assert training.gradient_clip == 0.5


def test_paper_rate_is_that_of_cosine_annealing_stepped_every_32_batches() -> None:
    training = DaeSettings().training
    parameter = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.Adam([parameter], lr=1e-4, amsgrad=True, weight_decay=1e-5)
    annealing = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=100)
    for pseudo_epoch in range(450):
        for step in (32 * pseudo_epoch, 32 * pseudo_epoch + 31):
            rate = 1e-4 * rate_factor(training.optimiser, step, training.iterations)
            assert rate == pytest.approx(annealing.get_last_lr()[0], abs=1e-11)
        optimiser.step()
        annealing.step()


def test_paper_optimiser_is_adam_with_amsgrad_and_weight_decay() -> None:
    dae = Dae(DaeSettings(network=DaeUnetSettings(widths=(4, 8))), SHAPE)
    (group,) = dae.optimisers()["model"].param_groups
    assert (group["lr"], group["weight_decay"], group["amsgrad"]) == (1e-4, 1e-5, True)
