"""The scale of gradients of precision 16-mixed is a part of the training state."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from lightning_fabric.plugins.environments import LightningEnvironment

from brainuad.training import state as states
from brainuad.training.engine import Engine
from tests.contract.training import train

SHORT: dict[str, Any] = {"iterations": 4, "batch_size": 3, "validate_every": 2, "log_every": 1}
FIRST = 2.0**16


class Scaled(MixedPrecision):
    """The gradient scaler of 16-mixed around float32, which a CPU computes."""

    def forward_context(self) -> AbstractContextManager[None]:
        return nullcontext()

    def convert_input(self, data: Any) -> Any:
        return data


class KilledError(Exception):
    """Stands for a process that ends without warning."""


@pytest.fixture(autouse=True)
def _fast_scaler(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scale doubles with each step."""

    def make(*_: Any) -> Fabric:
        scaler = torch.amp.GradScaler("cpu", init_scale=FIRST, growth_interval=1)
        plugins = [Scaled("16-mixed", "cpu", scaler), LightningEnvironment()]
        fabric = Fabric(accelerator="cpu", devices=1, plugins=plugins)
        fabric.launch()
        return fabric

    monkeypatch.setattr("brainuad.training.train.make_fabric", make)


def train_to_second_step(folder: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    update = Engine._update

    def update_or_die(engine: Engine, batch: Any) -> dict[str, float]:
        if engine.step == 2:
            raise KilledError
        return update(engine, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_update", update_or_die)
        with pytest.raises(KilledError):
            train("dae", folder, cohort, save_every_s=0, **SHORT)


def test_a_killed_training_goes_on_with_the_scale_that_it_had(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_to_second_step(tmp_path, cohort, monkeypatch)
    last = tmp_path / "state" / "last.ckpt"
    assert states.load(last)["precision"]["scale"] == FIRST * 2**2
    train("dae", tmp_path, cohort, **SHORT)
    assert states.load(last)["precision"]["scale"] == FIRST * 2**4


@pytest.mark.parametrize("kept", [None, {}])
def test_a_state_without_a_scale_goes_on_with_the_first_one(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any] | None
) -> None:
    train_to_second_step(tmp_path, cohort, monkeypatch)
    last = tmp_path / "state" / "last.ckpt"
    state = states.load(last)
    del state["precision"]
    states.save(state if kept is None else {**state, "precision": kept}, last)
    train("dae", tmp_path, cohort, **SHORT)
    assert states.load(last)["precision"]["scale"] == FIRST * 2**2
