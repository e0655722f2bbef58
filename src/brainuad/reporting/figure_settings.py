"""What each kind of figure of a study shows; light to import."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from brainuad.reporting.picture_settings import (
    AnomalyExamplesFigure,
    BoxExampleFigure,
    FigureBase,
    MapsFigure,
    NoiseSamplesFigure,
    ReconstructionsFigure,
)
from brainuad.reporting.settings import Aggregate, MethodLabel, Published
from brainuad.settings import Settings


class PrecisionRecallFigure(FigureBase):
    """Precision-recall curves over all voxels of a data set."""

    kind: Literal["precision-recall"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)


class LesionSizeFigure(FigureBase):
    """A per-subject metric against the volume of the subject's lesions."""

    kind: Literal["dice-by-lesion-size"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    metric: str = "dice"
    protocol: str = "validation"
    bins: int = Field(default=4, ge=1)


class BarsFigure(FigureBase):
    """A metric of each method with intervals, one panel per data set."""

    kind: Literal["bars"]
    datasets: tuple[str, ...] = Field(min_length=1)
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    metric: str = "auprc"
    protocol: str = ""
    aggregate: Aggregate = "pooled"
    scale: float = 1.0


class ClassBarsFigure(FigureBase):
    """Share of the annotated boxes of each class that methods detect."""

    kind: Literal["class-bars"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    protocol: str = "healthy-fpr"
    # The classes shown, in this order; none: all, the most frequent first.
    classes: tuple[str, ...] = ()
    width: Literal["column", "page"] = "page"


class Series(Settings):
    """One line of a trend: a method per position on the x axis, null where there is none."""

    label: str
    # One method for all positions where these are `strata` of its scores.
    methods: tuple[str | None, ...] = Field(min_length=1)
    published: tuple[Published, ...] = ()
    # The data set of this line, where it is not that of the figure.
    dataset: str = ""


class SeriesFigure(FigureBase):
    """A metric against something that the methods differ in, one line per series."""

    dataset: str = ""
    # Several data sets, a panel each; a series with a data set of its own is in the panel of that one alone.
    datasets: tuple[str, ...] = ()
    x_label: str
    x: tuple[float | str, ...] = Field(min_length=1)
    log_x: bool = False
    log_base: Literal[2, 10] = 10
    # The stratum of the scores at each position, such as lesion sizes; none: that of all.
    strata: tuple[str, ...] = ()
    # The position of the paper's best value, marked by a vertical line.
    best: float | str | None = None
    # What the paper calls that value, where this axis has another unit, such as pixels of another size.
    best_in_paper: str = ""
    series: tuple[Series, ...] = Field(min_length=1)
    metric: str = "auprc"
    protocol: str = ""
    aggregate: Aggregate = "pooled"
    scale: float = 1.0

    @model_validator(mode="after")
    def _series_fit(self) -> "SeriesFigure":
        if self.log_x and any(not isinstance(x, str) and not x > 0 for x in self.x):
            raise ValueError("log_x: every value of x must lie above 0")
        if self.strata and len(self.strata) != len(self.x):
            raise ValueError(f"{len(self.strata)} strata for {len(self.x)} values of x")
        for series in self.series:
            for key, values in (("methods", series.methods), ("published", series.published)):
                one_for_all = key == "methods" and self.strata and len(values) == 1
                if (values or key == "methods") and len(values) != len(self.x) and not one_for_all:
                    raise ValueError(
                        f"series {series.label}: {len(values)} {key} for {len(self.x)} values of x"
                    )
            if not (series.dataset or self.dataset or self.datasets):
                raise ValueError(f"series {series.label}: no data set; set `dataset` here or for the figure")
            if series.dataset and self.datasets and series.dataset not in self.datasets:
                raise ValueError(f"series {series.label}: data set {series.dataset} is not one of `datasets`")
        return self

    @model_validator(mode="after")
    def _best_fits(self) -> "SeriesFigure":
        if self.best_in_paper and self.best is None:
            raise ValueError("best_in_paper: set `best` too, the place of the line on this axis")
        if isinstance(self.best, str) and self.best not in self.x:
            raise ValueError(f"best: {self.best!r} is not a value of x")
        if isinstance(self.best, float) and any(isinstance(x, str) for x in self.x):
            raise ValueError("best: a number, but the values of x are words")
        return self


class TrendFigure(SeriesFigure):
    """A metric against a parameter of the methods, such as the patch size."""

    kind: Literal["trend"]


class NoiseFigure(SeriesFigure):
    """A metric against the kind of noise, one line per algorithm."""

    kind: Literal["noise-comparison"]
    x_label: str = "Noise"


class ModelLabel(Settings):
    """A model of the study and how it is written."""

    model: str
    label: str


class LogColumn(Settings):
    """A column of the models' training logs and how its axis is written."""

    column: str
    label: str


class TrainingCurvesFigure(FigureBase):
    """Numbers of the training logs against the iteration, one panel per column, one line per model."""

    kind: Literal["training-curves"]
    models: tuple[ModelLabel, ...] = Field(min_length=1)
    columns: tuple[LogColumn, ...] = (LogColumn(column="validation", label="Validation loss"),)
    log_y: bool = False


class LatentMapFigure(FigureBase):
    """UMAP of latent vectors: healthy scans, scans of patients, and pseudo-healthy images of these."""

    kind: Literal["latent-map"]
    # One panel each; the model of a method must have latent vectors.
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    run: int = 0
    # Bercea 2023 (RA), released code.
    neighbours: int = Field(default=25, ge=2)
    min_dist: float = Field(default=0.6, ge=0, le=1)
    seed: int = Field(default=0, ge=0)


class CostFigure(FigureBase):
    """Seconds that each method needs for one volume."""

    kind: Literal["cost"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)


class WallClockFigure(FigureBase):
    """Seconds per volume, post-processing included: mean and standard deviation over volumes."""

    kind: Literal["wall-clock"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)


FigureSettings = Annotated[
    MapsFigure
    | ReconstructionsFigure
    | AnomalyExamplesFigure
    | BoxExampleFigure
    | NoiseSamplesFigure
    | PrecisionRecallFigure
    | LesionSizeFigure
    | BarsFigure
    | ClassBarsFigure
    | TrendFigure
    | NoiseFigure
    | TrainingCurvesFigure
    | LatentMapFigure
    | CostFigure
    | WallClockFigure,
    Field(discriminator="kind"),
]
