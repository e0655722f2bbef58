"""What a study's tables and figures show; light to import.

Published values are typed in the study files with the paper, table and page they come from; every other
number is read from score tables.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from brainuad.settings import Settings

Aggregate = Literal["mean", "pooled"]
# A published value: a number, (mean, standard deviation), or nothing.
Published = float | tuple[float, float] | None


class MethodLabel(Settings):
    """A method of the study and how it is written."""

    method: str
    label: str


class TableRow(MethodLabel):
    """One row of a table."""

    # Why the row cannot be filled, such as "weights not available".
    unavailable: str = ""
    # A row that is shown but not ranked, such as a supervised network.
    reference: bool = False


class TableColumn(Settings):
    """One column of a table: a metric of a data set under a threshold protocol."""

    label: str
    dataset: str
    metric: str
    # How the threshold was chosen; "" where none is needed.
    protocol: str = ""
    # "mean" over subjects, or all voxels "pooled".
    aggregate: Aggregate = "mean"
    stratum: str = ""
    # Factor from our unit to the table's, such as 100 for per cent.
    scale: float = 1.0
    digits: int = Field(default=3, ge=0, le=8)
    better: Literal["higher", "lower"] = "higher"
    # The method of a cell; "{method}-coarse" puts the coarse-noise variant of each row in this column.
    method: str = "{method}"
    # Why the column cannot be filled, such as "private data".
    unavailable: str = ""

    @property
    def upper_bound(self) -> bool:
        """Whether the threshold was chosen on the test data itself."""
        return self.protocol == "oracle"


class TableSettings(Settings):
    """One table of a paper: our values beside the published ones."""

    title: str
    # Where the published values stand: paper, table, page.
    source: str = ""
    rows: tuple[TableRow, ...] = Field(min_length=1)
    columns: tuple[TableColumn, ...] = Field(min_length=1)
    # By row: one entry per column.
    published: dict[str, tuple[Published, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _published_values_fit(self) -> "TableSettings":
        known = [row.method for row in self.rows]
        for method, values in self.published.items():
            if method not in known:
                raise ValueError(f"published.{method}: not a row of this table; rows are {', '.join(known)}")
            if len(values) != len(self.columns):
                raise ValueError(
                    f"published.{method}: {len(values)} values for {len(self.columns)} columns; "
                    "write null for none"
                )
        return self


class FigureBase(Settings):
    """What every figure has."""

    title: str
    # Where the published counterpart stands: paper, figure.
    source: str = ""
    width: Literal["column", "page"] = "column"


class MapsFigure(FigureBase):
    """Input, truth, and the anomaly maps (and pseudo-healthy images) of methods, for a few subjects."""

    kind: Literal["maps"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)
    subjects: int = Field(default=3, ge=1)
    run: int = 0
    # The modality shown; "" is the first channel of the recipe.
    channel: str = ""
    pseudo_healthy: bool = True
    width: Literal["column", "page"] = "page"


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


class Series(Settings):
    """One line of a trend: a method per position on the x axis, null where there is none."""

    label: str
    methods: tuple[str | None, ...]
    published: tuple[Published, ...] = ()


class SeriesFigure(FigureBase):
    """A metric against something that the methods differ in, one line per series."""

    dataset: str
    x_label: str
    x: tuple[float | str, ...] = Field(min_length=1)
    log_x: bool = False
    series: tuple[Series, ...] = Field(min_length=1)
    metric: str = "auprc"
    protocol: str = ""
    aggregate: Aggregate = "pooled"
    scale: float = 1.0

    @model_validator(mode="after")
    def _series_fit(self) -> "SeriesFigure":
        for series in self.series:
            for key, values in (("methods", series.methods), ("published", series.published)):
                if (values or key == "methods") and len(values) != len(self.x):
                    raise ValueError(
                        f"series {series.label}: {len(values)} {key} for {len(self.x)} values of x"
                    )
        return self


class TrendFigure(SeriesFigure):
    """A metric against a parameter of the methods, such as the patch size."""

    kind: Literal["trend"]


class NoiseFigure(SeriesFigure):
    """A metric against the kind of noise, one line per algorithm."""

    kind: Literal["noise-comparison"]
    x_label: str = "Noise"


class CostFigure(FigureBase):
    """Seconds that each method needs for one volume."""

    kind: Literal["cost"]
    dataset: str
    methods: tuple[MethodLabel, ...] = Field(min_length=1)


FigureSettings = Annotated[
    MapsFigure
    | PrecisionRecallFigure
    | LesionSizeFigure
    | BarsFigure
    | TrendFigure
    | NoiseFigure
    | CostFigure,
    Field(discriminator="kind"),
]
