"""The patients of a fictional hospital: their visits, and what each visit's scans show.

A patient is a function of (seed, number). Findings are drawn once and age from visit to visit: an infarct
becomes old, a subdural haematoma becomes chronic and then clears.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np

from brainuad.phantom.prevalence import ACUTE, AGEING, BACKGROUND, EFFECTS, REASONS, SIZES, WITH
from brainuad.phantom.reports.facts import KINDS, Finding
from brainuad.randomness import numpy_generator

FIRST_DAY = date(2013, 1, 1)
DAYS = 5 * 365
RETURNS = 0.42  # of the patients, after each visit
MOST_VISITS = 8
NEW_AGAIN = 0.6  # of the usual share of acute findings, at a later visit
EARLIER_ELSEWHERE = 0.1  # of the first visits follow imaging that the hospital does not hold
SMALL_MM = 10


@dataclass(frozen=True)
class Visit:
    """One attendance: the scans of that day share the findings, except an artefact, which a repeat avoids."""

    number: int
    day: date
    age: int
    reason: str
    findings: tuple[Finding, ...]
    scans: int
    earlier: date | None

    def findings_of(self, scan: int) -> tuple[Finding, ...]:
        """What the given scan of the visit shows, counted from 1."""
        return tuple(each for each in self.findings if scan == 1 or each.kind != "artefact")


@dataclass(frozen=True)
class Patient:
    """A person of the fictional hospital; `name` is the identifier in its tables."""

    name: str
    sex: Literal["F", "M"]
    visits: tuple[Visit, ...]


def draw_patient(number: int, seed: int) -> Patient:
    """The patient of this number, the same whatever the number of patients."""
    rng = numpy_generator(seed, "phantom", "hospital_ct", "patient", number)
    age = int(np.clip(rng.normal(70, 15), 18, 99))
    sex: Literal["F", "M"] = "F" if rng.random() < 0.5 else "M"
    day = FIRST_DAY + timedelta(days=int(rng.integers(DAYS)))
    visits = [_first_visit(age, day, rng)]
    while len(visits) < MOST_VISITS and rng.random() < RETURNS:
        visits.append(_next_visit(visits[-1], age, day, rng))
    return Patient(f"HCT{number:06d}", sex, tuple(visits))


def _first_visit(age: int, day: date, rng: np.random.Generator) -> Visit:
    reason = _drawn_reason(rng)
    kinds = draw_kinds(reason, age, rng)
    earlier = day - timedelta(days=int(rng.integers(20, 2000))) if rng.random() < EARLIER_ELSEWHERE else None
    return Visit(1, day, age, reason, draw_findings(kinds, rng), _scans(kinds, rng), earlier)


def draw_kinds(reason: str, age: int, rng: np.random.Generator) -> list[str]:
    """The kinds of findings of someone who comes for the first time for that reason."""
    return [*_happens(ACUTE[reason], rng), *_happens(_background(age), rng)]


def _next_visit(last: Visit, first_age: int, first_day: date, rng: np.random.Generator) -> Visit:
    gap = int(np.exp(rng.uniform(0, np.log(900)))) or 1
    day = last.day + timedelta(days=gap)
    reason = "progress" if gap < 14 else _drawn_reason(rng)
    kept = _aged(last.findings, gap, rng)
    held = {finding.kind for finding in kept}
    chances = {kind: share * NEW_AGAIN for kind, share in ACUTE[reason].items()}
    chances["artefact"] = BACKGROUND["artefact"][0]
    kinds = [kind for kind in _happens(chances, rng) if kind not in held]
    age = first_age + (day - first_day).days // 365
    return Visit(
        number=last.number + 1,
        day=day,
        age=age,
        reason=reason,
        findings=_in_order((*kept, *draw_findings(kinds, rng))),
        scans=_scans(kinds, rng),
        earlier=last.day,
    )


def _drawn_reason(rng: np.random.Generator) -> str:
    place = np.searchsorted(np.cumsum(list(REASONS.values())), rng.random() * sum(REASONS.values()))
    return list(REASONS)[int(place)]


def _background(age: int) -> dict[str, float]:
    part = (age - 40) / 50
    return {kind: max(0.0, young + part * (old - young)) for kind, (young, old) in BACKGROUND.items()}


def _happens(chances: Mapping[str, float], rng: np.random.Generator) -> list[str]:
    """The kinds that happen, each with its share, and what comes with them."""
    kinds = [kind for kind, share in chances.items() if rng.random() < share]
    for kind in list(kinds):
        for other in _happens(WITH.get(kind, {}), rng):
            if other not in kinds:
                kinds.append(other)
    return kinds


def draw_findings(kinds: list[str], rng: np.random.Generator) -> tuple[Finding, ...]:
    """A finding of each kind, in the order of `KINDS`."""
    return _in_order(tuple(draw_finding(kind, rng) for kind in dict.fromkeys(kinds)))


def _in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    order = list(KINDS)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.kind)))


def draw_finding(kind: str, rng: np.random.Generator) -> Finding:
    """A finding of this kind: its side, site and size, and effects that are the more usual the larger it is."""
    smallest, largest = SIZES.get(kind, (SMALL_MM, SMALL_MM))
    part = float(rng.beta(1.3, 2.5))
    effects = EFFECTS.get(kind, {})
    scale = part if kind in SIZES else 1.0
    return Finding(
        kind=kind,
        side="left" if rng.random() < 0.5 else "right",
        site=KINDS[kind].sites[int(rng.integers(len(KINDS[kind].sites)))],
        size_mm=round(smallest + part * (largest - smallest)),
        effects=tuple(effect for effect, share in effects.items() if rng.random() < share * scale),
    )


def _aged(findings: tuple[Finding, ...], gap: int, rng: np.random.Generator) -> tuple[Finding, ...]:
    later: dict[str, Finding] = {}
    for finding in findings:
        days, following = AGEING.get(finding.kind, (gap + 1, ""))
        if gap <= days and finding.kind != "artefact":
            later.setdefault(finding.kind, finding)
        elif following:
            drawn = draw_finding(following, rng)
            later.setdefault(following, replace(drawn, side=finding.side))
    return tuple(later.values())


def _scans(kinds: list[str], rng: np.random.Generator) -> int:
    if "artefact" in kinds and rng.random() < 0.6:
        return 2
    return 1 + int(rng.random() < 0.16) + int(rng.random() < 0.04)
