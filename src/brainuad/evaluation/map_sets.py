"""The maps of one method on one data set, beside the arrays they were made from."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore, to_volume_axes
from brainuad.errors import InputError, ScanError
from brainuad.evaluation import postprocess
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.storage import read_table

log = logging.getLogger(__name__)

MANIFEST_COLUMNS = ("subject", "role", "status", "reason", "scale_exponent", "map")
NUMBERS = (
    *("scale_exponent", "seconds", "image_score"),
    *("l1", "mse", "ssim", "lpips", "mse_lesion", "lpips_lesion"),
)


@dataclass(frozen=True)
class Case:
    """One subject's map after post-processing, (x, y, z) float16 in stored units, and its masks.

    `region` (x, y, z) holds the voxels that count, or is None for all. `boxes` are the annotated boxes, None
    where they are not asked for. `seconds` is the time that post-processing took. `diameter_mm` is that of the
    largest sphere that was planted, NaN where none was. `conditions` names what the scan shows, in lower case.
    """

    subject: str
    scores: np.ndarray
    brain: np.ndarray
    lesion: np.ndarray
    region: np.ndarray | None
    boxes: pd.DataFrame | None = None
    seconds: float = 0.0
    diameter_mm: float = float("nan")
    conditions: frozenset[str] = frozenset()

    def counted(self, volume: np.ndarray) -> np.ndarray:
        """The values of a volume at the voxels that count."""
        return volume if self.region is None else volume[self.region]

    def counts(self) -> PatternCounts:
        """Counts of the voxels that count."""
        return PatternCounts.of(self.counted(self.scores), self.counted(self.lesion))


@dataclass(frozen=True)
class MapSet:
    """A manifest of maps (indexed by subject), the folder of their files, and the arrays of the data set."""

    dataset: str
    manifest: pd.DataFrame
    folder: Path
    store: ArrayStore

    @classmethod
    def open(cls, manifest: Path, store: ArrayStore) -> "MapSet":
        """The maps named in `{dataset}.tsv`, whose files lie in the folder `{dataset}` beside it."""
        table = read_table(manifest)
        if fault := _fault(table):
            raise InputError(f"{manifest}: {fault}. Delete it and run the inference again; maps are kept.")
        return cls(manifest.stem, table.set_index("subject", drop=False), manifest.with_suffix(""), store)

    @cached_property
    def scale_exponents(self) -> set[int]:
        """The powers of two by which the finished maps are multiplied."""
        finished = self.manifest["status"] == "ok"
        return {int(exponent) for exponent in self.manifest.loc[finished, "scale_exponent"]}

    def subjects(self, split: pd.DataFrame, role: str) -> list[str]:
        """The subjects that the split gives this role; a manifest that says otherwise is an `InputError`."""
        chosen = split[(split["dataset"] == self.dataset) & (split["role"] == role)]["subject"].tolist()
        known = self.manifest.loc[self.manifest.index.isin(chosen), "role"]
        if (known != role).any():
            raise InputError(
                f"{self.folder}.tsv: {(known != role).sum()} subjects have another role than in the split "
                f"({role}). The maps were made for another split: remove them and run again."
            )
        return chosen

    def number(self, subject: str, column: str) -> float:
        """A number from the manifest, NaN where it has none."""
        if subject not in self.manifest.index or column not in self.manifest:
            return float("nan")
        return float(self.manifest.at[subject, column] or "nan")  # type: ignore[arg-type]

    def is_healthy(self, subject: str) -> bool:
        """Whether the subject belongs to the healthy group."""
        return bool((self.store.index["group"] == "healthy").get(subject, default=False))

    def lesion_voxels(self, subject: str) -> int | None:
        """How many voxels the subject's lesion mask has; None where its lesions are not annotated."""
        voxels = self.store.index["lesion_voxels"].get(subject)
        return None if pd.isna(voxels) else int(voxels)

    def is_unannotated(self, subject: str) -> bool:
        """Whether the subject has arrays, but nobody has said where its lesions are."""
        return self.lesion_voxels(subject) is None and subject in self.store.subjects

    def attribute(self, subject: str, column: str) -> str:
        """What the index of the arrays says of a subject, such as its age; empty where it says nothing."""
        index = self.store.index
        return str(index.at[subject, column]).strip() if column in index and subject in index.index else ""

    def conditions(self, subject: str) -> frozenset[str]:
        """The names of what is abnormal about the subject's whole scan, in lower case."""
        names = self.attribute(subject, "condition").split(";")
        return frozenset(name.strip().casefold() for name in names if name.strip())

    def failure(self, subject: str) -> str:
        """Why a subject has no map; empty if the manifest has one."""
        if subject not in self.manifest.index:
            return "it is not in the manifest of maps"
        row = self.manifest.loc[subject]
        return "" if row["status"] == "ok" else row["reason"] or "inference failed"

    def cases(
        self, subjects: Sequence[str], settings: EvaluationSettings, failures: dict[str, str]
    ) -> Iterator[Case]:
        """The cases of subjects one after the other; one that cannot be had is noted in `failures`."""
        for subject in subjects:
            try:
                yield self.case(subject, settings)
            except ScanError as error:
                failures[subject] = str(error)
                log.warning("%s, %s is left out: %s", self.dataset, subject, error)

    def case(self, subject: str, settings: EvaluationSettings) -> Case:
        """One subject's case; a missing or broken map, or an unknown truth, is a `ScanError`."""
        raw = self._map(subject)
        if subject not in self.store.subjects:
            raise ScanError(f"it has no arrays in {self.store.folder}")
        if self.store.index["lesion_voxels"].isna()[subject]:
            raise ScanError("its lesions are not annotated")
        where = self.store.slices(subject)
        brain, lesion = (
            to_volume_axes(np.array(masks[where])) for masks in (self.store.brain, self.store.lesion)
        )
        if raw.shape != brain.shape:
            raise ScanError(f"its map has the shape {raw.shape} and its arrays {brain.shape}")
        started = time.perf_counter()
        scores = postprocess.apply(raw.astype(np.float32), brain, settings.postprocessing)
        seconds = time.perf_counter() - started
        return Case(
            subject=subject,
            scores=scores.astype(np.float16),
            brain=brain,
            lesion=lesion,
            region=brain if settings.region == "brain" else None,
            boxes=self._boxes(subject, brain.shape) if settings.boxes else None,
            seconds=seconds,
            diameter_mm=self._diameter_mm(subject),
            conditions=self.conditions(subject),
        )

    def _diameter_mm(self, subject: str) -> float:
        """The diameter of the largest sphere planted into a subject, NaN where none was."""
        diameters = self.store.sphere_diameters_mm
        return float(diameters[subject]) if subject in diameters else float("nan")

    def _boxes(self, subject: str, shape: tuple[int, ...]) -> pd.DataFrame:
        """The boxes of a subject; one beyond its slices is an `InputError`."""
        boxes = self.store.boxes
        boxes = boxes[boxes["subject"] == subject]
        inside = (boxes[["x_first", "y_first", "slice"]] >= 0).all(axis=None)
        inside &= (boxes["x_first"] <= boxes["x_last"]).all() and (boxes["y_first"] <= boxes["y_last"]).all()
        inside &= (boxes[["x_last", "y_last", "slice"]] < shape).all(axis=None)
        if not inside:
            raise InputError(
                f"{self.store.folder / 'boxes.tsv'}: a box of {subject} lies outside its {shape} voxels or is "
                "empty. Pack the data set again."
            )
        return boxes

    def _map(self, subject: str) -> np.ndarray:
        if reason := self.failure(subject):
            raise ScanError(reason)
        row = self.manifest.loc[subject]
        path = (self.folder / row["map"]).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InputError(f"{self.folder}.tsv: the map of {subject} lies outside its folder.")
        if not path.is_file():
            raise ScanError(f"its map {row['map']!r} is missing")
        try:
            with path.open("rb") as file:
                values = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ScanError(
                f"its map {row['map']!r} cannot be read (truncated, or no array): delete it"
            ) from error
        if values.dtype != np.float16 or values.ndim != 3:
            raise ScanError(f"its map is {values.ndim}-D {values.dtype}; 3-D float16 is expected")
        if not np.isfinite(values).all() or values.min(initial=0) < 0:
            raise ScanError("its map has negative or non-finite values")
        return np.abs(values)  # -0 becomes 0


def _fault(manifest: pd.DataFrame) -> str:
    """What makes a manifest unusable; empty if nothing does."""
    if missing := [column for column in MANIFEST_COLUMNS if column not in manifest]:
        return f"the columns {', '.join(missing)} are missing"
    if twice := manifest.loc[manifest["subject"].duplicated(), "subject"].tolist():
        return f"{', '.join(twice[:5])} more than once"
    finished = manifest[manifest["status"] == "ok"]
    if not pd.to_numeric(finished["scale_exponent"], errors="coerce").mod(1).eq(0).all():
        return "scale_exponent is not a whole number in every row"
    for column in filter(manifest.columns.__contains__, NUMBERS):
        given = manifest.loc[manifest[column] != "", column]
        if pd.to_numeric(given, errors="coerce").isna().any():
            return f"{column} is not a number in every row"
    return ""
