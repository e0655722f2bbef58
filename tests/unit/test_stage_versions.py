"""A raised number in STAGE_VERSIONS makes results anew: neither a finished state nor a finished map is kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from brainuad.inference.infer import ScoringRequest
from brainuad.methods.base import Batch
from brainuad.methods.dae import Dae
from brainuad.randomness import Draws
from brainuad.training.state import identity_of
from brainuad.training.train import ModelRequest
from tests.contract.training import model_settings
from tests.unit.scoring import infer
from tests.verbs import run

ITERATIONS = 2


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch sizes of the losses that are computed while weights are trained."""
    seen: list[int] = []
    loss = Dae.loss

    def watched(model: Dae, batch: Batch, draws: Draws) -> Tensor:
        if model.training:
            seen.append(len(batch.images))
        return loss(model, batch, draws)

    monkeypatch.setattr(Dae, "loss", watched)
    return seen


def train(folder: Path, cohort: dict[str, Path], version: int) -> None:
    settings = model_settings("dae", iterations=ITERATIONS, validate_every=1)
    job = {"version": version, "kind": "dae", "settings": settings, "slices": "non-empty", "seed": 1}
    outputs = (("checkpoint", "model.ckpt"), ("log", "log.tsv"), ("cost", "cost.json"))
    files = [part for name, file in outputs for part in (f"--{name}", folder / file)]
    places = ("--split", cohort["split"], "--state", folder / "state", "--device", "cpu")
    run("train", "--settings", json.dumps(job), *places, *files, cohort["healthy"] / "index.tsv")


def test_a_finished_training_is_done_again_under_another_version(
    cohort: dict[str, Path], tmp_path: Path, losses: list[int]
) -> None:
    train(tmp_path, cohort, version=1)
    assert len(losses) == ITERATIONS
    train(tmp_path, cohort, version=1)
    assert len(losses) == ITERATIONS
    train(tmp_path, cohort, version=2)
    assert len(losses) == 2 * ITERATIONS


def test_finished_maps_are_made_again_under_another_version(scored: dict[str, Path]) -> None:
    maps = scored["patients maps"].with_suffix("")

    def written(version: int) -> dict[str, int]:
        run(*infer(scored, version=version))
        return {path.name: path.stat().st_mtime_ns for path in maps.glob("*_map.npy")}

    first = written(1)
    assert written(1) == first
    second = written(2)
    assert len(second) == len(first)
    assert all(second[name] > first[name] for name in first)


@pytest.mark.parametrize(
    "request_of",
    [
        lambda version: ModelRequest("dae", {}, "non-empty", 0, version=version),
        lambda version: ScoringRequest("thresholding", {}, 0, "patients", version=version),
    ],
    ids=["train", "infer"],
)
def test_what_was_made_before_there_were_versions_is_kept(request_of: Callable[[int], Any]) -> None:
    assert "version" not in identity_of(request_of(1))
    assert identity_of(request_of(2))["version"] == 2
