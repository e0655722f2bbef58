"""Patience, the plateau schedule and augmentation in whole trainings: when they end, and that they resume."""

from pathlib import Path
from typing import Any

import pytest
import torch

from brainuad.storage import read_json, read_table
from brainuad.training import state as states
from brainuad.training.train import TrainingFiles
from tests.contract.training import train
from tests.unit.training.killed import train_until_killed

PATIENT: dict[str, Any] = {
    "iterations": 40,
    "validate_every": 4,
    "log_every": 1,
    "augmentation": {"affine": 1.0, "flip": 0.5},
    "optimiser": {"learning_rate": 0.03, "schedule": "plateau", "plateau_patience": 0},
}


def last_step(files: TrainingFiles) -> int:
    return int(read_table(files.log, dtype=None)["step"].iloc[-1])


def test_training_ends_once_the_validation_loss_has_not_fallen_for_as_long_as_patience(
    tmp_path: Path, cohort: dict[str, Path]
) -> None:
    # No fall is larger than the minimum gain, so only the first validation, at step 4, counts as one.
    files = train("dae", tmp_path, cohort, **PATIENT, patience=10, minimum_gain=10.0)
    assert last_step(files) == 16
    assert read_json(files.cost)["iterations"] == 16
    assert states.load(files.state_folder / "last.ckpt")["finished"]


def test_training_goes_on_while_the_validation_loss_falls(tmp_path: Path, cohort: dict[str, Path]) -> None:
    falling = {**PATIENT, "optimiser": {"learning_rate": 1e-4, "schedule": "constant"}, "iterations": 20}
    assert last_step(train("dae", tmp_path, cohort, **falling, patience=4)) == 20


def test_a_killed_training_with_patience_plateau_and_augmentation_resumes_bit_for_bit(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**PATIENT, "patience": 20, "minimum_gain": 10.0}
    whole = train("dae", tmp_path / "whole", cohort, **settings)
    train_until_killed(18, tmp_path / "killed", cohort, monkeypatch, **settings)
    resumed = train("dae", tmp_path / "killed", cohort, **settings)
    expected, found = (states.load(files.state_folder / "last.ckpt") for files in (whole, resumed))
    assert expected["step"] == found["step"] == 24
    for name, weights in expected["model"].items():
        assert torch.equal(weights, found["model"][name]), name
    assert whole.log.read_text() == resumed.log.read_text()
    rates = read_table(whole.log, dtype=None)["learning_rate"]
    assert rates.iloc[0] == 0.03
    assert 0 < rates.iloc[-1] < 0.03


def test_a_training_that_ended_early_is_not_trained_further(tmp_path: Path, cohort: dict[str, Path]) -> None:
    settings = {**PATIENT, "patience": 4, "minimum_gain": 10.0}
    first = train("dae", tmp_path, cohort, **settings)
    log = first.log.read_text()
    assert last_step(train("dae", tmp_path, cohort, **settings)) == 8
    assert first.log.read_text() == log
