"""The SLURM profile sends every rule that asks for a GPU to the partition that has some."""

import re
from pathlib import Path
from typing import Any

import yaml

# Asks for a GPU only if HD-BET is to run on one; its partition is the user's choice.
SOMETIMES = {"preprocess"}
REPOSITORY = Path(__file__).parents[2]


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


def test_the_page_about_slurm_names_every_rule_with_a_gpu() -> None:
    page = (REPOSITORY / "docs/slurm.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `set-resources: ")]
    named = {word for row in rows for word in re.findall(r"\w+", row)}
    assert named >= rules_with_gpu()
