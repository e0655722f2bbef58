"""A lock is removed only when no Snakemake is at work in its folder."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brainuad.errors import InputError
from brainuad.locks import record_host, remove_lock_of_killed_run, remove_stale_lock


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/x\n")
    return tmp_path


@pytest.fixture
def snakemake_at_work(locked: Path) -> Iterator[None]:
    """A process that looks like Snakemake in the folder and waits."""
    program = locked / "snakemake"
    program.write_text("import sys\nprint('ready', flush=True)\nsys.stdin.read()\n")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, str(program)], cwd=locked, text=True, **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()


def test_a_lock_of_a_killed_run_is_removed(locked: Path) -> None:
    assert remove_stale_lock(locked)
    assert not remove_stale_lock(locked)


def test_a_folder_without_a_lock_is_left_alone(tmp_path: Path) -> None:
    assert not remove_stale_lock(tmp_path)


@pytest.mark.usefixtures("snakemake_at_work")
def test_the_lock_of_a_running_snakemake_is_kept(locked: Path) -> None:
    with pytest.raises(InputError, match="Snakemake is at work here"):
        remove_stale_lock(locked)
    assert (locked / ".snakemake" / "locks" / "0.output.lock").exists()


def test_the_lock_of_a_run_on_another_machine_is_kept(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setattr(platform, "node", lambda: "login2.cluster")
        record_host(locked, jobs_run_here=True)
    record_host(locked, jobs_run_here=True)
    with pytest.raises(InputError, match=r"another machine \(login2\.cluster\)"):
        remove_stale_lock(locked)
    assert (locked / ".snakemake" / "locks" / "0.output.lock").exists()


def test_the_lock_of_a_killed_run_on_this_machine_is_removed(locked: Path) -> None:
    record_host(locked, jobs_run_here=True)
    assert remove_stale_lock(locked)
    assert not (locked / ".snakemake" / "locks").exists()


def test_a_run_without_a_lock_leaves_no_note(tmp_path: Path) -> None:
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    record_host(tmp_path, jobs_run_here=True)
    assert not any((tmp_path / ".snakemake" / "locks").iterdir())


def squeue(folder: Path, *lines: str) -> str:
    """A PATH on which `squeue` prints these lines."""
    program = folder / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


def test_a_run_goes_on_after_a_killed_one_whose_jobs_ran_here(locked: Path) -> None:
    record_host(locked, jobs_run_here=True)
    assert remove_lock_of_killed_run(locked)
    assert not (locked / ".snakemake" / "locks").exists()


def test_nothing_is_removed_where_nothing_is_locked(tmp_path: Path) -> None:
    assert not remove_lock_of_killed_run(tmp_path)


def test_a_lock_of_which_nobody_knows_the_machine_stays(locked: Path) -> None:
    assert not remove_lock_of_killed_run(locked)
    assert (locked / ".snakemake" / "locks" / "0.output.lock").exists()


def test_a_lock_from_another_machine_stays(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setattr(platform, "node", lambda: "login2.cluster")
        record_host(locked, jobs_run_here=True)
    assert not remove_lock_of_killed_run(locked)


@pytest.mark.usefixtures("snakemake_at_work")
def test_a_lock_stays_while_another_snakemake_is_at_work(locked: Path) -> None:
    record_host(locked, jobs_run_here=True)
    assert not remove_lock_of_killed_run(locked)


@pytest.mark.parametrize(
    ("lines", "removed"),
    [
        ((), True),
        (("brainuad_train|/somewhere/else", "other|{folder}"), True),
        (("brainuad_train|{folder}",), False),
    ],
    ids=["empty queue", "jobs of others", "own job"],
)
def test_a_run_on_a_cluster_goes_on_when_none_of_its_jobs_is_left(
    locked: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], removed: bool
) -> None:
    record_host(locked, jobs_run_here=False)
    queue = [line.format(folder=locked.resolve()) for line in lines]
    monkeypatch.setenv("PATH", squeue(locked, *queue))
    assert remove_lock_of_killed_run(locked) == removed


def test_without_a_look_at_the_queue_the_lock_of_a_cluster_stays(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_host(locked, jobs_run_here=False)
    monkeypatch.setenv("PATH", str(locked))
    assert not remove_lock_of_killed_run(locked)
