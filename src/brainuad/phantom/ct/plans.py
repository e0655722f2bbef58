"""A finding before it is drawn: where it lies, how it moves the brain, and what it paints."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brainuad.phantom.ct.canvas import Canvas
from brainuad.phantom.ct.places import CENTRE, DIRECTIONS, MIDLINE, SITES, Point
from brainuad.phantom.ct.shape import Move
from brainuad.phantom.head import Model
from brainuad.phantom.reports.facts import Finding
from brainuad.phantom.warp import Warp

PLACE_SD_MM = 3.0
# Values of the lesion mask.
HAEMORRHAGE, ISCHAEMIA, TUMOUR, INFECTION = 1, 2, 3, 4


def paint_nothing(canvas: Canvas) -> None:
    """Leaves the head as it is."""


@dataclass(frozen=True)
class Plan:
    """Movements of the brain, then what is painted; `centre` (3,) and `radius_mm` are the finding's own."""

    centre: np.ndarray
    radius_mm: float
    moves: tuple[Move, ...] = ()
    paint: Callable[[Canvas], None] = paint_nothing


@dataclass(frozen=True)
class Site:
    """A finding in a head that it has not moved yet."""

    model: Model
    warp: Warp
    finding: Finding
    rng: np.random.Generator

    @property
    def side(self) -> int:
        """1 for the left, -1 for the right."""
        return 1 if self.finding.side == "left" else -1

    @property
    def radius_mm(self) -> float:
        """Half the finding's size."""
        return self.finding.size_mm / 2

    def at(self, point: Point, side: int | None = None) -> np.ndarray:
        """Where a place of the anatomy lies in this head (3,), on the finding's side or another."""
        lateral, back, top = point
        anatomical = np.array([MIDLINE + (self.side if side is None else side) * lateral, back, top])
        return self.warp.to_subject(anatomical[None])[0]

    def place(self) -> np.ndarray:
        """Near the site that the finding names (3,), or on the brain's surface in its direction."""
        if self.finding.site in DIRECTIONS:
            return self.surface()[0]
        return self.at(SITES[self.finding.site]) + self.rng.normal(0, PLACE_SD_MM, 3)

    def surface(self) -> tuple[np.ndarray, np.ndarray]:
        """A place (3,) on the inner surface of the skull and the direction inwards."""
        around, up = np.deg2rad(DIRECTIONS[self.finding.site] + self.rng.normal(0, 4, 2))
        outwards = np.array(
            [self.side * np.sin(around) * np.cos(up), -np.cos(around) * np.cos(up), np.sin(up)]
        )
        line = np.array(CENTRE) + np.arange(0, 110, 0.5)[:, None] * outwards
        voxels = np.clip(np.rint(line).astype(int), 0, np.array(self.model.anatomy.maps.shape[:3]) - 1)
        brain = np.flatnonzero(self.model.anatomy.maps[(*voxels.T, -1)] > 127)
        return self.warp.to_subject(line[brain[-1:]])[0], -outwards
