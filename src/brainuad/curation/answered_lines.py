"""Labels and answers of forms ("Midline shift - No"), each a line or several on one: where an answer ends.

An answer must deny nothing of the next label, and a "no" that may belong to what follows must not deny what stands
before it.
"""

from itertools import takewhile

from spacy.tokens import Token

from brainuad.curation.cue_words import ANATOMY, SIZED_OR_AGED, SUBJECTS, VERBS
from brainuad.curation.mentions import LABEL
from brainuad.curation.negated_list import is_own
from brainuad.curation.sections import BULLETS
from brainuad.curation.spelling import word_set
from brainuad.curation.states import GENERAL

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
ON_ONE_LINE = ("-", "=", ":")  # marks of labels that follow each other on one line
# Before "- no" these are no label of a form: what is called normal, statements but for questions, structures alone.
NORMAL = GENERAL | word_set("clear intact preserved patent")
NO_LABEL = NORMAL | VERBS | word_set("no not without")
QUESTIONS = word_set("is are was were do doe did has have any")
SIZES = SIZED_OR_AGED | word_set("massive huge big giant sizeable sizable considerable thick")
STRUCTURES = ANATOMY | SUBJECTS | word_set("bone bony calvarium midline the of and")
WRAPPED = 50  # letters; a shorter line has not been wrapped


def item_number(tokens: list[Token], place: int) -> int:
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


def is_answered(tokens: list[Token], place: int, line_start: int, ends: set[int]) -> bool:
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
    new = _begins_anew(following)
    short = answer.idx - tokens[line_start].idx < WRAPPED
    dots = mark.text == "." and place > 2 and tokens[place - 3].text == "."
    if mark.text in ANSWER_MARKS or mark.text.endswith("\u2026") or dots:
        return new or (short and _asks(_label(tokens, place - 2, line_start)))
    named = answer.text == "No" and mark.is_alpha
    # A line that was wrapped may go on with an abbreviation.
    return new and (named or (short and mark.i >= line_start and not following.text.isupper()))


def _begins_anew(token: Token) -> bool:
    """Whether a word has a capital that tells something: not where all letters are large or small."""
    one_case = token.doc.user_data["capitals"] or token.doc.text.islower()
    return token.text[0].isupper() and not one_case


def _is_new_label(token: Token) -> bool:
    """Whether a word with a capital behind an answer is no abbreviation either."""
    return _begins_anew(token) and not token.text.isupper()


def _label(tokens: list[Token], mark: int, start: int, ends: str = ".,;") -> list[str]:
    """The norms of what stands before a mark, from the last comma or full stop on."""
    words: list[str] = []
    for token in tokens[start:mark]:
        words = [] if token.text in ends else [*words, token.norm_]
    return words


def _asks(label: list[str]) -> bool:
    """Whether "no" can be its answer.

    It is a question, or it states nothing, calls nothing normal and is no structure alone ("BONES - NO / FRACTURE").
    """
    if not label or set(label) <= STRUCTURES or not NORMAL.isdisjoint(label):
        return False
    return label[0] in QUESTIONS or NO_LABEL.isdisjoint(label)


def in_doubt(tokens: list[Token], place: int, rows: list[int], ends: set[int]) -> bool:
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
    start = rows[-1] + 2 if item_number(tokens, rows[-1]) else rows[-1]
    label = _label(tokens, place - 2, start, ends=".")
    beside = _line_answers(tokens, place) or (len(rows) > 1 and _line_answers(tokens, rows[-2]))
    return not beside or is_own(label) or not SIZES.isdisjoint(label)


def _line_answers(tokens: list[Token], place: int) -> bool:
    """Whether what begins here ends its line as a label with its answer ("Acute infarct - no", "Infarct yes")."""
    line = _rest_of_line(tokens, place)
    if line[-1].text == ".":
        line.pop()
    return not any(token.text in (".", ",") for token in line[:-1]) and _is_answer(line)


def _rest_of_line(tokens: list[Token], place: int) -> list[Token]:
    """What stands on a line from a word on."""
    lines = tokens[place].doc.user_data["lines"]
    return [tokens[place], *takewhile(lambda token: token.idx not in lines, tokens[place + 1 :])]


def _is_answer(line: list[Token]) -> bool:
    """Whether words end with an answer to what stands before it."""
    if len(line) < 2:
        return False
    marked = len(line) > 2 and line[-2].text in (":", "=", *ANSWER_MARKS)
    return line[-1].norm_ == "yes" or (marked and line[-1].norm_ in DENIALS)


def is_next_label(tokens: list[Token], place: int, line_start: int, ends: set[int]) -> bool:
    """Whether a label with its value follows an answer on one line ("Calcification - no Acute infarct - yes").

    What follows is looked at up to the first comma or full stop. If it does not end with an answer, it has the same
    mark before a value of its own ("Calcification - no Infarct - left MCA"), and what was answered is a label.
    """
    if place < 3 or tokens[place - 1].norm_ not in ("yes", *DENIALS) or place - 2 in ends:
        return False
    mark = tokens[place - 2]
    if mark.text not in ON_ONE_LINE or mark.i <= line_start:
        return False
    part = list(takewhile(lambda token: token.text not in (".", ",", ";"), _rest_of_line(tokens, place)))
    if _is_answer(part) or not _has_value(part, mark.text):
        return _is_answer(part)
    start = next(start for start in range(mark.i - 1, -1, -1) if start == 0 or tokens[start].is_sent_start)
    if _is_listed(tokens, start, place, ends):
        return False
    return _asks(_label(tokens, mark.i, max(start, line_start)))


def _is_listed(tokens: list[Token], start: int, place: int, ends: set[int]) -> bool:
    """Whether dashes are those of a list on one line ("- mild atrophy - no infarct - calcification"), not of labels."""
    first = next((end + 1 for end in range(start, place) if end in ends), start)
    return tokens[first].text == "-" != tokens[place].text and not _is_new_label(tokens[place])


def _has_value(part: list[Token], mark: str) -> bool:
    """Whether a label with a mark is followed by more than a denial of something else, or a word for normal."""
    for place in range(1, len(part) - 1):
        before, value = part[place - 1], part[place + 1]
        spaced = part[place].whitespace_ and (mark != "-" or before.whitespace_)
        stated = not VERBS.isdisjoint(token.norm_ for token in part[:place])
        if part[place].text == mark and spaced and not stated and value.norm_ not in NORMAL | set(DENIALS):
            return True
    return False


def denies_label(tokens: list[Token], place: int) -> bool:
    """Whether the answer before a further label on its line denies its own label; "- no" may be of what follows."""
    mark, answer, following = tokens[place - 2 : place + 1]
    if answer.norm_ not in DETERMINERS or mark.text == "=":
        return True
    near = any(token.text == ":" for token in tokens[place : place + LABEL])
    return mark.text == ":" and (near or _is_new_label(following))
