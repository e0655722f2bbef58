"""Between the slices of packed arrays and what a model looks at: single slices, or a whole volume."""

from torch import Tensor

from brainuad.methods.base import ImageShape, Scored


def to_samples(slices: Tensor, shape: ImageShape) -> Tensor:
    """Slices (slice, channel, x, y) as samples of a model of this shape.

    They stay as they are for a model of slices, and become (1, channel, x, y, slice) for one of volumes.
    """
    return slices if len(shape.size) == 2 else slices.movedim(0, -1)[None].contiguous()


def in_slices(scored: Scored, shape: ImageShape) -> Scored:
    """The scores of a volume as slices: map (slice, x, y), pseudo-healthy image (slice, channel, x, y)."""
    if len(shape.size) == 2:
        return scored
    healthy = None if scored.pseudo_healthy is None else scored.pseudo_healthy[0].movedim(-1, 0)
    return Scored(scored.anomaly_map[0].movedim(-1, 0), healthy, scored.image_score)


def depth_fault(slices: int, shape: ImageShape) -> str:
    """Why a volume of so many slices cannot be scored; empty if it can."""
    if len(shape.size) == 2 or slices == shape.size[2]:
        return ""
    return f"it has {slices} slices, but the model looks at volumes of {shape.size[2]}"
