"""Snakemake's lock on a working folder: which runs hold it, and its removal after a run was killed."""

import logging
import platform
import shutil
from pathlib import Path

import psutil

from brainuad.errors import InputError

log = logging.getLogger(__name__)

# Beside the lock, and removed with it: an empty file named after the machine of each run that holds it.
HOST = ".host"


def record_host(folder: Path) -> None:
    """Notes that the run which holds the lock on `folder` is on this machine; processes are seen there alone."""
    if _is_locked(folder):
        (_lock_folder(folder) / f"{platform.node()}{HOST}").touch()


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
    if elsewhere := sorted(_hosts(folder) - {platform.node()}):
        raise InputError(
            f"{folder}: locked by a run on another machine ({', '.join(elsewhere)}), which may be at work. Run "
            "`brainuad unlock` there. If that machine is gone, and no job of the run is left (`make slurm-cancel` on a "
            "cluster), remove the lock with `snakemake --unlock`."
        )
    shutil.rmtree(_lock_folder(folder))
    log.info("removed the lock that a killed run had left")
    return True


def running_snakemakes(folder: Path) -> list[int]:
    """The processes of this machine that run Snakemake in `folder`."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        command = process.info["cmdline"] or []
        program = [Path(word).name for word in command[:3]]
        if "snakemake" in program and process.info["cwd"] == str(folder.resolve()):
            found.append(process.info["pid"])
    return found


def _lock_folder(folder: Path) -> Path:
    return folder / ".snakemake" / "locks"


def _is_locked(folder: Path) -> bool:
    return any(_lock_folder(folder).glob("*.lock"))


def _hosts(folder: Path) -> set[str]:
    return {path.name.removesuffix(HOST) for path in _lock_folder(folder).glob(f"*{HOST}")}
