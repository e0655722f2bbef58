"""The documentation says what the code does: settings, keys, links, rules, tables and examples."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from brainuad.config import Config, DatasetLocation
from brainuad.datasets.base import Dataset
from brainuad.datasets.bids import Bids
from brainuad.datasets.registry import BUILT_IN
from brainuad.evaluation.settings import Protocol
from brainuad.methods.base import AnyDimensionSettings
from brainuad.methods.registry import models, scoring_rules
from brainuad.plan_reader import read_plan
from brainuad.preprocessing.quality import QUALITY_COLUMNS
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.study import ModelEntry, Study, overlay, resolved

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"
PAGES = sorted(
    [README, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "results/README.md", *DOCS.rglob("*.md")]
)
STUDIES = sorted((REPOSITORY / "workflow/studies").glob("*.yaml"))
METHODS: list[Any] = [*models().values(), *scoring_rules().values()]
VOLUMETRIC = [model for model in models().values() if issubclass(model.settings_class, AnyDimensionSettings)]
METHOD_PAGES = sorted((DOCS / "methods").glob("*.md"))
# Mappings whose keys are the user's, shown as one value.
WHOLE = {"datasets", "phantom.subjects"}


def text(value: Any) -> str:
    """A value as it is written in the tables of the documentation."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {text(entry)}" for key, entry in value.items()) + "}"
    return str(value)


def leaves(content: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every key, with dots for nesting, and its value as text."""
    for name, value in content.items():
        key = above + name
        if isinstance(value, dict) and value and key not in WHOLE:
            yield from leaves(value, f"{key}.")
        else:
            yield key, text(value)


def rows(page: str) -> list[list[str]]:
    """The cells of all rows of all tables of a page."""
    return [
        [cell.strip() for cell in line.strip("|").split(" |")]
        for line in page.splitlines()
        if line[:1] == "|"
    ]


def has_row(page: str, *cells: str) -> bool:
    return any(row[: len(cells)] == list(cells) for row in rows(page))


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def without_code(page: str) -> str:
    return re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    return {
        slug(heading) for heading in re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.MULTILINE)
    }


def edges(graph: str) -> set[tuple[str, str]]:
    """The arrows of a mermaid graph, by the names of the rules."""
    names = dict(re.findall(r"^\s*(\w+)\[(\w+)\]", graph, re.MULTILINE))
    arrows = re.findall(r"^\s*(\w+) --> (\w+)", graph, re.MULTILINE)
    return {(names.get(a, a), names.get(b, b)) for a, b in arrows}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_method_page_lists_every_setting_with_its_paper_and_quick_value(method: Any) -> None:
    module = method.__module__.rsplit(".", 1)[1]
    name = {"reconstruction": "dae", "anoddpm": "ddpm"}.get(module, module.replace("_", "-"))
    page = DOCS / "methods" / f"{name}.md"
    paper = method.settings_class().model_dump(mode="json")
    quick = method.settings_class.model_validate(overlay(paper, method.quick)).model_dump(mode="json")
    at_quick = dict(leaves(quick))
    wanted = [
        (f"`{key}`", f"`{value}`", "" if at_quick[key] == value else f"`{at_quick[key]}`")
        for key, value in leaves(paper)
    ]
    assert [row for row in wanted if not has_row(page.read_text(), *row)] == []


@pytest.mark.parametrize("model", VOLUMETRIC, ids=lambda model: model.__name__)
def test_method_page_lists_the_settings_that_are_others_in_three_dimensions(model: Any) -> None:
    page = DOCS / "methods" / f"{model.__module__.rsplit('.', 1)[1].replace('_', '-')}.md"
    section = page.read_text().split("\n## Volumes\n")[1].split("\n## ")[0]
    in_2d, in_3d, quick = (
        dict(
            leaves(
                resolved(model.settings_class, ModelEntry(kind=model.kind, settings=given), model.quick, at)
            )
        )
        for given, at in (({}, "paper"), ({"dimension": 3}, "paper"), ({"dimension": 3}, "quick"))
    )
    wanted = [
        (f"`{key}`", f"`{value}`", "" if quick[key] == value else f"`{quick[key]}`")
        for key, value in in_3d.items()
        if value != in_2d[key] and key != "dimension"
    ]
    assert [row for row in wanted if not has_row(section, *row)] == []


@pytest.mark.parametrize("path", METHOD_PAGES, ids=lambda path: path.stem)
def test_method_page_has_an_equation_a_picture_settings_cost_reference_and_deviations(path: Path) -> None:
    page = without_code(path.read_text())
    sections = dict(section.split("\n", 1) for section in page.split("\n## ")[1:])
    for name in ("Settings", "Cost", "Reference", "Known deviations"):
        found = [body for heading, body in sections.items() if heading.startswith(name)]
        assert found, name
        assert all(body.strip() for body in found), name
    settings = [body for heading, body in sections.items() if heading.startswith("Settings")]
    assert any(has_row(body, "key", "paper", "quick", "meaning") for body in settings)
    assert re.search(r"\$\$[^$]+\$\$", page)
    assert re.search(r"!\[[^]]+\]\(\.\./images/methods/\S+\)", page)


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_the_page_on_weights_lists_the_networks_that_each_study_needs_at_paper_scale(study: Path) -> None:
    page = (DOCS / "perceptual-weights.md").read_text()
    needed = read_plan({"studies": [study.stem], "scale": "paper"}, study.parents[1])
    networks = ", ".join(f"`{name}`" for name in sorted(needed.pretrained_networks(study.stem)))
    listed = [row[1] for row in rows(page) if row[0] == f"`{study.stem}`"]
    assert listed == ([networks] if networks else [])


def configuration_keys() -> list[tuple[str, str]]:
    config = Config().model_dump(mode="json")
    # A data set without a path is written as one word.
    config["datasets"] = dict.fromkeys(config["datasets"], "phantom")
    location = {f"datasets.NAME.{key}": text(value) for key, value in DatasetLocation().model_dump().items()}
    preprocessing = PreprocessingSettings().model_dump(mode="json")
    return [*leaves(config), *location.items(), *leaves(preprocessing)]


@pytest.mark.parametrize(("key", "default"), configuration_keys())
def test_configuration_page_lists_every_key_with_its_default(key: str, default: str) -> None:
    assert has_row((DOCS / "configuration.md").read_text(), f"`{key}`", f"`{default}`")


@pytest.mark.parametrize("dataset", [*BUILT_IN.values(), Bids("BIDS")], ids=lambda dataset: dataset.name)
def test_configuration_page_lists_what_each_data_set_changes(dataset: Dataset) -> None:
    page = (DOCS / "configuration.md").read_text().split("Each data set changes some of these defaults")[1]
    (changes,) = (
        row[1] for row in rows(page.split("\n## ")[0]) if dataset.name in re.findall(r"\w+", row[0])
    )
    defaults = dict(leaves(PreprocessingSettings().model_dump(mode="json")))
    own = leaves(dataset.preprocessing.model_dump(mode="json"))
    wanted = {f"{key}: {value}" for key, value in own if value != defaults[key]}
    assert set(re.findall(r"`([^`]+)`", changes)) == wanted


def test_configuration_page_lists_every_key_of_a_study() -> None:
    named = {
        name
        for row in rows((DOCS / "configuration.md").read_text())
        for name in re.findall(r"`(\w+)`", row[0])
    }
    assert {*Study.model_fields, "quick"} - named == set()


def test_configuration_page_lists_every_step_of_a_recipe() -> None:
    page = (DOCS / "configuration.md").read_text()
    schema = Recipe.model_json_schema()
    steps = schema["properties"]["steps"]["items"]["discriminator"]["mapping"]
    assert [name for name in steps if f"| `{name}` |" not in page] == []


def test_the_quality_page_lists_every_column() -> None:
    page = (DOCS / "your-own-data.md").read_text()
    assert [column for column in QUALITY_COLUMNS if f"`{column}`" not in page] == []


def test_the_evaluation_page_lists_every_protocol() -> None:
    page = (DOCS / "evaluation.md").read_text()
    assert [protocol for protocol in get_args(Protocol) if not has_row(page, f"`{protocol}`")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_between_pages_and_files_resolve(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_targets_of_make_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", page.read_text(), re.MULTILINE)) - targets == set()


def test_the_rule_graph_in_the_readme_is_that_of_the_workflow(tmp_path: Path) -> None:
    # An empty configuration is that of the phantom, wherever the user's data lie.
    (tmp_path / "config.yaml").write_text("{}\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(tmp_path), "--rulegraph", "mermaid-js"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    printed = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    ).stdout
    shown = re.search(r"^```mermaid\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert edges(printed)
    assert edges(shown[1]) == edges(printed)


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_the_readme_names_every_study_and_every_row_that_is_not_in_this_version(study: Path) -> None:
    page = README.read_text()
    content = yaml.safe_load(study.read_text())
    assert f"| `{study.stem}`" in page
    for name, table in content["tables"].items():
        unavailable = [row["label"] for row in table["rows"] if row.get("unavailable")]
        listed = [row[2] for row in rows(page) if row[0] == f"`{study.stem}`, `{name}`"]
        assert (", ".join(unavailable) == listed[0]) if unavailable else not listed


def test_the_example_study_is_valid(tmp_path: Path) -> None:
    section = (DOCS / "configuration.md").read_text().split("### Adding a study")[1]
    study, config = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    for number in range(8):
        (tmp_path / "bids" / f"sub-{number}" / "anat").mkdir(parents=True)
    config["datasets"]["my_cohort"]["path"] = str(tmp_path / "bids")
    (tmp_path / "workflow/studies").mkdir(parents=True)
    recipes = (REPOSITORY / "workflow/recipes.yaml").read_text()
    (tmp_path / "workflow/recipes.yaml").write_text(recipes)
    (tmp_path / "workflow/studies/my_study.yaml").write_text(yaml.safe_dump(study))
    plan = read_plan(config, tmp_path / "workflow")
    assert isinstance(plan.studies["my_study"], BaseModel)
    assert len(plan.subjects("my_cohort")) == 8
