"""Training on several processes, as on several GPUs, through the program that the rules call."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from brainuad.storage import read_json, read_table
from brainuad.training import state as states
from tests.contract.training import model_settings


def test_two_processes_train_one_model(cohort: dict[str, Path], tmp_path: Path) -> None:
    request = {
        **{"version": 1, "kind": "dae", "slices": "non-empty", "seed": 1, "precision": "32-true"},
        "settings": model_settings("dae", iterations=6, validate_every=3, log_every=1),
    }
    outputs = {name: tmp_path / f"{name}.out" for name in ("checkpoint", "log", "cost")}
    command = [str(Path(sys.executable).parent / "brainuad"), "train", "--settings", json.dumps(request)]
    command += ["--split", str(cohort["split"]), "--state", str(tmp_path / "state"), "--device", "cpu"]
    command += ["--gpus", "2", "--threads", "1"]
    command += [part for name, path in outputs.items() for part in (f"--{name}", str(path))]
    command.append(str(cohort["healthy"] / "index.tsv"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert result.returncode == 0, result.stderr[-3000:]
    assert len(states.load(outputs["checkpoint"])["weights"]) > 0
    losses = read_table(outputs["log"])["loss"].astype(float)
    assert len(losses) == 6
    assert np.isfinite(losses).all()
    assert read_json(outputs["cost"])["iterations"] == 6
