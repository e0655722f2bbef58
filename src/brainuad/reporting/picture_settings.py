"""What the kinds of figure with pictures of scans show; light to import."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from brainuad.diffusion.settings import ScheduleSettings
from brainuad.noise.settings import NoiseSettings
from brainuad.reporting.settings import MethodLabel
from brainuad.settings import EachOnce, Settings

Outline = Literal["none", "yen"]


class FigureBase(Settings):
    """What every figure has."""

    title: str
    # Where the published counterpart stands: paper, figure.
    source: str = ""
    width: Literal["column", "page"] = "column"


class CaseGroup(Settings):
    """Subjects of one kind that a figure shows, a row each."""

    label: str
    # With a lesion, without one in what is shown, or those whose names are given.
    kind: Literal["lesion", "healthy", "named"]
    # Of those with a lesion: one of the study's `subject_strata`.
    stratum: str = ""
    # As they are called in results/STUDY/splits/run-0.tsv; they need not be scored.
    subjects_named: Annotated[tuple[str, ...], EachOnce] = ()
    # At most so many rows.
    subjects: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _keys_fit_the_kind(self) -> "CaseGroup":
        if self.stratum and self.kind != "lesion":
            raise ValueError(
                f"stratum: only a group of kind lesion has sizes, and this is one of {self.kind}"
            )
        if self.subjects_named and self.kind != "named":
            raise ValueError(f"subjects_named: set `kind: named`; this group is of kind {self.kind}")
        return self


class MapsFigure(FigureBase):
    """Input, truth, and the anomaly maps (and pseudo-healthy images) of methods, for a few subjects."""

    kind: Literal["maps"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    subjects: int = Field(default=3, ge=1)
    # Rows by what the subjects have, in place of `subjects` over the range of lesion volumes.
    groups: tuple[CaseGroup, ...] = ()
    run: int = 0
    # The modality shown; "" is the first channel of the recipe.
    channel: str = ""
    pseudo_healthy: bool = True
    # Outlined on the maps beside the truth: the mask that the evaluation makes with Yen's threshold.
    outline: Outline = "none"
    width: Literal["column", "page"] = "page"


class ReconstructionsFigure(FigureBase):
    """Input, truth and the pseudo-healthy images of methods, for a few subjects."""

    kind: Literal["reconstructions"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    subjects: int = Field(default=3, ge=1)
    run: int = 0
    channel: str = ""
    # What a row is; the other is a column.
    rows: Literal["subjects", "methods"] = "subjects"
    # Whether the anomaly map stands beside each pseudo-healthy image.
    maps: bool = False
    width: Literal["column", "page"] = "page"


class AnomalyExamplesFigure(FigureBase):
    """Synthetic anomalies: the image before and after, their outline, and maps of methods."""

    kind: Literal["anomaly-examples"]
    # Names of synthetic test sets; each gives `subjects` rows.
    datasets: tuple[str, ...] = Field(min_length=1)
    methods: tuple[MethodLabel, ...] = ()
    subjects: int = Field(default=2, ge=1)
    run: int = 0
    channel: str = ""
    width: Literal["column", "page"] = "page"


class NoisePanel(Settings):
    """One noise generator and how it is written."""

    label: str
    noise: NoiseSettings


class NoiseSamplesFigure(FigureBase):
    """Fields of noise generators, and a slice of a data set with them.

    Without `times` the slice is x + n inside the head, as denoising auto-encoders see it; with `times` it is
    x_t of the forward process at each of them, one row per panel.
    """

    kind: Literal["noise-samples"]
    panels: tuple[NoisePanel, ...] = Field(min_length=1)
    # "" shows fields alone, of `size` pixels along each side.
    dataset: str = ""
    channel: str = ""
    size: int = Field(default=128, ge=8)
    # Whether the fields themselves are shown.
    fields: bool = True
    # The papers' times: 0 is the image itself, T the last.
    times: tuple[Annotated[int, Field(ge=0)], ...] = ()
    schedule: ScheduleSettings = ScheduleSettings()
    # What is noised: the image scaled to [-1, 1], or as it is in the recipe's [0, 1].
    value_range: Literal["symmetric", "unit"] = "symmetric"
    columns: int = Field(default=8, ge=1)
    seed: int = Field(default=0, ge=0)
    width: Literal["column", "page"] = "page"

    @model_validator(mode="after")
    def _times_fit(self) -> "NoiseSamplesFigure":
        if self.times and not self.dataset:
            raise ValueError("times: an image is noised at these times; set `dataset` too")
        if any(t > self.schedule.steps for t in self.times):
            raise ValueError(f"times: later than the last time of the schedule, {self.schedule.steps}")
        return self


class BoxExampleFigure(FigureBase):
    """How annotated boxes are evaluated, on one scan: its boxes, the map, what is marked, and the numbers.

    The scan is the one with the detected box whose F1 is nearest to the mean of all detected boxes, those of the
    first method. A row per method.
    """

    kind: Literal["box-example"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    # How the threshold was chosen, one for all scans.
    protocol: Literal["validation", "validation-bisection", "healthy-fpr", "healthy-fpr-grid"] = "healthy-fpr"
    run: int = 0
    channel: str = ""
    width: Literal["page"] = "page"
