"""What every method must do: each model and scoring rule in `brainuad.methods` is found by itself.

Unsupervised models train on healthy subjects, supervised ones on others with lesions than those they score.
A model trains, its loss falls, a killed training resumes bit for bit. A scoring rule keeps shape, scores a
planted lesion above its surroundings, and gives the same map for the same seed. Models that can look at whole
volumes do so too, under names that end in -3d. Models that a program of its own
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
from brainuad.methods.base import AnyDimensionSettings
from brainuad.methods.registry import models, scoring_rules
from brainuad.storage import read_table
from brainuad.study import MethodEntry, ModelEntry, resolved
from brainuad.training import state as states
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

# The quick settings of each method, cut once more so that a training takes seconds at 32 × 32.
ITERATIONS = 100
IN_3D = "-3d"
VOLUMETRIC = sorted(
    kind for kind, chosen in models().items() if issubclass(chosen.settings_class, AnyDimensionSettings)
)
NAMES = sorted([*models(), *(kind + IN_3D for kind in VOLUMETRIC)])
TRAINED_HERE = [name for name in NAMES if not issubclass(models()[name.removesuffix(IN_3D)], ExternalModel)]
PAIRS = [
    (rule, name)
    for rule, chosen in sorted(scoring_rules().items())
    for name in (NAMES if chosen.needs else [""])
    if not name
    or (
        hasattr(models()[name.removesuffix(IN_3D)], chosen.needs)
        and (3 if name.endswith(IN_3D) else 2) in chosen.dimensions
    )
]


def model_settings(name: str, **training: Any) -> dict[str, Any]:
    """The quick settings of a model for the small test images."""
    kind = name.removesuffix(IN_3D)
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
    settings = {"dimension": 3} if name.endswith(IN_3D) else {}
    entry = ModelEntry(kind=kind, settings=settings, quick={"training": cut})
    return resolved(chosen.settings_class, entry, chosen.quick, "quick")


def training_arrays(name: str, cohort: dict[str, Path]) -> Path:
    """What a model learns from: none of its subjects is a test subject."""
    learns_from_lesions = models()[name.removesuffix(IN_3D)].learns_from_lesions
    return cohort["tumours" if learns_from_lesions else "healthy"]


def files_in(folder: Path, name: str, cohort: dict[str, Path]) -> TrainingFiles:
    """Where one training of the contract reads and writes."""
    outputs = [folder / file for file in ("model.ckpt", "log.tsv", "cost.json")]
    return TrainingFiles(cohort["split"], (training_arrays(name, cohort),), folder / "state", *outputs)


def train(
    name: str, folder: Path, cohort: dict[str, Path], save_every_s: float = 60.0, **training: Any
) -> TrainingFiles:
    """Trains a model and returns where its results lie."""
    kind = name.removesuffix(IN_3D)
    chosen = models()[kind]
    if issubclass(chosen, ExternalModel):
        try:
            chosen.check_installed()
        except InputError as error:
            pytest.skip(str(error))
    files = files_in(folder, name, cohort)
    request = ModelRequest(kind, model_settings(name, **training), "non-empty", seed=3, precision="32-true")
    train_model(request, files, Machine(device="cpu", threads=1, save_every_s=save_every_s))
    return files


@pytest.fixture
def places(request: pytest.FixtureRequest, name: str) -> dict[str, Path]:
    """The arrays that fit a model of this name."""
    return request.getfixturevalue("deep_cohort" if name.endswith(IN_3D) else "cohort")


@pytest.fixture(scope="session")
def once() -> dict[str, TrainingFiles]:
    """The trainings of this session."""
    return {}


@pytest.fixture
def trained(
    name: str,
    places: dict[str, Path],
    once: dict[str, TrainingFiles],
    tmp_path_factory: pytest.TempPathFactory,
) -> TrainingFiles | None:
    """The results of a training, which is run once per session; None for the rules without a model."""
    if name and name not in once:
        once[name] = train(name, tmp_path_factory.mktemp(name), places)
    return once.get(name)


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
    assert {name for _, name in PAIRS if name} == set(NAMES)


@pytest.mark.parametrize("name", TRAINED_HERE)
def test_training_lowers_the_loss(trained: TrainingFiles) -> None:
    log = read_table(trained.log, dtype=None)
    losses = log["loss"].to_numpy(dtype=float)
    assert np.isfinite(losses).all()
    assert losses[-8:].mean() < 0.8 * losses[:3].mean()


@pytest.mark.parametrize("name", TRAINED_HERE)
def test_a_killed_training_resumes_bit_for_bit(name: str, tmp_path: Path, places: dict[str, Path]) -> None:
    whole = train(name, tmp_path / "whole", places, iterations=12, validate_every=5, log_every=1)
    arguments = [str(tmp_path / "killed"), name, str(places["split"]), str(training_arrays(name, places))]
    script = Path(__file__).with_name("train_and_die.py")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])}
    result = subprocess.run([sys.executable, str(script), *arguments], env=environment, capture_output=True)
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()
    assert not (tmp_path / "killed" / "model.ckpt").exists()
    resumed = train(name, tmp_path / "killed", places, iterations=12, validate_every=5, log_every=1)
    expected, found = states.load(whole.checkpoint), states.load(resumed.checkpoint)
    assert expected["weights"].keys() == found["weights"].keys()
    for key, weights in expected["weights"].items():
        assert torch.equal(weights, found["weights"][key]), key
    assert whole.log.read_text() == resumed.log.read_text()


@pytest.mark.parametrize(("rule", "name"), PAIRS)
def test_a_planted_lesion_scores_above_its_surroundings(
    rule: str, trained: TrainingFiles | None, tmp_path: Path, places: dict[str, Path]
) -> None:
    manifest = score(rule, trained.checkpoint if trained else None, tmp_path, places)
    store = ArrayStore(places["patients"])
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


@pytest.mark.parametrize(("rule", "name"), PAIRS)
def test_the_same_seed_gives_the_same_map_whatever_came_before(
    rule: str, trained: TrainingFiles | None, tmp_path: Path, places: dict[str, Path]
) -> None:
    checkpoint = trained.checkpoint if trained else None
    first = score(rule, checkpoint, tmp_path / "first", places)
    split = read_table(places["split"])
    alone = {**places, "split": tmp_path / "alone.tsv"}
    kept = (split["subject"] == "p2") | (split["dataset"] == "healthy")
    split[kept].to_csv(alone["split"], sep="\t", index=False)
    second = score(rule, checkpoint, tmp_path / "second", alone)
    assert list(second["subject"]) == ["p2"]
    file = first.set_index("subject").loc["p2", "map"]
    expected, found = (np.load(tmp_path / folder / "maps" / file) for folder in ("first", "second"))
    assert np.array_equal(expected, found)
