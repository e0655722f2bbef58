"""Who is compared and where their files lie, as one description that a rule can build."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LEADERBOARD = Path("results/leaderboard")
# How the slices without lesion of a data set's patients are called where data sets of healthy scans are named.
SLICES = "slices:"


@dataclass(frozen=True)
class Entrant:
    """One method of one study on one test set.

    `contest` names what it competes in: the data set, or a synthetic test set of the study alone.
    `same_scans` are the data sets of the study's splits that hold scans of the same subjects. `healthy` are the
    strata of the scores that can hold the false-positive rate in healthy scans, the first choice first; "" are the
    healthy scans of the test set itself.
    """

    study: str
    method: str
    label: str
    contest: str
    dataset: str
    arrays: Path
    runs: int = 1
    model: str = ""
    training: tuple[str, ...] = ()
    supervised: bool = False
    healthy: tuple[str, ...] = ("",)
    same_scans: tuple[str, ...] = ()
    results: Path = Path("results")

    @property
    def key(self) -> str:
        """study/method."""
        return f"{self.study}/{self.method}"

    def scores(self, run: int) -> Path:
        """The scores of one run under the common protocol."""
        folder = self.results / "leaderboard" / "scores" / self.study / self.method
        return folder / f"run-{run}" / f"{self.dataset}.tsv"

    def manifest(self, run: int) -> Path:
        """The table of one run's maps."""
        return self.results / self.study / "maps" / self.method / f"run-{run}" / f"{self.dataset}.tsv"

    def split(self, run: int) -> Path:
        """The roles of the subjects in one run."""
        return self.results / self.study / "splits" / f"run-{run}.tsv"

    def cost(self, run: int) -> Path:
        """What the training of one run took."""
        return self.results / self.study / "models" / self.model / f"run-{run}" / "cost.json"


@dataclass(frozen=True)
class Sources:
    """Data sets that lend a test set the scans on which thresholds are chosen.

    `patients`: their validation patients, for a test set without any. `healthy`: their healthy scans; `named` where
    the study names them (`healthy_dataset`), otherwise they are those that it trains on, and serve a test set without
    healthy scans. `slices`: where none of these is healthy, such slices of their patients are; "" for no slices.
    """

    patients: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()
    slices: str = ""
    named: bool = False

    def strata(self, dataset: str) -> tuple[str, ...]:
        """The strata of the scores of a test set that can hold the rate in healthy scans, first choice first."""
        others = tuple(name for name in self.healthy if name != dataset)
        if self.named:
            return (*others, "")
        return ("", *others, *(SLICES + name for name in self.healthy if self.slices))


@dataclass(frozen=True)
class NotScored:
    """Why no method of a study is scored on the test set of a contest."""

    contest: str
    study: str
    reason: str


@dataclass(frozen=True)
class RankingInputs:
    """Everything that the ranking reads; `titles` are those of the studies."""

    entrants: tuple[Entrant, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    not_scored: tuple[NotScored, ...] = ()

    @property
    def contests(self) -> tuple[str, ...]:
        """The names of the contests, in the order of the studies."""
        return tuple(dict.fromkeys(entrant.contest for entrant in self.entrants))

    def of_contest(self, contest: str) -> list[Entrant]:
        """The entrants of one contest."""
        return [entrant for entrant in self.entrants if entrant.contest == contest]
