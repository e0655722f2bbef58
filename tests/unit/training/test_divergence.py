"""A training that diverges stops with the step, the subjects and the last good checkpoint, and keeps that intact."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.methods.base import Batch
from brainuad.methods.dae import Dae
from brainuad.methods.f_anogan import FAnoGan
from brainuad.randomness import Draws
from brainuad.storage import read_table
from brainuad.training import state as states
from brainuad.training import train as training
from brainuad.training.batches import BatchOrder, describe, open_slices
from brainuad.training.divergence import finite_weights
from tests.contract.training import train

SHORT: dict[str, Any] = {"iterations": 12, "batch_size": 3, "validate_every": 2, "log_every": 1}
EACH_STEP = 0.0  # seconds from one saved state to the next
NEVER = 1e9


def with_nan_gradient(loss: Tensor, network: nn.Module) -> Tensor:
    """The same loss with a gradient that is not a number: that of a square root at zero."""
    return loss + sum((0 * weights.sum()).sqrt() for weights in network.parameters())


def spoil_loss(monkeypatch: pytest.MonkeyPatch, step: int, in_training: bool = True) -> None:
    """From this computation on, the DAE's training (or validation) loss is not a number."""
    loss, done = Dae.loss, []

    def spoilt(model: Dae, batch: Batch, draws: Draws) -> Tensor:
        done.extend([1] if model.training == in_training else [])
        value = loss(model, batch, draws)
        return value * torch.nan if model.training == in_training and len(done) >= step else value

    monkeypatch.setattr(Dae, "loss", spoilt)


def spoil_gradient(monkeypatch: pytest.MonkeyPatch, *steps: int) -> None:
    """The DAE's loss stays as it is, but has a gradient that is not a number at these steps."""
    loss, done = Dae.loss, []

    def spoilt(model: Dae, batch: Batch, draws: Draws) -> Tensor:
        done.extend([1] if model.training else [])
        value = loss(model, batch, draws)
        return with_nan_gradient(value, model) if model.training and len(done) in steps else value

    monkeypatch.setattr(Dae, "loss", spoilt)


def subjects_of(step: int, cohort: dict[str, Path]) -> str:
    """The subjects of the batch of a step, which is counted from 1, as a message lists them."""
    slices = open_slices([cohort["healthy"]], read_table(cohort["split"]), "train", "non-empty")
    return ", ".join(describe(slices, BatchOrder(slices.index, 3, "slices", seed=3).batch(step - 1)))


def last_state(folder: Path) -> dict[str, Any]:
    return states.load(folder / "state" / "last.ckpt")


def finite(weights: dict[str, Tensor]) -> bool:
    return all(bool(values.isfinite().all()) for values in weights.values())


def test_a_loss_that_is_not_finite_stops_with_step_subjects_and_the_last_good_checkpoint(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_loss(monkeypatch, step=6)
    with pytest.raises(InputError, match=r"the loss is not finite at step 6: \{'loss': nan\}") as error:
        train("dae", tmp_path, cohort, EACH_STEP, **SHORT)
    message = str(error.value)
    assert f"of the batch: {subjects_of(6, cohort)}. " in message
    best = states.load(tmp_path / "state" / "best.ckpt")["step"]
    assert f"in {tmp_path / 'state'}: last.ckpt of step 5, best.ckpt of step {best}." in message
    assert last_state(tmp_path)["step"] == 5
    assert finite(last_state(tmp_path)["model"])
    assert not (tmp_path / "model.ckpt").exists()


def test_without_a_state_in_between_the_batch_before_is_named_too(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_gradient(monkeypatch, 5)
    with pytest.raises(InputError, match="the loss is not finite at step 6") as error:
        train("dae", tmp_path, cohort, NEVER, **{**SHORT, "validate_every": 4})
    assert f"may be the cause: {subjects_of(5, cohort)}. Last good" in str(error.value)
    assert "last.ckpt" not in str(error.value)
    assert "best.ckpt of step 4." in str(error.value)


def test_a_first_loss_that_is_not_finite_has_no_checkpoint(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_loss(monkeypatch, step=1)
    with pytest.raises(InputError, match=r"at step 1: .* No checkpoint has been saved yet\."):
        train("dae", tmp_path, cohort, **SHORT)
    assert not (tmp_path / "state" / "last.ckpt").exists()


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_validation_loss_that_is_not_finite_stops_with_the_validation_subjects(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    spoil_loss(monkeypatch, step=3, in_training=False)
    settings = {**SHORT, "keep": keep, "validation_batches": 1}
    with pytest.raises(InputError, match="the validation loss is not finite at step 6") as error:
        train("dae", tmp_path, cohort, EACH_STEP, **settings)
    assert re.search(r"of the validation batch: h[67](, h[67])?\. ", str(error.value))
    assert re.search(r"last\.ckpt of step 5, best\.ckpt of step [24]\.", str(error.value))


@pytest.mark.parametrize("clip", [None, 0.5])
def test_a_gradient_that_is_not_finite_reaches_no_saved_state(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch, clip: float | None
) -> None:
    spoil_gradient(monkeypatch, 5)
    with pytest.raises(InputError, match="the weights are not finite after step 5") as error:
        train("dae", tmp_path, cohort, EACH_STEP, **SHORT, gradient_clip=clip)
    assert f"of the batch: {subjects_of(5, cohort)}. " in str(error.value)
    assert "last.ckpt of step 4" in str(error.value)
    assert last_state(tmp_path)["step"] == 4
    assert finite(last_state(tmp_path)["model"])


def test_a_gradient_that_is_not_finite_reaches_no_best_weights(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_gradient(monkeypatch, 6)
    with pytest.raises(InputError, match="the weights are not finite after step 6"):
        train("dae", tmp_path, cohort, NEVER, **SHORT)
    assert finite(states.load(tmp_path / "state" / "best.ckpt")["weights"])


def test_one_of_several_optimisers_with_a_gradient_that_is_not_finite_is_noticed(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The critic is spoilt in the last iteration of the GAN, where neither loss nor validation loss show it.
    loss, done = FAnoGan.critic_loss, []

    def spoilt(model: FAnoGan, batch: Batch, draws: Draws) -> Tensor:
        done.append(1)
        value = loss(model, batch, draws)
        return with_nan_gradient(value, model.critic) if len(done) == model.gan_iterations else value

    monkeypatch.setattr(FAnoGan, "critic_loss", spoilt)
    monkeypatch.setattr(FAnoGan, "generator_loss", lambda model, *_: next(model.generator.parameters()).sum())
    with pytest.raises(InputError, match="the weights are not finite after step 6"):
        train("f-anogan", tmp_path, cohort, NEVER, **SHORT)
    assert finite(states.load(tmp_path / "state" / "best.ckpt")["weights"])


def scaled_precision(monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    """Trainings compute in float16 with a gradient scaler that begins at this scale, as on a GPU."""
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    plugin = MixedPrecision("16-mixed", "cpu", scaler)  # type: ignore[arg-type]
    monkeypatch.setattr(training, "make_fabric", lambda *_: Fabric(accelerator="cpu", plugins=[plugin]))


@pytest.mark.parametrize("clip", [None, 0.5])
def test_steps_that_a_gradient_scaler_skips_are_no_divergence(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch, clip: float | None
) -> None:
    scaled_precision(monkeypatch, 2.0**16)
    spoil_gradient(monkeypatch, 3, 5)
    files = train("dae", tmp_path, cohort, EACH_STEP, **SHORT, gradient_clip=clip)
    assert finite(states.load(files.checkpoint)["weights"])
    assert last_state(tmp_path)["step"] == 12


def test_a_gradient_scaler_that_skips_every_step_is_a_divergence(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled_precision(monkeypatch, 2.0**-20)
    spoil_gradient(monkeypatch, *range(1, 13))
    with pytest.raises(InputError, match="the gradients are not finite up to step 6"):
        train("dae", tmp_path, cohort, NEVER, **SHORT)


def test_running_statistics_count_as_weights() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert finite_weights(network)
    network[1].running_var[1] = torch.inf
    assert not finite_weights(network)
