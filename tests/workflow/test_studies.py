"""What the studies of the papers would run, as a dry run shows it, and what stops them before the first job."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.workflow.conftest import Workflow, copy_workflow

COUNTS = {"ixi": 6, "brats21": 6, "mslub": 3, "msseg": 3, "ljubljana": 3, "atlas2": 3, "fastmri": 6}
SUBJECTS = {"phantom/subjects": COUNTS}
TABLE3 = "results/kascenas2023/tables/table3.md"
DATASETS = {"datasets": dict.fromkeys(COUNTS, "phantom")}


@pytest.fixture
def papers(tmp_path: Path) -> Workflow:
    """The studies of the papers at their scale, on tiny phantoms."""
    workflow = copy_workflow(tmp_path / "workflow")
    workflow.change("config.yaml", {**DATASETS, **SUBJECTS, "scale": "paper"})
    return workflow


def test_methods_that_share_a_model_share_its_training(papers: Workflow) -> None:
    papers.change("config.yaml", {"studies": ["kascenas2023"]})
    text = papers.run("-n")
    trained = Counter(re.findall(r"rule train:.*?model=([\w.-]+),", text, re.DOTALL))
    jobs = [block for block in text.split("\nrule ") if block.startswith("infer:") and "=brats21" in block]
    scored = Counter(re.search(r"method=([\w.-]+),", job)[1] for job in jobs)
    runs = 3
    assert set(trained.values()) == {runs}
    # What dae-coarse has already is not trained again, nor the noise that is Gaussian.
    resolutions, sigmas = 8 - 2, 6 - 1
    assert len(trained) == 9 + resolutions + sigmas
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


def test_the_papers_train_what_their_tables_and_figures_need(papers: Workflow) -> None:
    names = ["kascenas2023", "behrendt2023", "frotscher2023", "bercea2023-ra", "bercea2023-autoddpm"]
    papers.change("config.yaml", {"studies": names})
    trained = Counter(re.findall(r"rule train:.*?study=([\w-]+),", papers.run("-n"), re.DOTALL))
    assert trained == {
        "kascenas2023": (9 + 6 + 5) * 3,
        "behrendt2023": (9 + 5 + 2) * 5,  # five more patch sizes, and two models of the table `sensitivity`
        "frotscher2023": 4,
        "bercea2023-ra": 7 * 5,
        "bercea2023-autoddpm": 2,
    }


def test_one_table_or_figure_trains_what_it_shows_alone(papers: Workflow) -> None:
    papers.change("config.yaml", {"studies": ["kascenas2023"]})
    table3 = Counter(re.findall(r"rule train:.*?model=([\w.-]+),", papers.run("-n", TABLE3), re.DOTALL))
    assert table3 == dict.fromkeys(["dae-coarse", "vae", "f-anogan", "ddpm-coarse", "unet"], 3)
    assert "train" not in papers.planned("results/kascenas2023/figures/figure4.svg")


def test_the_settings_of_a_training_are_in_its_job(papers: Workflow) -> None:
    papers.change("config.yaml", {"studies": ["kascenas2023"]})
    command = papers.run("-n", "-p", "results/kascenas2023/models/ddpm-coarse/run-2/model.ckpt")
    settings = json.loads(re.findall(r"brainuad train --settings '(.*?)' --split", command)[0])
    assert settings["kind"] == "ddpm"
    assert settings["seed"] == 2
    assert settings["settings"]["noise"]["kind"] == "coarse"
    assert settings["settings"]["training"]["ema_decay"] == 0.9999


def test_only_the_methods_of_its_figure_are_scored_on_cq500(papers: Workflow) -> None:
    names = ("hospital_ct", "cq500")
    change = {"datasets": dict.fromkeys(names, "phantom"), "phantom/subjects": dict.fromkeys(names, 6)}
    papers.change("config.yaml", {**change, "studies": ["kascenas2023-ct"]})
    jobs = [block for block in papers.run("-n").split("\nrule ") if "dataset=cq500" in block]
    shown = {"reconstruction-coarse", "kl-coarse", "dae-coarse"}
    for rule in ("infer", "evaluate", "rescore"):
        scored = Counter(
            re.search(r"method=([\w.-]+),", job)[1] for job in jobs if job.startswith(f"{rule}:")
        )
        assert scored == dict.fromkeys(shown, 3)
