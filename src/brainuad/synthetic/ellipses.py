"""Synthetic intensity anomalies: filled ellipses that are darker, grey or brighter (Bercea 2023, RA)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from skimage.draw import ellipse

from brainuad.synthetic.settings import Ellipses

# Pixels on the border are part of the ellipse, as in OpenCV, with which the authors drew.
BORDER = 0.5


@dataclass(frozen=True)
class Ellipse:
    """One ellipse: centre and semi-axes in pixels, the turn of its axes, and where in its band it lies.

    Its intensity is P_lower + level * (P_upper - P_lower), with percentiles P of the image it is drawn on.
    """

    x: int
    y: int
    semi_x: int
    semi_y: int
    angle_degrees: int
    lower: float
    upper: float
    level: float


def draw_ellipses(settings: Ellipses, size: tuple[int, int], generator: np.random.Generator) -> list[Ellipse]:
    """The ellipses of one slice of `size` pixels, one for each band."""
    scale = np.array(size) / settings.image_size
    first, end = (np.round(bound * scale).astype(int) for bound in settings.centre)
    ellipses = []
    for lower, upper in settings.bands:
        x, y = generator.integers(first, np.maximum(end, first + 1))
        lengths = np.abs(generator.normal(*settings.semi_axes, size=2))
        semi = np.maximum(lengths, settings.smallest_semi_axis) * scale.min()
        semi_x, semi_y = np.maximum(semi.astype(int), 1)
        angle = generator.integers(360)
        level = generator.uniform()
        ellipses.append(
            Ellipse(int(x), int(y), int(semi_x), int(semi_y), int(angle), lower, upper, float(level))
        )
    return ellipses


def put_ellipses(
    slice_images: np.ndarray, ellipses: Sequence[Ellipse], largest: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """A slice (channel, x, y) with the ellipses drawn in every channel, and their mask (x, y).

    The percentiles are those of the channel as the earlier ellipses left it, background included.
    """
    largest = np.inf if largest is None else largest
    images = slice_images.copy()
    mask = np.zeros(images.shape[1:], dtype=bool)
    for item in ellipses:
        inside = ellipse(
            item.x,
            item.y,
            item.semi_x + BORDER,
            item.semi_y + BORDER,
            shape=mask.shape,
            rotation=np.deg2rad(item.angle_degrees % 180),
        )
        for channel in images:
            lower, upper = np.percentile(channel, (item.lower, item.upper))
            channel[inside] = np.minimum(lower + item.level * (upper - lower), largest)
        mask[inside] = True
    return images, mask
