"""Who is scanned in a phantom of head CTs, and what each scan shows. Imports nothing heavy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from brainuad.phantom.layout import SubjectFacts
from brainuad.phantom.reports.facts import Finding

# Kinds of findings that a rater outlines in scans with an acute one, and which of them are acute.
ACUTE = frozenset(
    {
        *("subdural", "chronic_subdural", "extradural", "intracerebral", "contusion", "subarachnoid"),
        *("intraventricular", "early_infarct", "glioma", "metastases", "abscess", "encephalitis"),
    }
)


# What a rater outlines, in the order of the values of the mask (`plans.py`), by its label.
OUTLINED = ("hemorrhage", "ischemia", "tumor", "infection")


def condition_of(findings: Iterable[Finding]) -> str:
    """What a scan with these findings shows of `OUTLINED`, joined by ";"."""
    present = {label for finding in findings for label in finding.labels}
    return ";".join(label for label in OUTLINED if label in present)


def outlined(findings: Iterable[Finding]) -> bool:
    """Whether a scan with these findings has a mask."""
    return any(finding.kind in ACUTE for finding in findings)


@dataclass(frozen=True)
class ScanFacts(SubjectFacts):
    """One scan, with its `files` below the root by modality; `day` is the date as 20160312, empty if nobody knows.

    Scans of one `patient` show the same head.
    """

    patient: str = ""
    day: str = ""
    findings: tuple[Finding, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def person(self) -> str:
        """Whose head it is."""
        return self.patient


def files_of(facts: SubjectFacts) -> dict[str, str]:
    """The paths of a scan below the root, by modality."""
    assert isinstance(facts, ScanFacts)
    return dict(facts.files)
