"""Recipes: how derivatives become the arrays that a network sees, as a list of typed steps.

A step is written in YAML by its name: `{step: normalise, method: percentile, upper: 99, region: positive}`.
Steps run in the order of the list; each one moves images, brain mask, lesion mask and affine together.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from brainuad.preprocessing.settings import Modality
from brainuad.settings import Settings


class CropToBrain(Settings):
    """Cuts the volume to the bounding box of the brain mask, plus a margin."""

    step: Literal["crop_to_brain"]
    margin: int = Field(default=0, ge=0, description="voxels kept around the brain")


class CropOrPad(Settings):
    """Cuts or pads symmetrically about the centre of the volume; the odd voxel goes from (or to) the start.

    Padding has the value 0, so it belongs before a normalisation that moves 0. `null` keeps an axis as it is.
    """

    step: Literal["crop_or_pad"]
    size: tuple[PositiveFloat | None, PositiveFloat | None, PositiveFloat | None]
    unit: Literal["voxels", "mm"] = "voxels"


class Normalise(Settings):
    """Maps intensities linearly so that `lower` becomes 0 and `upper` becomes 1, per modality.

    `percentile`: both are percentiles of the voxels in `region`; without `lower` values are divided by the
    upper percentile. `window`: both are intensities, such as 0 and 80 Hounsfield units.
    """

    step: Literal["normalise"]
    method: Literal["percentile", "window"] = "percentile"
    lower: float | None = None
    upper: float = 99
    region: Literal["positive", "brain", "all"] = "positive"
    clip: bool = Field(default=False, description="limit the result to [0, 1]")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        lower = 0 if self.lower is None else self.lower
        if lower >= self.upper:
            raise ValueError(f"lower ({lower:g}) must lie below upper ({self.upper:g})")
        if self.method == "percentile" and not 0 <= lower < self.upper <= 100:
            raise ValueError(f"percentiles lie in [0, 100]; got lower {lower:g}, upper {self.upper:g}")
        return self


class Resample(Settings):
    """Changes the voxel size and keeps the field of view; masks take the nearest voxel.

    Give either `factor` (2 halves the number of voxels of each axis) or `spacing_mm`. Overshoot of the
    B-spline is not clipped.
    """

    step: Literal["resample"]
    factor: PositiveFloat | None = None
    spacing_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    interpolation: Literal["b-spline", "linear"] = "b-spline"

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.factor is None) == (self.spacing_mm is None):
            raise ValueError("give exactly one of factor and spacing_mm")
        return self


class ResizeInPlane(Settings):
    """Bilinear resize of each axial slice to `size` × `size` pixels, keeping the field of view.

    Masks: `linear` interpolates them and takes what exceeds one half, `nearest` takes the nearest pixel, and
    `linear-gt0` takes every pixel that an interpolated lesion touches (Bercea 2023, AutoDDPM).
    """

    step: Literal["resize_in_plane"]
    size: PositiveInt
    antialias: bool = False
    masks: Literal["linear", "nearest", "linear-gt0"] = "linear"


class KeepSlices(Settings):
    """Keeps a contiguous range of axial slices.

    `above`: from the first to the last slice in which the sum over pixels of the mean of the modalities
    exceeds it. `first` and `last`: by index, both kept. `trim`: so many are removed at the bottom and top.
    `middle`: the slice whose index is half the number of slices, rounded down.
    """

    step: Literal["keep_slices"]
    above: float | None = None
    first: int | None = Field(default=None, ge=0)
    last: int | None = Field(default=None, ge=0)
    trim: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] | None = None
    middle: bool = False

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        by_index = self.first is not None or self.last is not None
        if sum((self.above is not None, by_index, self.trim is not None, self.middle)) != 1:
            raise ValueError("give exactly one of above, first/last, trim and middle")
        return self


class PadToSquare(Settings):
    """Pads the shorter side of the axial slices on both sides, each modality with its lowest value.

    The odd pixel goes to the start.
    """

    step: Literal["pad_to_square"]


class Smooth(Settings):
    """Curvature flow, which smooths flat regions and keeps edges."""

    step: Literal["smooth"]
    time_step: PositiveFloat = 0.125
    iterations: PositiveInt = 3


class BiasCorrect(Settings):
    """N4 in the brain mask, for data sets that are published without it; images that had it are left alone.

    Behrendt 2023 corrects every data set. The parameters are those of `preprocessing.settings.N4Settings`.
    """

    step: Literal["bias_correct"]
    levels: PositiveInt = 4
    iterations: PositiveInt = 200
    tolerance: PositiveFloat = 5e-4
    shrink: PositiveInt = 4


class MatchHistogram(Settings):
    """Gives every modality the histogram of one subject of another data set (Frotscher 2023, Shifts data).

    Without `subject` it is the first usable one in the order of that data set's quality table. The derivative of
    the subject is taken as it is, so this step comes first. `levels` and `points` are SimpleITK's.
    """

    step: Literal["match_histogram"]
    dataset: str
    subject: str | None = None
    levels: int = Field(default=256, ge=2)
    points: PositiveInt = 1


class KeepEqualised(Settings):
    """Keeps a histogram-equalised copy of one modality beside the images, which thresholding can score.

    Frotscher 2023 equalises before the slices are resized. The histogram is that of the whole volume as it is at
    this step, inside `region`; the copy is 0 elsewhere and follows the images onto every further grid.
    """

    step: Literal["keep_equalised"]
    modality: Modality
    bins: int = Field(default=256, ge=2)
    region: Literal["positive", "brain"] = "positive"


Step = Annotated[
    CropToBrain
    | CropOrPad
    | Normalise
    | Resample
    | ResizeInPlane
    | KeepSlices
    | PadToSquare
    | Smooth
    | BiasCorrect
    | MatchHistogram
    | KeepEqualised,
    Field(discriminator="step"),
]


class Recipe(Settings):
    """Modalities, in channel order, and the steps from derivatives to arrays."""

    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)]
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.modalities)) != len(self.modalities):
            raise ValueError("a modality is named twice")
        if any(step.step == "match_histogram" for step in self.steps[1:]):
            raise ValueError("match_histogram must be the first step, and there can be one only")
        kept = [step.modality for step in self.steps if step.step == "keep_equalised"]
        if len(kept) > 1:
            raise ValueError("there can be one keep_equalised only")
        if unknown := set(kept) - set(self.modalities):
            raise ValueError(f"keep_equalised: modality {unknown.pop()!r} is not in the recipe")
        return self

    @property
    def equalised(self) -> str:
        """The modality of which an equalised copy is kept; empty where none is."""
        return next((step.modality for step in self.steps if step.step == "keep_equalised"), "")
