"""Sentences that carry their own truth: `There is no [-hemorrhage|bleed]` says hemorrhage is negative.

A mark is `[`, a sign, a label, `|`, the words, `]`. The sign is + (positive), - (negative), ? (uncertain), or
~ in a phrase that takes the sign of the sentence it is put in. Braces are filled in: `{side}`, `{site}`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from brainuad.curation.labels import CLASSES, Certainty

MARK = re.compile(r"\[([-+?~])([^|\]]+)\|([^\]]*)\]")
SIGNS: dict[str, Certainty] = {"+": "positive", "-": "negative", "?": "uncertain"}
STRENGTH: tuple[Certainty, ...] = ("positive", "uncertain", "negative")


@dataclass(frozen=True)
class Statement:
    """A sentence or phrase, and the (label, certainty) of each of its marked words."""

    text: str
    marks: tuple[tuple[str, Certainty], ...] = ()


def marks_in(template: str) -> tuple[tuple[str, str], ...]:
    """The (label, sign) of each mark of a template."""
    return tuple((label, sign) for sign, label, _ in MARK.findall(template))


def signed(template: str, sign: str) -> str:
    """The template with `sign` where its marks say ~."""
    return template.replace("[~", f"[{sign}")


def read(template: str, fields: Mapping[str, str]) -> Statement:
    """The statement of a template whose braces are filled from `fields`."""
    marks = tuple((label, SIGNS[sign]) for label, sign in marks_in(template))
    return Statement(MARK.sub(r"\3", template).format_map(fields), marks)


def strongest(statements: Iterable[Statement]) -> dict[str, Certainty]:
    """What a report says as a whole: a label is positive if any statement says so, else uncertain, else negative."""
    said: dict[str, Certainty] = {}
    for statement in statements:
        for label, certainty in statement.marks:
            said[label] = stronger(said.get(label, CLASSES[-1]), certainty)
    return said


def stronger(first: Certainty, second: Certainty) -> Certainty:
    """The certainty that counts where a report says both."""
    return next((each for each in STRENGTH if each in (first, second)), CLASSES[-1])
