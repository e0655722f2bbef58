"""A lock is removed only when nobody is at work in its folder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from brainuad.errors import InputError
from brainuad.locks import record_run, remove_lock_of_killed_run, remove_stale_lock

REMOVED = "Removed the lock that a killed run had left."


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/x\n")
    return tmp_path


@pytest.fixture
def start(locked: Path) -> Iterator[Callable[..., int]]:
    """Starts a process that looks like Snakemake, or a job, in the folder and waits; returns its number."""
    started = []

    def process(name: str = "snakemake", *options: str, words: tuple[str, ...] = ()) -> int:
        program = locked / f"{name}.py" if "-m" in options else locked / name
        program.write_text("import sys\nprint('ready', flush=True)\nsys.stdin.read()\n")
        command = [sys.executable, *options, name if "-m" in options else str(program), *words]
        started.append(subprocess.Popen(command, cwd=locked, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert started[-1].stdout is not None
        started[-1].stdout.readline()
        return started[-1].pid

    yield process
    for child in started:
        child.kill()
        child.communicate()


def note_of_killed_run(folder: Path, *, jobs_run_here: bool = True, **other: object) -> None:
    """The note of a run whose process has ended; `other` are values that differ from this machine's."""
    record_run(folder, jobs_run_here=jobs_run_here)
    (path,) = (folder / ".snakemake" / "locks").glob(f"*-{os.getpid()}.run.json")
    note = json.loads(path.read_text())
    note["process"], note["started"] = 2**22 - 1, 1.0
    view = {key: other.pop(key) for key in list(other) if key in note["view"]}
    path.write_text(json.dumps({**note, **other, "view": {**note["view"], **view}}))


def is_locked(folder: Path) -> bool:
    return (folder / ".snakemake" / "locks" / "0.output.lock").exists()


def test_a_lock_of_a_killed_run_is_removed(locked: Path) -> None:
    assert remove_stale_lock(locked)
    assert not remove_stale_lock(locked)


def test_a_folder_without_a_lock_is_left_alone(tmp_path: Path) -> None:
    assert not remove_stale_lock(tmp_path)


@pytest.mark.parametrize("name", ["snakemake", "brainuad"])
def test_the_lock_stays_while_snakemake_or_a_job_is_at_work(
    locked: Path, start: Callable[..., int], name: str
) -> None:
    number = start(name)
    with pytest.raises(InputError, match=f"at work here .process {number}."):
        remove_stale_lock(locked)
    note_of_killed_run(locked)
    assert str(number) in remove_lock_of_killed_run(locked)
    assert is_locked(locked)


@pytest.mark.parametrize("options", [("-u",), ("-X", "dev"), ("-W", "error", "-m")], ids=" ".join)
def test_a_snakemake_started_with_options_of_python_is_seen(
    locked: Path, start: Callable[..., int], options: tuple[str, ...]
) -> None:
    start("snakemake", *options)
    note_of_killed_run(locked)
    assert "at work here" in remove_lock_of_killed_run(locked)
    assert is_locked(locked)


def test_a_program_with_a_word_of_the_same_name_is_no_run(locked: Path, start: Callable[..., int]) -> None:
    start("editor", words=("src/brainuad", "snakemake"))
    note_of_killed_run(locked)
    assert remove_lock_of_killed_run(locked) == REMOVED


def test_a_run_in_another_folder_does_not_matter(
    locked: Path, start: Callable[..., int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    start()
    other = tmp_path_factory.mktemp("other")
    (other / ".snakemake" / "locks").mkdir(parents=True)
    (other / ".snakemake" / "locks" / "0.input.lock").touch()
    assert remove_stale_lock(other)


def test_the_lock_of_a_run_on_another_machine_is_kept(locked: Path) -> None:
    note_of_killed_run(locked, machine="login2.cluster")
    with pytest.raises(InputError, match=r"another machine \(login2\.cluster\)"):
        remove_stale_lock(locked)
    assert is_locked(locked)


def test_a_run_without_a_lock_leaves_no_note(tmp_path: Path) -> None:
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    record_run(tmp_path, jobs_run_here=True)
    assert not any((tmp_path / ".snakemake" / "locks").iterdir())


def test_a_run_goes_on_after_a_killed_one_whose_jobs_ran_here(locked: Path) -> None:
    note_of_killed_run(locked)
    assert remove_lock_of_killed_run(locked) == REMOVED
    assert not (locked / ".snakemake" / "locks").exists()


def test_nothing_is_said_where_nothing_is_locked(tmp_path: Path) -> None:
    assert remove_lock_of_killed_run(tmp_path) == ""


def test_the_lock_of_a_run_that_is_alive_stays(locked: Path) -> None:
    record_run(locked, jobs_run_here=True)  # by this process, which is not called snakemake
    assert "its run is at work" in remove_lock_of_killed_run(locked)
    assert is_locked(locked)


def test_a_number_that_another_process_has_today_is_not_the_run(locked: Path) -> None:
    note_of_killed_run(locked, process=os.getpid(), started=1.0)
    assert remove_lock_of_killed_run(locked) == REMOVED


@pytest.mark.parametrize(
    ("other", "advice"),
    [
        (
            {"machine": "login2.cluster"},
            "a run on login2.cluster took it; if no run is at work, `snakemake --unlock`",
        ),
        ({"boot": "before the power failed"}, "started anew since; if no run is at work, `brainuad unlock`"),
        ({"process_namespace": "pid:[1]"}, "started anew since; if no run is at work, `brainuad unlock`"),
        ({"user": -1}, "another user took it; if no run is at work, `snakemake --unlock`"),
    ],
    ids=["machine", "boot", "process namespace", "user"],
)
def test_a_lock_that_cannot_be_judged_from_here_stays(
    locked: Path, other: dict[str, object], advice: str
) -> None:
    note_of_killed_run(locked, **other)
    assert advice in remove_lock_of_killed_run(locked)
    assert is_locked(locked)
    if "`brainuad unlock`" in advice:
        assert remove_stale_lock(locked)


def test_a_second_run_that_left_no_note_keeps_the_lock(locked: Path) -> None:
    note_of_killed_run(locked)
    (locked / ".snakemake" / "locks" / "1.output.lock").write_text("results/y\n")
    assert "left no note of itself" in remove_lock_of_killed_run(locked)
    assert is_locked(locked)


@pytest.mark.parametrize("content", [None, "", "{}", '{"process": 1}', "[]"])
def test_a_lock_of_which_nobody_knows_the_run_stays_until_a_user_removes_it(
    locked: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.setenv("PATH", str(locked))  # no SLURM
    if content is not None:
        (locked / ".snakemake" / "locks" / "a-1.run.json").write_text(content)
    assert "left no note of itself" in remove_lock_of_killed_run(locked)
    assert is_locked(locked)
    assert remove_stale_lock(locked)


def test_a_note_that_is_half_written_is_none(locked: Path) -> None:
    note_of_killed_run(locked)
    (locked / ".snakemake" / "locks" / ".token.host-1.run.json").write_text("{")
    assert remove_lock_of_killed_run(locked) == REMOVED


def test_a_folder_that_may_only_be_read_stays_locked(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note_of_killed_run(locked)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    assert "cannot be judged or removed ([Errno 13] Permission denied)" in remove_lock_of_killed_run(locked)
    with pytest.raises(InputError, match="cannot be judged or removed"):
        remove_stale_lock(locked)


def test_processes_that_may_not_be_looked_at_leave_the_lock(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_of_killed_run(locked)

    def refuse(_: psutil.Process) -> None:
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(psutil.Process, "parents", refuse)
    assert "cannot be judged or removed" in remove_lock_of_killed_run(locked)
    assert is_locked(locked)


def squeue(folder: Path, *lines: str) -> str:
    """A PATH on which `squeue` prints these lines."""
    program = folder / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("lines", "waits_for"),
    [
        ((), ""),
        (("11|brainuad_train|/somewhere/else", "12|bash|{folder}"), ""),
        (("13|brainuad_train|{folder}", "14|bash|/somewhere/else"), "13"),
    ],
    ids=["empty queue", "jobs of others", "a job of the folder"],
)
def test_a_run_on_a_cluster_goes_on_when_none_of_its_jobs_is_left(
    locked: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], waits_for: str
) -> None:
    note_of_killed_run(locked, jobs_run_here=False)
    queue = [line.format(folder=locked.resolve()) for line in lines]
    monkeypatch.setenv("PATH", squeue(locked, *queue))
    message = remove_lock_of_killed_run(locked)
    assert f"SLURM's queue ({waits_for})" in message if waits_for else message == REMOVED
    if waits_for:
        with pytest.raises(InputError, match="make slurm-cancel"):
            remove_stale_lock(locked)
    assert is_locked(locked) == bool(waits_for)


def test_without_a_look_at_the_queue_the_lock_of_a_cluster_stays(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_of_killed_run(locked, jobs_run_here=False)
    monkeypatch.setenv("PATH", str(locked))
    assert "`squeue` does not answer" in remove_lock_of_killed_run(locked)
    assert is_locked(locked)
