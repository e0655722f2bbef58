"""The precision of a training holds in the methods that the engine computes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from brainuad.methods.base import Batch
from brainuad.methods.dae import Dae
from brainuad.randomness import Draws
from brainuad.training.train import Machine, ModelRequest, train_model
from tests.contract.test_methods import files_in, model_settings


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
