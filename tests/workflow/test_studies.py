"""What the studies of the papers would run, as a dry run shows it, and what stops them before the first job."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.workflow.conftest import Workflow, copy_workflow

SUBJECTS = {"phantom/subjects": {"ixi": 6, "brats21": 6, "mslub": 3}}
DATASETS = {"datasets": {"ixi": "phantom", "brats21": "phantom", "mslub": "phantom"}}


@pytest.fixture
def papers(tmp_path: Path) -> Workflow:
    """The studies of the papers at their scale, on tiny phantoms."""
    workflow = copy_workflow(tmp_path / "workflow")
    workflow.change("config.yaml", {**DATASETS, **SUBJECTS, "scale": "paper"})
    return workflow


def test_methods_that_share_a_model_share_its_training(papers: Workflow) -> None:
    papers.change("config.yaml", {"studies": ["kascenas2023"]})
    text = papers.run("-n")
    trained = Counter(re.findall(r"rule train:.*?model=([\w-]+),", text, re.DOTALL))
    scored = Counter(re.findall(r"rule infer:.*?method=([\w-]+),", text, re.DOTALL))
    runs = 3
    assert set(trained.values()) == {runs}
    assert len(trained) == 9
    for noise in ("gaussian", "simplex", "coarse"):
        assert f"ddpm-{noise}" in trained
        assert {scored[f"{rule}-{noise}"] for rule in ("reconstruction", "kl", "kl-inpainting")} == {runs}
    assert text.count("rule calibrate:") == runs  # the weight of the total variation in VAE restoration


def test_missing_perceptual_weights_stop_a_run_but_no_dry_run(papers: Workflow) -> None:
    papers.change("config.yaml", {"studies": ["frotscher2023"], "perceptual_weights": "nowhere"})
    assert papers.planned()["train"] == 4
    printed = papers.run(check=False)
    assert "frotscher2023: autoddpm: nowhere: no weights of SqueezeNet" in " ".join(printed.split())
    assert "Traceback" not in printed
    assert not (papers.folder / "results" / "phantom").exists()


def test_the_settings_of_a_training_are_in_its_job(papers: Workflow) -> None:
    papers.change("config.yaml", {"studies": ["kascenas2023"]})
    command = papers.run("-n", "-p", "results/kascenas2023/models/ddpm-coarse/run-2/model.ckpt")
    settings = json.loads(re.findall(r"brainuad train --settings '(.*?)' --split", command)[0])
    assert settings["kind"] == "ddpm"
    assert settings["seed"] == 2
    assert settings["settings"]["noise"]["kind"] == "coarse"
    assert settings["settings"]["training"]["ema_decay"] == 0.9999
