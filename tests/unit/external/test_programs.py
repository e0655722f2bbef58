"""Programs of another environment: how they are found, run, stopped, and kept from working twice at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brainuad.errors import InputError
from brainuad.external.programs import Environment, locked, run_program
from brainuad.training.signals import TrainingInterruptedError

TOOL = Environment(".venv-tool", target="tool")


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_missing_program_names_the_make_target() -> None:
    with pytest.raises(InputError, match=r"no program 'no-such-tool'.*\.venv-tool.*`make tool`"):
        TOOL.find("no-such-tool")


def test_a_program_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write_program(tmp_path / "bin" / "tool", "true")
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert TOOL.find("tool") == str(program)


def test_a_program_is_found_in_the_environment_beside_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = write_program(tmp_path / ".venv-tool" / "bin" / "tool", "true")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert TOOL.find("tool") == str(program)


def test_the_python_of_a_program_is_the_one_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = write_program(tmp_path / "tool", "true")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(InputError, match="no Python beside"):
        TOOL.find_python("tool")
    python = write_program(tmp_path / "python", "true")
    assert TOOL.find_python("tool") == str(python)
    assert TOOL.find("tool") == str(program)


def test_output_is_added_to_the_log_and_the_variables_are_set(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log.txt"
    for word in ("one", "two"):
        run_program(["/bin/sh", "-c", "echo found $WORD; echo more >&2"], {"WORD": word}, log)
    assert log.read_text().splitlines().count("more") == 2
    assert "found one" in log.read_text()
    assert "found two" in log.read_text()


def test_modules_of_this_environment_are_not_for_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    run_program(["/bin/sh", "-c", "echo path=$PYTHONPATH."], {}, tmp_path / "log")
    assert "path=." in (tmp_path / "log").read_text()


def test_a_failure_shows_the_programs_last_words_and_where_the_others_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sh failed: out of memory \(all of it in .*log"):
        run_program(["/bin/sh", "-c", "echo first; echo out of memory; exit 3"], {}, tmp_path / "log")


def test_a_stop_signal_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    thread = threading.Thread(target=_terminate_when_there_is, args=(tmp_path / "pid",))
    thread.start()
    with pytest.raises(TrainingInterruptedError, match="sh was stopped by SIGTERM"):
        run_program(["/bin/sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"], {}, tmp_path / "log")
    thread.join()
    child = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not _is_at_work(child):
            return
        time.sleep(0.1)
    pytest.fail("the program's own process is still at work")


def _terminate_when_there_is(file: Path) -> None:
    while not file.exists() or not file.read_text().strip():
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_at_work(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_folder_is_locked_as_long_as_a_program_of_a_killed_run_works_in_it(tmp_path: Path) -> None:
    with locked(tmp_path) as lock:
        program = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    with pytest.raises(InputError, match="still at work here"), locked(tmp_path):
        pass
    program.kill()
    program.wait()
    with locked(tmp_path):
        pass
