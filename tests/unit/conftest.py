"""Scored arrays, for tests that break them."""

import shutil
from pathlib import Path

import pytest

from tests.unit.scoring import infer
from tests.verbs import run


@pytest.fixture
def scored(cohort: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """A copy of the arrays and the split that a test may break, with the maps of a method on both data sets."""
    places = {}
    for name in ("healthy", "patients"):
        shutil.copytree(cohort[name], tmp_path / name / "small")
        places[name] = tmp_path / name / "small" / "index.tsv"
    places["split"] = Path(shutil.copy(cohort["split"], tmp_path))
    for name in ("healthy", "patients"):
        places[f"{name} maps"] = tmp_path / "maps" / f"{name}.tsv"
        run(*infer(places, name))
    return places
