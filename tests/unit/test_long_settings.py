"""The rules that take the settings of all studies give them to their verbs at any length."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter
from snakemake.shell import shell

from brainuad.leaderboard.inputs import RankingInputs
from brainuad.storage import read_table
from tests.unit.leaderboard.toy import QUICK, Made, make_inputs

RULES = Path(__file__).parents[2] / "workflow/rules"
LONGEST_WORD = 131_072  # bytes that Linux takes of one word of a command


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, from which the program can be called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def command_of(rule: str, file: str) -> str:
    """The shell command of a rule, with its places."""
    (body,) = re.findall(rf"^rule {rule}:\n(.*?)(?=^\S|\Z)", (RULES / file).read_text(), re.M | re.S)
    return "".join(re.findall(r'"(.*)"', body.split("    shell:\n")[1]))


def test_a_ranking_of_many_studies_runs(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"mslub": range(4)})})
    described = TypeAdapter(RankingInputs).dump_python(inputs, mode="json")
    described["titles"] |= {f"study-{number}": "A study's title, " * 20 for number in range(500)}
    settings = {"version": 1, "inputs": described, "leaderboard": QUICK.model_dump(mode="json"), "seed": 0}
    text = json.dumps(settings)
    assert len(text) > LONGEST_WORD
    output = SimpleNamespace(ranking=tmp_path / "board/ranking.tsv")
    params = SimpleNamespace(settings=text)
    shell(command_of("rank", "leaderboard.smk"), output=output, params=params, log=tmp_path / "rank.log")
    assert {"a", "b"} <= set(read_table(output.ranking)["method"])


def test_a_report_of_many_studies_reads_its_settings(tmp_path: Path) -> None:
    params = SimpleNamespace(settings=json.dumps({"version": 1, "padding": "x" * LONGEST_WORD}))
    command, log = command_of("report", "results.smk"), tmp_path / "report.log"
    with pytest.raises(subprocess.CalledProcessError):
        shell(command, output=tmp_path / "index.html", params=params, log=log)
    assert "--settings: the key 'inputs' is missing" in log.read_text()
