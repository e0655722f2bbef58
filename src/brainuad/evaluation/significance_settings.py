"""What is compared between methods, and how carefully; light to import."""

from typing import Literal

from pydantic import Field

from brainuad.settings import Settings

Test = Literal["unpaired", "paired"]


class SignificanceSettings(Settings):
    """Which permutation tests compare the methods of a data set, and with how many draws."""

    metric: str = "dice"
    # How the threshold of that metric was chosen; "" for a metric without a threshold, such as auprc.
    protocol: str = "validation"
    # "unpaired" is the test of Behrendt 2023, section 3.3; "paired" respects that subjects are the same.
    tests: tuple[Test, ...] = ("unpaired", "paired")
    rounds: int = Field(default=10_000, ge=100)  # Behrendt 2023, section 3.3
    resamples: int = Field(default=10_000, ge=100)
    confidence: float = Field(default=0.95, gt=0, lt=1)
