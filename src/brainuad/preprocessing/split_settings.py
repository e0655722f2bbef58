"""Settings of splits; light to import."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainuad.settings import Settings

Role = Literal["train", "validation", "test"]
Count = Annotated[float, Field(ge=0)]


class RoleCounts(Settings):
    """Participants per role; with `unit: share` the parts of the cohort (0.7, 0.1, 0.2)."""

    train: Count = 0
    validation: Count = 0
    test: Count = 0
    unit: Literal["participants", "share"] = "participants"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        total = self.train + self.validation + self.test
        if total <= 0:
            raise ValueError("at least one role needs a count")
        if self.unit == "share" and total > 1 + 1e-9:
            raise ValueError(f"shares add up to {total:g}, more than 1")
        return self


class DatasetSplit(RoleCounts):
    """The split of one data set.

    `patients` gives patients counts of their own; without it everyone is split together. `lists` names one
    published list (CSV) per role; `{run}` in a name is replaced by the run. `overlap: rebuild` keeps a subject
    that the lists put in several roles in one of them: the test set before validation before training.
    """

    patients: RoleCounts | None = None
    lists: dict[Role, str] = Field(default_factory=dict)
    overlap: Literal["error", "rebuild"] = "error"


class SplitSettings(Settings):
    """The splits of a study. With `folds` above 1 a run is a fold: the test set stays, validation rotates."""

    datasets: dict[str, DatasetSplit]
    folds: int = Field(default=1, ge=1)
    seed: int = 0
