"""Real scans through the whole of preprocessing: the brain lies on the atlas, the lesion in the brain."""

from pathlib import Path
from typing import Any

import pytest

from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.datasets.registry import find_dataset
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.preprocessing.subject import preprocess_subject

REPOSITORY = Path(__file__).parents[3]
SCANS, ATLAS = REPOSITORY.parent / "shared" / "data", REPOSITORY / "resources"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not SCANS.is_dir(), reason="the real scans of ../shared/data are not here"),
    pytest.mark.skipif(not (ATLAS / "sri24").is_dir(), reason="the atlas is not installed (make atlas)"),
]


def row(**paths: str) -> dict[str, str]:
    fixed = {"subject": "a", "participant": "a", "group": "patient", "status": "ok"}
    return dict.fromkeys(COHORT_COLUMNS, "") | fixed | paths


def preprocess(paths: dict[str, str], output: Path, settings: PreprocessingSettings) -> dict[str, Any]:
    return preprocess_subject(row(**paths), SCANS, settings, ATLAS, output, threads=2)


def test_thick_slices_on_two_grids_register(tmp_path: Path) -> None:
    pytest.importorskip("deepbet")
    scan = "mslub_raw/patient01/patient01_{}.nii.gz"
    paths = {"t1": scan.format("T1W"), "flair": scan.format("FLAIR")}
    quality = preprocess(paths, tmp_path, PreprocessingSettings(modalities=("t1", "flair")))
    assert quality["status"] == "ok"
    assert quality["atlas_dice"] > 0.95
    assert 1200 < quality["brain_ml"] < 1500
    assert quality["mutual_information_modalities"] > 0.35


def test_a_stroke_on_a_t2_alone_stays_in_the_brain(tmp_path: Path) -> None:
    pytest.importorskip("deepbet")
    paths = {"t2": "stroke_t2/T2.nii.gz", "mask": "stroke_t2/lesionT2.nii.gz"}
    quality = preprocess(paths, tmp_path, PreprocessingSettings(modalities=("t2",), reference="t2"))
    assert quality["atlas_dice"] > 0.95
    assert quality["lesion_in_brain"] > 0.99


def test_published_mslub_patients_are_found_and_their_brains_taken_as_they_are(tmp_path: Path) -> None:
    dataset, root = find_dataset("mslub"), SCANS / "mslub"
    settings = dataset.preprocessing.model_copy(
        update={"skull_strip": "none", "modalities": ("flair",), "reference": "flair", "n4": False}
        | {"optional_modalities": ()}
    )
    cohort = dataset.index(root)
    assert cohort["subject"].tolist() == ["patient19", "patient26"]
    quality = preprocess_subject(cohort.iloc[0].to_dict(), root, settings, ATLAS, tmp_path, threads=2)
    assert quality["status"] == "ok"
    assert quality["lesion_ml"] == pytest.approx(49.8, abs=0.1)
    assert quality["atlas_dice"] > 0.92
