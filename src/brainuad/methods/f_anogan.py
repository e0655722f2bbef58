"""f-AnoGAN: a Wasserstein GAN of healthy images, and an encoder that maps an image to its latent vector.

Schlegl et al. 2019, f-AnoGAN: Fast unsupervised anomaly detection with generative adversarial networks, Medical
Image Analysis 54: WGAN with gradient penalty (Gulrajani 2017), then the encoder by "izi_f" with both networks of
the GAN frozen. The defaults are those of Kascenas et al. 2023, section 4.3, for 128 x 128 MRI with four modalities.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn, optim

from brainuad.methods.base import Batch, ImageShape, Model, ModelSettings, Scan, Scored, ScoringRule, Trainer
from brainuad.methods.patched_ddpm import from_network_range, to_network_range
from brainuad.methods.reconstruction import ResidualSettings, residual
from brainuad.networks.settings import WganSettings
from brainuad.networks.wgan import Critic, Encoder, Generator
from brainuad.randomness import Draws
from brainuad.training.optimisers import build_optimiser
from brainuad.training.settings import OptimiserSettings, TrainingSettings

# Adam's decay rates of Gulrajani 2017, in Schlegl's code.
GAN_ADAM = OptimiserSettings(name="adam", learning_rate=1e-3, betas=(0.0, 0.9))


class FAnoGanSettings(ModelSettings):
    """The settings of Kascenas 2023; what it does not name is that of Schlegl 2019 or its code."""

    network: WganSettings = WganSettings()
    # The first iterations train the GAN, the others the encoder: 30,000 and 10,000. Neither paper says how many;
    # these are the numbers of the comparison of Lagogiannis 2023, whose code counts steps of the critic, too.
    gan_share: float = Field(0.75, gt=0, lt=1)
    # Iterations, each with one step of the critic, from one step of the generator to the next.
    critic_steps: int = Field(5, ge=1)
    penalty: float = Field(10.0, ge=0)
    # Weight of the critic's features in the encoder's loss and in the score; 1 in Schlegl 2019.
    kappa: float = Field(1e-8, ge=0)
    # Schlegl's code takes 1e-4 for the GAN and 5e-5 for the encoder.
    generator_optimiser: OptimiserSettings = GAN_ADAM
    critic_optimiser: OptimiserSettings = GAN_ADAM
    encoder_optimiser: OptimiserSettings = OptimiserSettings(name="rmsprop", learning_rate=1e-5)
    training: TrainingSettings = TrainingSettings(
        iterations=40_000, batch_size=32, validate_every=1_000, keep="last"
    )

    @model_validator(mode="after")
    def _fits_two_stages(self) -> Self:
        """Validations see E(x) from the start, but E is trained in the second stage alone."""
        early = "validations of the first stage judge an encoder that is not trained yet"
        for name in ("generator", "critic", "encoder"):
            if getattr(self, f"{name}_optimiser").schedule == "plateau":
                raise ValueError(
                    f"{name}_optimiser.schedule cannot be plateau: {early}. Choose another schedule"
                )
        if self.training.patience is not None:
            raise ValueError(f"training.patience cannot be used: {early}. Set it to null")
        if self.training.keep == "best":
            raise ValueError(f"training.keep cannot be best: {early}. Set it to last")
        if self.training.optimiser != OptimiserSettings():
            names = "generator_optimiser, critic_optimiser and encoder_optimiser"
            raise ValueError(f"training.optimiser is not used; set {names}")
        return self


class FAnoGan(Model):
    """Generator G, critic D with features f, and encoder E; all images inside are in [-1, 1]."""

    kind = "f-anogan"
    settings_class = FAnoGanSettings
    forward_methods = ("critic_loss", "generator_loss", "encoder_loss", "reconstruction_error")
    quick: ClassVar = {
        "network": {"widths": [16, 32, 64, 64], "latent": 32},
        "gan_share": 0.5,
        "critic_steps": 1,
        "encoder_optimiser": {"learning_rate": 1e-3},
        "training": {"iterations": 500, "batch_size": 8, "validate_every": 50, "validation_batches": 4},
    }

    def __init__(self, settings: FAnoGanSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels = len(shape.channels)
        self.generator = Generator(settings.network, channels, shape.size)
        self.critic = Critic(settings.network, channels, shape.size)
        self.encoder = Encoder(settings.network, channels, shape.size)
        self.gan_iterations = round(settings.gan_share * settings.training.iterations)

    def optimisers(self) -> dict[str, optim.Optimizer]:
        """One optimiser for each network."""
        settings = self.settings
        return {
            "critic": build_optimiser(settings.critic_optimiser, self.critic.parameters()),
            "generator": build_optimiser(settings.generator_optimiser, self.generator.parameters()),
            "encoder": build_optimiser(settings.encoder_optimiser, self.encoder.parameters()),
        }

    def optimiser_steps(self) -> dict[str, int]:
        """The steps of each network in its stage."""
        return {
            "critic": self.gan_iterations,
            "generator": self.gan_iterations // self.settings.critic_steps,
            "encoder": self.settings.training.iterations - self.gan_iterations,
        }

    def update(self, batch: Batch, draws: Draws, trainer: Trainer) -> dict[str, float]:
        """One step of the GAN or, once it is trained, of the encoder.

        The logged `loss` is the error of G(E(x)), which falls in both stages; each network's own loss is beside it.
        """
        names = ["encoder"]
        if trainer.step < self.gan_iterations:
            due = (trainer.step + 1) % self.settings.critic_steps == 0
            names = ["critic", "generator"] if due else ["critic"]
        numbers = {}
        for name in names:
            loss = trainer.compute(f"{name}_loss", batch, draws.within(name))
            trainer.descend(name, loss)
            numbers[f"{name}_loss"] = loss.item()
        with torch.no_grad():
            return {"loss": trainer.compute("reconstruction_error", batch).item(), **numbers}

    # Stage 1: the GAN.

    def critic_loss(self, batch: Batch, draws: Draws) -> Tensor:
        """mean D(G(z)) - mean D(x) + penalty * mean (||grad D(x_hat)|| - 1)^2 (Gulrajani 2017, equation 3)."""
        x = to_network_range(batch.images)
        with torch.no_grad():
            x_tilde = self.generator(self._draw_latent(len(x), draws))
        alpha = torch.rand((len(x), 1, 1, 1), generator=draws.generator("alpha"), device=draws.device)
        penalty = gradient_penalty(self.critic, x + alpha * (x_tilde - x))
        return self.critic(x_tilde).mean() - self.critic(x).mean() + self.settings.penalty * penalty

    def generator_loss(self, batch: Batch, draws: Draws) -> Tensor:
        """-mean D(G(z))."""
        with frozen(self.critic):
            return -self.critic(self.generator(self._draw_latent(len(batch.images), draws))).mean()

    def _draw_latent(self, count: int, draws: Draws) -> Tensor:
        shape = (count, self.settings.network.latent)
        return torch.randn(shape, generator=draws.generator("z"), device=draws.device)

    # Stage 2: the encoder.

    def encoder_loss(self, batch: Batch, draws: Draws) -> Tensor:
        """The mean of A(x) ("izi_f"); G and D are frozen, with G's batch normalisation."""
        self.generator.eval()
        x = to_network_range(batch.images)
        with frozen(self.generator, self.critic):
            return self._scores(x, self.generator(self.encoder(x))).mean()

    def _scores(self, x: Tensor, x_hat: Tensor) -> Tensor:
        image = (x - x_hat).square().flatten(1).mean(dim=1)
        features = (self.critic.features(x) - self.critic.features(x_hat)).square().mean(dim=1)
        return image + self.settings.kappa * features

    def reconstruction_error(self, batch: Batch) -> Tensor:
        """mean (x - G(E(x)))^2, with the running averages of batch normalisation as in scoring."""
        self.eval()
        x = to_network_range(batch.images)
        return (x - self.generator(self.encoder(x))).square().mean()

    def validation_loss(self, batch: Batch, draws: Draws) -> Tensor:
        """The error of the reconstruction; the weights to score with are the last ones."""
        return self.reconstruction_error(batch)

    # Scoring.

    def reconstruct(self, x: Tensor) -> Tensor:
        """G(E(x)) in the recipe's range."""
        return from_network_range(self.generator(self.encoder(to_network_range(x))))

    def anomaly_score(self, x: Tensor, x_hat: Tensor) -> Tensor:
        """A(x) = mean (x - x_hat)^2 + kappa * mean (f(x) - f(x_hat))^2 of each slice (batch,)."""
        return self._scores(to_network_range(x), to_network_range(x_hat))


class FAnoGanScore(ScoringRule):
    """|x - G(E(x))| as the map, and the mean of A(x) over all slices as the score of the volume."""

    kind = "f-anogan-score"
    settings_class = ResidualSettings
    needs = "anomaly_score"

    @torch.no_grad()
    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The residual map, the reconstruction and the score of one volume."""
        x = scan.images
        pieces, scores = [], []
        for slices in x.split(self.settings.batch_size):
            pieces.append(self.model.reconstruct(slices))
            scores.append(self.model.anomaly_score(slices, pieces[-1]))
        x_hat = torch.cat(pieces)
        return Scored(residual(x, x_hat, self.settings), x_hat, torch.cat(scores).mean().item())


def gradient_penalty(critic: Callable[[Tensor], Tensor], x_hat: Tensor) -> Tensor:
    """mean (||grad D(x_hat)||_2 - 1)^2, differentiable in the critic's weights; x_hat (batch, ...)."""
    x_hat = x_hat.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Inside, gradients flow through the networks to what came before, and not to their own weights."""
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)
