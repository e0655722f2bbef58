"""A copy of the workflow in a temporary folder, with the smoke study, run on a tiny phantom."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from tests.workflow.warm_program import serve

REPOSITORY = Path(__file__).parents[2]
ATLAS = REPOSITORY / "resources"
RECIPE = {
    "modalities": ["t2"],
    "steps": [
        {"step": "crop_or_pad", "size": [192, 192, 120]},
        {
            "step": "normalise",
            "method": "percentile",
            "lower": 1,
            "upper": 99,
            "region": "brain",
            "clip": True,
        },
        {"step": "resample", "factor": 6},
    ],
}


INSTALLED = Path(sys.executable).parent


@dataclass(frozen=True)
class Workflow:
    """A folder in which Snakemake is run as a user would, with the programs that lie in `programs`."""

    folder: Path
    programs: ClassVar[Path] = INSTALLED

    def command(self, *arguments: str, programs: Path | None = None) -> list[str]:
        """The Snakemake call."""
        return [str((programs or self.programs) / "snakemake"), "--cores", "2", *arguments]

    def environment(self, programs: Path | None = None) -> dict[str, str]:
        """The environment in which the rules find the `brainuad` program."""
        found = (programs or self.programs, INSTALLED, os.environ["PATH"])
        return {**os.environ, "PATH": os.pathsep.join(map(str, found))}

    def run(self, *arguments: str, check: bool = True, programs: Path | None = None) -> str:
        """Runs Snakemake and returns what it printed."""
        result = subprocess.run(
            self.command(*arguments, programs=programs),
            cwd=self.folder,
            env=self.environment(programs),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert not check or result.returncode == 0, result.stdout[-6000:]
        return result.stdout

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a dry run lists."""
        text = self.run("-n", *arguments)
        if "Nothing to be done" in text:
            return {}
        table = text.split("Job stats:")[1].split("total")[0]
        return {name: int(count) for name, count in re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)}

    def change(self, file: str, change: dict[str, Any]) -> None:
        """Changes keys of a YAML file; `a/b/c` names a nested key."""
        path = self.folder / file
        content = yaml.safe_load(path.read_text())
        for key, value in change.items():
            *parents, last = key.split("/")
            place = content
            for parent in parents:
                place = place[parent]
            place[last] = value
        path.write_text(yaml.safe_dump(content, sort_keys=False))  # the order of methods is that of tables


def copy_repository(folder: Path) -> Workflow:
    """The workflow as it is delivered, with the atlases, in a new `folder`."""
    folder.mkdir()
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    for name in ("workflow", "envs", "profiles"):
        shutil.copytree(REPOSITORY / name, folder / name)
    (folder / ATLAS.name).symlink_to(ATLAS)
    return Workflow(folder)


def copy_workflow(folder: Path) -> Workflow:
    """The repository's workflow in `folder`, configured for the smoke study."""
    workflow = copy_repository(folder)
    shutil.copy(Path(__file__).with_name("smoke.yaml"), folder / "workflow" / "studies")
    recipes = yaml.safe_load((folder / "workflow" / "recipes.yaml").read_text())
    (folder / "workflow" / "recipes.yaml").write_text(yaml.safe_dump({**recipes, "smoke-t2": RECIPE}))
    config = {
        "studies": ["smoke"],
        "scale": "quick",
        "datasets": {"ixi": "phantom", "brats21": "phantom"},
        "phantom": {"subjects": {"ixi": 4, "brats21": 3}, "settings": {"spacing_mm": 2.0}},
        "atlas_folder": str(ATLAS),
        "precision": "32-true",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return workflow


@pytest.fixture(scope="session", autouse=True)
def warm_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The workflows of this folder call programs that are loaded once for all."""
    with serve(tmp_path_factory.mktemp("warm") / "bin") as programs, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workflow, "programs", programs)
        yield


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A workflow in which nothing has run."""
    return copy_workflow(tmp_path_factory.mktemp("fresh") / "workflow")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A workflow that has run to the end."""
    workflow = copy_workflow(tmp_path_factory.mktemp("finished") / "workflow")
    workflow.run()
    return workflow


@pytest.fixture
def copied(finished: Workflow, tmp_path: Path) -> Workflow:
    """A copy of the finished workflow that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "workflow", symlinks=True)
    return Workflow(tmp_path / "workflow")
