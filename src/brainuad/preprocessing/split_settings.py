"""Settings of splits; light to import."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from brainuad.settings import Settings, UserPath

Role = Literal["train", "validation", "test"]
ROLES: tuple[Role, ...] = ("train", "validation", "test")
Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _several(files: Any) -> Any:
    return [files] if isinstance(files, str | Path) else files


# One file or several.
ListFiles = Annotated[tuple[UserPath, ...], Field(min_length=1), BeforeValidator(_several)]


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
        if self.unit == "participants":
            for role in ROLES:
                if getattr(self, role) % 1:
                    raise ValueError(
                        f"{role}: {getattr(self, role):g} is no number of participants; for shares set `unit: share`"
                    )
        return self


class PatientCounts(RoleCounts):
    """Counts of patients. With `annotated` scans of patients without a lesion mask get no role."""

    annotated: bool = False


class DatasetSplit(RoleCounts):
    """The split of one data set.

    `patients` gives patients counts of their own; without it everyone is split together. `lists` names the
    published lists (CSV) of each role, one or several; `{run}` in a name is replaced by the run. `overlap: rebuild`
    keeps a subject that the lists put in several roles in one of them: the test set before validation before training.
    """

    patients: PatientCounts | None = None
    lists: dict[Role, ListFiles] = Field(default_factory=dict)
    overlap: Literal["error", "rebuild"] = "error"

    @field_validator("lists")
    @classmethod
    def _only_the_run_is_replaced(cls, lists: dict[Role, ListFiles]) -> dict[Role, ListFiles]:
        for role, path in ((role, str(path)) for role, paths in lists.items() for path in paths):
            try:
                path.format(run=0)
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                raise ValueError(f"{role}: only {{run}} may stand in braces in {path!r}") from error
        return lists

    def list_files(self, role: Role, run: int) -> list[Path]:
        """The published lists of a role in one run; empty where it has none."""
        return [Path(str(path).format(run=run)) for path in self.lists.get(role, ())]

    @property
    def roles(self) -> set[Role]:
        """The roles that somebody gets: those of the lists, or of the counts where there are none."""
        if self.lists:
            return set(self.lists)
        parts = [self, *([self.patients] if self.patients else [])]
        return {role for part in parts for role in ROLES if getattr(part, role)}


class SplitSettings(Settings):
    """The splits of a study. With `folds` above 1 a run is a fold: the test set stays, validation rotates."""

    datasets: dict[str, DatasetSplit]
    folds: int = Field(default=1, ge=1)
    seed: int = 0
