"""The SLURM profile sends every rule that asks for a GPU to the partition that has some."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string

# Asks for a GPU only if HD-BET is to run on one; its partition is the user's choice.
SOMETIMES = {"preprocess"}
REPOSITORY = Path(__file__).parents[2]


class Resources(dict[str, Any]):
    """The resources of a job, by name and as attributes, as Snakemake has them."""

    __getattr__ = dict.__getitem__


def rules_with_gpu() -> set[str]:
    """The rules of the workflow whose resources name a GPU."""
    found = set()
    for file in (REPOSITORY / "workflow").rglob("*.smk"):
        for rule in re.split(r"^(?:rule|checkpoint) ", file.read_text(), flags=re.MULTILINE)[1:]:
            if re.search(r"^\s+gpu=", rule, re.MULTILINE):
                found.add(rule.split(":")[0])
    return found


def profile() -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())


def test_every_rule_with_a_gpu_goes_to_the_partition_of_gpus() -> None:
    assert rules_with_gpu() >= {"train", "infer"} | SOMETIMES
    partitions = {rule: given["slurm_partition"] for rule, given in profile()["set-resources"].items()}
    assert partitions == dict.fromkeys(rules_with_gpu() - SOMETIMES, "gpu")


@pytest.mark.parametrize(("rule", "gpus"), [("train", 4), ("train", 1), ("train", 0), ("infer", 1)])
def test_a_training_has_all_its_gpus_in_one_task_on_one_node(rule: str, gpus: int) -> None:
    asked = profile()["default-resources"] | profile()["set-resources"][rule]
    resources = Resources(asked | {"gpu": gpus, "mem_mb": 16000, "runtime": 60})
    job = SimpleNamespace(resources=resources, threads=8)
    names = ("run_uuid", "slurm_logfile", "comment_str", "account", "partition", "workdir")
    command = get_submit_command(job, dict.fromkeys(names, "")) + set_gres_string(job)
    given = dict(re.findall(r"--([\w-]+)=(\w+)", command))
    assert given["cpus-per-task"] == "8"
    assert given.get("gpus", "0") == str(gpus)
    tasks = int(given.get("ntasks", 1)) * int(given.get("ntasks-per-gpu", 1))
    assert tasks == 1
    assert gpus < 2 or "ntasks-per-gpu" not in given
    assert given.get("nodes") == ("1" if rule == "train" else None)


def test_the_page_about_slurm_names_every_rule_with_a_gpu() -> None:
    page = (REPOSITORY / "docs/slurm.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `set-resources: ")]
    named = {word for row in rows for word in re.findall(r"\w+", row)}
    assert named >= rules_with_gpu()
