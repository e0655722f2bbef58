"""What a study's tables show, and what tables and figures have in common; light to import.

Published values are typed in the study files with the paper, table and page they come from; every other
number is read from score tables.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from brainuad.settings import Settings

Aggregate = Literal["mean", "pooled"]
# Over what the standard deviation of a table's cells is.
Spread = Literal["runs", "subjects"]
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

    kind: Literal["scores"] = "scores"
    title: str
    # Where the published values stand: paper, table, page.
    source: str = ""
    rows: tuple[TableRow, ...] = Field(min_length=1)
    columns: tuple[TableColumn, ...] = Field(min_length=1)
    # `subjects`: of the means over runs of single subjects, for a paper that gives the spread over images.
    spread: Spread = "runs"
    # By row: one entry per column.
    published: dict[str, tuple[Published, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _spread_is_that_of_means(self) -> "TableSettings":
        pooled = [column.label for column in self.columns if column.aggregate != "mean"]
        if self.spread == "subjects" and pooled:
            raise ValueError(
                f"spread: subjects have no values of their own in the pooled columns {', '.join(pooled)}; "
                "set `aggregate: mean` there, or `spread: runs`"
            )
        return self

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


class FlowRow(Settings):
    """One row of a table of the selection of a cohort: a step, and how it is written."""

    step: Literal[
        "initial", "usable report", "report labels", "follow-up filter", "manual review", "training cohort"
    ]
    label: str


class FlowTableSettings(Settings):
    """How many images and patients each step of the selection by reports leaves, beside the published numbers."""

    kind: Literal["cohort-flow"]
    title: str
    # Where the published values stand: paper, table, page.
    source: str = ""
    dataset: str
    rows: tuple[FlowRow, ...] = Field(min_length=1)
    # By step: images and patients.
    published: dict[str, tuple[int, int]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _published_steps_are_rows(self) -> "FlowTableSettings":
        known = [row.step for row in self.rows]
        if unknown := [step for step in self.published if step not in known]:
            raise ValueError(f"published.{unknown[0]}: not a row of this table; rows are {', '.join(known)}")
        return self


def _kind(value: Any) -> Any:
    """The kind of a table as it is written; one of scores need not say so."""
    return value.get("kind", "scores") if isinstance(value, dict) else getattr(value, "kind", "scores")


AnyTableSettings = Annotated[
    Annotated[TableSettings, Tag("scores")] | Annotated[FlowTableSettings, Tag("cohort-flow")],
    Discriminator(_kind),
]
