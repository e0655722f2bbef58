"""The data sets of a plan: where each lies, how it is preprocessed and packed, what its files are."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from brainuad.config import Config, DatasetLocation
from brainuad.datasets.base import Dataset, SubjectRow
from brainuad.datasets.registry import BUILT_IN, find_dataset
from brainuad.phantom.names import phantom_subjects
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.settings import QUICK, PreprocessingSettings
from brainuad.stage_versions import STAGE_VERSIONS
from brainuad.study import Study, overlay


@dataclass(frozen=True)
class DatasetPlan:
    """The resolved configuration, and what it says about data sets."""

    config: Config
    studies: dict[str, Study]
    recipes: dict[str, Recipe]

    @cached_property
    def known_datasets(self) -> list[str]:
        """The data sets of `config.yaml`, and those that preprocess the scans of one of them in another way."""
        named = self.config.datasets
        others = [d.name for d in BUILT_IN.values() if d.scans_of in named and d.name not in named]
        return [*named, *others]

    def used_datasets(self) -> list[str]:
        """The data sets that the chosen studies need, in order of first use."""
        return list(dict.fromkeys(name for study in self.studies.values() for name in study.splits))

    def scans_of(self, name: str) -> str:
        """The data set whose scans a data set takes: mostly its own."""
        built_in = BUILT_IN.get(name)
        return built_in.scans_of or name if built_in else name

    def location(self, name: str) -> DatasetLocation:
        """Where the scans of a data set lie."""
        return self.config.datasets[self.scans_of(name)]

    def is_phantom(self, name: str, study: str = "") -> bool:
        """Whether the scans of a data set are simulated, or those that a synthetic test set of `study` is made from."""
        synthetic = self.studies[study].synthetic if study else {}
        return self.location(synthetic[name].of if name in synthetic else name).is_phantom

    def dataset(self, name: str) -> Dataset:
        """The adapter of a data set."""
        own = self.config.datasets.get(name)
        return find_dataset(name, own.format if own else None)

    def root(self, name: str) -> Path:
        """The folder of a data set's raw scans."""
        path = self.location(name).path
        return path if path is not None else Path("results/phantom") / self.scans_of(name)

    def subjects(self, name: str) -> list[str]:
        """The subjects of a data set, from its file names or from the phantom's settings."""
        if name not in self._subjects:
            self._subjects[name] = self._find_subjects(name)
        return self._subjects[name]

    @cached_property
    def _subjects(self) -> dict[str, list[str]]:
        return {}

    def _find_subjects(self, name: str) -> list[str]:
        if self.is_phantom(name):
            scans = self.scans_of(name)
            return phantom_subjects(scans, self.config.phantom.subjects[scans], self.config.seed)
        return self.dataset(name).subjects(self.root(name))

    def preprocessing(self, name: str) -> PreprocessingSettings:
        """The data set's own defaults, under the chosen skull stripper and the user's changes.

        They do not depend on the studies, which share the derivatives. A user who says which modalities are required
        says which are optional too; none are where nothing is said.
        """
        if name not in self._preprocessing:
            self._preprocessing[name] = self._choose_preprocessing(name)
        return self._preprocessing[name]

    @cached_property
    def _preprocessing(self) -> dict[str, PreprocessingSettings]:
        return {}

    def _choose_preprocessing(self, name: str) -> PreprocessingSettings:
        defaults = self.dataset(name).preprocessing
        settings = defaults.model_dump(mode="json")
        if self.config.scale == "quick":
            settings = overlay(settings, QUICK)
        if defaults.skull_strip not in ("none", "hounsfield"):
            settings["skull_strip"] = self.config.skull_strip
        own = self.config.datasets.get(name)
        changes = own.preprocessing if own else {}
        if "modalities" in changes:
            settings["optional_modalities"] = []
        return PreprocessingSettings.model_validate(overlay(settings, changes))

    def source(self, name: str, subject: str | None = None) -> Any:
        """What identifies the raw scans of a subject, or those of the whole data set and the spreadsheet beside them.

        A change reruns the jobs that depend on it: of a spreadsheet the index, and a subject only where what it says
        about its scan has changed, not the age or the group.
        """
        if self.is_phantom(name):
            phantom = self.config.phantom
            settings = phantom.settings.model_dump(mode="json")
            return {"phantom": settings, "seed": self.config.seed, "version": STAGE_VERSIONS["simulate"]}
        root, dataset = self.root(name), self.dataset(name)
        if name not in self._rows:
            self._rows[name] = {row.subject: row for row in dataset.rows(root)}
        rows = self._rows[name]
        if subject is None:
            scans = [path for key in sorted(rows) for path in rows[key].files.values()]
            return fingerprint(root, [*scans, *dataset.spreadsheets])
        row = rows[subject]
        return fingerprint(root, row.files.values(), (row.series, "excluded" if row.reason else ""))

    @cached_property
    def _rows(self) -> dict[str, dict[str, SubjectRow]]:
        return {}

    def arrays(self, study: str, dataset: str) -> Path:
        """The folder of the arrays that a study reads of a data set or of one of its synthetic test sets."""
        content = self.studies[study]
        if dataset in content.synthetic:
            return Path("results") / study / "synthetic" / dataset
        return Path("results/arrays") / dataset / content.recipe_of(dataset)

    def used_recipes(self) -> set[str]:
        """The recipes of the chosen studies."""
        return {study.recipe_of(name) for study in self.studies.values() for name in study.splits}

    def histogram_references(self, recipe: str) -> list[str]:
        """The data sets to one of whose subjects a recipe matches intensities."""
        steps = self.recipes[recipe].steps
        return list(dict.fromkeys(step.dataset for step in steps if step.step == "match_histogram"))

    def phantom_datasets(self) -> list[str]:
        """The used data sets that are simulated."""
        return [name for name in self.used_datasets() if self.is_phantom(name)]


def fingerprint(root: Path, files: Iterable[str], words: Iterable[str] = ()) -> str:
    """A hash of names, sizes and modification times, and of words that are not empty; a missing file counts as such.

    Of a folder, such as one of DICOM files, it is the names below it and the times of its folders, which change when a
    file is added, removed or replaced by another one.
    """
    digest = hashlib.blake2b(digest_size=8)
    for relative in files:
        digest.update(_stamp(root, relative))
        for folder, below, names in os.walk(root / relative) if _below(root, relative) else ():
            below.sort()  # os.walk goes on in this order
            digest.update(_stamp(root, os.path.relpath(folder, root)))
            digest.update("\0".join(sorted(names)).encode(errors="surrogateescape"))
    for word in filter(None, words):
        digest.update(f"{word}\n".encode())
    return digest.hexdigest()


def _below(root: Path, written: str) -> bool:
    """Whether a path lies below the root; the cohort excludes a scan elsewhere, and its folders are not looked at."""
    place = os.path.normpath(root / written)
    return Path(place).is_relative_to(os.path.normpath(root))


def _stamp(root: Path, relative: str) -> bytes:
    """Name, size and modification time of a file."""
    try:
        status = (root / relative).stat()
        return f"{relative}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogateescape")
    except OSError:
        return f"{relative}\0missing\n".encode(errors="surrogateescape")
