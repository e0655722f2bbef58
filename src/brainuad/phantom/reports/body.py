"""The sentences of a report: of one finding, of its effects, of what is normal, absent or in doubt."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from brainuad.phantom.reports.absent import (
    ABSENT,
    CONFUSED,
    DENIALS,
    DIFFERENTIALS,
    DOUBTS,
    EFFECTS,
    HEDGES,
    NORMAL,
)
from brainuad.phantom.reports.facts import KINDS, Finding
from brainuad.phantom.reports.markup import Statement, marks_in, read, signed

DIFFERENTIAL_SHARE = 0.3
Choice = TypeVar("Choice")


def pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of the choices, each as likely."""
    return choices[int(rng.random() * len(choices))]


def listed(nouns: Sequence[str], last: str) -> str:
    """`a, b or c`."""
    if len(nouns) < 2:
        return "".join(nouns)
    return f"{', '.join(nouns[:-1])} {last} {nouns[-1]}"


def fields_of(finding: Finding) -> Mapping[str, str]:
    """What the braces of a finding's phrases are filled with."""
    return {
        "side": finding.side,
        "other": "right" if finding.side == "left" else "left",
        "site": finding.site,
        "size": str(finding.size_mm),
        "shift": str(max(2, finding.size_mm // 5)),
    }


def finding_sentence(finding: Finding, rng: np.random.Generator) -> Statement:
    """A finding stated as certain."""
    return read(pick(rng, KINDS[finding.kind].sure), fields_of(finding))


def hedged_sentence(finding: Finding, rng: np.random.Generator) -> Statement:
    """A finding stated as possible, alone or in a differential."""
    noun = signed(pick(rng, KINDS[finding.kind].nouns), "?")
    if finding.kind in CONFUSED and rng.random() < DIFFERENTIAL_SHARE:
        # A finding that could be itself or another one is only that: neither is certain.
        named = {label for label, _ in marks_in(noun)}
        others = [label for label in CONFUSED[finding.kind] if label not in named]
        second = _doubtful_noun(pick(rng, others), rng)
        template = pick(rng, DIFFERENTIALS).replace("{first}", noun).replace("{second}", second)
    else:
        template = pick(rng, HEDGES).replace("{noun}", noun)
    return read(template, fields_of(finding))


def _doubtful_noun(label: str, rng: np.random.Generator) -> str:
    noun = signed(pick(rng, ABSENT[label][0]), "?")
    return noun.replace("significant ", "").replace("abnormal ", "")


def effect_sentences(
    finding: Finding, effects: Sequence[str], sign: str, rng: np.random.Generator
) -> Statement:
    """What a finding does to the brain, in one sentence."""
    nouns = [signed(pick(rng, EFFECTS[effect]), sign) for effect in effects]
    frames = (
        ("Possible {list}.", "There may be {list}.")
        if sign == "?"
        else ("There is associated {list}.", "{list}.")
    )
    return read(pick(rng, frames).replace("{list}", listed(nouns, "and")), fields_of(finding))


def absent_labels(present: set[str], count: int, rng: np.random.Generator) -> list[str]:
    """Labels that the image does not have, the usual ones more often."""
    labels = [label for label in ABSENT if label not in present]
    weights = np.array([ABSENT[label][1] for label in labels])
    keys = np.log(rng.random(len(labels))) / weights
    return [labels[index] for index in np.argsort(-keys)[:count]]


def denial_sentences(labels: Sequence[str], rng: np.random.Generator) -> list[Statement]:
    """Sentences that say labels are absent: one list, or a few shorter ones."""
    nouns = [signed(pick(rng, ABSENT[label][0]), "-") for label in labels]
    step = int(rng.integers(1, len(nouns) + 1)) if nouns else 1
    parts = [nouns[start : start + step] for start in range(0, len(nouns), step)]
    return [read(pick(rng, DENIALS).replace("{list}", listed(part, "or")), {}) for part in parts]


def normal_sentences(present: set[str], share: float, rng: np.random.Generator) -> list[Statement]:
    """Sentences such as "The midline is undisplaced"."""
    absent = [label for label in NORMAL if label not in present]
    return [read(pick(rng, NORMAL[label]), {}) for label in absent if rng.random() < share]


def doubt_sentence(present: set[str], rng: np.random.Generator) -> Statement:
    """Something that is not there and is not excluded."""
    label = pick(rng, [label for label in ABSENT if label not in present])
    return read(pick(rng, DOUBTS).replace("{noun}", _doubtful_noun(label, rng)), {})
