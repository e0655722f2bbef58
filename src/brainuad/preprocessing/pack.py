"""Packs the derivatives of a data set into memory-mapped arrays, following a recipe, one subject at a time.

    images.npy   (slices, channels, x, y) float16      index.tsv      one row per subject
    lesion.npy   (slices, x, y) bool                   geometry.json  affine of each subject's array grid
    brain.npy    (slices, x, y) bool                   recipe.json    name, settings, channels, size, spacing
    lesion_slices.npy  (slices,) bool: whether a slice showed a lesion before its mask was resized
    equalised.npy      (slices, x, y) float16, where the recipe keeps an equalised copy of a modality
    boxes.tsv    one row per annotated box, where the data set has boxes; then their union is the lesion mask

Slices of a subject are contiguous, from its lowest axial slice to its highest.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.boxes import (
    boxes_path,
    pack_boxes,
    read_boxes,
    union_mask,
    write_packed_boxes,
)
from brainuad.preprocessing.derivatives import brain_mask_path, derivative_path, lesion_mask_path
from brainuad.preprocessing.faults import read_first_byte, refuse_fault
from brainuad.preprocessing.histogram import Reference, load_references
from brainuad.preprocessing.modality_defects import what_lacks
from brainuad.preprocessing.recipe_steps import Scan, apply_steps, lesion_slices
from brainuad.preprocessing.recipes import Recipe
from brainuad.storage import atomic_path, read_json, write_json, write_table

log = logging.getLogger(__name__)

SUBJECT_COLUMNS = ["subject", "participant", "group", "age", "sex", "site", "condition", "held_out"]
ARRAYS = ("images", "lesion", "brain", "lesion_slices")
UNUSED_MASK = "healthy by its report: the lesion mask is not used"


def pack_dataset(
    dataset: str,
    derivatives_folder: Path,
    quality_table: pd.DataFrame,
    recipe_name: str,
    recipe: Recipe,
    output_folder: Path,
    references: Mapping[str, Path] = {},
) -> pd.DataFrame:
    """The index of the packed arrays, after writing them; memory holds one subject at a time.

    A subject that cannot be packed is a row with status `excluded` and its reason. `references` gives the
    derivatives folder of each data set to which the recipe matches histograms.
    """
    matched = load_references(recipe, references)
    geometry: dict[str, list[list[float]]] = {}
    boxes: dict[str, list[dict[str, str | int]]] = {}
    rows = []
    # The rule does not declare it, so Snakemake leaves that of an earlier recipe, which kept a copy.
    (output_folder / "equalised.npy").unlink(missing_ok=True)
    with ExitStack() as stack:
        names = (*ARRAYS, *(["equalised"] if recipe.equalised else []))
        files = {n: stack.enter_context(atomic_path(output_folder / f"{n}.npy", alone=True)) for n in names}
        writers = {name: stack.enter_context(GrowingArray(path)) for name, path in files.items()}
        writer = _CohortWriter(derivatives_folder, recipe, writers, geometry, boxes, matched)
        rows = [writer.add(row) for row in _records(quality_table)]
        if not geometry:
            counted = Counter(row["reason"] for row in rows).most_common(3)
            reasons = "; ".join(f"{reason} ({count})" for reason, count in counted) or "the table is empty"
            raise InputError(
                f"{dataset}: none of {len(rows)} subjects can be packed with recipe '{recipe_name}' "
                f"({reasons}). Look at {derivatives_folder / 'quality.tsv'} and at the recipe's modalities."
            )
    index = pd.DataFrame(rows)
    write_json(geometry, output_folder / "geometry.json")
    description = _description(recipe_name, recipe, writers["images"], geometry)
    subjects = {name: reference.subject for name, reference in matched.items()}
    write_json(description | ({"references": subjects} if subjects else {}), output_folder / "recipe.json")
    write_packed_boxes(boxes, output_folder / "boxes.tsv")
    write_table(index, output_folder / "index.tsv")
    log.info("%s, %s: %d of %d subjects packed", dataset, recipe_name, len(geometry), len(index))
    if unused := index["reason"].str.contains(UNUSED_MASK, regex=False).sum():
        log.warning("%s: %d healthy scans have a lesion mask, which is not used", dataset, unused)
    return index


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None)]


def _description(
    name: str, recipe: Recipe, images: "GrowingArray", geometry: Mapping[str, list[list[float]]]
) -> dict[str, Any]:
    affines = np.array(list(geometry.values()))
    spacing = np.linalg.norm(affines[:, :3, :3], axis=1).mean(axis=0)
    return {
        "name": name,
        "settings": recipe.model_dump(mode="json"),
        "channels": list(recipe.modalities),
        "size": list(images.item_shape[1:]),
        "spacing_mm": [round(float(mm), 6) for mm in spacing],
    }


@dataclass
class _CohortWriter:
    """Appends subjects to the arrays and returns their index rows."""

    folder: Path
    recipe: Recipe
    arrays: Mapping[str, "GrowingArray"]
    geometry: dict[str, list[list[float]]]
    boxes: dict[str, list[dict[str, str | int]]]
    references: Mapping[str, Reference]

    def add(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The index row of a subject, whose slices are appended unless it is excluded."""
        entry = {column: row.get(column, "") for column in SUBJECT_COLUMNS}
        entry |= {"first_slice": "", "slices": 0, "lesion_voxels": ""}
        entry |= {"status": "excluded", "reason": "", "image_hash": ""}
        if row["status"] != "ok":
            return entry | {"reason": row.get("reason") or "excluded by preprocessing"}
        try:
            scan, has_truth = read_scan(self.folder, row, self.recipe.modalities)
            packed = _packed(apply_steps(scan, self.recipe.steps, self.references))
            self._check_size(packed["images"])
            notes = [UNUSED_MASK] if has_unused_mask(self.folder, row) else []
            notes += self._add_boxes(row["subject"], packed, scan.affine)
        except ScanError as error:
            log.warning("%s is not packed: %s", row["subject"], error)
            return entry | {"reason": str(error)}
        first_slice = self.arrays["images"].length
        for name, block in packed.items():
            if name in self.arrays:
                self.arrays[name].append(block)
        self.geometry[row["subject"]] = packed["affine"].tolist()
        return entry | {
            "first_slice": first_slice,
            "slices": len(packed["images"]),
            "lesion_voxels": int(packed["lesion"].sum()) if has_truth else "",
            "status": "ok",
            "reason": "; ".join(notes),
            "image_hash": hashlib.blake2b(packed["images"].data, digest_size=16).hexdigest(),
        }

    def _add_boxes(self, subject: str, packed: dict[str, np.ndarray], affine: np.ndarray) -> list[str]:
        """Remarks on boxes that were lost, after adding the subject's boxes to its lesion mask."""
        path = boxes_path(self.folder, subject)
        if not path.exists():
            return []
        depth, *plane = packed["lesion"].shape
        to_derivative = np.linalg.solve(affine, packed["affine"])
        found, lost = pack_boxes(read_boxes(path), to_derivative, (*plane, depth))
        packed["lesion"] |= union_mask(found, (*plane, depth))
        packed["lesion_slices"] |= packed["lesion"].any(axis=(1, 2))
        self.boxes[subject] = found
        return [f"boxes outside the field of view of the recipe: {lost}"] if lost else []

    def _check_size(self, images: np.ndarray) -> None:
        expected = self.arrays["images"].item_shape
        if expected and images.shape[1:] != expected:
            raise ScanError(
                f"slices of {images.shape[2:]} pixels where the cohort has {expected[1:]}; "
                "a crop_or_pad or resize_in_plane step gives one size"
            )


def _packed(scan: Scan) -> dict[str, np.ndarray]:
    """Slices first, images as float16."""
    with np.errstate(over="ignore"):
        images = scan.images.transpose(3, 0, 1, 2).astype(np.float16)
    if not np.isfinite(images).all():
        raise ScanError("values after the recipe are not finite or exceed float16; add a normalise step")
    kept = {} if scan.equalised is None else {"equalised": scan.equalised.transpose(2, 0, 1)}
    return {
        **{name: np.ascontiguousarray(values.astype(np.float16)) for name, values in kept.items()},
        "lesion_slices": lesion_slices(scan).copy(),
        "images": np.ascontiguousarray(images),
        "lesion": np.ascontiguousarray(scan.lesion.transpose(2, 0, 1)),
        "brain": np.ascontiguousarray(scan.brain.transpose(2, 0, 1)),
        "affine": scan.affine,
    }


def read_scan(folder: Path, row: Mapping[str, Any], modalities: tuple[str, ...]) -> tuple[Scan, bool]:
    """The derivatives of a subject on their common grid, and whether its lesions are known.

    Lesions are known from a mask or boxes, or because the subject is healthy (then there are none, see
    `has_unused_mask`). Without a brain mask file the brain is where any image is positive.
    """
    subject = row["subject"]
    if reason := what_lacks(folder, subject, modalities):
        raise ScanError(reason)
    first = _read(derivative_path(folder, subject, modalities[0]))
    affine = np.asarray(first.affine, dtype=np.float64)
    others = [_read(derivative_path(folder, subject, m)) for m in modalities[1:]]
    images = np.stack([_values(image, first.shape, affine) for image in (first, *others)])
    brain_path, lesion_path = brain_mask_path(folder, subject), lesion_mask_path(folder, subject)
    brain = _mask(brain_path, first.shape, affine) if brain_path.exists() else np.any(images > 0, axis=0)
    has_lesion_mask = lesion_path.exists() and not has_unused_mask(folder, row)
    lesion = _mask(lesion_path, first.shape, affine) if has_lesion_mask else np.zeros(first.shape, dtype=bool)
    known = has_lesion_mask or boxes_path(folder, subject).exists() or row.get("group") == "healthy"
    corrected = _bias_corrected(derivative_path(folder, subject, modalities[0]))
    return Scan(images, brain, lesion, affine, corrected, modalities), known


def has_unused_mask(folder: Path, row: Mapping[str, Any]) -> bool:
    """Whether a subject has a lesion mask, and is healthy by the reports that curation has read.

    An abnormal scan that the reports let in is trained on, and counts as healthy in the evaluation, as in a hospital
    that has no masks of its normal scans: a mask of it must not make the cohort cleaner than curation delivers.
    """
    curated = row.get("held_out", "") != ""
    healthy = curated and row.get("group") == "healthy"
    return healthy and lesion_mask_path(folder, row["subject"]).exists()


def _bias_corrected(image: Path) -> bool:
    """Whether the sidecar of a derivative says that N4 was run."""
    sidecar = image.with_name(image.name.replace(".nii.gz", ".json"))
    return sidecar.exists() and bool(read_json(sidecar).get("Settings", {}).get("n4"))


def _read(path: Path) -> Any:
    import nibabel

    try:
        read_first_byte(path)
        return nibabel.load(path)
    except (OSError, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        refuse_fault(error, path)
        raise ScanError(f"{path.name} cannot be read ({error})") from error


def _values(image: Any, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    path = Path(image.get_filename())
    if image.shape != shape or not np.allclose(image.affine, affine, atol=1e-3):
        raise ScanError(f"{path.name} is not on the grid of the other images of its subject")
    try:
        values = np.asarray(image.dataobj, dtype=np.float32)
    except (OSError, EOFError, MemoryError, ValueError) as error:
        refuse_fault(error, path)
        raise ScanError(f"{path.name} cannot be read ({error})") from error
    if values.ndim != 3 or not np.isfinite(values).all():
        raise ScanError(f"{path.name} is not a volume of finite values")
    return values


def _mask(path: Path, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    return np.asarray(_values(_read(path), shape, affine) > 0.5)


class GrowingArray:
    """A .npy file that grows along its first axis, so that its length need not be known beforehand.

    NumPy pads the header so that the first axis can grow in place; the length is written on closing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length = 0
        self.item_shape: tuple[int, ...] = ()
        self._data_start = 0

    def __enter__(self) -> "GrowingArray":
        self._file = self.path.open("wb")
        return self

    def append(self, block: np.ndarray) -> None:
        """Adds `block` (rows, *item shape), which is C-contiguous, at the end."""
        if not self._data_start:
            self.item_shape, self._dtype = block.shape[1:], block.dtype
            self._data_start = self._write_header()
        assert block.shape[1:] == self.item_shape
        assert block.dtype == self._dtype
        block.tofile(self._file)
        self.length += len(block)

    def _write_header(self) -> int:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.length, *self.item_shape),
        }
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()

    def __exit__(self, *_: object) -> None:
        if self._data_start:
            self._file.seek(0)
            assert self._write_header() == self._data_start
        self._file.close()
