"""Every configuration that README and documentation show runs as it is written, on scans instead of phantoms."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.plan import Plan
from brainuad.plan_leaderboard import own_datasets
from brainuad.plan_reader import read_plan
from brainuad.study import overlay
from tests.unit.real_folders import write_folder, yaml_blocks

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
STUDIES = sorted(path.stem for path in (REPOSITORY / "workflow/studies").glob("*.yaml"))
DELIVERED = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
NEW_STUDY = re.compile(r"workflow/studies/([\w-]+)\.yaml")


def documented() -> list[Any]:
    """The configurations of all pages, each with the page that shows it."""
    found = []
    for page in PAGES:
        for number, (_, text) in enumerate(yaml_blocks(page.read_text())):
            block = yaml.safe_load(text)
            if isinstance(block, dict) and ("studies" in block or isinstance(block.get("datasets"), dict)):
                name = f"{page.relative_to(REPOSITORY)}-{number}"
                found.append(pytest.param(page, block, id=name))
    return found


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "workflow", tmp_path / "workflow")
    return tmp_path / "workflow"


def with_studies(workflow: Path, page: Path) -> Path:
    """The workflow with the studies that a page tells to write."""
    text = page.read_text()
    for place, block in yaml_blocks(text):
        content = yaml.safe_load(block)
        if isinstance(content, dict) and {"title", "splits", "methods"} <= content.keys():
            named = [found[1] for found in NEW_STUDY.finditer(text[:place]) if found[1] not in STUDIES]
            (workflow / f"studies/{named[-1]}.yaml").write_text(yaml.safe_dump(content))
    return workflow


def with_folders(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The configuration with folders in which there are scans in place of /data/…."""
    changed = dict(config.get("datasets", {}))
    for name, entry in changed.items():
        given = {"path": entry} if isinstance(entry, str) else entry
        if str(given.get("path", "")).startswith("/data/"):
            root = folder / given["path"].removeprefix("/data/")
            path = write_folder(root, given.get("format", name))
            changed[name] = path if isinstance(entry, str) else {**entry, "path": path}
    return {**config, "datasets": changed} if changed else config


@pytest.mark.parametrize(("page", "config"), documented())
def test_a_documented_configuration_over_the_delivered_one_is_valid(
    workflow: Path, tmp_path: Path, page: Path, config: dict[str, Any]
) -> None:
    config = with_folders(config, tmp_path / "data")
    plan = read_plan(overlay(DELIVERED, config), with_studies(workflow, page))
    if "studies" in config:
        assert not any(map(plan.is_phantom, plan.used_datasets()))


@pytest.mark.parametrize(
    ("page", "config"), [shown for shown in documented() if {"studies", "datasets"} <= shown.values[1].keys()]
)
def test_a_documented_configuration_that_names_its_studies_is_valid_by_itself(
    workflow: Path, tmp_path: Path, page: Path, config: dict[str, Any]
) -> None:
    config = with_folders(config, tmp_path / "data")
    plan = read_plan(config, with_studies(workflow, page))
    assert set(plan.used_datasets()) <= config["datasets"].keys()


def test_the_documented_t2_of_a_bids_folder_serves_a_study_of_t2(workflow: Path, tmp_path: Path) -> None:
    text = (REPOSITORY / "docs/your-own-data.md").read_text().split("A T1w is required")[1]
    config = with_folders(yaml.safe_load(yaml_blocks(text)[0][1]), tmp_path / "data")
    page = REPOSITORY / "docs/configuration.md"
    plan = read_plan({**config, "studies": ["my_study"]}, with_studies(workflow, page))
    settings = plan.preprocessing("my_cohort")
    assert (settings.modalities, settings.optional_modalities, settings.reference) == (("t2",), (), "t2")


def cells(page: Path, key: str) -> list[list[str]]:
    """The cells of the rows of a page in which one cell is `key`."""
    rows = [line.strip("| ").split("|") for line in page.read_text().splitlines() if line.startswith("|")]
    return [found for row in rows if key in (found := [cell.strip() for cell in row])]


def plan_of(study: str) -> Plan:
    return read_plan({**DELIVERED, "studies": [study]}, REPOSITORY / "workflow")


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "quickstart"])
def test_the_table_of_studies_names_all_data_sets_of_a_study(name: str) -> None:
    plan = plan_of(name)
    (row,) = cells(REPOSITORY / "docs/your-own-data.md", f"`{name}`")
    own, alone = (set(re.findall(r"`(\w+)`", cell)) for cell in row[2:4])
    needed = own_datasets(plan.studies[name]) - plan.studies[name].synthetic.keys()
    assert own == {plan.scans_of(dataset) for dataset in needed}
    assert alone == set(plan.studies[name].leaderboard_datasets) - needed


@pytest.mark.parametrize("name", STUDIES)
def test_the_cards_of_data_sets_name_the_studies_that_use_them(name: str) -> None:
    cards = {"msseg": "shifts", "ljubljana": "shifts"}
    for dataset in plan_of(name).studies[name].splits:
        card = REPOSITORY / f"docs/datasets/{cards.get(dataset, dataset)}.md"
        for row in cells(card, "Used by"):
            assert f"`{name}`" in " ".join(row), dataset
