"""What a head CT report can say: the labels, their classes, and what may be present in a normal scan.

Kascenas 2023, section 4.2.2 and Table C.5; the scheme is that of Schrempf 2021.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

FINDINGS = (
    "artefact",
    "collection",
    "compression",
    "dilation",
    "effacement",
    "herniation",
    "hyperdensity",
    "hypodensity",
    "loss of differentiation",
    "malacic changes",
    "mass effect",
    "midline shift",
    "oedema",
    "swelling",
)
IMPRESSIONS = (
    "abscess",
    "atrophy",
    "aneurysm",
    "calcification",
    "cavernoma",
    "cerebral small vessel disease",
    "congenital abnormality",
    "cyst",
    "evidence of surgery/intervention",
    "fracture",
    "gliosis",
    "hemorrhage",
    "hydrocephalus",
    "ischemia",
    "infection",
    "tumor",
    "vessel occlusion",
    "lesion",
    "pneumocephalus",
)
LABELS = FINDINGS + IMPRESSIONS

Certainty = Literal["positive", "negative", "uncertain", "not mentioned"]
CLASSES: tuple[Certainty, ...] = get_args(Certainty)
# Of two classes of one label the one that stands further right here counts.
WORSE: tuple[Certainty, ...] = ("not mentioned", "negative", "uncertain", "positive")

# Labels that a scan of the normal cohort may have.
NORMAL_FOR_AGE = ("calcification", "atrophy", "cerebral small vessel disease", "hypodensity")


# The status of a report in labels.tsv on which the rules failed; it has no labels, so that its scans leave.
FAILED = "failed"


@dataclass(frozen=True)
class Decision:
    """What a report says about one label: its class, the sentence that says so and the rule that read it."""

    label: str
    certainty: Certainty
    sentence: str
    rule: str


class Labeller(Protocol):
    """Anything that reads reports; labels without a decision are not mentioned."""

    def label_all(self, texts: Sequence[str]) -> list[list[Decision]]:
        """For each report at most one decision for each label, in the order of `LABELS`."""
        ...
