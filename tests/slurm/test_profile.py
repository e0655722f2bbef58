"""The profile `slurm` on a real SLURM: growing memory, killed runs, nodes that vanish."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.runs import SlurmRun, make_slurm_cancel, wait_until

pytestmark = pytest.mark.slurm

# `train` is too small for its first attempt. Each job writes down what SLURM had given it.
GROWING = """
GIVEN = "squeue --noheader --job $SLURM_JOB_ID --format '%P %m %l'; echo GPU ${{CUDA_VISIBLE_DEVICES:-none}}"

rule evaluate:
    input: "index.txt", "model.txt"
    output: "scores.txt"
    localrule: True
    shell: "cat {input} > {output}"

rule index:
    output: "index.txt"
    shell: "( " + GIVEN + " ) > {output}"

rule train:
    output: "model.txt"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 150 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    shell: "test {resources.mem_mb} -ge 300 && ( " + GIVEN + " ) > {output}"
"""

# Each model takes a few seconds, says on which node it began, and appears under its name only when complete.
SLOW = """
rule evaluate:
    input: expand("model-{run}.txt", run=range(2))
    output: "scores.txt"
    localrule: True
    shell: "cat {input} > {output}"

rule preprocess:
    output: "model-{run}.txt"
    shell:
        "echo $SLURM_JOB_ID $(squeue --noheader --job $SLURM_JOB_ID --format %N) >> started-{wildcards.run}; "
        "echo {wildcards.run} > {output}.part; sleep SECONDS; "
        "echo complete >> {output}.part; mv {output}.part {output}"
"""
COMPLETE = "0\ncomplete\n1\ncomplete\n"


def jobs_of(folder: Path) -> list[str]:
    """Numbers of the jobs that were sent from `folder` and still wait or run."""
    command = ["squeue", "--noheader", "--states=PENDING,RUNNING", "--format=%i|%Z"]
    lines = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=10
    ).stdout.splitlines()
    return [line.split("|")[0] for line in lines if line.split("|")[1] == str(folder)]


def started(folder: Path) -> list[list[str]]:
    """(job, node) of each slow job that has begun."""
    return [
        line.split() for file in sorted(folder.glob("started-*")) for line in file.read_text().splitlines()
    ]


def begin_slow_jobs(run: SlurmRun, seconds: int) -> subprocess.Popen[bytes]:
    """A Snakemake whose two slow jobs are at work."""
    (run.folder / "Snakefile").write_text(SLOW.replace("SECONDS", str(seconds)))
    process = run.start()
    wait_until(lambda: len(started(run.folder)) == 2 or process.poll() is not None, "two running jobs")
    assert process.poll() is None, run.log.read_text()
    return process


def test_failed_job_is_sent_again_with_more_memory_and_time(slurm_run: SlurmRun) -> None:
    (slurm_run.folder / "Snakefile").write_text(GROWING)
    slurm_run.finish()
    given = (slurm_run.folder / "scores.txt").read_text().splitlines()
    index, _, model, model_gpu = (line.split() for line in given)
    assert index == ["main", "4000M", "1:00:00"]
    assert model == ["gpu", "300M", "10:00"]
    assert model_gpu == ["GPU", "0"]


def test_killed_run_goes_on_after_its_jobs_are_cancelled(slurm_run: SlurmRun) -> None:
    process = begin_slow_jobs(slurm_run, seconds=5)
    process.kill()
    process.wait()
    orphans = jobs_of(slurm_run.folder)
    assert len(orphans) == 2
    make_slurm_cancel(slurm_run.folder)
    assert jobs_of(slurm_run.folder) == []
    assert not list(slurm_run.folder.glob("model-?.txt"))
    (slurm_run.folder / "Snakefile").write_text(SLOW.replace("SECONDS", "1"))
    slurm_run.finish("--unlock")
    slurm_run.finish()
    assert (slurm_run.folder / "scores.txt").read_text() == COMPLETE
    assert len(started(slurm_run.folder)) == 4


def test_run_survives_a_node_daemon_that_dies_and_comes_back(cluster: Cluster, slurm_run: SlurmRun) -> None:
    process = begin_slow_jobs(slurm_run, seconds=5)
    (_, node), *_ = started(slurm_run.folder)
    cluster.kill_node(node)
    wait_until(lambda: (slurm_run.folder / "model-0.txt").exists(), "the job of the dead node")
    assert process.poll() is None
    cluster.start_node(node)
    assert process.wait(240) == 0, slurm_run.log.read_text()
    assert (slurm_run.folder / "scores.txt").read_text() == COMPLETE
    assert len(started(slurm_run.folder)) == 2
