"""What a run asks for: GPUs where they are used, and everything that its studies need before the first job."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.conftest import copy_workflow


def requests(folder: Path, **config: Any) -> dict[str, tuple[str, str]]:
    """The GPUs that each rule asks for, and those that its program is told, of a dry run."""
    workflow = copy_workflow(folder)
    workflow.change("config.yaml", config)
    text = workflow.run("-n", "-p")
    found = {}
    for job in re.split(r"^(?:local)?rule ", text, flags=re.MULTILINE)[1:]:
        resources = re.search(r"^\s+resources: (.*)$", job, re.MULTILINE)
        asked = re.search(r"\bgpu=(\d+)", resources[1]) if resources else None
        told = re.search(r"--gpus (\d+)", job)
        if asked:
            found[job.split(":")[0]] = (asked[1], told[1] if told else "")
    return found


@pytest.mark.parametrize(
    ("config", "train", "infer"),
    [
        ({"scale": "quick", "gpus_per_training": 4}, ("0", "1"), ("0", "")),
        ({"scale": "paper", "gpus_per_training": 4}, ("4", "4"), ("1", "")),
        ({"scale": "paper", "gpus_per_training": 4, "device": "cpu"}, ("0", "1"), ("0", "")),
        ({"scale": "paper"}, ("1", "1"), ("1", "")),
    ],
)
def test_gpus_are_asked_for_where_they_are_used(
    tmp_path: Path, config: dict[str, Any], train: tuple[str, str], infer: tuple[str, str]
) -> None:
    found = requests(tmp_path / "workflow", **config)
    assert (found["train"], found["infer"]) == (train, infer)


def test_a_run_that_lacks_an_atlas_stops_before_its_first_job_and_a_dry_run_does_not(tmp_path: Path) -> None:
    workflow = copy_workflow(tmp_path / "workflow")
    workflow.change("config.yaml", {"atlas_folder": str(tmp_path / "nowhere")})
    assert "simulate" in workflow.planned()
    text = workflow.run(check=False)
    assert "ixi, brats21: " in text
    assert "the SRI24 atlas is not installed" in text
    assert "Traceback" not in text
    assert not (workflow.folder / "results/phantom").exists()
    workflow.planned()  # the folder is not locked
