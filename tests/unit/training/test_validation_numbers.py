"""What a model measures at its validations is logged, and one of the numbers chooses the checkpoint."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from brainuad.methods.base import Batch
from brainuad.methods.dae import Dae
from brainuad.randomness import Draws
from brainuad.storage import read_json, read_table
from tests.contract.training import train


def test_named_numbers_are_columns_of_the_log_averaged_over_images(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def numbers(model: Dae, batch: Batch, draws: Draws) -> dict[str, Tensor]:
        sizes.append(len(batch.images))
        loss = model.validation_loss(batch, draws)
        return {"validation": loss, "batches_so_far": torch.tensor(float(len(sizes)))}

    monkeypatch.setattr(Dae, "validation_numbers", numbers)
    settings = {"iterations": 8, "validate_every": 4, "log_every": 2, "validation_batches": 2}
    files = train("dae", tmp_path, cohort, **settings)
    log = read_table(files.log, dtype=float)
    first, second = sizes[:2]
    assert log["step"].tolist() == [2, 4, 6, 8]
    assert log["batches_so_far"].notna().tolist() == [False, True, False, True]
    assert log["batches_so_far"].iloc[1] == pytest.approx((first + 2 * second) / (first + second))
    assert read_json(files.cost)["best_validation_loss"] == pytest.approx(log["validation"].min())


def test_without_them_the_validation_loss_alone_is_logged(tmp_path: Path, cohort: dict[str, Path]) -> None:
    files = train("dae", tmp_path, cohort, iterations=4, validate_every=4, log_every=4)
    assert set(read_table(files.log)) == {"step", "loss", "validation", "learning_rate"}


def test_with_epochs_of_volumes_a_validation_takes_one_slice_of_each_volume_and_the_same_every_time(
    tmp_path: Path, cohort: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []

    def numbers(model: Dae, batch: Batch, draws: Draws) -> dict[str, Tensor]:
        seen.append(batch.images)
        return {"validation": model.validation_loss(batch, draws)}

    monkeypatch.setattr(Dae, "validation_numbers", numbers)
    train("dae", tmp_path, cohort, iterations=8, validate_every=4, validation_batches=2, epoch="volumes")
    split = read_table(cohort["split"])
    volumes = ((split["role"] == "validation") & (split["dataset"] == "healthy")).sum()
    assert [len(images) for images in seen] == [volumes] * 4
    first, second, *again = seen  # two passes, each with slices of its own
    assert not torch.equal(first, second)
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])
