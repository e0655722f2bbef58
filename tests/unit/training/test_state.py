"""Checkpoints that are missing, foreign or damaged have a clear message."""

from pathlib import Path

import pytest
import torch

from brainuad.errors import InputError
from brainuad.inference.model_file import load_model
from brainuad.methods.base import ImageShape
from brainuad.training import state as states

SHAPE = ImageShape(("t2",), (32, 32))


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.ckpt: no such checkpoint"):
        states.load(tmp_path / "model.ckpt")


def test_a_truncated_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    states.save({"format": states.FORMAT, "x": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="not a readable checkpoint"):
        states.load(path)


def test_a_checkpoint_of_another_program_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "model.ckpt")
    with pytest.raises(InputError, match="not a checkpoint of brain-uad"):
        states.load(tmp_path / "model.ckpt")


def test_a_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str, ...]]:
            return Path.touch, (str(tmp_path / "harmed"),)

    torch.save(Harmful(), tmp_path / "model.ckpt")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        states.load(tmp_path / "model.ckpt")
    assert not (tmp_path / "harmed").exists()


def test_an_unfinished_training_of_other_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    states.save({"format": states.FORMAT, "settings_hash": "aaa", "finished": False}, path)
    with pytest.raises(InputError, match="other settings"):
        states.load_state(path, "bbb")


def test_a_finished_training_of_other_settings_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    states.save({"format": states.FORMAT, "settings_hash": "aaa", "finished": True}, path)
    assert states.load_state(path, "bbb") is None
    assert states.load_state(path, "aaa") is not None


def test_a_training_state_is_not_taken_for_a_model(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    states.save({"format": states.FORMAT, "settings_hash": "aaa"}, path)
    with pytest.raises(InputError, match="a training state"):
        load_model(path, SHAPE, "reconstruct")


def test_a_model_for_other_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    content = {"kind": "dae", "channels": ["flair"], "size": [64, 64], "weights": {}, "settings": "{}"}
    states.save({"format": states.FORMAT, **content}, path)
    with pytest.raises(InputError, match="trained for channels flair"):
        load_model(path, SHAPE, "reconstruct")


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    content = {"kind": "dae", "channels": ["t2"], "size": [32, 32], "weights": {}, "settings": "{}"}
    states.save({"format": states.FORMAT, **content}, path)
    with pytest.raises(InputError, match="cannot predict_x0"):
        load_model(path, SHAPE, "predict_x0")
