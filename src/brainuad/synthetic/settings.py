"""Settings of synthetic anomalies: what is planted into healthy scans, and into which."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from brainuad.settings import Settings


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"{bounds[0]:g} lies above {bounds[1]:g}")
    return bounds


Percentile = Annotated[float, Field(ge=0, le=100)]
Positive = Annotated[float, Field(gt=0)]
Bounds = Annotated[tuple[Positive, Positive], AfterValidator(_in_order)]
Band = Annotated[tuple[Percentile, Percentile], AfterValidator(_in_order)]


class Planted(Settings):
    """Which scans a synthetic test set is made from.

    Patients have anomalies of their own, which the mask would miss; other roles are seen before the test.
    """

    of: str = Field(description="the data set")
    role: Literal["test"] = "test"
    group: Literal["healthy"] = "healthy"
    copies: int = Field(1, ge=1, description="volumes made from each scan, each with its own anomalies")


class Ellipses(Planted):
    """Filled ellipses of another intensity, one per band, in every slice (Bercea 2023, RA).

    Numbers in pixels are those of an image of `image_size` pixels, and are scaled to other images.
    """

    kind: Literal["ellipses"]
    image_size: float = Field(128, gt=0)
    # Percentiles of the image between which the intensity of each ellipse lies.
    bands: tuple[Band, ...] = Field(((1, 5), (30, 70), (95, 99)), min_length=1)
    centre: Bounds = Field((32, 96), description="lowest centre, and the first that is too high")
    # Mean and standard deviation, before the sign is dropped; the released code of PHANES has (4, 6).
    semi_axes: tuple[float, float] = (8, 12)
    smallest_semi_axis: float = Field(2, gt=0)
    largest_intensity: float | None = Field(1, gt=0, description="null: none")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.semi_axes[1] < 0:
            raise ValueError(f"semi_axes: the standard deviation {self.semi_axes[1]:g} is negative")
        if self.centre[1] > self.image_size:
            raise ValueError(
                f"centre: {self.centre[1]:g} lies outside an image of {self.image_size:g} pixels"
            )
        return self


class CopyPaste(Planted):
    """A rectangle of the slice pasted at another place of it (Bercea 2023, RA).

    Numbers in pixels are those of an image of `image_size` pixels, and are scaled to other images.
    """

    kind: Literal["copy-paste"]
    image_size: float = Field(128, gt=0)
    side: Bounds = Field((25, 49), description="smallest and largest width and height")
    # Of source and destination; 25 in the paper, a quarter of the image in the released code.
    lowest_corner: float = Field(25, ge=0)
    # Pixels that stay free behind the rectangle; 0 in the paper, 2 in the released code.
    far_margin: float = Field(0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = self.lowest_corner + self.side[1] + self.far_margin
        if needed > self.image_size:
            raise ValueError(f"the largest rectangle ends at pixel {needed:g} of {self.image_size:g}")
        return self


class Spheres(Planted):
    """Bright spheres in the volume (Kascenas 2023, appendix E)."""

    kind: Literal["spheres"]
    count: int = Field(1, ge=1, description="per volume; they may overlap")
    diameter_mm: Bounds = (5, 50)
    factor: float = Field(2, gt=0, description="of the intensities inside")
    largest_intensity: float | None = Field(1, gt=0, description="null: none")
    # Voxels outside the brain belong to no sphere; there a factor changes little.
    within_brain: bool = True


SyntheticSettings = Annotated[Ellipses | CopyPaste | Spheres, Field(discriminator="kind")]
