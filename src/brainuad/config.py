"""`config.yaml`, the one file that a user edits: typed, and checked before the first job."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from brainuad.curation.settings import CurationSettings
from brainuad.leaderboard.settings import LeaderboardSettings
from brainuad.phantom.settings import PhantomSettings
from brainuad.settings import WEIGHTS_FOLDER, EachOnce, Name, Settings, UserPath

Scale = Literal["quick", "paper"]
Device = Literal["auto", "cpu", "cuda"]
Engine = Literal["deepbet", "hd-bet-v1", "hd-bet", "none"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]

PHANTOM_SUBJECTS = {
    "ixi": 16,
    "brats21": 9,
    "mslub": 5,
    "msseg": 6,
    "ljubljana": 4,
    "atlas2": 12,
    "fastmri": 48,
    "hospital_ct": 60,
    "cq500": 24,
}


class DatasetLocation(Settings):
    """Where a data set lies: a folder in its published layout, or the phantom when there is no path."""

    path: UserPath | None = None
    # The layout (bids, or the name of a built-in data set), for a name that is not a built-in data set.
    format: str | None = None
    # What differs from the data set's own preprocessing defaults.
    preprocessing: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_phantom(self) -> bool:
        """Whether the data set is simulated."""
        return self.path is None


class PhantomConfig(Settings):
    """How many subjects are simulated per data set, and how."""

    subjects: dict[str, int] = Field(default_factory=lambda: dict(PHANTOM_SUBJECTS))
    settings: PhantomSettings = PhantomSettings()

    @field_validator("subjects")
    @classmethod
    def _at_least_three(cls, value: dict[str, int]) -> dict[str, int]:
        if few := [name for name, count in value.items() if count < 3]:
            raise ValueError(f"at least 3 subjects are needed for a split (too few: {', '.join(few)})")
        return value


class Config(Settings):
    """Everything in `config.yaml`; defaults are here and nowhere else."""

    studies: Annotated[tuple[Name, ...], EachOnce] = Field(("quickstart",), min_length=1)
    scale: Scale = "quick"
    seed: int = Field(0, ge=0)
    datasets: dict[Name, DatasetLocation] = Field(
        default_factory=lambda: {name: DatasetLocation() for name in PHANTOM_SUBJECTS}
    )
    phantom: PhantomConfig = PhantomConfig()
    skull_strip: Engine = "deepbet"
    atlas_folder: UserPath = Path("resources")
    device: Device = "auto"
    gpus_per_training: int = Field(1, ge=1)
    # Processes that read training batches ahead; by default 0 at the quick scale and 4 at the paper scale.
    loader_workers: int | None = Field(None, ge=0)
    # The folder of ImageNet weights for perceptual distances and distillation (docs/perceptual-weights.md).
    perceptual_weights: UserPath = WEIGHTS_FOLDER
    precision: Precision = "auto"
    max_failed_share: float = Field(0.2, ge=0, le=1)
    # How a normal cohort is chosen from radiology reports, for the data sets that have some.
    curation: dict[Name, CurationSettings] = Field(default_factory=dict)
    # The one protocol under which the methods of all studies are compared.
    leaderboard: LeaderboardSettings = LeaderboardSettings()

    @field_validator("datasets", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """`ixi: phantom` and `ixi: /path` stand for the whole entry."""
        if not isinstance(value, dict):
            return value
        return {name: _expand_location(entry) for name, entry in value.items()}


def _expand_location(entry: Any) -> Any:
    if entry == "phantom":
        return {}
    if isinstance(entry, str):
        return {"path": entry}
    return entry
