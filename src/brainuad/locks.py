"""Snakemake's lock on a working folder: which runs hold it, and its removal after a run was killed."""

import logging
import platform
import shutil
import subprocess
from pathlib import Path

import psutil

from brainuad.errors import InputError

log = logging.getLogger(__name__)

# Beside the lock, and removed with it: a file named after the machine of each run that holds it. It says where the jobs
# of the run are.
HOST = ".host"
HERE, CLUSTER = "jobs run here", "jobs run on a cluster"
JOB_PREFIX = "brainuad_"  # of the names of its jobs (slurm/config.yaml)


def record_host(folder: Path, *, jobs_run_here: bool) -> None:
    """Notes that the run which holds the lock on `folder` is on this machine; processes are seen there alone."""
    if _is_locked(folder):
        note = _lock_folder(folder) / f"{platform.node()}{HOST}"
        note.write_text(HERE if jobs_run_here else CLUSTER)


def remove_lock_of_killed_run(folder: Path) -> bool:
    """Whether a lock in `folder` was removed that is surely stale, so that a killed run goes on by its own command.

    It is if it was taken by a run on this machine, no Snakemake but this one is at work in the folder, and no job of
    the folder is left on a cluster. In doubt the lock stays, and Snakemake refuses to start.
    """
    notes = _hosts(folder)
    if not _is_locked(folder) or set(notes) != {platform.node()} or running_snakemakes(folder):
        return False
    if CLUSTER in notes.values() and _has_jobs_on_cluster(folder):
        return False
    shutil.rmtree(_lock_folder(folder))
    return True


def remove_stale_lock(folder: Path) -> bool:
    """Whether a lock that a killed run left in `folder` was found and removed.

    While a Snakemake is at work there it is not stale, and an `InputError` says so; another one says where to look
    where the run was on another machine.
    """
    if not _is_locked(folder):
        return False
    if running := running_snakemakes(folder):
        raise InputError(
            f"{folder}: Snakemake is at work here (process {', '.join(map(str, running))}). Wait for it, or stop it."
        )
    if elsewhere := sorted(set(_hosts(folder)) - {platform.node()}):
        raise InputError(
            f"{folder}: locked by a run on another machine ({', '.join(elsewhere)}), which may be at work. Run "
            "`brainuad unlock` there. If that machine is gone, and no job of the run is left (`make slurm-cancel` on a "
            "cluster), remove the lock with `snakemake --unlock`."
        )
    shutil.rmtree(_lock_folder(folder))
    log.info("removed the lock that a killed run had left")
    return True


def running_snakemakes(folder: Path) -> list[int]:
    """The processes of this machine that run Snakemake in `folder`, without this one and what has started it."""
    this = psutil.Process()
    own = {this.pid, *(parent.pid for parent in this.parents())}
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        if process.info["pid"] in own:
            continue
        command = process.info["cmdline"] or []
        program = [Path(word).name for word in command[:3]]
        if "snakemake" in program and process.info["cwd"] == str(folder.resolve()):
            found.append(process.info["pid"])
    return found


def _lock_folder(folder: Path) -> Path:
    return folder / ".snakemake" / "locks"


def _is_locked(folder: Path) -> bool:
    return any(_lock_folder(folder).glob("*.lock"))


def _hosts(folder: Path) -> dict[str, str]:
    """The machines of the runs that hold the lock, and where the jobs of each run."""
    return {path.name.removesuffix(HOST): path.read_text() for path in _lock_folder(folder).glob(f"*{HOST}")}


def _has_jobs_on_cluster(folder: Path) -> bool:
    """Whether a job that was sent from `folder` is in the queue of SLURM, as far as can be seen."""
    try:
        queue = subprocess.run(
            ["squeue", "--me", "--noheader", "--format", "%j|%Z"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return True
    jobs = (line.split("|", 1) for line in queue.stdout.splitlines() if "|" in line)
    return any(name.startswith(JOB_PREFIX) and place == str(folder.resolve()) for name, place in jobs)
