"""How the contract trains a model: in seconds, at 32 × 32 pixels."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from brainuad.methods.registry import models
from brainuad.study import overlay, resolved
from brainuad.training.engine import Engine
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model
from tests.contract.cases import is_external, is_kind, model_cases, read_studies, scoring_cases

STUDIES = read_studies()
MODELS = model_cases(STUDIES)
SCORINGS = scoring_cases(STUDIES, MODELS)
# The quick settings of each method, cut once more; a variant in a study trains half as long.
CUT = {"iterations": 100, "validate_every": 20, "validation_batches": 2, "log_every": 5}
CUT_VARIANT = {"iterations": 50, "validate_every": 10, "validation_batches": 2, "log_every": 2}
# Simplex noise with structures that such small images hold several of.
FINE_SIMPLEX = {"frequency": 4, "octaves": 2}
# A training that is long enough to be killed in the middle.
SHORT = {"iterations": 12, "validate_every": 5, "log_every": 1}


def model_settings(name: str, **training: Any) -> dict[str, Any]:
    """The quick settings of a model for the small test images."""
    entry = MODELS[name]
    chosen = models()[entry.kind]
    if not is_external(entry):
        length = CUT if is_kind(name) else CUT_VARIANT
        cut: dict[str, Any] = {"training": {**length, **training}}
        if entry.settings.get("noise", {}).get("kind") == "simplex":
            cut["noise"] = FINE_SIMPLEX
        entry = entry.model_copy(update={"quick": overlay(entry.quick, cut)})
    return resolved(chosen.settings_class, entry, chosen.quick, "quick")


def training_arrays(name: str, cohort: dict[str, Path]) -> Path:
    """What a model learns from: none of its subjects is a test subject."""
    learns_from_lesions = models()[MODELS[name].kind].learns_from_lesions
    return cohort["tumours" if learns_from_lesions else "healthy"]


def files_in(folder: Path, name: str, cohort: dict[str, Path]) -> TrainingFiles:
    """Where a model of the cohort is trained."""
    outputs = [folder / file for file in ("model.ckpt", "log.tsv", "cost.json")]
    return TrainingFiles(cohort["split"], (training_arrays(name, cohort),), folder / "state", *outputs)


def train(
    name: str, folder: Path, cohort: dict[str, Path], save_every_s: float = 60.0, **training: Any
) -> TrainingFiles:
    """Trains a model and returns where its results lie."""
    files = files_in(folder, name, cohort)
    settings = model_settings(name, **training)
    request = ModelRequest(MODELS[name].kind, settings, "non-empty", seed=3, precision="32-true")
    train_model(request, files, Machine(device="cpu", threads=1, save_every_s=save_every_s))
    return files


def train_and_die(name: str, folder: Path, cohort: dict[str, Path]) -> None:
    """Trains shortly and kills its own process without warning in the middle of an iteration."""
    folder.mkdir()
    sys.stderr = (folder / "stderr.txt").open("w")
    update = Engine._update

    def update_and_die(engine: Engine, batch: Any) -> dict[str, float]:
        numbers = update(engine, batch)
        if engine.step == 8:
            # The state of step 7 lies on the disk; step 8 is lost.
            os.kill(os.getpid(), signal.SIGKILL)
        return numbers

    Engine._update = update_and_die  # type: ignore[method-assign]
    train(name, folder, cohort, save_every_s=0.0, **SHORT)
