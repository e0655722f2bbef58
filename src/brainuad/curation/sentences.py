"""The sentences of a report: abbreviations and decimal points do not end one, items of a list do.

A line break ends a sentence unless the line was wrapped: the next line then goes on with a small letter, or the line
ends with a word that must be followed by another.
"""

import re
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Token

from brainuad.curation.answered_lines import (
    FUNCTION_WORDS,
    WRAPPED,
    denies_label,
    in_doubt,
    is_answered,
    is_next_label,
    item_number,
)
from brainuad.curation.sections import BULLETS
from brainuad.curation.spelling import PLAIN, word_set

# Never the last word of a sentence, and words that are often shortened, after which a new one must be plain to see.
TITLES = word_set("dr mr mrs ms prof e g i eg ie vs cf fig st approx incl")
SHORTENED = word_set(
    "rt lt ant post sup inf lat med bilat max min hx hosp dept pt yr yrs wk ref resp ca ax cor sag sl ed etc mod"
)
STARTERS = word_set(
    "no there the normal ventricle ventricular sulcus gray white basal midline skull evidence old chronic mild "
    "moderate small large stable conclusion impression opinion unremarkable bone this appearance otherwise"
)


@dataclass(frozen=True)
class Flat:
    """A report as one line, with the places where its lines and its paragraphs began."""

    text: str
    lines: frozenset[int]
    paragraphs: frozenset[int]


def flatten(text: str) -> Flat:
    """A report with single spaces instead of any other white space, and plain marks."""
    lines, paragraphs, pieces, place, gap = [], [], [], 0, False
    for line in re.split(r"\r\n|[\r\n\v\f\u2028\u2029]", text.translate(PLAIN)):
        if not (line := " ".join(line.split())):
            gap = True
            continue
        lines.append(place)
        if gap:
            paragraphs.append(place)
        pieces.append(line)
        place += len(line) + 1
        gap = False
    return Flat(" ".join(pieces), frozenset(lines), frozenset(paragraphs))


@Language.factory("report_sentences")
def make_sentences(nlp: Language, name: str) -> "Sentences":
    """The component that marks where sentences start."""
    return Sentences()


class Sentences:
    """Marks the first word of each sentence, so that `doc.sents` works."""

    def __call__(self, doc: Doc) -> Doc:
        borders = {span.start for span in doc.spans["headings"]}
        ends = {span.end for span in doc.spans["headings"]}
        capitals, lines = doc.user_data["capitals"], doc.user_data["lines"]
        item, tokens = 0, list(doc)
        rows: list[int] = []  # where the lines so far began
        for token in tokens:
            number = item_number(tokens, token.i)
            if token.idx in lines:
                starts = token.i == 0 or number or _new_line(tokens, token, tokens[rows[-1]].idx, capitals)
                starts = starts or is_answered(tokens, token.i, rows[-1], ends)
                plain = starts and not number and token.i not in borders
                if plain and in_doubt(tokens, token.i, rows, ends):
                    tokens[token.i - 2].is_sent_start = True
                rows.append(token.i)
            else:
                starts = _ends_sentence(tokens, token.i - 1) or number == item + 1 > 1
                if is_next_label(tokens, token.i, rows[-1], ends):
                    starts = True
                    if not denies_label(tokens, token.i):
                        tokens[token.i - 2].is_sent_start = True
            token.is_sent_start = bool(starts or token.i in borders)
            if number and token.is_sent_start:
                item = number
        return doc


def _new_line(tokens: list[Token], token: Token, line_start: int, capitals: bool) -> bool:
    """Whether a sentence starts with this line."""
    before = tokens[token.i - 1]
    if (
        token.idx in token.doc.user_data["paragraphs"]
        or before.text in (".", "!", "?", ":", ";")
        or token.text in BULLETS
    ):
        return before.text != ":" or token.text[0].isupper() or token.text in BULLETS
    if before.text in (",", "-", "/", "(") or before.norm_ in FUNCTION_WORDS or not token.text[0].isupper():
        return False
    if (token.text.isupper() and len(token.text) > 1) or capitals:
        short = before.idx + len(before.text) - line_start < WRAPPED
        return short or (token.norm_ in STARTERS and not token.text.islower())
    return True


def _ends_sentence(tokens: list[Token], place: int) -> bool:
    """Whether the mark at this place ends a sentence; another word follows on the same line."""
    mark, following = tokens[place], tokens[place + 1]
    if mark.text == "?":
        return bool(
            place and not tokens[place - 1].whitespace_ and following.text[0].isupper() and mark.whitespace_
        )
    if mark.text == "!":
        return True
    if mark.text != "." or following.text in (".", ",", ")", ":", ";"):
        return False
    before = tokens[place - 1] if place else mark
    if not mark.whitespace_:
        return before.is_alpha and following.is_alpha and following.text[0].isupper() and len(before.text) > 1
    starter = following.norm_ in STARTERS
    if before.norm_ in TITLES or (len(before.text) == 1 and before.is_alpha):
        return starter and before.norm_ not in ("dr", "mr", "mrs", "prof", "e", "i", "g")
    if before.norm_ in SHORTENED:
        return starter
    if before.norm_ == "no" and following.is_digit:
        return False
    if item_number(tokens, place - 1) and tokens[place - 1].is_sent_start:
        return False
    return starter or not following.text[0].islower() or len(before.text) > 4
