"""Words of a report that are cut in two: by a hyphen at a line's end, by characters of no width, or by habit.

A cut word is no term, so that an abnormal report would be read as normal. Halves are joined only where the whole is a
word that the rules or the follow-up filter know and never write with a hyphen: `haemorr-` and `hage`, but neither
`well-` and `defined` nor `left-` and `sided`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from brainuad.curation import cue_words
from brainuad.curation.cues import CUES
from brainuad.curation.english import REPORT_WORDS, function_words
from brainuad.curation.follow_up_patterns import AVAILABLE, CLINICAL, EARLIER, ON_SCAN, QUALITY, SCAN
from brainuad.curation.sites import INSIDE, LOBES, OUTSIDE
from brainuad.curation.spelling import norm
from brainuad.curation.statements import STRUCTURES
from brainuad.curation.terms import OTHER_MEANINGS, TERMS, VAGUE

ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
LETTERS = r"[^\W\d_]"
WIDTHLESS = re.compile(f"[{ZERO_WIDTH}]+")
BEFORE_NUMBER = re.compile(rf"(?<={LETTERS})[{ZERO_WIDTH}]+(?=\d)|(?<=\d)[{ZERO_WIDTH}]+(?={LETTERS})")
CUT_BY_NOTHING = re.compile(f"{LETTERS}+(?:[{ZERO_WIDTH}]+{LETTERS}+)+")
# A program that made one line of all may have left a blank for the break.
LINE_END = r"(?:[ \t]+|[ \t]*(?:\r\n|[\r\n])[ \t]*)"
HYPHENATED = re.compile(rf"\b({LETTERS}{{2,}})-{LINE_END}({LETTERS}{{2,}})")
MAYBE_HYPHENATED = re.compile(rf"-\s+{LETTERS}")  # begins with a character, which is found faster
# A space of the meninges by itself is a term, and is one word.
SPACED_TERM = re.compile(rf"\b(sub|extra|epi)(?:-|-?{LINE_END})(?=(?:dural|arachnoid)s?\b)", re.IGNORECASE)
WORD = re.compile("[a-z]+(?:-[a-z]+)*")
SHORTEST = 4  # letters of a word that is known by itself
# Words of the follow-up filter that its patterns know by their stems.
STEMMED = (
    "compared comparable comparison comparative unchanged unaltered changed altered alteration stable static "
    "progressed progression progressive increased decreased improved improvement resolved resolving developed "
    "development enlargement evolving evolution larger smaller reduced reduction regressed regression worsened "
    "worsening previously demonstrated described reported identified visualised interval similar follow following "
    "yesterday addendum"
)


def without_hyphenation(text: str) -> str:
    """A text in which words that a hyphen cut at a line's end are whole, if they are known."""
    return HYPHENATED.sub(_joined, text) if MAYBE_HYPHENATED.search(text) else text


def with_spaced_terms(text: str) -> str:
    """A text with `subdural` for `sub-dural` and `sub dural`, and the like."""
    return SPACED_TERM.sub(r"\1", text)


def without_zero_width(text: str) -> str:
    """A text without characters of no width; those between two words that are known become a blank."""
    if not WIDTHLESS.search(text):
        return text
    text = BEFORE_NUMBER.sub(" ", text)
    return WIDTHLESS.sub("", CUT_BY_NOTHING.sub(_apart_or_joined, text))


def _joined(cut: re.Match[str]) -> str:
    first, second = cut.groups()
    words, hyphened = _vocabulary()
    if second[0].isupper() and not first.isupper():
        return cut[0]
    known = norm(first + second) in words and (norm(first), norm(second)) not in hyphened
    return first + second if known else cut[0]


def _apart_or_joined(cut: re.Match[str]) -> str:
    pieces = WIDTHLESS.split(cut[0])
    words, _ = _vocabulary()
    known = [piece for piece in pieces if norm(piece) in words]
    # Abbreviations are words by themselves (`R` and `SDH`), and so are short words if all are known.
    sure = any(len(piece) >= SHORTEST or (piece.isupper() and len(piece) > 1) for piece in known)
    apart = norm("".join(pieces)) not in words and (sure or len(known) == len(pieces))
    return (" " if apart else "").join(pieces)


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[frozenset[str], frozenset[tuple[str, ...]]]:
    """The norms of all words that are known, and the parts of those that are written with a hyphen."""
    found = {word for text in _texts() for word in WORD.findall(text.lower())}
    hyphened = {tuple(map(norm, word.split("-"))) for word in found if "-" in word}
    parts = {norm(part) for word in found for part in word.split("-")}
    return frozenset(parts | {norm(word.replace("-", "")) for word in found}), frozenset(hyphened)


def _texts() -> Iterator[str]:
    """All lists of words and all patterns of the rules and of the follow-up filter."""
    patterns = (*TERMS.values(), *VAGUE.values(), *CUES.values(), *OUTSIDE.values())
    for group in (*patterns, OTHER_MEANINGS, INSIDE, LOBES):
        yield from group
    for structure in STRUCTURES.values():
        yield from structure.names
        for _, states in (*structure.affirming, *structure.denying):
            yield from states
    for words in (
        cue_words.OWN_WORDS,
        cue_words.PLACES,
        cue_words.QUALITIES,
        cue_words.SEEN_WORDS,
        function_words("en"),
    ):
        yield from words
    yield from (REPORT_WORDS, AVAILABLE, CLINICAL, EARLIER, ON_SCAN, QUALITY, SCAN, STEMMED)
