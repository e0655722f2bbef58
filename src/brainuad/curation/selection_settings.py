"""Settings of the choice of a normal cohort and of its review; light to import."""

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from brainuad.curation.labels import LABELS, NORMAL_FOR_AGE
from brainuad.settings import Settings

FollowUpPattern = Literal[
    "comparison",
    "earlier imaging",
    "since",
    "interval change",
    "unchanged",
    "stable",
    "follow-up",
    "no progression",
    "as before",
    "seen again",
    "dated imaging",
]
FOLLOW_UP_PATTERNS: tuple[FollowUpPattern, ...] = get_args(FollowUpPattern)

Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

# The reason of a normal scan that is not trained on.
HELD_OUT = "held out"


class SelectionSettings(Settings):
    """Which scans are normal for their age and go into the training cohort (Kascenas 2023, section 4.2.2).

    A scan may have `allowed_labels` and no other. `follow_up_patterns` names the patterns that give away a
    reference to earlier imaging. Reports of the same patient and day count for a scan beside the one it names,
    unless `reports_of_same_day` is off. `scans_per_report: first` keeps one scan of each report. Scans that
    nobody reviewed are kept unless `require_review`. `held_out_share` of the patients stays out of the training
    cohort; the default is that of the published numbers (757 of 939 patients are trained on).
    """

    allowed_labels: tuple[str, ...] = NORMAL_FOR_AGE
    follow_up_patterns: tuple[FollowUpPattern, ...] = FOLLOW_UP_PATTERNS
    reports_of_same_day: bool = True
    scans_per_report: Literal["all", "first"] = "all"
    require_review: bool = False
    held_out_share: Share = 0.194
    seed: int = 0

    @field_validator("allowed_labels")
    @classmethod
    def _known_labels(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(labels) - set(LABELS)):
            raise ValueError(f"{', '.join(unknown)}: no such label; the labels are {', '.join(LABELS)}")
        return labels


class ReviewSettings(Settings):
    """How a scan is shown: `slices` axial slices, each at most `slice_pixels` wide and high.

    `window` are the values of black and white (Hounsfield units of CT); null takes them from each scan, at its
    0.5th and 99.5th percentile.
    """

    slices: int = Field(default=8, ge=1, le=40)
    slice_pixels: int = Field(default=96, ge=16, le=512)
    window: tuple[float, float] | None = (0.0, 80.0)

    @field_validator("window")
    @classmethod
    def _black_below_white(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and not window[0] < window[1]:
            raise ValueError("the first value (black) must be smaller than the second (white)")
        return window
