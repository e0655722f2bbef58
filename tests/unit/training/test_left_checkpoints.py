"""Checkpoints that an earlier training left, that are gone, or that lie in the place of another one."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from brainuad.errors import InputError
from brainuad.training import state as states
from brainuad.training.engine import Engine
from brainuad.training.train import TrainingFiles
from tests.contract.training import train

SHORT: dict[str, Any] = {"iterations": 4, "batch_size": 3, "validate_every": 2, "log_every": 1}
OTHER: dict[str, Any] = {**SHORT, "validate_every": 3}


class KilledError(Exception):
    """Stands for a process that ends without warning."""


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings die in the middle of the iteration after this step."""
    update = Engine._update

    def update_or_die(engine: Engine, batch: Any) -> Any:
        if engine.step == step:
            raise KilledError
        return update(engine, batch)

    monkeypatch.setattr(Engine, "_update", update_or_die)


def weights_of(files: TrainingFiles) -> dict[str, torch.Tensor]:
    return states.load(files.checkpoint)["weights"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(values, other[name]) for name, values in one.items())


def test_a_new_training_begins_without_the_checkpoints_of_the_one_before(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = train("dae", tmp_path, cohort, **SHORT)
    assert {path.name for path in files.state_folder.glob("*.ckpt")} == {"best.ckpt", "last.ckpt"}
    kill_at(1, monkeypatch)
    with pytest.raises(KilledError):
        train("dae", tmp_path, cohort, **OTHER)
    assert not list(files.state_folder.glob("*.ckpt"))


def test_a_return_to_earlier_settings_does_not_take_the_best_weights_of_the_later_ones(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights_of(train("dae", tmp_path, cohort, **SHORT))
    with monkeypatch.context() as patch:
        kill_at(3, patch)  # its best weights are written, its state is not
        with pytest.raises(KilledError):
            train("dae", tmp_path, cohort, **OTHER)
    assert not same(expected, states.load(tmp_path / "state" / "best.ckpt")["weights"])
    assert same(expected, weights_of(train("dae", tmp_path, cohort, **SHORT)))


def test_half_a_checkpoint_of_a_killed_process_is_removed(tmp_path: Path, cohort: dict[str, Path]) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / ".0123456789ab.last.ckpt").write_bytes(b"half")
    files = train("dae", tmp_path, cohort, **SHORT)
    assert {path.name for path in files.state_folder.glob("*.ckpt")} == {"best.ckpt", "last.ckpt"}


def test_a_model_that_keeps_its_last_weights_needs_no_best_ones(
    tmp_path: Path, cohort: dict[str, Path]
) -> None:
    settings = {**SHORT, "keep": "last"}
    files = train("dae", tmp_path, cohort, **settings)
    expected = weights_of(files)
    (files.state_folder / "best.ckpt").unlink()
    files.checkpoint.unlink()
    assert same(expected, weights_of(train("dae", tmp_path, cohort, **settings)))


def test_best_weights_that_are_gone_are_missed_before_the_training_goes_on(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at(3, monkeypatch)
    with pytest.raises(KilledError):
        train("dae", tmp_path, cohort, save_every_s=0.0, **SHORT)
    (tmp_path / "state" / "best.ckpt").unlink()
    with pytest.raises(InputError, match=r"best\.ckpt: the best weights are missing\. Delete the folder"):
        train("dae", tmp_path, cohort, **SHORT)


@pytest.mark.parametrize("weights", ["state/best.ckpt", "model.ckpt"])
def test_weights_in_the_place_of_the_state_are_named(
    tmp_path: Path, cohort: dict[str, Path], weights: str
) -> None:
    files = train("dae", tmp_path, cohort, **SHORT)
    shutil.copy(tmp_path / weights, files.state_folder / "last.ckpt")
    with pytest.raises(
        InputError, match=r"last\.ckpt: weights alone.*Put the training state back, or delete"
    ):
        train("dae", tmp_path, cohort, **SHORT)


def test_a_state_in_the_place_of_the_best_weights_is_named(tmp_path: Path, cohort: dict[str, Path]) -> None:
    files = train("dae", tmp_path, cohort, **SHORT)
    shutil.copy(files.state_folder / "last.ckpt", files.state_folder / "best.ckpt")
    with pytest.raises(InputError, match=r"best\.ckpt: a training state or something else, not the best"):
        train("dae", tmp_path, cohort, **SHORT)
