"""How a report stands on the page: its title, its headings, and what it holds besides the findings.

Authors have habits, but no two reports of an author need look alike: exports hold dictated, typed and templated ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainuad.phantom.reports.authors import AUTHORS, voiced
from brainuad.phantom.reports.body import pick
from brainuad.phantom.reports.facts import Facts
from brainuad.phantom.reports.sections import (
    CLOSING,
    COMPARED,
    COMPARISON_HEADING,
    DOSES,
    HISTORY,
    HISTORY_HEADINGS,
    NO_EARLIER,
    NO_PRIORS,
    PRIORS,
    REQUEST_HEADINGS,
    REQUESTS,
    TECHNIQUES,
    TITLES,
    UNCHANGED,
)

SHARE_WITHOUT_EARLIER = 0.08  # of the reports without earlier imaging that say so
SHARE_OF_COMPARISONS = 0.25  # of the references to earlier imaging that have a heading
SHARE_OF_CLOSINGS = 0.25
SHARE_OF_TITLES = 0.35
SHARE_OF_HISTORIES = 0.3  # of the requests with what the patient had before
SHARE_OF_HISTORY_HEADINGS = 0.4  # of those histories that have a heading
SHARE_OF_OPENINGS = 0.25  # of the reports without a technique section that begin with the technique
SHARE_OF_DOSES = 0.15  # of the technique sections
SHARE_OF_LONE_HEADINGS = 0.15  # of the reports with headings where only the request has one
SHARE_OF_LATE_HEADINGS = 0.3  # of the reports of those who use no headings that have a request under one
SHARE_OF_BARE_REQUESTS = 0.15  # of their reports that begin with the request, without a heading
SHARE_OF_EMPTY_LINES = 0.3  # of the reports that separate their sections by empty lines

Block = tuple[str, str]  # a heading, empty if there is none, and what stands under it


@dataclass(frozen=True)
class Comparison:
    """A reference to earlier imaging, or to its absence; `headed` if it stands under a heading of its own."""

    text: str = ""
    headed: bool = False


def no_change(facts: Facts, rng: np.random.Generator) -> Comparison:
    """That nothing has changed since earlier imaging."""
    return Comparison(pick(rng, UNCHANGED).format(earlier=facts.earlier))


def comparison_of(facts: Facts, follow_up: bool, quiet: bool, rng: np.random.Generator) -> Comparison:
    """What a report that names its findings says of earlier imaging; that nothing has changed if it is `quiet`."""
    named = follow_up or (not facts.earlier and rng.random() < SHARE_WITHOUT_EARLIER)
    if not named:
        return Comparison()
    headed = rng.random() < SHARE_OF_COMPARISONS
    if follow_up:
        choices = PRIORS if headed else (*COMPARED, *(UNCHANGED if quiet else ()))
    else:
        choices = NO_PRIORS if headed else NO_EARLIER
    return Comparison(pick(rng, choices).format(earlier=facts.earlier), headed)


def laid_out(
    facts: Facts,
    comparison: Comparison,
    findings: Sequence[str],
    conclusion: Sequence[str],
    rng: np.random.Generator,
) -> str:
    """The text of a report whose sentences on the image are `findings` and `conclusion`."""
    author = AUTHORS[facts.author]
    headed = bool(author.headings[0]) and rng.random() >= SHARE_OF_LONE_HEADINGS
    background = _headed_background(facts, rng) if headed else _lone_request(facts, rng)
    if comparison.headed:
        heading = COMPARISON_HEADING.upper() if author.line_by_line else COMPARISON_HEADING
        background.append((heading, comparison.text))
    opening = not (headed and author.technique) and rng.random() < SHARE_OF_OPENINGS
    sentences = [
        voiced(pick(rng, TECHNIQUES), facts.author) if opening else "",
        "" if comparison.headed else comparison.text,
        *findings,
        pick(rng, CLOSING) if rng.random() < SHARE_OF_CLOSINGS else "",
    ]
    blocks = [
        *([("", pick(rng, TITLES))] if rng.random() < SHARE_OF_TITLES else []),
        *background,
        (
            author.headings[2] if headed else "",
            ("\n" if author.line_by_line else " ").join(filter(None, sentences)),
        ),
        (author.headings[3] if headed else "", " ".join(conclusion)),
    ]
    # Below a line that is a heading, only an empty line shows where findings without a heading begin.
    spaced = rng.random() < SHARE_OF_EMPTY_LINES or (author.line_by_line and not headed)
    between = "\n" if author.line_by_line else " "
    texts = [f"{heading}{between}{text}" if heading else text for heading, text in blocks if text]
    return ("\n\n" if spaced else "\n").join(texts)


def _headed_background(facts: Facts, rng: np.random.Generator) -> list[Block]:
    """Request, history and technique as sections, the way of authors who use headings."""
    author = AUTHORS[facts.author]
    blocks = _request(facts, author.headings[0], rng)
    if author.technique:
        technique = voiced(pick(rng, TECHNIQUES), facts.author)
        dose = f" {pick(rng, DOSES)}" if rng.random() < SHARE_OF_DOSES else ""
        blocks.append((author.headings[1], technique + dose))
    return blocks


def _lone_request(facts: Facts, rng: np.random.Generator) -> list[Block]:
    """The request as the only section with a heading, or without one, or none."""
    heading = AUTHORS[facts.author].headings[0]
    if heading:
        return _request(facts, heading, rng)
    draw = rng.random()
    if draw < SHARE_OF_LATE_HEADINGS:
        return _request(facts, pick(rng, REQUEST_HEADINGS), rng)
    return _request(facts, "", rng)[:1] if draw < SHARE_OF_LATE_HEADINGS + SHARE_OF_BARE_REQUESTS else []


def _request(facts: Facts, heading: str, rng: np.random.Generator) -> list[Block]:
    """What is asked for, and what the patient had before, in the same section or in the next."""
    person = "woman" if facts.sex == "F" else "man"
    asked = pick(rng, REQUESTS[facts.reason]).format(age=facts.age, person=person)
    if rng.random() >= SHARE_OF_HISTORIES:
        return [(heading, voiced(asked, facts.author))]
    before = voiced(pick(rng, HISTORY), facts.author)
    if rng.random() >= SHARE_OF_HISTORY_HEADINGS:
        return [(heading, f"{voiced(asked, facts.author)} {before}")]
    other = pick(rng, HISTORY_HEADINGS)
    return [(heading, voiced(asked, facts.author)), (other.upper() if heading.isupper() else other, before)]
