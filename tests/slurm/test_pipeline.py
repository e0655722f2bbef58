"""The real chain on a real SLURM: every stage is a SLURM job, and an interrupted training goes on."""

import shutil
import subprocess
from pathlib import Path

import pytest
import torch
import yaml

from brainuad.storage import read_json
from tests.slurm.cluster import Cluster
from tests.slurm.runs import SlurmRun, wait_until
from tests.workflow.conftest import Workflow, copy_workflow

pytestmark = pytest.mark.slurm

STUDY = "workflow/studies/smoke.yaml"


@pytest.fixture
def chain(slurm_run: SlurmRun) -> SlurmRun:
    """The smoke study on the tumour phantom alone, which needs no skull stripping."""
    workflow = copy_workflow(slurm_run.folder / "workflow")
    workflow.change(
        STUDY,
        {
            "splits": {"brats21": {"unit": "share", "train": 0.34, "validation": 0.33, "test": 0.33}},
            "training_data": {"datasets": ["brats21"], "slices": "tumour-free"},
            "healthy_dataset": None,
        },
    )
    config = workflow.folder / "config.yaml"
    content = yaml.safe_load(config.read_text())
    content["datasets"] = {"brats21": "phantom"}
    content["phantom"]["subjects"] = {"brats21": 3}
    config.write_text(yaml.safe_dump(content))
    return SlurmRun(workflow.folder)


def job_of(folder: Path, rule: str) -> tuple[str, str]:
    """The SLURM id and the node of the running job of a rule that was sent from `folder`."""
    command = ["squeue", "--noheader", "--states=R", "--format=%i %N %Z %k"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.splitlines()
    mine = [line.split(maxsplit=3) for line in listed if str(folder) in line and rule in line]
    return mine[0][0], mine[0][1]


def job_state(job: str) -> str:
    """The state of a job, such as RUNNING."""
    command = ["squeue", "--noheader", f"--jobs={job}", "--states=all", "--format=%T"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()


MODEL = "results/smoke/models/dae-coarse/run-0"


SCORES = "results/smoke/scores/dae-coarse/run-0/brats21.tsv"


def numbers_of(chain: SlurmRun) -> tuple[str, str, dict[str, torch.Tensor]]:
    """The training's log, the scores and the weights."""
    log, scores = ((chain.folder / file).read_text() for file in (f"{MODEL}/log.tsv", SCORES))
    return log, scores, torch.load(chain.folder / MODEL / "model.ckpt", weights_only=True)["weights"]


def slow_training(chain: SlurmRun) -> None:
    """Make the training long enough to be interrupted."""
    content = yaml.safe_load((chain.folder / STUDY).read_text())
    slow = {"training": {"iterations": 1500, "batch_size": 8, "validate_every": 500}}
    content["models"]["dae-coarse"]["quick"] = {"network": {"widths": [16, 32]}, **slow}
    (chain.folder / STUDY).write_text(yaml.safe_dump(content))


def test_a_training_survives_its_node_daemon_and_a_requeue(chain: SlurmRun, cluster: Cluster) -> None:
    slow_training(chain)
    process = chain.start("all")
    log = chain.folder / "results/logs/train/smoke/dae-coarse/run-0.log"
    try:
        wait_until(lambda: log.exists() and "step 150 of" in log.read_text(), "training to begin", 900)
        job, node = job_of(chain.folder, "train")
        cluster.kill_node(node)
        wait_until(lambda: "step 300 of" in log.read_text(), "the training to go on without its slurmd")
        cluster.start_node(node)
        subprocess.run(["scontrol", "requeue", job], check=True, timeout=20)
        # SLURM lets a requeued job wait for two minutes.
        wait_until(lambda: job_state(job) == "PENDING", "the job to be queued again")
        subprocess.run(["scontrol", "update", f"jobid={job}", "StartTime=now"], check=True, timeout=20)
        assert process.wait(900) == 0, chain.log.read_text()[-6000:]
    finally:
        process.kill()
    assert "going on from step" in log.read_text()
    assert (chain.folder / "results/report/index.html").exists()
    interrupted = numbers_of(chain)
    assert read_json(chain.folder / MODEL / "cost.json")["iterations"] == 1500
    made = (
        MODEL,
        "results/state/smoke/dae-coarse",
        "results/smoke/maps/dae-coarse",
        "results/smoke/scores/dae-coarse",
    )
    for finished in made:
        shutil.rmtree(chain.folder / finished)
    Workflow(chain.folder).run(f"{MODEL}/log.tsv", SCORES)
    uninterrupted = numbers_of(chain)
    assert uninterrupted[:2] == interrupted[:2]
    assert uninterrupted[2].keys() == interrupted[2].keys()
    assert all(torch.equal(weights, interrupted[2][key]) for key, weights in uninterrupted[2].items())
