"""Packed arrays of a data set, read lazily, and the way back from their grid to the atlas."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from brainuad.errors import InputError
from brainuad.storage import read_json, read_table

if TYPE_CHECKING:
    import nibabel

AGAIN = "Pack the data set again."
INDEX_INTEGERS = ["first_slice", "slices", "lesion_voxels"]
INDEX_COLUMNS = ["subject", "group", "status", *INDEX_INTEGERS]
BOX_INTEGERS = ["box", "slice", "x_first", "x_last", "y_first", "y_last"]
BOX_COLUMNS = ["subject", "box", "label", "slice", "x_first", "x_last", "y_first", "y_last"]


@dataclass(frozen=True)
class Volume:
    """One subject's packed arrays: images (slice, channel, x, y) float32, masks (slice, x, y) bool.

    `clean` is the image before a synthetic anomaly was put in, `equalised` (slice, x, y) the copy of a modality that
    the recipe equalised; None where there is none.
    """

    subject: str
    images: np.ndarray
    brain: np.ndarray
    lesion: np.ndarray
    clean: np.ndarray | None = None
    equalised: np.ndarray | None = None


@dataclass(frozen=True)
class ArrayStore:
    """The arrays in a folder that `pack_dataset` wrote; nothing is read before it is asked for."""

    folder: Path

    @cached_property
    def index(self) -> pd.DataFrame:
        """One row per subject, indexed by subject; integer columns are nullable (`Int64`)."""
        path = self.folder / "index.tsv"
        table = read_table(path)
        if fault := _index_fault(table):
            raise InputError(f"{path}: {fault}. {AGAIN}")
        for column in INDEX_INTEGERS:
            table[column] = pd.to_numeric(table[column]).astype("Int64")
        return table.set_index("subject", drop=False)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What recipe.json holds: name, settings, channels, size, spacing_mm."""
        return read_json(self.folder / "recipe.json")

    @property
    def channels(self) -> list[str]:
        """The modalities in channel order."""
        return self._described("channels", str)

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of a slice along x and y."""
        x, y = self._described("size", int, 2)
        return x, y

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along x, y and z."""
        x, y, z = self._described("spacing_mm", (int, float), 3)
        return x, y, z

    def _described(self, key: str, kind: Any, count: int | None = None) -> list[Any]:
        """A list that recipe.json holds: `count` values of a kind."""
        values = self.recipe.get(key) if isinstance(self.recipe, dict) else None
        good = isinstance(values, list) and all(isinstance(value, kind) for value in values)
        if not good or not values or count not in (None, len(values)) or (count and min(values) <= 0):
            raise InputError(f"{self.folder / 'recipe.json'}: {key} is not what packing writes. {AGAIN}")
        return list(values)

    @property
    def subjects(self) -> list[str]:
        """The subjects that have arrays, in the order of the index."""
        return self.index.index[self.index["status"] == "ok"].tolist()

    def lesions_known(self, subject: str) -> bool:
        """Whether the lesion mask of a subject is its truth; without one, the arrays hold an empty mask."""
        return not pd.isna(self.index["lesion_voxels"][subject])

    @cached_property
    def images(self) -> np.ndarray:
        """All slices as a memory map, (slice, channel, x, y) float16."""
        return self._array("images")

    @cached_property
    def lesion(self) -> np.ndarray:
        """Lesion masks of all slices as a memory map, (slice, x, y) bool."""
        return self._array("lesion")

    @cached_property
    def brain(self) -> np.ndarray:
        """Brain masks of all slices as a memory map, (slice, x, y) bool."""
        return self._array("brain")

    @cached_property
    def clean(self) -> np.ndarray | None:
        """The images before synthetic anomalies were put in, as `images`; None where there are none."""
        return self._array("clean") if (self.folder / "clean.npy").exists() else None

    @cached_property
    def equalised(self) -> np.ndarray | None:
        """The equalised copy of a modality, (slice, x, y) float16; None where the recipe keeps none."""
        return self._array("equalised") if (self.folder / "equalised.npy").exists() else None

    @cached_property
    def lesion_slices(self) -> np.ndarray:
        """Whether each slice showed a lesion before its mask was resized, (slice,) bool."""
        return self._array("lesion_slices")

    @cached_property
    def boxes(self) -> pd.DataFrame:
        """One row per annotated box: label, slice within the volume, first and last pixel along x and y.

        Empty where the data set has no boxes.
        """
        path = self.folder / "boxes.tsv"
        table = read_table(path) if path.exists() else pd.DataFrame(columns=BOX_COLUMNS, dtype=str)
        if missing := [column for column in BOX_COLUMNS if column not in table]:
            raise InputError(f"{path}: the columns {', '.join(missing)} are missing. {AGAIN}")
        try:
            return table.astype(dict.fromkeys(BOX_INTEGERS, int))
        except ValueError as error:
            raise InputError(f"{path}: not whole numbers in every row ({error}). {AGAIN}") from error

    @cached_property
    def sphere_diameters_mm(self) -> pd.Series:
        """The diameter of the largest sphere that was planted into each subject, by subject; empty without any."""
        path = self.folder / "planted.tsv"
        planted = read_table(path) if path.exists() else pd.DataFrame()
        if not {"subject", "diameter_mm"} <= set(planted):
            return pd.Series(dtype=float)
        try:
            return planted["diameter_mm"].astype(float).groupby(planted["subject"]).max()
        except ValueError as error:
            raise InputError(
                f"{path}: diameter_mm is not a number in every row ({error}). "
                f"Delete {self.folder / 'index.tsv'} and run again."
            ) from error

    @cached_property
    def _geometry(self) -> dict[str, list[list[float]]]:
        return read_json(self.folder / "geometry.json")

    def slices(self, subject: str) -> slice:
        """Where the subject's slices lie along the first axis of the arrays."""
        if subject not in self.index.index or self.index.at[subject, "status"] != "ok":
            raise InputError(f"{self.folder / 'index.tsv'}: no packed subject '{subject}'.")
        first, count = (int(self.index.loc[[subject], name].iloc[0]) for name in ("first_slice", "slices"))
        return slice(first, first + count)

    def image_hash(self, subject: str) -> str:
        """A hash of the subject's images, so that results made from other images are known as such."""
        return str(self.index["image_hash"].get(subject, "")) if "image_hash" in self.index else ""

    def affine(self, subject: str) -> np.ndarray:
        """The 4 × 4 affine of the subject's array grid (x, y, z) in atlas space."""
        self.slices(subject)
        path, geometry = self.folder / "geometry.json", self._geometry
        try:
            affine = np.array(geometry[subject], dtype=float)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: no affine of {subject}. {AGAIN}") from error
        if affine.shape != (4, 4):
            raise InputError(f"{path}: the affine of {subject} is not 4 x 4. {AGAIN}")
        return affine

    def volume(self, subject: str) -> Volume:
        """The subject's arrays in memory."""
        where = self.slices(subject)
        return Volume(
            subject=subject,
            images=self.images[where].astype(np.float32),
            brain=np.array(self.brain[where]),
            lesion=np.array(self.lesion[where]),
            clean=None if self.clean is None else self.clean[where].astype(np.float32),
            equalised=None if self.equalised is None else self.equalised[where].astype(np.float32),
        )

    def _array(self, name: str) -> np.ndarray:
        path = self.folder / f"{name}.npy"
        try:
            found = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"{path}: not a readable array ({error}). {AGAIN}") from error
        channels = [len(self.channels)] if name in ("images", "clean") else []
        if list(found.shape[1:]) != ([] if name == "lesion_slices" else [*channels, *self.size]):
            raise InputError(f"{path}: slices of {found.shape[1:]} are not those of recipe.json. {AGAIN}")
        needed = int((self.index["first_slice"] + self.index["slices"]).max())
        if len(found) < needed:
            raise InputError(f"{path}: {len(found)} slices where index.tsv has {needed}. {AGAIN}")
        return found


def _index_fault(table: pd.DataFrame) -> str:
    """What makes an index unusable; empty if nothing does."""
    if missing := [column for column in INDEX_COLUMNS if column not in table]:
        return f"the columns {', '.join(missing)} are missing"
    if twice := table.loc[table["subject"].duplicated(), "subject"].tolist():
        return f"{', '.join(twice[:5])} more than once"
    for column in INDEX_INTEGERS:
        packed = table["status"] == "ok" if column != "lesion_voxels" else False
        numbers = pd.to_numeric(table.loc[packed | (table[column] != ""), column], errors="coerce")
        if not (numbers.mod(1).eq(0) & numbers.ge(0)).all():
            return f"{column} is not a whole number in every row"
    return ""


def to_volume_axes(slices_first: np.ndarray) -> np.ndarray:
    """The array with its first axis last: (slice, x, y) becomes (x, y, z), (slice, c, x, y) (c, x, y, z)."""
    return np.moveaxis(slices_first, 0, -1)


def map_to_derivative(
    anomaly_map: np.ndarray, affine: np.ndarray, reference: "nibabel.Nifti1Image"
) -> "nibabel.Nifti1Image":
    """The map (x, y, z), whose grid has `affine`, on a derivative's grid: linear, 0 outside its field."""
    import nibabel
    from nibabel.processing import resample_from_to

    source = nibabel.Nifti1Image(np.asarray(anomaly_map, dtype=np.float32), affine)
    target = (reference.shape[:3], reference.affine)
    return resample_from_to(source, target, order=1, mode="constant", cval=0.0)
