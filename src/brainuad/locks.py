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
JOB_PREFIX = "brainuad_"  # of the names of its jobs (slurm/config.yaml)
# Of starts of one process: psutil reckons them from the clock, which may be set meanwhile.
SAME_START_S = 60


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
    except (OSError, psutil.Error) as error:
        return f"The lock on this folder stays: it cannot be judged or removed ({error})."
    return "Removed the lock that a killed run had left."


def remove_stale_lock(folder: Path) -> bool:
    """Whether a lock on `folder` was found and removed that nothing visible holds, for a user who asks for it.

    Raises an `InputError` that says who is at work, or where to look where a run was on another machine.
    """
    try:
        return _remove_unless_at_work(folder)
    except (OSError, psutil.Error) as error:
        raise InputError(f"{folder}: the lock cannot be judged or removed ({error}).") from error


def _remove_unless_at_work(folder: Path) -> bool:
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
        if here and _program(process.info["cmdline"] or []) in PROGRAMS:
            found.append(process.info["pid"])
    return found


def _program(command: list[str]) -> str:
    """The name of the program or module that a command runs, by itself or by Python with options."""
    words = [Path(word).name for word in command]
    if not words or not words[0].startswith("python"):
        return words[0] if words else ""
    rest = iter(words[1:])
    for word in rest:
        if word in ("-X", "-W"):  # have a value of their own
            next(rest, "")
        elif word == "-m":
            return next(rest, "")
        elif not word.startswith("-"):
            return word
    return ""


def _doubt(folder: Path) -> str:
    """Why it cannot be known from here that every run which took the lock has ended; empty if it can."""
    runs, own = list(_runs(folder)), _own_view()
    taken = max(len(list(_lock_folder(folder).glob(f"*.{kind}.lock"))) for kind in ("input", "output"))
    if None in runs or len(runs) < taken:
        return "a run that took it left no note of itself; if no run is at work, `brainuad unlock`"
    if elsewhere := sorted({run.view.machine for run in runs if run} - {own.machine}):
        return f"a run on {', '.join(elsewhere)} took it; if no run is at work, `snakemake --unlock`"
    users = {run.view.user for run in runs if run} | {
        path.stat().st_uid for path in _lock_folder(folder).iterdir()
    }
    if users != {own.user}:
        return "another user took it; if no run is at work, `snakemake --unlock`"
    if any(run.view != own for run in runs if run):
        return "this machine or its container has started anew since; if no run is at work, `brainuad unlock`"
    return "its run is at work" if any(_is_alive(run) for run in runs if run) else ""


def _at_work(folder: Path) -> str:
    """Who works in the folder, as far as this machine and SLURM's queue tell; empty if nobody does."""
    if found := processes_at_work(folder):
        numbers = ", ".join(map(str, found))
        return f"Snakemake or a job is at work here (process {numbers}); wait for it, or stop it"
    runs = list(_runs(folder))
    if all(run and run.jobs_run_here for run in runs):
        return ""
    if None in runs and not shutil.which("squeue"):
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
    """The numbers of this user's jobs that Snakemake has sent from `folder` and that SLURM runs or will run."""
    command = ["squeue", "--me", "--noheader", "--format", "%A|%j|%Z"]
    queue = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    jobs = (line.split("|", 2) for line in queue.decode(errors="replace").splitlines())
    here = str(folder.resolve())
    return [job[0] for job in jobs if job[1:] and job[1].startswith(JOB_PREFIX) and job[-1] == here]


def _is_alive(run: Run) -> bool:
    try:
        process = psutil.Process(run.process)
        return (
            abs(process.create_time() - run.started) < SAME_START_S
            and process.status() != psutil.STATUS_ZOMBIE
        )
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
    for path in sorted(_lock_folder(folder).glob(f"[!.]*{NOTE}")):  # without those that are half written
        try:
            content = json.loads(path.read_text())
            process, started = int(content["process"]), float(content["started"])
            yield Run(View(**content["view"]), process, started, content["jobs_run_here"] is True)
        except (ValueError, TypeError, KeyError):
            yield None
