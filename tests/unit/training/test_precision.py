"""The precision of a training holds in the methods that the engine computes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from brainuad.methods.base import Batch
from brainuad.methods.dae import Dae
from brainuad.randomness import Draws
from brainuad.storage import read_json
from brainuad.training import state as states
from brainuad.training.engine import Engine
from brainuad.training.train import Machine, ModelRequest, train_model
from tests.contract.training import files_in, model_settings


@pytest.mark.parametrize(("precision", "mixed"), [("32-true", False), ("bf16-mixed", True)])
def test_the_loss_is_computed_in_the_precision_that_was_asked_for(
    precision: str, mixed: bool, cohort: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[bool] = set()
    loss = Dae.loss

    def watched(model: Dae, batch: Batch, draws: Draws) -> Tensor:
        seen.add(torch.is_autocast_enabled("cpu"))
        return loss(model, batch, draws)

    monkeypatch.setattr(Dae, "loss", watched)
    settings = model_settings("dae", iterations=2, validate_every=1)
    request = ModelRequest("dae", settings, "non-empty", seed=0, precision=precision)
    train_model(request, files_in(tmp_path, "dae", cohort), Machine(device="cpu", threads=1))
    assert seen == {mixed}


def test_a_training_that_goes_on_in_another_precision_says_so(
    cohort: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = model_settings("dae", iterations=2, validate_every=1)
    request = ModelRequest("dae", settings, "non-empty", seed=0, precision="32-true")
    files = files_in(tmp_path, "dae", cohort)
    path, machine = files.state_folder / "last.ckpt", Machine(device="cpu", threads=1, save_every_s=0)
    update = Engine._update

    def update_or_die(engine: Engine, batch: Batch) -> dict[str, float]:
        if engine.step == 1:
            raise RuntimeError("killed")
        return update(engine, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_update", update_or_die)
        with pytest.raises(RuntimeError, match="killed"):
            train_model(request, files, machine)
    before = {"device": "another", "precision": "bf16-mixed"}
    states.save({**states.load(path), "machine": before}, path)
    with caplog.at_level("WARNING"):
        train_model(request, files, machine)
    assert "steps before 1 had precision bf16-mixed, the next have 32-true" in caplog.text
    assert read_json(files.cost)["precision"] == "32-true"
    caplog.clear()
    states.save({**states.load(path), "machine": before}, path)
    with caplog.at_level("WARNING"):
        train_model(request, files, machine)  # it is finished
    assert caplog.text == ""
    assert read_json(files.cost)["precision"] == "bf16-mixed"
