"""Finds and runs the programs of another environment.

A program's output goes to a log file. A stop signal is handed on to it, and a program that a killed run has
left at work is noticed by the lock that it still holds.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brainuad.errors import InputError
from brainuad.training.signals import StopRequest, TrainingInterruptedError, watch_stop_signals

POLL_S = 0.2
GRACE_S = 30.0


@dataclass(frozen=True)
class Environment:
    """A virtual environment beside the one that runs this package, and the make target that sets it up."""

    folder: str
    target: str

    def find(self, program: str) -> str:
        """The absolute path of a program, on the PATH or in the environment; else an `InputError`."""
        beside = Path(sys.prefix).parent / self.folder / "bin"
        found = shutil.which(program) or shutil.which(program, path=str(beside))
        if found is None:
            raise InputError(
                f"no program '{program}', neither on the PATH nor in {beside}. Run `make {self.target}`, or put "
                "the folder that holds it on the PATH."
            )
        return str(Path(found).absolute())

    def find_python(self, program: str) -> str:
        """The Python interpreter of the environment that a program belongs to."""
        found = Path(self.find(program)).with_name("python")
        if not found.exists():
            raise InputError(f"no Python beside '{found.with_name(program)}'. Run `make {self.target}`.")
        return str(found)


def run_program(
    command: Sequence[str], variables: Mapping[str, str], log_file: Path, lock: int | None = None
) -> None:
    """Runs a program to its end under these additional environment variables.

    A failure is an `InputError` with its last line. The descriptor `lock` is left open in the program.
    """
    # Modules of this environment are not for the program's.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log, _watch_stop_signals() as request:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        started = log.tell()
        process = subprocess.Popen(
            command,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
        )
        try:
            _wait(process, request)
        finally:
            _stop(process)
    if process.returncode:
        raise InputError(
            f"{Path(command[0]).name} failed: {_last_line(log_file, started)} (all of it in {log_file})"
        )


@contextmanager
def _watch_stop_signals() -> Iterator[StopRequest]:
    # Python takes signals in its main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    with watch_stop_signals() as request:
        yield request


def _wait(process: subprocess.Popen, request: StopRequest) -> None:
    while process.poll() is None:
        if request.received is not None:
            name = Path(str(process.args[0])).name  # type: ignore[index]
            raise TrainingInterruptedError(
                f"{name} was stopped by {request.received.name}; its state is kept"
            )
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            continue


def _stop(process: subprocess.Popen) -> None:
    """Ends a program that is still at work, with all processes that it started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_line(log_file: Path, start: int) -> str:
    with log_file.open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no message"


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """A descriptor of the folder's lock; an `InputError` where another run or its program still holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{folder}: a program of another run is still at work here. Wait for it, or end it, and start again."
            ) from error
        yield descriptor
    finally:
        os.close(descriptor)
