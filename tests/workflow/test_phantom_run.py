"""The whole chain on a tiny phantom: what is planned, what is made, and what a change makes again."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd

from brainuad.storage import read_table
from tests.workflow.conftest import INSTALLED, Workflow, copy_workflow

SCORES = "results/smoke/scores/{method}/run-0/{dataset}.tsv"
# Everything that depends on the scores of one method.
DOWNSTREAM = {"compare": 1, "plot": 1, "tabulate": 1, "report": 1, "all": 1}
# The figure shows the DAE alone.
BESIDE_THE_FIGURE = {rule: count for rule, count in DOWNSTREAM.items() if rule != "plot"}


def test_a_dry_run_lists_every_job_of_a_fresh_clone(fresh: Workflow) -> None:
    assert fresh.planned() == {
        **{"simulate": 2, "index": 2, "preprocess": 7, "assess": 2, "pack": 2, "split": 1},
        **{"train": 1, "infer": 4, "evaluate": 6, "rescore": 2, "rank": 1, **DOWNSTREAM},
    }


def test_the_whole_chain_ends_with_a_report(finished: Workflow) -> None:
    report = finished.folder / "results" / "report" / "index.html"
    assert "phantom" in report.read_text().lower()
    table = pd.read_csv(finished.folder / "results" / "smoke" / "tables" / "results.csv")
    assert len(table) == 6
    assert table["ours_mean"].between(0, 1).all()


def test_nothing_is_made_twice(finished: Workflow) -> None:
    assert finished.planned() == {}


def test_one_method_is_run_again_by_its_target(copied: Workflow) -> None:
    target = SCORES.format(method="dae-coarse", dataset="brats21")
    before = (copied.folder / target).read_text()
    (copied.folder / "results/smoke/maps/dae-coarse/run-0/brats21.tsv").unlink()
    (copied.folder / target).unlink()
    assert copied.planned(target) == {"infer": 1, "evaluate": 1}
    copied.run(target)
    assert (copied.folder / target).read_text() == before


def test_one_table_is_made_again_by_its_target(copied: Workflow) -> None:
    target = copied.folder / "results/smoke/tables/results.md"
    target.unlink()
    assert copied.planned("results/smoke/tables/results.md") == {"tabulate": 1}


def test_a_changed_setting_of_a_method_reruns_that_method_alone(copied: Workflow) -> None:
    study = "workflow/studies/smoke.yaml"
    copied.change(study, {"methods/thresholding/settings": {"modality": "t2", "bins": 64}})
    assert copied.planned() == {"infer": 2, "evaluate": 2, "rescore": 1, "rank": 1, **BESIDE_THE_FIGURE}


def test_a_changed_setting_of_a_model_reruns_its_methods_alone(copied: Workflow) -> None:
    study = "workflow/studies/smoke.yaml"
    copied.change(study, {"models/dae-coarse/settings": {"noise": {"kind": "gaussian", "scale": 0.2}}})
    assert copied.planned() == {
        **{"train": 1, "infer": 2, "evaluate": 4, "rescore": 1, "rank": 1, **DOWNSTREAM}
    }


def test_changed_post_processing_only_evaluates_again(copied: Workflow) -> None:
    study = "workflow/studies/smoke.yaml"
    copied.change(study, {"methods/dae-coarse-raw/post_processing": [{"step": "median", "size": 5}]})
    assert copied.planned() == {"evaluate": 2, **BESIDE_THE_FIGURE}


def test_one_more_subject_preprocesses_that_subject_alone(copied: Workflow) -> None:
    copied.change("config.yaml", {"phantom/subjects/ixi": 5})
    planned = copied.planned()
    assert planned["preprocess"] == 1
    assert planned["simulate"] == 1


def test_a_killed_run_goes_on_and_gives_equal_numbers(finished: Workflow, tmp_path: Path) -> None:
    workflow = copy_workflow(tmp_path / "killed")
    process = subprocess.Popen(
        workflow.command("--rerun-incomplete", programs=INSTALLED),
        cwd=workflow.folder,
        env=workflow.environment(INSTALLED),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    preprocessed = workflow.folder / "results/derivatives"
    deadline = time.monotonic() + 300
    while len(list(preprocessed.glob("*/sub-*/quality.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (workflow.folder / "results/report/index.html").exists()
    text = workflow.run("--rerun-incomplete", programs=INSTALLED)
    assert "Removed the lock that a killed run had left." in text
    for method in ("thresholding", "dae-coarse", "dae-coarse-raw"):
        for dataset in ("ixi", "brats21"):
            file = SCORES.format(method=method, dataset=dataset)
            one, other = (read_table(folder / file) for folder in (finished.folder, workflow.folder))
            pd.testing.assert_frame_equal(one, other)


def test_an_error_in_the_configuration_stops_without_a_traceback(fresh: Workflow, tmp_path: Path) -> None:
    workflow = copy_workflow(tmp_path / "broken")
    workflow.change("config.yaml", {"skul_strip": "deepbet", "scale": "fast"})
    text = workflow.run("-n", check=False)
    assert "Did you mean 'skull_strip'?" in text
    assert "scale = 'fast' is not one of paper, quick" in text
    assert "Traceback" not in text


def test_the_workflow_report_can_be_made(finished: Workflow) -> None:
    finished.run("--report", "workflow-report.zip")
    assert (finished.folder / "workflow-report.zip").stat().st_size > 10_000
