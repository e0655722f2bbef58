"""What a report is written from: the patient and the request, the findings in the image, and the set rates."""

from dataclasses import dataclass, field

from brainuad.phantom.reports.acute import ACUTE
from brainuad.phantom.reports.chronic import CHRONIC
from brainuad.phantom.reports.wording import Wording

KINDS: dict[str, Wording] = {**ACUTE, **CHRONIC}


@dataclass(frozen=True)
class Facts:
    """What the radiologist knows: age and sex, the request, and the date of earlier imaging if there is any.

    `known` are kinds of findings that the earlier imaging showed and that are as they were.
    """

    age: int
    sex: str
    reason: str
    author: int = 0
    earlier: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something in the image: its kind (see `KINDS`), where it lies, its size and what it does to the brain."""

    kind: str
    side: str = "left"
    site: str = "frontal lobe"
    size_mm: int = 10
    effects: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are positive in the image because of this finding."""
        return (*KINDS[self.kind].labels, *self.effects)


@dataclass(frozen=True)
class Rates:
    """How often reports do what real ones do; each is a share, independent of the others.

    `hedge`, `omit`: of the findings. `follow_up`: of the reports of patients with earlier imaging. `unnamed`: of
    those reports where every finding of note was there before, none is named but that nothing changed. `doubt`: of
    the reports, a finding that is not there is not excluded. `addendum`: of the reports end with a later remark.
    `addendum_alone`: of the reports, only such a remark is left. `typo`, `empty`, `foreign`: of the reports.
    """

    hedge: float = 0.15
    omit: float = 0.03
    follow_up: float = 0.75
    unnamed: float = 0.3
    doubt: float = 0.04
    typo: float = 0.06
    empty: float = 0.004
    foreign: float = 0.004
    addendum: float = 0.04
    addendum_alone: float = 0.004


@dataclass(frozen=True)
class Report:
    """A written report, what it says about each label it mentions, and how it came about."""

    text: str
    said: dict[str, str] = field(default_factory=dict)
    phrases: tuple[str, ...] = ()
    hedged: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    form: str = "plain"
    follow_up: bool = False
    addendum: bool = False
