"""A training that is asked to stop saves its state, with the processes that read its batches."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brainuad.training import state as states
from tests.contract.training import model_settings


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_all_processes_of_a_training_saves_its_state(
    number: signal.Signals, workers: int, cohort: dict[str, Path], tmp_path: Path
) -> None:
    training = {"iterations": 1_000_000, "validate_every": 1_000_000, "log_every": 1}
    request = {
        **{"version": 1, "kind": "dae", "slices": "non-empty", "seed": 1, "precision": "32-true"},
        "settings": model_settings("dae", **training),
    }
    command = [str(Path(sys.executable).parent / "brainuad"), "train", "--settings", json.dumps(request)]
    command += ["--split", str(cohort["split"]), "--state", str(tmp_path / "state"), "--device", "cpu"]
    command += ["--threads", "1", "--loader-workers", str(workers)]
    for name in ("checkpoint", "log", "cost"):
        command += [f"--{name}", str(tmp_path / name)]
    command.append(str(cohort["healthy"] / "index.tsv"))
    with (tmp_path / "printed").open("w") as printed:
        # A session of its own, all of whose processes get the signal, as on a cluster.
        process = subprocess.Popen(command, stdout=printed, stderr=printed, start_new_session=True)
        try:
            _wait_for_steps(tmp_path / "state" / "tensorboard", process)
            os.killpg(process.pid, number)
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    text = (tmp_path / "printed").read_text()
    assert "the state is saved" in text
    assert "Traceback" not in text
    assert process.returncode not in (0, -number)
    assert states.load(tmp_path / "state" / "last.ckpt")["step"] > 0
    assert not (tmp_path / "checkpoint").exists()


def _wait_for_steps(board: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the training has logged some steps."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any(events.stat().st_size > 200 for events in board.glob("events*")):
            return
        time.sleep(0.2)
    pytest.fail("the training did not begin")
