"""The follow-up filter: does a report refer to earlier imaging?

Such a report may call a scan unchanged without naming what is wrong with it, so that its labels look normal
(Kascenas 2023, section 4.2.2). The wording is in follow_up_patterns.py.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from brainuad.curation.dates import DATE_IN_TEXT, readings
from brainuad.curation.follow_up_patterns import FOLLOW_UP
from brainuad.curation.selection_settings import FOLLOW_UP_PATTERNS, FollowUpPattern
from brainuad.curation.vocabulary import NEW_STRINGS

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.matcher import Matcher
    from spacy.tokens import Doc

DATE = re.compile(DATE_IN_TEXT)
FOLLOW_UP_SPELLINGS = re.compile(r"\bfollow(?:ed|ing|s)?[\s-]*ups?\b|\bf/u\b")
SENTENCE_END = re.compile(r"(?<=[.;!?])\s+(?=\S)")


def refers_to_earlier(
    text: str, date: str = "", patterns: Collection[FollowUpPattern] = FOLLOW_UP_PATTERNS
) -> str:
    """The name of the first pattern in the text that refers to earlier imaging, or an empty string.

    `date` is the report's own day, which does not count as a day of earlier imaging. That there is no earlier
    imaging to compare with is no reference to it.
    """
    flat = FOLLOW_UP_SPELLINGS.sub("followup", " ".join(text.lower().split()))
    own = set(readings(date))
    flat = DATE.sub(lambda found: "owndate" if own & set(readings(found.group())) else "xdate", flat)
    wanted = [name for name in FOLLOW_UP_PATTERNS if name in patterns and _hints()[name].search(flat)]
    if wanted:
        for sentence in SENTENCE_END.split(flat):
            if name := _first_pattern(sentence, wanted):
                return name
    return ""


def _first_pattern(sentence: str, patterns: list[FollowUpPattern]) -> str:
    """The pattern that fires first in a sentence; where two begin together, the one that is listed first."""
    # The last sentence of a text may have no full stop.
    sentence = sentence if sentence.endswith((".", ";", "!", "?")) else f"{sentence} ."
    fired = {}
    for name in patterns:
        if _hints()[name].search(sentence):
            language, matchers = _matchers()
            if len(language.vocab.strings) > NEW_STRINGS:
                _matchers.cache_clear()  # so that words of reports do not fill the memory
            start = _first_match(matchers[name], language.make_doc(sentence))
            if start is not None:
                fired[name] = start
    return min(fired, key=fired.__getitem__, default="")


def _first_match(matcher: "Matcher", doc: "Doc") -> int | None:
    """Where the first match begins that lies within no exception."""
    found = [(doc.vocab.strings[key], start, end) for key, start, end in matcher(doc)]
    exceptions = [(start, end) for kind, start, end in found if kind == "unless"]
    starts = [
        start
        for kind, start, end in found
        if kind == "fires" and not any(first <= start and end <= last for first, last in exceptions)
    ]
    return min(starts, default=None)


@lru_cache(maxsize=1)
def _hints() -> dict[FollowUpPattern, re.Pattern[str]]:
    return {name: re.compile(wording.hint) for name, wording in FOLLOW_UP.items()}


@lru_cache(maxsize=1)
def _matchers() -> tuple["Language", dict[FollowUpPattern, "Matcher"]]:
    """spaCy's English tokeniser, and a matcher for each pattern."""
    import spacy
    from spacy.matcher import Matcher

    language = spacy.blank("en")
    matchers = {}
    for name, wording in FOLLOW_UP.items():
        matchers[name] = Matcher(language.vocab)
        matchers[name].add("fires", wording.fires)
        if wording.unless:
            matchers[name].add("unless", wording.unless)
    return language, matchers
