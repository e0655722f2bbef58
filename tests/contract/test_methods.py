"""What every method must do: each model and scoring rule in `brainuad.methods` is found by itself.

Unsupervised models train on healthy subjects, supervised ones on others with lesions than those they score.
A model trains, its loss falls, a killed training resumes bit for bit. A scoring rule keeps shape, scores a
planted lesion above its surroundings, and gives the same map for the same seed. Models that a program of its own
trains are left out of the first two, and skipped where the program is not installed.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from scipy import ndimage

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.external.model import ExternalModel
from brainuad.inference.calibrate import CalibrationFiles, calibrate_method
from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset
from brainuad.methods.registry import models, scoring_rules
from brainuad.storage import read_table
from brainuad.study import MethodEntry, ModelEntry, resolved
from brainuad.training import state as states
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

# The quick settings of each method, cut once more so that a training takes seconds at 32 × 32.
ITERATIONS = 100
KINDS = sorted(kind for kind, chosen in models().items() if not issubclass(chosen, ExternalModel))
PAIRS = [
    (rule, kind)
    for rule, chosen in sorted(scoring_rules().items())
    for kind in (sorted(models()) if chosen.needs else [""])
    if not kind or hasattr(models()[kind], chosen.needs)
]


def model_settings(kind: str, **training: Any) -> dict[str, Any]:
    """The quick settings of a model for the small test images."""
    chosen = models()[kind]
    if issubclass(chosen, ExternalModel):
        return resolved(chosen.settings_class, ModelEntry(kind=kind), chosen.quick, "quick")
    cut = {
        "iterations": ITERATIONS,
        "validate_every": 20,
        "validation_batches": 2,
        "log_every": 5,
        **training,
    }
    entry = ModelEntry(kind=kind, quick={"training": cut})
    return resolved(chosen.settings_class, entry, chosen.quick, "quick")


def training_arrays(kind: str, cohort: dict[str, Path]) -> Path:
    """What a model of this kind learns from: none of its subjects is a test subject."""
    return cohort["tumours" if models()[kind].learns_from_lesions else "healthy"]


def files_in(folder: Path, kind: str, cohort: dict[str, Path]) -> TrainingFiles:
    """Where one training of the contract reads and writes."""
    outputs = [folder / name for name in ("model.ckpt", "log.tsv", "cost.json")]
    return TrainingFiles(cohort["split"], (training_arrays(kind, cohort),), folder / "state", *outputs)


def train(
    kind: str, folder: Path, cohort: dict[str, Path], save_every_s: float = 60.0, **training: Any
) -> TrainingFiles:
    """Trains a model of this kind and returns where its results lie."""
    chosen = models()[kind]
    if issubclass(chosen, ExternalModel):
        try:
            chosen.check_installed()
        except InputError as error:
            pytest.skip(str(error))
    files = files_in(folder, kind, cohort)
    request = ModelRequest(kind, model_settings(kind, **training), "non-empty", seed=3, precision="32-true")
    train_model(request, files, Machine(device="cpu", threads=1, save_every_s=save_every_s))
    return files


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, cohort: dict[str, Path]) -> Any:
    """A function that trains each kind of model once per session."""
    done: dict[str, TrainingFiles] = {}

    def get(kind: str) -> TrainingFiles:
        if kind not in done:
            done[kind] = train(kind, tmp_path_factory.mktemp(kind), cohort)
        return done[kind]

    return get


def score(
    rule: str, checkpoint: Path | None, folder: Path, cohort: dict[str, Path], **settings: Any
) -> pd.DataFrame:
    """The manifest of maps of the patient data set."""
    chosen = scoring_rules()[rule]
    modality = {"modality": "t2"} if "modality" in chosen.settings_class.model_fields else {}
    entry = MethodEntry(label=rule, rule=rule, settings={**modality, **settings})
    full = resolved(chosen.settings_class, entry, chosen.quick, "quick")
    if checkpoint and chosen.needs_calibration(chosen.settings_class.model_validate(full)):
        places = (cohort["split"], (cohort["healthy"],), checkpoint, folder, folder / "calibration.json")
        wanted = ScoringRequest(rule, full, seed=5, dataset="")
        full |= calibrate_method(wanted, "non-empty", CalibrationFiles(*places), "cpu")
    request = ScoringRequest(rule, full, seed=5, dataset="patients")
    files = ScoringFiles(
        cohort["split"], cohort["patients"], checkpoint, folder / "maps", folder / "maps.tsv"
    )
    infer_dataset(request, files, device="cpu")
    return read_table(files.manifest)


def test_every_method_file_defines_a_model_or_a_rule() -> None:
    import brainuad.methods

    folder = Path(brainuad.methods.__file__).parent
    defined = {cls.__module__.rsplit(".", 1)[1] for cls in (*models().values(), *scoring_rules().values())}
    own = {path.stem for path in folder.glob("*.py")} - {"__init__", "base", "registry"}
    assert own == defined


def test_every_model_and_rule_has_an_entry_in_a_study() -> None:
    folder = Path(__file__).parents[2] / "workflow" / "studies"
    studies = [yaml.safe_load(path.read_text()) for path in folder.glob("*.yaml")]
    kinds = {entry["kind"] for study in studies for entry in study["models"].values()}
    rules = {entry["rule"] for study in studies for entry in study["methods"].values()}
    assert kinds == set(models())
    assert rules == set(scoring_rules())


def test_every_model_can_be_scored_by_some_rule() -> None:
    assert {kind for _, kind in PAIRS if kind} == set(models())


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss(kind: str, trained: Any) -> None:
    log = read_table(trained(kind).log, dtype=None)
    losses = log["loss"].to_numpy(dtype=float)
    assert np.isfinite(losses).all()
    assert losses[-8:].mean() < 0.8 * losses[:3].mean()


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_resumes_bit_for_bit(kind: str, tmp_path: Path, cohort: dict[str, Path]) -> None:
    whole = train(kind, tmp_path / "whole", cohort, iterations=12, validate_every=5, log_every=1)
    arguments = [str(tmp_path / "killed"), kind, str(cohort["split"]), str(training_arrays(kind, cohort))]
    script = Path(__file__).with_name("train_and_die.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run([sys.executable, str(script), *arguments], env=environment, capture_output=True)
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()
    assert not (tmp_path / "killed" / "model.ckpt").exists()
    resumed = train(kind, tmp_path / "killed", cohort, iterations=12, validate_every=5, log_every=1)
    expected, found = states.load(whole.checkpoint), states.load(resumed.checkpoint)
    assert expected["weights"].keys() == found["weights"].keys()
    for name, weights in expected["weights"].items():
        assert torch.equal(weights, found["weights"][name]), name
    assert whole.log.read_text() == resumed.log.read_text()


@pytest.mark.parametrize(("rule", "kind"), PAIRS)
def test_a_planted_lesion_scores_above_its_surroundings(
    rule: str, kind: str, trained: Any, tmp_path: Path, cohort: dict[str, Path]
) -> None:
    manifest = score(rule, trained(kind).checkpoint if kind else None, tmp_path, cohort)
    store = ArrayStore(cohort["patients"])
    assert list(manifest["status"]) == ["ok"] * 3
    for row in manifest.itertuples():
        volume = store.volume(row.subject)
        anomaly_map = np.load(tmp_path / "maps" / row.map)
        lesion = volume.lesion.transpose(1, 2, 0)
        assert anomaly_map.shape == lesion.shape
        assert anomaly_map.dtype == np.float16
        around = ndimage.binary_dilation(lesion, iterations=4) & ~lesion & volume.brain.transpose(1, 2, 0)
        values = anomaly_map.astype(float)
        assert values[lesion].mean() > 1.2 * values[around].mean()


@pytest.mark.parametrize(("rule", "kind"), PAIRS)
def test_the_same_seed_gives_the_same_map_whatever_came_before(
    rule: str, kind: str, trained: Any, tmp_path: Path, cohort: dict[str, Path]
) -> None:
    checkpoint = trained(kind).checkpoint if kind else None
    first = score(rule, checkpoint, tmp_path / "first", cohort)
    split = read_table(cohort["split"])
    alone = {**cohort, "split": tmp_path / "alone.tsv"}
    kept = (split["subject"] == "p2") | (split["dataset"] == "healthy")
    split[kept].to_csv(alone["split"], sep="\t", index=False)
    second = score(rule, checkpoint, tmp_path / "second", alone)
    assert list(second["subject"]) == ["p2"]
    name = first.set_index("subject").loc["p2", "map"]
    expected, found = (np.load(tmp_path / folder / "maps" / name) for folder in ("first", "second"))
    assert np.array_equal(expected, found)
