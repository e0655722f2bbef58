"""What a published method gives to the pipeline: a trainable model, and rules that score with it.

A *model* is trained once; several *scoring rules* may use it (reconstruction, KL and inpainting share
one diffusion model). A method file defines one or both and is found by itself (see `registry.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from pydantic import model_validator
from torch import Tensor, nn, optim

from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.training.optimisers import build_optimiser
from brainuad.training.settings import TrainingSettings

# What most trainings are at the quick scale, on a small machine.
QUICK_TRAINING: dict[str, Any] = {
    "iterations": 250,
    "batch_size": 8,
    "validate_every": 50,
    "validation_batches": 4,
    "optimiser": {"learning_rate": 1e-3, "schedule": "one-cycle"},
}
# Fewer samples a step want more steps.
QUICK_TRAINING_3D: dict[str, Any] = {**QUICK_TRAINING, "iterations": 500, "batch_size": 2}


@dataclass(frozen=True)
class ImageShape:
    """What one sample looks like: channel names in order, and the spatial size in voxels.

    The size is (x, y) for a model of slices and (x, y, z) for a model of volumes.
    """

    channels: tuple[str, ...]
    size: tuple[int, ...]


@dataclass
class Batch:
    """Images (batch, channel, *size) in the recipe's range, and brain masks (batch, 1, *size) bool.

    The size is that of a slice, (x, y), or with `dimension: 3` that of a volume, (x, y, z). Models that take
    sequences of slices get (batch, slice, channel, *size) and (batch, slice, 1, *size).
    `lesion` (batch, 1, *size) bool is there for models that learn from lesions.
    """

    images: Tensor
    brain: Tensor
    lesion: Tensor | None = None


@dataclass
class Scan:
    """One volume to score, on the device: images (sample, channel, *size), brain (sample, 1, *size) bool.

    A model of slices gets as many samples of size (x, y) as the volume has slices; a model of volumes
    (`dimension: 3`) gets one sample of size (x, y, z). `equalised` (slice, x, y) is the copy of a modality that the
    recipe equalised, if it did.
    """

    subject: str
    images: Tensor
    brain: Tensor
    equalised: Tensor | None = None


@dataclass
class Scored:
    """Scores of one volume: anomaly map (sample, *size) >= 0, and what else the rule produces.

    `pseudo_healthy` has shape (sample, channel, *size) in the recipe's range. Samples are those of the scan.
    """

    anomaly_map: Tensor
    pseudo_healthy: Tensor | None = None
    image_score: float | None = None


class ModelSettings(Settings):
    """The part that the settings of every trainable model share."""

    training: TrainingSettings


class AnyDimensionSettings(ModelSettings):
    """The part that the settings share of models which learn from slices or from whole volumes."""

    # 2: axial slices. 3: whole volumes.
    dimension: Literal[2, 3] = 2
    # The defaults for volumes where they differ from those for slices, and the overlay for a small machine.
    defaults_in_3d: ClassVar[Mapping[str, Any]] = {}
    quick_in_3d: ClassVar[Mapping[str, Any]] = {}

    @model_validator(mode="before")
    @classmethod
    def _with_defaults_in_3d(cls, given: Any) -> Any:
        in_3d = isinstance(given, Mapping) and given.get("dimension") == 3
        return {**cls.defaults_in_3d, **given} if in_3d else given


class Trainer(Protocol):
    """What a model's `update` may ask of the training engine."""

    @property
    def step(self) -> int:
        """The number of iterations done so far."""

    def compute(self, name: str, *arguments: Any) -> Any:
        """The value of the model's method `name`, in the engine's precision and on all its devices."""

    def descend(self, name: str, loss: Tensor) -> None:
        """One step of the optimiser `name` down the gradient of `loss`, clipped and scheduled."""


class Model(nn.Module):
    """A trainable model. Subclasses set `kind`, `settings_class` and `quick`, and define `loss`."""

    kind: ClassVar[str]
    settings_class: ClassVar[type[ModelSettings]]
    # Overlay on the paper's settings for a small machine: small network, few iterations.
    quick: ClassVar[dict[str, Any]] = {}
    # The methods that `update` asks the engine to compute.
    forward_methods: ClassVar[tuple[str, ...]] = ("loss",)
    # Whether batches carry lesion masks (supervised models).
    learns_from_lesions: ClassVar[bool] = False

    def __init__(self, settings: Any, shape: ImageShape) -> None:
        super().__init__()
        self.settings = settings
        self.shape = shape

    @classmethod
    def dimension(cls, settings: Any) -> int:
        """2 for a model of slices, 3 for a model of whole volumes."""
        return settings.dimension if isinstance(settings, AnyDimensionSettings) else 2

    @classmethod
    def sequence_length(cls, settings: Any) -> int | None:
        """How many consecutive slices of a volume one training sample holds; None: single slices."""
        return None

    @classmethod
    def pretrained_networks(cls, settings: Any) -> tuple[str, ...]:
        """The networks of `brainuad.networks.pretrained` whose weights the training begins with."""
        return ()

    @classmethod
    def remarks(cls, settings: Any) -> tuple[str, ...]:
        """What a reader of this model's results must know, such as random weights in place of trained ones."""
        return ()

    def load_pretrained(self, folder: Path) -> None:
        """Takes over the weights of `pretrained_networks` from their files; called before training."""

    def loss(self, batch: Batch, draws: Draws) -> Tensor:
        """The training loss of one batch (a scalar)."""
        raise TypeError(f"{type(self).__name__} defines neither loss nor update")

    def validation_loss(self, batch: Batch, draws: Draws) -> Tensor:
        """The loss by which the best checkpoint is chosen; by default the training loss."""
        return self.loss(batch, draws)

    def validation_numbers(self, batch: Batch, draws: Draws) -> dict[str, Tensor]:
        """What is logged at a validation, by the name of its column; `validation` is the validation loss."""
        return {"validation": self.validation_loss(batch, draws)}

    def optimisers(self) -> dict[str, optim.Optimizer]:
        """The optimisers by name; by default one over all parameters."""
        return {"model": build_optimiser(self.settings.training.optimiser, self.parameters())}

    def optimiser_steps(self) -> dict[str, int]:
        """How many steps an optimiser takes, over which its schedule runs; those not named take one per iteration."""
        return {}

    def update(self, batch: Batch, draws: Draws, trainer: Trainer) -> dict[str, float]:
        """One training iteration; returns the numbers to log, of which `loss` must be one."""
        loss = trainer.compute("loss", batch, draws)
        trainer.descend("model", loss)
        return {"loss": loss.item()}


class ScoringRule:
    """Turns a volume into an anomaly map, with a model or (thresholding) without one."""

    kind: ClassVar[str]
    settings_class: ClassVar[type[Settings]]
    # The method that a model must have for this rule to use it; empty if the rule needs no model.
    needs: ClassVar[str] = ""
    # What its model may look at: slices (2), whole volumes (3).
    dimensions: ClassVar[tuple[int, ...]] = (2,)
    quick: ClassVar[dict[str, Any]] = {}
    # Maps are stored in float16 as value * 2**exponent; one exponent for all subjects of a method.
    scale_exponent: ClassVar[int] = 8
    # Whether its pseudo-healthy image is one to look at, which is kept beside the map.
    reconstructs: ClassVar[bool] = True

    def __init__(self, settings: Any, model: Any, shape: ImageShape) -> None:
        self.settings = settings
        self.model = model
        self.shape = shape

    @classmethod
    def pretrained_networks(cls, settings: Any) -> tuple[str, ...]:
        """The networks of `brainuad.networks.pretrained` that the rule scores with."""
        return ()

    @classmethod
    def remarks(cls, settings: Any) -> tuple[str, ...]:
        """What a reader of this rule's results must know, such as random weights in place of trained ones."""
        return ()

    @classmethod
    def needs_calibration(cls, settings: Any) -> bool:
        """Whether `calibrate` must choose settings before the first scan is scored."""
        return False

    def load_pretrained(self, folder: Path) -> None:
        """Loads the weights of `pretrained_networks` from their files; called before the first score."""

    def calibrate(self, scans: Sequence[Scan], draws: Draws) -> dict[str, Any]:
        """The settings chosen on healthy validation scans of the model's training data sets.

        The scans hold the slices that the model would have been trained with.
        """
        raise TypeError(f"{type(self).__name__} does not define calibrate")

    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The scores of one volume."""
        raise TypeError(f"{type(self).__name__} does not define score")
