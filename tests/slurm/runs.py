"""Snakemake runs on the test cluster with the profile that users have."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[2]


class SlurmRun:
    """Snakemake runs in one working folder with the profile `slurm`, made fast by the profile `test`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "snakemake.log"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A Snakemake that has just been started; its messages go to `log`."""
        profiles = REPOSITORY / "profiles"
        options = ["--profile", str(profiles / "slurm"), "--workflow-profile", str(profiles / "test")]
        command = [sys.executable, "-m", "snakemake", *options, *arguments]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with self.log.open("ab") as log:
            environment = {**os.environ, "PATH": path}
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def finish(self, *arguments: str, timeout_s: float = 240) -> None:
        """Run Snakemake to its end; the log is in the message when it fails."""
        process = self.start(*arguments)
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        assert status == 0, f"snakemake ended with {status}\n{self.log.read_text()[-8000:]}"


def make_slurm_cancel(folder: Path) -> None:
    """Cancel the jobs that were sent from `folder`, in the way that the documentation tells users."""
    command = ["make", "--no-print-directory", "-C", str(REPOSITORY), "slurm-cancel", f"FOLDER={folder}"]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def end_processes_in(folder: Path) -> None:
    """Kill what still runs in `folder`: SLURM's `linuxproc` loses a process of a job whose parent has ended."""
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                process.kill()
        except psutil.Error:
            continue


def wait_until(condition: Callable[[], bool], what: str, patience_s: float = 120) -> None:
    """Return when `condition` holds; a failed test when it does not in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience_s:g} s for {what}"
        time.sleep(0.2)
