"""A head CT in BIDS is preprocessed as docs/your-own-data.md says: like the scans of a hospital."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from brainuad.datasets.bids import Bids
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.preprocessing.subject import preprocess_subject
from tests.unit.preprocessing import ct_head
from tests.unit.preprocessing.small_head import save
from tests.unit.preprocessing.test_ct import AFFINE, POINTS

REPOSITORY = Path(__file__).parents[3]
NAME = "my_cts"


def documented() -> dict[str, Any]:
    """The entry of a data set that the page shows."""
    page = (REPOSITORY / "docs/your-own-data.md").read_text()
    block = re.search(r"```yaml\n(.*?)```", page.split("#### Head CT in BIDS")[1], re.DOTALL)
    assert block is not None
    return yaml.safe_load(block[1])["datasets"][NAME]


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    """A folder with one head CT in Hounsfield units."""
    noise = np.random.default_rng(0).normal(0, 4, POINTS.shape[:-1])
    save(
        (ct_head.ct_head(POINTS) + noise).astype(np.float32),
        tmp_path / "bids/sub-01/anat/sub-01_CT.nii.gz",
        AFFINE,
    )
    (tmp_path / "bids/participants.tsv").write_text("participant_id\tgroup\nsub-01\tcontrol\n")
    return tmp_path / "bids"


def plan_of(folder: Path, root: Path) -> Plan:
    """A study of the documented data set, and of CQ500, whose preprocessing is that of the paper."""
    split = {"unit": "share", "train": 0.6, "validation": 0.2, "test": 0.2}
    study = {
        "title": "CT",
        "recipe": "kascenas2023-ct",
        "splits": {NAME: split, "cq500": split},
        "training_data": {"datasets": [NAME]},
        "test_datasets": ["cq500"],
        "models": {"dae": {"kind": "dae"}},
        "methods": {"dae": {"label": "DAE", "rule": "reconstruction", "model": "dae"}},
    }
    (folder / "workflow/studies").mkdir(parents=True)
    (folder / "workflow/recipes.yaml").write_text((REPOSITORY / "workflow/recipes.yaml").read_text())
    (folder / "workflow/studies/cts.yaml").write_text(yaml.safe_dump(study))
    datasets = {NAME: {**documented(), "path": str(root)}, "cq500": "phantom"}
    return read_plan({"studies": ["cts"], "datasets": datasets}, folder / "workflow")


def test_the_documented_settings_are_those_of_head_ct(tmp_path: Path, bids: Path) -> None:
    plan = plan_of(tmp_path, bids)
    assert plan.preprocessing(NAME) == plan.preprocessing("cq500")


def test_a_head_ct_in_bids_is_preprocessed(tmp_path: Path, bids: Path) -> None:
    settings = plan_of(tmp_path, bids).preprocessing(NAME).model_copy(update={"resolution_mm": 3.0})
    (row,) = Bids(NAME).index(bids).to_dict("records")
    atlas = ct_head.write_atlas(tmp_path / "atlas")
    quality = preprocess_subject(row, bids, settings, atlas, tmp_path / "out")
    assert (quality["status"], quality["reason"]) == ("ok", "")
    assert quality["atlas_dice"] > 0.9
    assert (tmp_path / "out/sub-01/anat/sub-01_space-SRI24_desc-preproc_CT.nii.gz").is_file()
