"""What is wrong with a simulated patient: which tissue moves before the scan, and what is painted into it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from brainuad.phantom.fastmri.canvas import Canvas
from brainuad.phantom.warp import Guide, Warp, push_away


@dataclass(frozen=True)
class Push:
    """Tissue around `centre` that moves outwards by up to `shift_mm`, fading over `radius_mm`."""

    centre: np.ndarray
    radius_mm: float
    shift_mm: float


def paint_nothing(canvas: Canvas) -> None:
    """Leaves the head as it is."""


@dataclass(frozen=True)
class Plan:
    """Pushes, widening of the ventricles in mm, and what is painted and marked on the slices."""

    pushes: tuple[Push, ...] = ()
    widening_mm: float = 0.0
    paint: Callable[[Canvas], None] = paint_nothing

    def shape(self, warp: Warp, guide: Guide) -> Warp:
        """The warp of the patient's head."""
        wider = replace(warp, displacement=warp.displacement + np.float32(self.widening_mm) * guide.pull)
        for push in self.pushes:
            wider = push_away(wider, push.centre, push.radius_mm, push.shift_mm)
        return wider
