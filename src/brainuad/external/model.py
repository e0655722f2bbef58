"""A model that a program of its own trains and runs, in place of the training engine and PyTorch here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from brainuad.methods.base import Model

# One volume of the packed arrays: the folder of its data set, and its subject.
VolumeName = tuple[Path, str]


@dataclass(frozen=True)
class ExternalTraining:
    """What an external training learns from, on which part of the machine, and where its state lies."""

    training: tuple[VolumeName, ...]
    validation: tuple[VolumeName, ...]
    seed: int
    # Kept from one attempt to the next, so that a killed training goes on.
    folder: Path
    device: str = "cpu"
    devices: int = 1
    threads: int = 1


@dataclass
class TrainingRecord:
    """The rows of a training's log, each with `step` and `loss`, and what it took."""

    rows: list[dict[str, float]] = field(default_factory=list)
    cost: dict[str, Any] = field(default_factory=dict)


class ExternalModel(Model):
    """A model without parameters here: what its program has learnt is its extra state, in the checkpoint."""

    # There is no engine, so its settings hold no `training` group.
    settings_class: ClassVar[Any]

    @classmethod
    def check_installed(cls) -> None:
        """An `InputError` where the program is missing, that says how to install it."""
        raise TypeError(f"{cls.__name__} does not define check_installed")

    def train_external(self, task: ExternalTraining) -> TrainingRecord:
        """Trains to the end, going on from what `task.folder` holds, and takes over the result."""
        raise TypeError(f"{type(self).__name__} does not define train_external")
