"""What the engine is given, a job and options, and what it remembers of a training, its history."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from brainuad.methods.base import Model
from brainuad.training.batches import Slices


@dataclass(frozen=True)
class TrainingJob:
    """What is trained, on what, and where its state lies."""

    model: Model
    training: Slices
    validation: Slices
    seed: int
    state_folder: Path
    settings_hash: str


@dataclass(frozen=True)
class EngineOptions:
    """How the machine is used; none of it changes which batches and noise are seen."""

    loader_workers: int = 0
    save_every_s: float = 60.0
    validation_batch_size: int | None = None


@dataclass
class History:
    """What has been logged so far, and the time spent."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best: float = math.inf
    best_step: int = 0
    # The validation loss that patience measures against, and the iterations up to the last validation since it.
    reference: float = math.inf
    reference_step: int = 0
    without_gain: int = 0
    seconds: float = 0.0
    waiting_s: float = 0.0
