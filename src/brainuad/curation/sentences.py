"""The sentences of a report: abbreviations and decimal points do not end one, items of a list do.

A line break ends a sentence unless the line was wrapped: the next line then goes on with a small letter, or the line
ends with a word that must be followed by another.
"""

import re
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Token

from brainuad.curation.cue_words import ANATOMY, OWN_WORDS, PLACES, SUBJECTS
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
DETERMINERS = ("no", "nil")
DENIALS = (*DETERMINERS, "none")
# Before "- no" these are no label of a form: what is called normal, and structures alone.
NORMAL = word_set("normal unremarkable clear intact preserved patent")
STRUCTURES = ANATOMY | SUBJECTS | word_set("bone bony calvarium midline the of and")
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
        item, tokens = 0, list(doc)
        rows: list[int] = []  # where the lines so far began
        for token in tokens:
            number = _item_number(tokens, token.i)
            if token.idx in lines:
                starts = token.i == 0 or number or _new_line(tokens, token, tokens[rows[-1]].idx, capitals)
                starts = starts or _is_answered(tokens, token.i, rows[-1], ends)
                plain = starts and not number and token.i not in borders
                if plain and _in_doubt(tokens, token.i, rows, ends):
                    tokens[token.i - 2].is_sent_start = True
                rows.append(token.i)
            else:
                starts = _ends_sentence(tokens, token.i - 1) or number == item + 1 > 1
                if _is_next_label(tokens, token.i, ends):
                    starts = True
                    if tokens[token.i - 1].norm_ in DETERMINERS:
                        tokens[token.i - 2].is_sent_start = True
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
    """Whether the line before ends with an answer ("Fracture: no", "Fracture - No", "Fracture No").

    So that it denies nothing on this line. Where no colon tells it, this line ends with an answer too, or begins as a
    new one, or the line before is short and ends with a mark and "no".
    """
    if place < 2 or tokens[place - 1].norm_ not in DENIALS or not ends.isdisjoint((place - 2, place - 1)):
        return False
    mark, answer, following = tokens[place - 2 : place + 1]
    if mark.text in (":", "="):
        return True
    if mark.norm_ in CALLING:
        return False
    if _line_answers(tokens, place):
        return True
    one_case = following.doc.user_data["capitals"] or following.doc.text.islower()
    new = following.text[0].isupper() and not one_case
    short = answer.idx - tokens[line_start].idx < WRAPPED
    dots = mark.text == "." and place > 2 and tokens[place - 3].text == "."
    if mark.text in ANSWER_MARKS or mark.text.endswith("\u2026") or dots:
        return new or (short and _asks(_label(tokens, place - 2, line_start)))
    named = answer.text == "No" and mark.is_alpha
    # A line that was wrapped may go on with an abbreviation.
    return new and (named or (short and mark.i >= line_start and not following.text.isupper()))


def _label(tokens: list[Token], mark: int, line_start: int) -> set[str]:
    """The norms of what stands before a mark on its line, from the last comma or full stop on."""
    words: set[str] = set()
    for token in tokens[line_start:mark]:
        words = set() if token.text in (".", ",", ";") else words | {token.norm_}
    return words


def _asks(label: set[str]) -> bool:
    """Whether "no" can be its answer: it calls nothing normal and is no structure alone ("BONES - NO / FRACTURE")."""
    return bool(label) and label.isdisjoint(NORMAL) and not label <= STRUCTURES


def _in_doubt(tokens: list[Token], place: int, rows: list[int], ends: set[int]) -> bool:
    """Whether the "- no" of the line before may go on here, so that it must not deny what stands before it.

    "Small left SDH - no / other abnormality" looks like a line of a form. It is one if the line before or after has an
    answer too, and if its label has no size, side or age.
    """
    if place < 2 or tokens[place - 1].norm_ not in DETERMINERS or tokens[place - 2].text != "-":
        return False
    following = tokens[place]
    if following.idx in following.doc.user_data["paragraphs"] or following.text in BULLETS:
        return False
    if place - 2 in ends or place - 2 <= rows[-1]:
        return False
    label = _label(tokens, place - 2, rows[-1])
    beside = _line_answers(tokens, place) or (len(rows) > 1 and _line_answers(tokens, rows[-2]))
    return not beside or not label.isdisjoint(OWN_WORDS | PLACES)


def _line_answers(tokens: list[Token], place: int) -> bool:
    """Whether what begins here ends its line as a label with its answer ("Acute infarct - no", "Infarct yes")."""
    lines = tokens[place].doc.user_data["lines"]
    line = [tokens[place]]
    for token in tokens[place + 1 :]:
        if token.idx in lines:
            break
        line.append(token)
    if line[-1].text == ".":
        line.pop()
    if len(line) < 2 or any(token.text in (".", ",") for token in line[:-1]):
        return False
    marked = len(line) > 2 and line[-2].text in (":", "=", *ANSWER_MARKS)
    return line[-1].norm_ == "yes" or (marked and line[-1].norm_ in DENIALS)


def _is_next_label(tokens: list[Token], place: int, ends: set[int]) -> bool:
    """Whether a label with its answer follows another on one line ("Calcification - no Acute infarct - yes")."""
    return (
        place > 2
        and tokens[place - 1].norm_ in ("yes", *DENIALS)
        and tokens[place - 2].text == "-"
        and place - 2 not in ends
        and _line_answers(tokens, place)
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
