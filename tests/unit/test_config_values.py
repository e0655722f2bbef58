"""Folders and values of config.yaml that are wrong beyond their type are named before the first job."""

from pathlib import Path
from typing import Any

import pytest

from brainuad.plan_reader import read_plan
from tests.unit.configurations import WORKFLOW, errors_of


def test_a_folder_that_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_: Any, root: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr("brainuad.datasets.ixi.Ixi.subjects", refuse)
    datasets = {"ixi": str(tmp_path), "brats21": "phantom", "mslub": "phantom"}
    (line,) = errors_of({"datasets": datasets})
    assert "datasets.ixi" in line
    assert "cannot be read (Permission denied)" in line


def test_the_home_folder_of_nobody_is_named() -> None:
    (line,) = errors_of({"atlas_folder": "~nobody-of-this-name/atlas"})
    assert "atlas_folder" in line
    assert "nobody's home folder" in line


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plaques", [0, 80]),
        ("plaques", [80, 12]),
        ("plaques", [12, 100_000]),
        ("tumour_radius_mm", [0, 25]),
        ("tumour_radius_mm", [25, 6]),
        ("tumour_radius_mm", [6, float("inf")]),
    ],
)
def test_lesions_of_the_phantom_need_a_range_above_zero(key: str, value: list[float]) -> None:
    (line,) = errors_of({"phantom": {"settings": {key: value}}})
    assert line.startswith(f"config.yaml: phantom.settings: {key} = [{value[0]}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("brain_ml", [2300, 700]),
        ("air_hu", [-850, -1024]),
        ("tissue_hu", [60, 10]),
        ("head_ml", [8000, 1500]),
    ],
)
def test_a_plausible_range_the_other_way_round_is_an_error(key: str, value: list[float]) -> None:
    own = {"preprocessing": {"plausible": {key: value}}}
    (line,) = errors_of({"datasets": {"ixi": own, "brats21": "phantom", "mslub": "phantom"}})
    assert line.startswith(f"config.yaml: datasets.ixi.preprocessing: plausible.{key}: ")
    assert f"[{value[0]}, {value[1]}] is not a range, lowest first" in line


def test_an_anatomy_without_label_maps_is_named(tmp_path: Path) -> None:
    config = {"phantom": {"settings": {"anatomy": str(tmp_path)}}}
    (line,) = errors_of(config)
    assert line.startswith(f"config.yaml: phantom.settings.anatomy = '{tmp_path}': no label map")
    (tmp_path / "one_dseg.nii.gz").touch()
    read_plan(config, WORKFLOW)


@pytest.mark.parametrize("name", ["brats21", "mslub", "ixi"])
def test_other_studies_do_not_change_how_a_data_set_is_preprocessed(name: str) -> None:
    alone = read_plan({"studies": ["behrendt2023"]}, WORKFLOW)
    together = read_plan({"studies": ["behrendt2023", "kascenas2023", "frotscher2023"]}, WORKFLOW)
    assert alone.preprocessing(name) == together.preprocessing(name)


def test_modalities_of_ones_own_are_all_that_is_preprocessed() -> None:
    own = {"brats21": {"preprocessing": {"modalities": ["t1", "t2"]}}, "ixi": "phantom", "mslub": "phantom"}
    settings = read_plan({"datasets": own}, WORKFLOW).preprocessing("brats21")
    assert settings.wanted == ("t1", "t2")
    own["brats21"] = {"preprocessing": {"modalities": ["t1", "t2"], "optional_modalities": ["flair"]}}
    assert read_plan({"datasets": own}, WORKFLOW).preprocessing("brats21").wanted == ("t1", "t2", "flair")
