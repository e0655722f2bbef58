"""What every method must do: each model and scoring rule, and each variant in a study, is found by itself (`cases.py`).

Unsupervised models train on healthy subjects, supervised ones on others with lesions than those they score.
A model trains, its loss falls, a killed training resumes bit for bit. A scoring rule keeps shape, scores a
planted lesion above its surroundings, and gives the same map for the same seed. Models that can look at whole
volumes do so too, under names that end in -3d; variants have the names of study and entry. Models that a program of
its own trains are left out of the first two, and skipped where the program is not installed.
"""

import os
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import ndimage

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.inference.calibrate import CalibrationFiles, calibrate_method
from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset
from brainuad.methods.registry import models, scoring_rules
from brainuad.storage import read_table
from brainuad.study import resolved
from brainuad.training import state as states
from brainuad.training.train import TrainingFiles
from tests.contract.cases import dimension, is_external
from tests.contract.training import MODELS, SCORINGS, SHORT, STUDIES, train, train_and_die

ROOT = Path(__file__).parents[2]
TRAINED_HERE = [name for name, entry in MODELS.items() if not is_external(entry)]
PAIRS = [pytest.param(scoring, case.model, id=scoring) for scoring, case in SCORINGS.items()]


@pytest.fixture
def places(request: pytest.FixtureRequest, name: str) -> dict[str, Path]:
    """The arrays that fit a model of this name."""
    return request.getfixturevalue("deep_cohort" if name and dimension(MODELS[name]) == 3 else "cohort")


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
    if name and is_external(MODELS[name]):
        try:
            models()[MODELS[name].kind].check_installed()
        except InputError as error:
            pytest.skip(str(error))
    if name and name not in once:
        once[name] = train(name, tmp_path_factory.mktemp(name), places)
    return once.get(name)


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServerContext]:
    """Makes processes that have PyTorch loaded from the start, as forks of one that has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "src")]))
        patch.syspath_prepend(ROOT)
        context = get_context("forkserver")
        context.set_forkserver_preload(["tests.contract.training"])
        yield context


def score(scoring: str, trained: TrainingFiles | None, folder: Path, cohort: dict[str, Path]) -> pd.DataFrame:
    """The manifest, also in `folder`, of maps of the patient data set."""
    checkpoint = trained.checkpoint if trained else None
    entry = SCORINGS[scoring].entry
    rule, chosen = entry.rule, scoring_rules()[entry.rule]
    modality = {"modality": "t2"} if "modality" in chosen.settings_class.model_fields else {}
    entry = entry.model_copy(update={"settings": {**entry.settings, **modality}})
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


@pytest.fixture(scope="session")
def scored_once() -> dict[str, Path]:
    """The scorings of this session."""
    return {}


@pytest.fixture
def scored(
    scoring: str,
    trained: TrainingFiles | None,
    places: dict[str, Path],
    scored_once: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder with the maps of a scoring, which is run once per session."""
    if scoring not in scored_once:
        folder = tmp_path_factory.mktemp(scoring)
        score(scoring, trained, folder, places)
        scored_once[scoring] = folder
    return scored_once[scoring]


def test_every_method_file_defines_a_model_or_a_rule() -> None:
    import brainuad.methods

    folder = Path(brainuad.methods.__file__).parent
    defined = {cls.__module__.rsplit(".", 1)[1] for cls in (*models().values(), *scoring_rules().values())}
    own = {path.stem for path in folder.glob("*.py")} - {"__init__", "base", "registry"}
    assert own == defined


def test_every_model_and_rule_has_an_entry_in_a_study() -> None:
    assert {entry.kind for study in STUDIES.values() for entry in study.models.values()} == set(models())
    rules = {entry.rule for study in STUDIES.values() for entry in study.methods.values()}
    assert rules == set(scoring_rules())


def test_every_model_can_be_scored_by_some_rule() -> None:
    assert {case.model for case in SCORINGS.values() if case.model} == set(MODELS)


@pytest.mark.parametrize("name", TRAINED_HERE)
def test_training_lowers_the_loss(trained: TrainingFiles) -> None:
    log = read_table(trained.log, dtype=None)
    losses = log["loss"].to_numpy(dtype=float)
    assert np.isfinite(losses).all()
    assert losses[-8:].mean() < 0.8 * losses[:3].mean()


@pytest.mark.parametrize("name", TRAINED_HERE)
def test_a_killed_training_resumes_bit_for_bit(
    name: str, tmp_path: Path, places: dict[str, Path], forks: ForkServerContext
) -> None:
    whole = train(name, tmp_path / "whole", places, **SHORT)
    process = forks.Process(target=train_and_die, args=(name, tmp_path / "killed", places))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, (tmp_path / "killed" / "stderr.txt").read_text()
    assert not (tmp_path / "killed" / "model.ckpt").exists()
    resumed = train(name, tmp_path / "killed", places, **SHORT)
    expected, found = states.load(whole.checkpoint), states.load(resumed.checkpoint)
    assert expected["weights"].keys() == found["weights"].keys()
    for key, weights in expected["weights"].items():
        assert torch.equal(weights, found["weights"][key]), key
    assert whole.log.read_text() == resumed.log.read_text()


@pytest.mark.parametrize(("scoring", "name"), PAIRS)
def test_a_planted_lesion_scores_above_its_surroundings(scored: Path, places: dict[str, Path]) -> None:
    manifest = read_table(scored / "maps.tsv")
    store = ArrayStore(places["patients"])
    assert list(manifest["status"]) == ["ok"] * 3
    for row in manifest.itertuples():
        volume = store.volume(row.subject)
        anomaly_map = np.load(scored / "maps" / row.map)
        lesion = volume.lesion.transpose(1, 2, 0)
        assert anomaly_map.shape == lesion.shape
        assert anomaly_map.dtype == np.float16
        around = ndimage.binary_dilation(lesion, iterations=4) & ~lesion & volume.brain.transpose(1, 2, 0)
        values = anomaly_map.astype(float)
        assert values[lesion].mean() > 1.2 * values[around].mean()


@pytest.mark.parametrize(("scoring", "name"), PAIRS)
def test_the_same_seed_gives_the_same_map_whatever_came_before(
    scoring: str, scored: Path, trained: TrainingFiles | None, tmp_path: Path, places: dict[str, Path]
) -> None:
    split = read_table(places["split"])
    alone = {**places, "split": tmp_path / "alone.tsv"}
    kept = (split["subject"] == "p2") | (split["dataset"] == "healthy")
    split[kept].to_csv(alone["split"], sep="\t", index=False)
    second = score(scoring, trained, tmp_path, alone)
    assert list(second["subject"]) == ["p2"]
    expected, found = (np.load(folder / "maps" / second["map"].item()) for folder in (scored, tmp_path))
    assert np.array_equal(expected, found)
