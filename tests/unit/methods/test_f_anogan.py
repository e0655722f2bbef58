"""f-AnoGAN: gradient penalty in closed form, what each stage trains, and the score as in the paper."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from brainuad.methods.base import Batch, ImageShape, Scan
from brainuad.methods.f_anogan import FAnoGan, FAnoGanScore, FAnoGanSettings, gradient_penalty
from brainuad.methods.reconstruction import ReconstructionResidual, ResidualSettings, residual
from brainuad.networks.settings import WganSettings
from brainuad.randomness import Draws, torch_generator
from brainuad.training import state as states
from brainuad.training.settings import OptimiserSettings, TrainingSettings
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

SHAPE = ImageShape(("t1", "t2"), (16, 16))


def model(**settings: Any) -> FAnoGan:
    """A small model; stage 1 has iterations 0 to 7, stage 2 has 8 and 9."""
    torch.manual_seed(0)
    network = WganSettings(widths=(4, 8, 8), latent=3)
    training = TrainingSettings(iterations=10, batch_size=4, keep="last")
    defaults = {"network": network, "training": training, "gan_share": 0.8, "critic_steps": 2}
    return FAnoGan(FAnoGanSettings(**{**defaults, **settings}), SHAPE)


def batch() -> Batch:
    x = torch.rand(4, 2, 16, 16, generator=torch_generator(0))
    return Batch(x, x.sum(dim=1, keepdim=True) > 0)


class Trainer:
    """The part of the engine that an update uses."""

    def __init__(self, trained: FAnoGan) -> None:
        self.model = trained
        self.optimisers = trained.optimisers()
        self.step = 0

    def compute(self, name: str, *arguments: Any) -> Tensor:
        assert name in self.model.forward_methods
        return getattr(self.model, name)(*arguments)

    def descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad()
        loss.backward()
        self.optimisers[name].step()


def changed_by_update(step: int, **settings: Any) -> tuple[set[str], dict[str, float]]:
    """The networks whose weights or running averages one update changes, and the numbers that it logs."""
    trained = model(**settings)
    trainer = Trainer(trained)
    trainer.step = step
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    numbers = trained.update(batch(), Draws(0).within(step), trainer)
    after = trained.state_dict()
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}, numbers


class Linear(nn.Module):
    """A critic D(x) = <w, x>."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.w).flatten(1).sum(dim=1)


class Quadratic(nn.Module):
    """A critic D(x) = |x|^2 / 2, whose gradient is x."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().flatten(1).sum(dim=1) / 2


class Constant(nn.Module):
    """A generator of one grey level."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.full((len(z), 2, 16, 16), -0.5)


def test_penalty_of_a_linear_critic_is_the_square_of_its_slope_minus_one() -> None:
    critic = Linear(torch.full((2, 16, 16), 0.1))
    slope = 0.1 * (2 * 16 * 16) ** 0.5
    penalty = gradient_penalty(critic, torch.randn(4, 2, 16, 16))
    assert penalty.item() == pytest.approx((slope - 1) ** 2, rel=1e-5)


def test_penalty_pulls_the_slope_of_a_linear_critic_towards_one() -> None:
    critic = Linear(torch.randn(2, 16, 16, generator=torch_generator(1)))
    gradient_penalty(critic, torch.randn(4, 2, 16, 16)).backward()
    slope = critic.w.detach().norm()
    torch.testing.assert_close(critic.w.grad, 2 * (slope - 1) * critic.w.detach() / slope)


def test_loss_of_the_critic_is_the_distance_plus_ten_times_the_penalty() -> None:
    gan = model()
    gan.critic, gan.generator = Linear(torch.randn(2, 16, 16, generator=torch_generator(1))), Constant()
    x = 2 * batch().images - 1
    with torch.no_grad():
        distance = (gan.critic.w * (-0.5 - x)).sum(dim=(1, 2, 3)).mean()
        expected = distance + 10 * (gan.critic.w.norm() - 1) ** 2
    torch.testing.assert_close(gan.critic_loss(batch(), Draws(0)).detach(), expected)


def test_penalty_is_taken_between_the_real_and_the_generated_image() -> None:
    gan = model()
    gan.critic, gan.generator = Quadratic(), Constant()
    x = 2 * batch().images - 1
    alpha = torch.rand((4, 1, 1, 1), generator=Draws(3).generator("alpha"))
    slopes = ((1 - alpha) * x + alpha * -0.5).flatten(1).norm(dim=1)
    distance = 0.25 * 2 * 16 * 16 / 2 - x.square().sum() / 2 / 4
    expected = distance + 10 * (slopes - 1).square().mean()
    torch.testing.assert_close(gan.critic_loss(batch(), Draws(3)), expected)


def test_loss_of_the_generator_is_minus_the_mean_score_of_its_images() -> None:
    gan = model().eval()
    z = torch.randn((4, 3), generator=Draws(2).generator("z"))
    expected = -gan.critic(gan.generator(z)).mean()
    torch.testing.assert_close(gan.generator_loss(batch(), Draws(2)), expected)


def test_first_stage_trains_the_critic_each_time_and_the_generator_every_second_time() -> None:
    # The generator draws images for the critic, whose batch statistics enter its running averages.
    changed, numbers = changed_by_update(step=0)
    assert (changed, set(numbers)) == ({"critic", "generator"}, {"loss", "critic_loss"})
    changed, numbers = changed_by_update(step=7)
    assert changed == {"critic", "generator"}
    assert set(numbers) == {"loss", "critic_loss", "generator_loss"}


def test_weights_of_the_generator_rest_while_only_the_critic_is_trained() -> None:
    trained = model()
    before = [parameter.clone() for parameter in trained.generator.parameters()]
    trained.update(batch(), Draws(0), Trainer(trained))
    assert all(torch.equal(a, b) for a, b in zip(before, trained.generator.parameters(), strict=True))


@pytest.mark.parametrize("step", [8, 9])
def test_second_stage_trains_the_encoder_alone(step: int) -> None:
    changed, numbers = changed_by_update(step)
    assert (changed, set(numbers)) == ({"encoder"}, {"loss", "encoder_loss"})


def test_no_gradient_reaches_a_frozen_network_and_all_can_be_trained_afterwards() -> None:
    gan = model()
    gan.encoder_loss(batch(), Draws(0)).backward()
    assert all(parameter.grad is not None for parameter in gan.encoder.parameters())
    for network in (gan.generator, gan.critic):
        assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


def test_logged_and_validated_loss_is_the_error_of_the_reconstruction() -> None:
    gan = model()
    numbers = gan.update(batch(), Draws(0), Trainer(gan))
    gan.eval()
    x = batch().images
    expected = (2 * (x - gan.reconstruct(x))).square().mean()  # in [-1, 1]
    assert numbers["loss"] == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(gan.validation_loss(batch(), Draws(0)), expected)


def test_score_is_image_error_plus_kappa_times_feature_error_and_trains_the_encoder() -> None:
    gan = model(kappa=0.3).eval()
    x = batch().images
    v, v_hat = 2 * x - 1, gan.generator(gan.encoder(2 * x - 1))
    f, f_hat = gan.critic.features(v), gan.critic.features(v_hat)
    expected = ((v - v_hat) ** 2).mean(dim=(1, 2, 3)) + 0.3 * ((f - f_hat) ** 2).mean(dim=1)
    torch.testing.assert_close(gan.anomaly_score(x, gan.reconstruct(x)), expected)
    torch.testing.assert_close(gan.encoder_loss(batch(), Draws(0)), expected.mean())


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_rule_maps_the_residual_and_scores_a_volume_by_the_mean_over_slices(batch_size: int) -> None:
    gan = model(kappa=0.3).eval()
    x = batch().images
    scan, settings = Scan("a", x, batch().brain), ResidualSettings(batch_size=batch_size)
    scored = FAnoGanScore(settings, gan, SHAPE).score(scan, Draws(0))
    x_hat = gan.reconstruct(x)
    torch.testing.assert_close(scored.pseudo_healthy, x_hat)
    torch.testing.assert_close(scored.anomaly_map, residual(x, x_hat, settings))
    assert scored.image_score == pytest.approx(gan.anomaly_score(x, x_hat).mean().item(), rel=1e-5)
    plain = ReconstructionResidual(settings, gan, SHAPE).score(scan, Draws(0))
    torch.testing.assert_close(scored.anomaly_map, plain.anomaly_map)


def test_reconstruction_is_in_the_range_of_the_recipe_and_draws_nothing() -> None:
    gan = model().eval()
    before = torch.get_rng_state()
    x_hat = gan.reconstruct(batch().images)
    assert torch.equal(torch.get_rng_state(), before)
    assert x_hat.shape == (4, 2, 16, 16)
    assert 0 <= x_hat.min() < 0.5
    assert 0.5 < x_hat.max() <= 1


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"encoder_optimiser": {"schedule": "plateau"}}, "encoder_optimiser.schedule cannot be plateau"),
        ({"critic_optimiser": {"schedule": "plateau"}}, "critic_optimiser.schedule cannot be plateau"),
        ({"training": {"iterations": 10, "keep": "last", "patience": 4}}, "training.patience cannot be used"),
        ({"training": {"iterations": 10, "keep": "best"}}, "training.keep cannot be best"),
        (
            {"training": {"iterations": 10, "keep": "last", "optimiser": {"learning_rate": 0.01}}},
            "training.optimiser is not used",
        ),
    ],
)
def test_what_the_first_stage_would_mislead_or_nothing_uses_is_refused(
    settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        FAnoGanSettings.model_validate(settings)


def test_optimisers_take_as_many_steps_as_their_schedules_run_over() -> None:
    trained = model()
    trainer, taken = Trainer(trained), Counter[str]()
    for step in range(10):
        trainer.step = step
        losses = set(trained.update(batch(), Draws(0), trainer)) - {"loss"}
        taken.update(name.removesuffix("_loss") for name in losses)
    assert taken == trained.optimiser_steps() == {"critic": 8, "generator": 4, "encoder": 2}


def test_a_one_cycle_of_the_encoder_ends_with_its_own_last_step(
    cohort: dict[str, Path], tmp_path: Path
) -> None:
    once = OptimiserSettings(name="rmsprop", schedule="one-cycle", learning_rate=0.5)
    training = TrainingSettings(
        iterations=8, batch_size=3, validate_every=8, validation_batches=1, keep="last"
    )
    settings = model(training=training, gan_share=0.75, encoder_optimiser=once).settings.model_dump(
        mode="json"
    )
    outputs = [tmp_path / name for name in ("model.ckpt", "log.tsv", "cost.json")]
    files = TrainingFiles(cohort["split"], (cohort["healthy"],), tmp_path / "state", *outputs)
    request = ModelRequest("f-anogan", settings, "non-empty", seed=0, precision="32-true")
    train_model(request, files, Machine(device="cpu", threads=1))
    (rate,) = states.load(files.state_folder / "last.ckpt")["schedules"]["encoder"]["_last_lr"]
    assert rate < 0.5 / 25 / 1000  # it begins at 1/25 of the highest rate and ends at 1/10,000 of that


def test_paper_settings_train_30000_iterations_of_the_gan_and_10000_of_the_encoder() -> None:
    with torch.device("meta"):
        gan = FAnoGan(FAnoGanSettings(), ImageShape(("flair", "t1", "t1ce", "t2"), (128, 128)))
    assert (gan.gan_iterations, gan.settings.training.iterations) == (30_000, 40_000)
    rates = {name: optimiser.defaults["lr"] for name, optimiser in gan.optimisers().items()}
    assert rates == {"critic": 1e-3, "generator": 1e-3, "encoder": 1e-5}
