"""The sentences of a report: abbreviations and decimal points do not end one, items of a list do.

A line break ends a sentence unless the line was wrapped: the next line then goes on with a small letter, or the line
ends with a word that must be followed by another.
"""

import re
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Token

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
# Words that a following word belongs to, wherever the line breaks.
FUNCTION_WORDS = word_set(
    "a an the of in on at to for from with without no not and or nor by as is are was were has have been be which that "
    "left right acute chronic mild moderate severe small large old new any this these into within evidence"
)
# What stands between a label and its answer, and words after which "no" is no answer.
ANSWER_MARKS = ("-", "?", "_", "|", ">", "\u2026")
CALLING = FUNCTION_WORDS | word_set("show demonstrate reveal there see contain identify confirm s , ( / &")
ANSWERS = ("yes", "no")
WRAPPED = 50  # letters; a shorter line has not been wrapped


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
        item, line_start, tokens = 0, 0, list(doc)
        for token in tokens:
            number = _item_number(tokens, token.i)
            if token.idx in lines:
                starts = token.i == 0 or number or _new_line(tokens, token, line_start, capitals)
                starts = starts or _is_answered(tokens, token.i, line_start, ends)
                line_start = token.idx
            else:
                starts = _ends_sentence(tokens, token.i - 1) or number == item + 1 > 1
            token.is_sent_start = bool(starts or token.i in borders)
            if number and token.is_sent_start:
                item = number
        return doc


def _item_number(tokens: list[Token], place: int) -> int:
    """The number of a list's item that begins here (`2.`, `2)`), else 0."""
    if (
        place + 2 >= len(tokens)
        or tokens[place + 1].text not in (".", ")")
        or not tokens[place + 1].whitespace_
    ):
        return 0
    text = tokens[place].text
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) < 3 and tokens[place + 2].is_alpha else 0
    )


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


def _is_answered(tokens: list[Token], place: int, line_start: int, ends: set[int]) -> bool:
    """Whether the line before ends with the answer of a label ("Fracture: no", "Fracture - No", "Fracture No").

    A heading is no label. Where no colon tells it, this line ends with an answer too, or begins as a new one; a text
    in capitals or in small letters alone has no such beginnings, so that a mark and a short line tell it.
    """
    if place < 2 or tokens[place - 1].norm_ != "no" or not ends.isdisjoint((place - 2, place - 1)):
        return False
    label, answer, following = tokens[place - 2 : place + 1]
    if label.text in (":", "="):
        return True
    if label.norm_ in CALLING:
        return False
    if _line_answers(tokens, place):
        return True
    doc, capital = following.doc, following.text[0].isupper()
    one_case = doc.user_data["capitals"] or doc.text.islower()
    short = answer.idx - line_start < WRAPPED
    dots = label.text == "." and place > 2 and tokens[place - 3].text == "."
    if label.text in ANSWER_MARKS or label.text.endswith("\u2026") or dots:
        return short if one_case else capital
    if one_case or not capital:
        return False
    named = answer.text == "No" and label.is_alpha
    # A line that was wrapped may go on with an abbreviation.
    return named if following.text.isupper() else named or (short and label.idx >= line_start)


def _line_answers(tokens: list[Token], place: int) -> bool:
    """Whether the line that begins here is a label with its answer ("Acute infarct - yes")."""
    lines = tokens[place].doc.user_data["lines"]
    line = [tokens[place]]
    for token in tokens[place + 1 :]:
        if token.idx in lines:
            break
        line.append(token)
    if line[-1].text == ".":
        line.pop()
    return (
        len(line) > 1
        and line[-1].norm_ in ANSWERS
        and not any(token.text in (".", ",") for token in line[:-1])
    )


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
    if _item_number(tokens, place - 1) and tokens[place - 1].is_sent_start:
        return False
    return starter or not following.text[0].islower() or len(before.text) > 4
