"""Snakemake's lock on a working folder: which runs hold it, and its removal after a run was killed."""

import json
import logging
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from brainuad.errors import InputError
from brainuad.storage import write_json

log = logging.getLogger(__name__)

# Beside the lock, and removed with it: a note of each run that holds it.
NOTE = ".run.json"
BOOT, PROCESS_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
PROGRAMS = {"snakemake", "brainuad"}


@dataclass(frozen=True)
class View:
    """What a process can see: it is sure that another one has ended only where both have the same view."""

    machine: str
    boot: str
    process_namespace: str
    user: int


@dataclass(frozen=True)
class Run:
    """A run of Snakemake that holds the lock; `started` in seconds since 1970."""

    view: View
    process: int
    started: float
    jobs_run_here: bool


def record_run(folder: Path, *, jobs_run_here: bool) -> None:
    """Notes that this process holds the lock on `folder`, if it is locked."""
    if _is_locked(folder):
        this = psutil.Process()
        run = Run(_own_view(), this.pid, this.create_time(), jobs_run_here)
        write_json(asdict(run), _lock_folder(folder) / f"{platform.node()}-{this.pid}{NOTE}")


def remove_lock_of_killed_run(folder: Path) -> str:
    """Removes a lock on `folder` that is surely stale, so that a killed run goes on by its own command; what happened.

    It is if every run that took it was this user's, on this machine, and has ended, no job of theirs is at work here,
    and none is in SLURM's queue. In doubt the lock stays. Empty if nothing is locked.
    """
    if not _is_locked(folder):
        return ""
    try:
        if reason := _doubt(folder) or _at_work(folder):
            return f"The lock on this folder stays: {reason}."
        shutil.rmtree(_lock_folder(folder))
    except OSError as error:
        return f"The lock on this folder stays: it cannot be read or removed ({error.strerror})."
    return "Removed the lock that a killed run had left."


def remove_stale_lock(folder: Path) -> bool:
    """Whether a lock on `folder` was found and removed that nothing visible holds, for a user who asks for it.

    Raises an `InputError` that says who is at work, or where to look where a run was on another machine.
    """
    if not _is_locked(folder):
        return False
    elsewhere = {run.view.machine for run in _runs(folder) if run} - {platform.node()}
    if elsewhere:
        raise InputError(
            f"{folder}: locked by a run on another machine ({', '.join(sorted(elsewhere))}), which may be at work. Run "
            "`brainuad unlock` there. If that machine is gone, and no job of the run is left (`make slurm-cancel` on a "
            "cluster), remove the lock with `snakemake --unlock`."
        )
    if reason := _at_work(folder):
        raise InputError(f"{folder}: the lock stays: {reason}.")
    shutil.rmtree(_lock_folder(folder))
    log.info("removed the lock that a killed run had left")
    return True


def processes_at_work(folder: Path) -> list[int]:
    """The processes of this user that run Snakemake or a job in `folder`, without this one and what has started it."""
    this = psutil.Process()
    own = {this.pid, *(parent.pid for parent in this.parents())}
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        here = process.info["cwd"] == str(folder.resolve()) and process.info["pid"] not in own
        if here and PROGRAMS & {Path(word).name for word in process.info["cmdline"] or []}:
            found.append(process.info["pid"])
    return found


def _doubt(folder: Path) -> str:
    """Why it cannot be known from here that every run which took the lock has ended; empty if it can."""
    runs = list(_runs(folder))
    if not runs or None in runs:
        return "nobody noted who took it; if no run is at work, `brainuad unlock`"
    if any(run.view != _own_view() for run in runs if run):
        return (
            "another user or another machine took it, or this machine has started anew since; if no run is at work, "
            "`brainuad unlock`"
        )
    if any(path.stat().st_uid != os.getuid() for path in _lock_folder(folder).iterdir()):
        return "another user took it"
    return "its run is at work" if any(_is_alive(run) for run in runs if run) else ""


def _at_work(folder: Path) -> str:
    """Who works in the folder, as far as this machine and SLURM's queue tell; empty if nobody does."""
    if found := processes_at_work(folder):
        numbers = ", ".join(map(str, found))
        return f"Snakemake or a job is at work here (process {numbers}); wait for it, or stop it"
    if all(run and run.jobs_run_here for run in _runs(folder)):
        return ""
    try:
        jobs = _jobs_on_cluster(folder)
    except (OSError, subprocess.SubprocessError):
        return "its jobs may be on a cluster, and `squeue` does not answer"
    numbers = ", ".join(jobs)
    return (
        f"jobs of this folder are in SLURM's queue ({numbers}); wait for them, or `make slurm-cancel`"
        if jobs
        else ""
    )


def _jobs_on_cluster(folder: Path) -> list[str]:
    """The numbers of this user's jobs that SLURM runs or will run in `folder`, without the one of this process."""
    command = ["squeue", "--me", "--noheader", "--format", "%A|%Z"]
    queue = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    jobs = (line.split("|", 1) for line in queue.splitlines() if "|" in line)
    own = os.environ.get("SLURM_JOB_ID")
    return [number for number, place in jobs if place == str(folder.resolve()) and number != own]


def _is_alive(run: Run) -> bool:
    try:
        process = psutil.Process(run.process)
        return abs(process.create_time() - run.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _own_view() -> View:
    boot = BOOT.read_text().strip() if BOOT.exists() else ""
    namespace = str(PROCESS_NAMESPACE.readlink()) if PROCESS_NAMESPACE.is_symlink() else ""
    return View(platform.node(), boot, namespace, os.getuid())


def _lock_folder(folder: Path) -> Path:
    return folder / ".snakemake" / "locks"


def _is_locked(folder: Path) -> bool:
    return any(_lock_folder(folder).glob("*.lock"))


def _runs(folder: Path) -> Iterator[Run | None]:
    """The runs that hold the lock; None for a note that cannot be read."""
    for path in sorted(_lock_folder(folder).glob(f"*{NOTE}")):
        try:
            content = json.loads(path.read_text())
            yield Run(**{**content, "view": View(**content["view"])})
        except (ValueError, TypeError, KeyError):
            yield None
