"""Snakemake's lock on a working folder: which runs hold it, and its removal after a run was killed."""

import logging
import shutil
from pathlib import Path

import psutil

from brainuad.errors import InputError

log = logging.getLogger(__name__)


def remove_stale_lock(folder: Path) -> bool:
    """Whether a lock that a killed run left in `folder` was found and removed.

    While a Snakemake is at work there it is not stale, and an `InputError` says so.
    """
    locks = folder / ".snakemake" / "locks"
    if not locks.is_dir() or not any(locks.iterdir()):
        return False
    if running := running_snakemakes(folder):
        raise InputError(
            f"{folder}: Snakemake is at work here (process {', '.join(map(str, running))}). Wait for it, or stop it."
        )
    shutil.rmtree(locks)
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
