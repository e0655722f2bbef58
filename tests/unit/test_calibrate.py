"""A rule chooses settings on the healthy validation scans of its model's training data, and on nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from brainuad.inference import infer
from brainuad.inference.calibrate import CalibrationFiles, ValidationScans, calibrate_method
from brainuad.inference.infer import ScoringRequest
from brainuad.methods.base import Scan, ScoringRule
from brainuad.preprocessing.split_file import read_split
from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.storage import read_json
from brainuad.training.batches import open_slices
from tests.conftest import SLICES


class Brightest(Settings):
    """The setting that `BrightestRule` chooses."""

    limit: float | None = None


class BrightestRule(ScoringRule):
    """Remembers the scans that it was calibrated on."""

    kind = "brightest"
    settings_class = Brightest
    seen: ClassVar[list[Scan]] = []

    def calibrate(self, scans: Sequence[Scan], draws: Draws) -> dict[str, Any]:
        self.seen[:] = scans
        return {"limit": max(float(scan.images.max()) for scan in scans)}


def test_only_healthy_validation_subjects_are_seen(
    cohort: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infer, "scoring_rule_class", lambda kind: BrightestRule)
    request = ScoringRequest("brightest", {}, seed=0, dataset="")
    output = tmp_path / "chosen.json"
    files = CalibrationFiles(cohort["split"], (cohort["healthy"],), tmp_path / "none", tmp_path, output)
    chosen = calibrate_method(request, "non-empty", files, "cpu")
    assert [scan.subject for scan in BrightestRule.seen] == ["h6", "h7"]
    assert all(scan.images.shape == (SLICES, 1, 32, 32) for scan in BrightestRule.seen)
    assert all(scan.brain.dtype == torch.bool for scan in BrightestRule.seen)
    assert read_json(output) == {"settings": chosen, "scans": 2}


def test_scans_are_read_when_they_are_asked_for(cohort: dict[str, Path]) -> None:
    samples = open_slices((cohort["healthy"],), read_split(cohort["split"]), "validation", "non-empty")
    scans = ValidationScans(samples, "cpu")
    assert len(scans) == 2
    assert [scan.subject for scan in scans[0:1]] == ["h6"]
    first, again = scans[1], scans[1]
    assert first is not again
    assert torch.equal(first.images, again.images)
    with pytest.raises(IndexError):
        scans[2]
