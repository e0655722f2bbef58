"""Sidecars, transforms and the description of a derivatives folder: what was made from what, and how."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from brainuad.preprocessing.derivatives import description_path
from brainuad.preprocessing.scan import write_image
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.storage import atomic_path, read_json, write_json

BIDS_VERSION = "1.10.0"
# Settings that are paths say nothing elsewhere.
OF_THIS_MACHINE: Any = {"hd_bet": {"program", "weights"}, "ct_template": True}


def write_transform(transform: sitk.Transform, path: Path) -> None:
    """Writes a SimpleITK transform file."""
    with atomic_path(path) as temporary:
        sitk.WriteTransform(transform, str(temporary))


def write_with_sidecar(image: sitk.Image, path: Path, sidecar: Mapping[str, Any]) -> None:
    """Writes an image and, under the same name, the JSON file that describes it."""
    write_image(image, path)
    write_json(dict(sidecar), path.with_name(path.name.removesuffix(".nii.gz") + ".json"))


def common_sidecar(source: str, settings: PreprocessingSettings) -> dict[str, Any]:
    """What the sidecars of a subject share; `source` is a path relative to the data set's root."""
    return {
        "Sources": [f"bids:raw:{source}"],
        "SpatialReference": settings.space,
        "SkullStripEngine": settings.skull_strip,
        "Registration": "none" if settings.atlas == "none" else settings.registration,
        **({"RegisteredTo": Path(settings.ct_template).name} if settings.ct_template else {}),
        "Settings": settings.model_dump(mode="json", exclude=OF_THIS_MACHINE),
    }


def describe_derivatives(derivatives: Path, space: str) -> None:
    """Writes `dataset_description.json`, the provenance and space of a derivatives folder, unless it is there."""
    path = description_path(derivatives)
    programs = ("brain-uad", "SimpleITK")
    description = {
        "Name": f"{Path(derivatives).name} in {space} space",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "Space": space,
        "GeneratedBy": [{"Name": name, "Version": version(name)} for name in programs],
    }
    if not path.is_file() or read_json(path) != description:
        write_json(description, path)
