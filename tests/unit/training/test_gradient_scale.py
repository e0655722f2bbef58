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
from tests.contract.training import train
from tests.unit.training.killed import train_until_killed

SHORT: dict[str, Any] = {"iterations": 4, "batch_size": 3, "validate_every": 2, "log_every": 1}
FIRST = 2.0**16


class Scaled(MixedPrecision):
    """The gradient scaler of 16-mixed around float32, which a CPU computes."""

    def forward_context(self) -> AbstractContextManager[None]:
        return nullcontext()

    def convert_input(self, data: Any) -> Any:
        return data


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


def test_a_killed_training_goes_on_with_the_scale_that_it_had(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_until_killed(2, tmp_path, cohort, monkeypatch, **SHORT)
    last = tmp_path / "state" / "last.ckpt"
    assert states.load(last)["precision"]["scale"] == FIRST * 2**2
    train("dae", tmp_path, cohort, **SHORT)
    assert states.load(last)["precision"]["scale"] == FIRST * 2**4


@pytest.mark.parametrize("kept", [None, {}])
def test_a_state_without_a_scale_goes_on_with_the_first_one(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any] | None
) -> None:
    train_until_killed(2, tmp_path, cohort, monkeypatch, **SHORT)
    last = tmp_path / "state" / "last.ckpt"
    state = states.load(last)
    del state["precision"]
    states.save(state if kept is None else {**state, "precision": kept}, last)
    train("dae", tmp_path, cohort, **SHORT)
    assert states.load(last)["precision"]["scale"] == FIRST * 2**2
