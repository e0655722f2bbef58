"""What the leaderboard shows of every method; light to import."""

from dataclasses import dataclass

FIXED = ("validation", "healthy-fpr", "yen")  # thresholds that no test lesion chose


@dataclass(frozen=True)
class Quantity:
    """A metric under a threshold protocol ("" where it needs none); `bound`: chosen on the test data itself."""

    metric: str
    protocol: str = ""

    @property
    def bound(self) -> bool:
        """Whether it is an upper bound, on which nobody is ranked."""
        return self.protocol == "oracle"


RANKED = (Quantity("auprc"), Quantity("dice", "validation"))
# Means over the patients that all ranked methods share.
PATIENTS = (
    Quantity("auprc"),
    Quantity("dice", "oracle"),
    *(Quantity(metric, protocol) for metric in ("dice", "lesion_recall", "lesion_f1") for protocol in FIXED),
)
HEALTHY = tuple(Quantity("fpr", protocol) for protocol in FIXED)
STRATA = RANKED
LESIONS = tuple(Quantity("lesion_recall", protocol) for protocol in FIXED)
