"""Lets a scoring rule choose settings on the healthy validation scans of its model's training data."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from brainuad.arrays import ArrayStore
from brainuad.inference.infer import ScoringRequest, build_rule
from brainuad.methods.base import ImageShape, Scan
from brainuad.preprocessing.split_file import read_split
from brainuad.randomness import Draws
from brainuad.storage import write_json
from brainuad.training.batches import SliceFilter, Slices, open_slices
from brainuad.training.volumes import open_volumes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CalibrationFiles:
    """Where a calibration reads and writes; `arrays` are the folders that the model learned from."""

    split: Path
    arrays: tuple[Path, ...]
    checkpoint: Path
    weights_folder: Path
    output: Path


def calibrate_method(
    request: ScoringRequest, slices: SliceFilter, files: CalibrationFiles, device: str
) -> dict[str, Any]:
    """The settings that the rule chose, which are also written to `files.output`."""
    store = ArrayStore(files.arrays[0])
    shape = ImageShape(tuple(store.channels), store.size)
    rule = build_rule(request, files.checkpoint, shape, device, files.weights_folder)
    split = read_split(files.split)
    of_volumes = len(rule.shape.size) == 3
    validation = (open_volumes if of_volumes else open_slices)(files.arrays, split, "validation", slices)
    scans = ValidationScans(validation, device)
    chosen = rule.calibrate(scans, Draws(request.seed, ("calibration",), device))
    log.info("chosen on %d healthy validation scans: %s", len(scans), chosen)
    write_json({"settings": chosen, "scans": len(scans)}, files.output)
    return chosen


class ValidationScans(Sequence[Scan]):
    """The usable samples of each subject as one scan: its slices, or its whole volume.

    A scan is read when it is asked for, so that a cohort never lies in memory.
    """

    def __init__(self, samples: Slices, device: str) -> None:
        self.samples = samples
        self.device = device
        self._volumes = samples.index.slices[:, 2]
        self._numbers = np.unique(self._volumes)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, position: int) -> Scan: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[Scan]: ...

    def __getitem__(self, position: int | slice) -> Scan | Sequence[Scan]:
        if isinstance(position, slice):
            return [self._read(int(number)) for number in self._numbers[position]]
        return self._read(int(self._numbers[position]))

    def _read(self, number: int) -> Scan:
        rows = np.flatnonzero(self._volumes == number)
        images, brains = zip(*(self.samples[int(row)][:2] for row in rows), strict=True)
        subject = self.samples.index.subjects[number]
        return Scan(subject, torch.stack(images).to(self.device), torch.stack(brains).to(self.device))
