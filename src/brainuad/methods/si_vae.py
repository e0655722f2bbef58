"""Soft-introspective variational auto-encoder (SI-VAE), whose encoder learns to tell images from generated ones.

Daniel and Tamar 2021, Soft-IntroVAE: Analyzing and Improving the Introspective Variational Autoencoder, CVPR;
as a baseline in Bercea et al. 2023, Generalizing Unsupervised Anomaly Detection: Towards Unbiased Pathology
Screening, MIDL, section 4. The order of the passes follows the released code of both, because every pass of
the training moves the running statistics of the batch normalisation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn, optim

from brainuad.methods.base import Batch, ImageShape, Model, ModelSettings, Trainer
from brainuad.networks.perceptual import PerceptualDistance
from brainuad.networks.residual_coders import ResidualDecoder, ResidualEncoder
from brainuad.networks.settings import PerceptualSettings, ResidualCoderSettings
from brainuad.networks.vae import kl_to_standard_normal, sample_latent
from brainuad.randomness import Draws
from brainuad.training.optimisers import build_optimiser
from brainuad.training.settings import AugmentationSettings, OptimiserSettings, TrainingSettings

# At most 1,500 epochs of 88 batches; training stops after 500 epochs without a lower validation error. The
# released schedule is called with the validation error in place of the epoch, so the rate never falls.
BERCEA_TRAINING = TrainingSettings(
    iterations=132_000,
    batch_size=8,
    validate_every=88,
    validation_batches=32,
    patience=44_000,
    minimum_gain=1e-8,
    augmentation=AugmentationSettings(affine=1.0, flip=0.5),
    optimiser=OptimiserSettings(name="adam", learning_rate=5e-5),
)


class SiVaeSettings(ModelSettings):
    """The settings of Bercea 2023 for SI-VAE: "a bottleneck of 256" and the weights 1, 1 and 256."""

    network: ResidualCoderSettings = ResidualCoderSettings(latent=256)
    beta_rec: float = Field(1.0, ge=0)
    beta_kl: float = Field(1.0, ge=0)
    beta_neg: float = Field(256.0, ge=0)
    # Weight of the decoder's error on its own images (released code of Soft-IntroVAE).
    gamma_r: float = Field(1e-8, ge=0)
    # Whether validations log a perceptual distance beside the error (Bercea 2023, figure 6), and which.
    log_perceptual: bool = False
    perceptual: PerceptualSettings = PerceptualSettings()
    training: TrainingSettings = BERCEA_TRAINING


class SiVae(Model):
    """A VAE without a discriminator: the encoder raises the KL of generated images, the decoder lowers it."""

    kind = "si-vae"
    settings_class = SiVaeSettings
    forward_methods = ("encoder_loss", "decoder_loss")
    quick: ClassVar = {
        "network": {"widths": [16, 16, 32, 64], "latent": 32},
        # The KL is a sum over the latent vector, divided by the number of pixels, which is small here.
        "beta_kl": 0.03,
        "beta_neg": 25.6,
        "perceptual": {"weights": "random"},
        "training": {
            "iterations": 250,
            "validate_every": 50,
            "validation_batches": 4,
            "augmentation": {"affine": 0.0, "flip": 0.0},
            "optimiser": {"learning_rate": 1e-3, "schedule": "one-cycle"},
        },
    }

    def __init__(self, settings: SiVaeSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        channels = len(shape.channels)
        self.encoder = ResidualEncoder(settings.network, channels, shape.size)
        self.decoder = ResidualDecoder(settings.network, channels, shape.size)
        # A tuple, so that its weights are no part of the model's.
        self.perceptual: tuple[PerceptualDistance, ...] = ()
        # s: errors and KLs are sums, divided by the number of values of an image.
        self.s = 1 / (channels * shape.size[0] * shape.size[1])

    @classmethod
    def pretrained_networks(cls, settings: SiVaeSettings) -> tuple[str, ...]:
        """The features of the perceptual distance of validations, if they are to be trained ones."""
        wanted = settings.log_perceptual and settings.perceptual.weights == "pretrained"
        return (settings.perceptual.network,) if wanted else ()

    @classmethod
    def remarks(cls, settings: SiVaeSettings) -> tuple[str, ...]:
        """Whether validations log a perceptual distance with random weights."""
        if settings.log_perceptual and settings.perceptual.weights == "random":
            return ("The perceptual distance of validations has random weights instead of trained ones.",)
        return ()

    def load_pretrained(self, folder: Path) -> None:
        """Builds the perceptual distance of validations, if there is to be one."""
        if self.settings.log_perceptual:
            distance = PerceptualDistance(self.settings.perceptual)
            distance.load_pretrained(folder)
            self.perceptual = (distance.eval(),)

    def optimisers(self) -> dict[str, optim.Optimizer]:
        """One optimiser for the encoder and one for the decoder."""
        chosen = self.settings.training.optimiser
        return {
            "encoder": build_optimiser(chosen, self.encoder.parameters()),
            "decoder": build_optimiser(chosen, self.decoder.parameters()),
        }

    def update(self, batch: Batch, draws: Draws, trainer: Trainer) -> dict[str, float]:
        """One step of the encoder, then one of the decoder with the same latent vectors."""
        x = batch.images
        n = torch.randn(
            (len(x), self.settings.network.latent), generator=draws.generator("n"), device=draws.device
        )
        L_E, z = trainer.compute("encoder_loss", x, n, draws.within("encoder"))
        trainer.descend("encoder", L_E)
        L_D, error = trainer.compute("decoder_loss", x, n, z, draws.within("decoder"))
        trainer.descend("decoder", L_D)
        return {"loss": error.item(), "encoder_loss": L_E.item(), "decoder_loss": L_D.item()}

    def encoder_loss(self, x: Tensor, n: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """L_E = s (beta_rec R(x, rec) + beta_kl KL(x)) + (e(rec) + e(fake)) / 4, and z for the decoder's step.

        rec = D(z) with z ~ q(z | x), fake = D(n) with n ~ N(0, I); e is the exponential ELBO.
        """
        beta_rec, beta_kl = self.settings.beta_rec, self.settings.beta_kl
        with frozen(self.decoder):
            fake = self.decoder(n)
            mu, log_variance, embeddings = self.encoder(x)
            z = sample_latent(mu, log_variance, draws.generator("z"))
            rec = self.decoder(z)
            reversed_term = self.reversed_term(embeddings, rec.detach())
            e_rec = self._exp_elbo(rec, draws.generator("z of rec")).mean()
            e_fake = self._exp_elbo(fake, draws.generator("z of fake")).mean()
        L_rec, KL_x = squared_error(x, rec).mean(), divergence(mu, log_variance).mean()
        L_x = self.s * (beta_rec * L_rec + beta_kl * KL_x)
        return L_x + 0.25 * (e_rec + e_fake) + reversed_term, z.detach()

    def _exp_elbo(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """exp(-2 s (beta_rec R(y, D(z_y)) + beta_neg KL(y))) of each generated image y, between 0 and 1."""
        mu, log_variance, _ = self.encoder(y.detach())
        y_rec = self.decoder(sample_latent(mu, log_variance, generator))
        R, KL = squared_error(y, y_rec), divergence(mu, log_variance)
        return torch.exp(-2 * self.s * (self.settings.beta_rec * R + self.settings.beta_neg * KL))

    def reversed_term(self, embeddings: list[Tensor], rec: Tensor) -> Tensor | float:
        """What a method adds to L_E from the embeddings of x and the reconstruction: nothing here."""
        return 0.0

    def decoder_loss(self, x: Tensor, n: Tensor, z: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """L_D, and the mean squared error of the reconstruction.

        L_D = s (beta_rec R(x, rec) + beta_kl / 2 (KL(rec) + KL(fake))
        + gamma_r beta_rec / 2 (R(rec, D(z_rec)) + R(fake, D(z_fake)))), with rec and fake fixed in the last line.
        """
        beta_rec, beta_kl, gamma_r = self.settings.beta_rec, self.settings.beta_kl, self.settings.gamma_r
        with frozen(self.encoder):
            fake, rec = self.decoder(n), self.decoder(z)
            mu_rec, log_variance_rec, _ = self.encoder(rec)
            mu_fake, log_variance_fake, _ = self.encoder(fake)
            z_rec = sample_latent(mu_rec, log_variance_rec, draws.generator("z of rec"))
            z_fake = sample_latent(mu_fake, log_variance_fake, draws.generator("z of fake"))
            rec_rec, rec_fake = self.decoder(z_rec.detach()), self.decoder(z_fake.detach())
        L_rec = squared_error(x, rec).mean()
        KL_rec = divergence(mu_rec, log_variance_rec).mean()
        KL_fake = divergence(mu_fake, log_variance_fake).mean()
        own = squared_error(rec.detach(), rec_rec).mean() + squared_error(fake.detach(), rec_fake).mean()
        L_D = self.s * (
            beta_rec * L_rec + 0.5 * beta_kl * (KL_rec + KL_fake) + gamma_r * 0.5 * beta_rec * own
        )
        return L_D, self.s * L_rec.detach()

    def validation_loss(self, batch: Batch, draws: Draws) -> Tensor:
        """The mean squared error of the reconstruction."""
        return F.mse_loss(self.reconstruct(batch.images), batch.images)

    def validation_numbers(self, batch: Batch, draws: Draws) -> dict[str, Tensor]:
        """The validation loss, and the mean perceptual distance of image and reconstruction if it is asked for."""
        numbers = super().validation_numbers(batch, draws)
        x = batch.images.clamp(0, 1).flatten(0, 1)[:, None]  # each channel is a grey image of its own
        for perceptual in self.perceptual:
            rec = self.reconstruct(batch.images).clamp(0, 1).flatten(0, 1)[:, None]
            numbers["validation_perceptual"] = perceptual.distance(x, rec).mean()
        return numbers

    def reconstruct(self, x: Tensor, eps: Tensor | None = None) -> Tensor:
        """The decoded mean of q(z | x), or with `eps` (batch, latent) the decoded mu + sigma * eps."""
        mu, log_variance, _ = self.encoder(x)
        return self.decoder(mu if eps is None else mu + torch.exp(0.5 * log_variance) * eps)

    def latent(self, x: Tensor) -> Tensor:
        """The mean of q(z | x): (batch, latent)."""
        return self.encoder(x)[0]


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """R(a, b): the squared error of each image, summed over its values: (batch,)."""
    return F.mse_loss(a, b, reduction="none").flatten(1).sum(dim=1)


def divergence(mu: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z | x) || N(0, I)) of each image, summed over the latent dimensions: (batch,)."""
    return kl_to_standard_normal(mu, log_variance).sum(dim=1)


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Losses made inside have no gradient for the parameters of `network`.

    Gradients still pass through the network, and its running statistics still move.
    """
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
