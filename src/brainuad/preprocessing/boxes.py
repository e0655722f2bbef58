"""Boxes around findings, as FastMRI+ annotates them (Zhao 2022, 10.1038/s41597-022-01255-z).

A row of `brain.csv` is a box on one axial slice, or a label of the whole scan (study level) without a box. Columns
x and y count pixels to the right and down in the upright picture, which is how `preprocessing.h5` reads a scan.
Labels that mean normal are no findings. A subject's boxes become a JSON file beside its derivatives; packing turns
them into pixels of the packed grid.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from brainuad.datasets.base import path_inside
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.derivatives import derivative_path, subject_folder
from brainuad.storage import read_json, write_json, write_table

if TYPE_CHECKING:
    import pandas as pd
    import SimpleITK as sitk

ANNOTATION_COLUMNS = ("file", "slice", "study_level", "x", "y", "width", "height", "label")
PACKED_COLUMNS = ("subject", "box", "label", "slice", "x_first", "x_last", "y_first", "y_last")
NORMAL_LABELS = frozenset({"normal for age", "normal variant"})


@dataclass(frozen=True)
class Box:
    """A finding on one slice: its label, first column `x`, first row `y`, and size, in whole voxels from 0."""

    label: str
    slice: int
    x: int
    y: int
    width: int
    height: int


def read_annotations(path: Path) -> "pd.DataFrame":
    """The annotation table as text, files without `.h5`, labels in lower case without "Global label:".

    A file that is missing or has not the columns of FastMRI+ is an `InputError`.
    """
    import pandas as pd

    advice = "Download Annotations/brain.csv of FastMRI+ (https://github.com/microsoft/fastmri-plus) again."
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a readable table of comma-separated values ({error}). {advice}"
        ) from error
    table.columns = [str(name).strip().lower() for name in table.columns]
    if twice := sorted(set(table.columns[table.columns.duplicated()]) & set(ANNOTATION_COLUMNS)):
        raise InputError(f"{path}: two columns are called {', '.join(twice)}. {advice}")
    if missing := [name for name in ANNOTATION_COLUMNS if name not in table.columns]:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; expected {', '.join(ANNOTATION_COLUMNS)}. {advice}"
        )
    table = table[list(ANNOTATION_COLUMNS)].apply(lambda column: column.str.strip())
    if broken := table["file"][table["label"].str.contains("\n")].tolist():
        raise InputError(
            f"{path}: a label of {broken[0]} goes on in the next line (a lost quotation mark?). {advice}"
        )
    table["file"] = table["file"].str.removesuffix(".h5")
    table["label"] = table["label"].str.lower().str.removeprefix("global label:").str.strip()
    table["study_level"] = table["study_level"].str.lower()
    return table


def study_labels(rows: Iterable[Mapping[Any, str]]) -> list[str]:
    """The labels of whole scans among annotation rows, in their order, each once."""
    return list(dict.fromkeys(row["label"] for row in rows if row["study_level"] == "yes"))


def finding_boxes(rows: Iterable[Mapping[Any, str]]) -> list[Box]:
    """The boxes of findings among annotation rows; one that cannot be read is a `ScanError`."""
    found = []
    for row in rows:
        if not row["label"]:
            raise ScanError("boxes: a row has no label")
        if row["study_level"] not in ("yes", "no"):
            raise ScanError(f"boxes: study_level is '{row['study_level']}', expected Yes or No")
        if row["study_level"] == "no" and row["label"] not in NORMAL_LABELS:
            numbers = {name: _number(row, name) for name in ("slice", "x", "y", "width", "height")}
            if min(numbers["width"], numbers["height"]) < 1:
                raise ScanError(f"boxes: the box of '{row['label']}' on slice {row['slice']} has no area")
            found.append(Box(label=row["label"], **numbers))
    return found


def _number(row: Mapping[Any, str], name: str) -> int:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ScanError(f"boxes: {name} = '{row[name]}' of '{row['label']}' is not a number")
    if name == "slice" and value % 1:
        raise ScanError(f"boxes: slice = '{row[name]}' of '{row['label']}' is not a whole number")
    return round(value)


def inside_volume(boxes: Iterable[Box], size: tuple[int, int, int]) -> tuple[list[Box], list[str]]:
    """The boxes cut to a volume of (x, y, z) voxels, and a remark for each kind that is left out."""
    kept, beyond, outside = [], 0, 0
    for box in boxes:
        x, y = max(box.x, 0), max(box.y, 0)
        width, height = min(box.x + box.width, size[0]) - x, min(box.y + box.height, size[1]) - y
        if not 0 <= box.slice < size[2]:
            beyond += 1
        elif width < 1 or height < 1:
            outside += 1
        else:
            kept.append(Box(box.label, box.slice, x, y, width, height))
    remarks = [
        f"{count} {'box' if count == 1 else 'boxes'} {where}"
        for count, where in (
            (beyond, f"on slices beyond the {size[2]} of the scan"),
            (outside, "outside the image"),
        )
        if count
    ]
    return kept, remarks


def boxes_path(derivatives: Path, subject: str) -> Path:
    """The file of a subject's boxes in voxels of its derivatives; absent where the data set annotates none."""
    return subject_folder(derivatives, subject) / "anat" / f"sub-{subject}_boxes.json"


def write_boxes(
    row: Mapping[str, str], root: Path, modality: str, scan: "sitk.Image", derivatives: Path
) -> list[str]:
    """Remarks for the quality table, after writing the boxes of a subject whose derivatives are there.

    `row` is a row of the cohort table: its `boxes` names the annotations, its `modality` the annotated file, read as
    `scan`. A row without `boxes` writes nothing. Boxes are known on the grid of the scan alone; where the derivative
    has another one, nothing is written.
    """
    if not row.get("boxes"):
        return []
    import SimpleITK as sitk

    from brainuad.preprocessing.scan import same_grid

    subject = row["subject"]
    if not same_grid(scan, sitk.ReadImage(str(derivative_path(derivatives, subject, modality)))):
        return ["boxes left out: the derivative is not on the grid of the scan (set atlas: none)"]
    table = read_annotations(path_inside(root, row["boxes"]))
    rows = table[table["file"] == PurePath(row[modality]).stem].to_dict("records")
    kept, remarks = inside_volume(finding_boxes(rows), scan.GetSize())
    write_json([asdict(box) for box in kept], boxes_path(derivatives, subject))
    return remarks


def read_boxes(path: Path) -> list[Box]:
    """The boxes that `write_boxes` wrote; a file that holds none is a `ScanError`."""
    try:
        return [Box(**entry) for entry in read_json(path)]
    except (InputError, TypeError) as error:
        raise ScanError(f"{path.name} cannot be read") from error


def pack_boxes(
    boxes: Iterable[Box], to_derivative: np.ndarray, shape: tuple[int, int, int]
) -> tuple[list[dict[str, str | int]], int]:
    """The boxes on a packed grid of (x, y, z) voxels, as columns of `boxes.tsv`, and how many were lost in the plane.

    `to_derivative` (4 x 4, without rotation) leads from voxels of the packed grid to voxels of the derivative. A
    pixel belongs to a box if the derivative voxel nearest to its centre does, as a mask resampled to the nearest
    voxel. A box that no pixel falls into keeps the pixel nearest to its centre, if that lies in the field of view;
    otherwise it is lost. Boxes on slices that are not kept do not count.
    """
    scale, offset = np.diag(to_derivative)[:3], to_derivative[:3, 3]
    packed: list[dict[str, str | int]] = []
    lost = 0
    for box in boxes:
        place = round(float((box.slice - offset[2]) / scale[2]))
        if not 0 <= place < shape[2] or abs(place * scale[2] + offset[2] - box.slice) > max(
            0.5, scale[2] / 2
        ):
            continue
        columns = _covered(box.x, box.width, scale[0], offset[0], shape[0])
        rows = _covered(box.y, box.height, scale[1], offset[1], shape[1])
        if columns is None or rows is None:
            lost += 1
            continue
        corners = dict(zip(PACKED_COLUMNS[4:], (*columns, *rows), strict=True))
        packed.append({"label": box.label, "slice": place, **corners})
    return packed, lost


def _covered(first: int, count: int, scale: float, offset: float, size: int) -> tuple[int, int] | None:
    """The first and last packed pixel along one axis, None where there is none."""
    nearest = np.floor(np.round(np.arange(size) * scale + offset + 0.5, 6))
    inside = np.flatnonzero((nearest >= first) & (nearest < first + count))
    if inside.size:
        return int(inside[0]), int(inside[-1])
    centre = round((first + (count - 1) / 2 - offset) / scale)
    return (centre, centre) if 0 <= centre < size else None


def union_mask(packed: Iterable[Mapping[str, str | int]], shape: tuple[int, int, int]) -> np.ndarray:
    """The mask (slice, x, y) of the pixels in any packed box."""
    mask = np.zeros((shape[2], *shape[:2]), dtype=bool)
    for box in packed:
        x_first, x_last, y_first, y_last = (int(box[name]) for name in PACKED_COLUMNS[4:])
        mask[int(box["slice"]), x_first : x_last + 1, y_first : y_last + 1] = True
    return mask


def write_packed_boxes(boxes: Mapping[str, list[dict[str, str | int]]], path: Path) -> None:
    """Writes `boxes.tsv` from the packed boxes of each subject; without any subject there is no such file."""
    import pandas as pd

    if not boxes:
        path.unlink(missing_ok=True)
        return
    rows = [
        {"subject": subject, "box": number, **box}
        for subject, found in boxes.items()
        for number, box in enumerate(found)
    ]
    write_table(pd.DataFrame(rows, columns=list(PACKED_COLUMNS)), path)
