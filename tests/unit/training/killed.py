"""Trainings that end without warning."""

from pathlib import Path
from typing import Any

import pytest

from brainuad.training.engine import Engine
from tests.contract.training import train


class KilledError(Exception):
    """Stands for a process that ends without warning."""


def train_until_killed(
    step: int, folder: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch, **training: Any
) -> None:
    """Trains with a state saved after every step, and dies in the middle of one."""
    update = Engine._update

    def update_and_die(engine: Engine, batch: Any) -> Any:
        if engine.step == step:
            raise KilledError
        return update(engine, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_update", update_and_die)
        with pytest.raises(KilledError):
            train("dae", folder, cohort, save_every_s=0.0, **training)
