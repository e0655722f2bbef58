"""How far a cue reaches in a sentence.

Every cue has a scope to its right or left in the same clause. A list continues a scope ("no A, B or C"), a new
statement ends it ("no A, mild B"), and so do "but", "apart from" and the like.
"""

from brainuad.curation.cue_words import ASSERTIVE, DEFINITE, PREPOSITIONS, VERBS
from brainuad.curation.negated_list import backward_continuation, continuation
from brainuad.curation.sentence_parts import Cue, Mention, Sentence
from brainuad.curation.taken_back import clause_end
from brainuad.curation.terms import labels_named

NEAR = 4  # words between "of the" and what it describes
LIKE = frozenset(("consistent", "compatible", "keeping", "line", "accordance"))  # with


def reaches_forward(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether a mention lies in the scope of a cue before it."""
    if cue.direction != "forward" or cue.end > mention.start:
        return False
    if sentence.words[cue.start] == "non":
        return cue.end == mention.start and not _named_without(mention)
    between = sentence.words[cue.end : mention.start]
    if stopped(sentence, _ends_of(cue), cue.end, mention.start) or between.count(")") > between.count("("):
        return False
    if _is_lifted(sentence, cue):
        return False
    if _is_definite(between) or _new_statement(sentence, cue, mention):
        return False
    if cue.kind == "negation" and (
        _denied_anew(sentence, cue, mention) or continuation(sentence, cue, mention) == "apart"
    ):
        return False
    return not (cue.kind in ("hedge", "likely") and _has_consequence(between))


def _named_without(mention: Mention) -> bool:
    """Whether a term names its label without its first word, which alone "non-" denies ("non-hemorrhagic infarct")."""
    rest = mention.term.split()[1:]
    return bool(rest) and mention.label in labels_named(rest[-1])


def _is_lifted(sentence: Sentence, cue: Cue) -> bool:
    """Whether a negation before the cue denies that something went away ("no resolution of the hematoma")."""
    return "resolution" in cue.phrase and any(
        other.kind == "negation" and cue.start - 2 <= other.end <= cue.start for other in sentence.cues
    )


def _denied_anew(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether another negation begins before a mention, so that it alone can reach that far."""
    return any(
        other.kind == "negation"
        and other.direction == "forward"
        and sentence.words[other.start] != "non"
        and cue.end <= other.start < mention.start
        for other in sentence.cues
    )


def _has_consequence(between: list[str]) -> bool:
    """Whether something beside what is in doubt follows: "possible SDH with midline shift"."""
    return any(
        word in ("causing", "resulting", "producing") or (word == "with" and before not in LIKE)
        for before, word in zip(["", *between], between, strict=False)
    )


def reaches_backward(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether a mention lies in the scope of a cue behind it."""
    if cue.direction != "backward" or cue.start < mention.end:
        return False
    between = sentence.words[mention.end : cue.start]
    if stopped(sentence, _ends_of(cue), mention.end, cue.start) or between.count("(") > between.count(")"):
        return False
    if _belongs_to_another(sentence, mention) or (cue.phrase == "?" and ":" in between):
        return False
    if any(word in ("seen", "noted", "demonstrated", "shown", "measuring") for word in between):
        return False
    others = [other for other in sentence.cues if mention.end <= other.start < cue.start]
    if any(other.kind == "negation" for other in others):
        return False
    if cue.kind == "negation" and backward_continuation(sentence, cue, mention) == "apart":
        return False
    if "," not in between:
        return True
    # The first of a list: "hemorrhage, infarct and mass are not seen".
    last = len(between) - 1 - between[::-1].index(",")
    is_list = cue.phrase.startswith(":") or {"or", "and", "nor"} & set(between[last:])
    return between[0] == "," and bool(is_list) and not set(between[:last]) & VERBS


def stopped(sentence: Sentence, kinds: tuple[str, ...], start: int, end: int) -> bool:
    """Whether a clause ends between two words."""
    return any(cue.kind in kinds and start <= cue.start < end for cue in sentence.cues)


def _ends_of(cue: Cue) -> tuple[str, ...]:
    """What ends the scope of a cue; a cause ends only what denies ("no shift due to the hematoma")."""
    return ("stop", "cause") if cue.kind == "negation" else ("stop",)


def _is_definite(between: list[str]) -> bool:
    """Whether a mention is one that is known to be there: "no enlargement of the hematoma"."""
    for place in range(max(len(between) - NEAR, 1), len(between)):
        named = between[place - 1 : place + 1] == ["that", "the"] and VERBS.isdisjoint(between)
        if named or (between[place] in DEFINITE and between[place - 1] in PREPOSITIONS):
            return not {",", "or", "and", "nor"} & set(between[place:])
    return False


def _belongs_to_another(sentence: Sentence, mention: Mention) -> bool:
    """Whether a mention says where another one is: "hemorrhage into the tumor bed cannot be excluded"."""
    words = sentence.words
    for end in (
        other.end for other in sentence.mentions if other.end + 1 < mention.start <= other.end + 1 + NEAR
    ):
        if words[end] in PREPOSITIONS and words[end + 1] in DEFINITE:
            return True
    return False


def _new_statement(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether a comma, "and", "with" or a dash between a cue and a mention begins a statement of its own."""
    words = sentence.words
    joints = [
        place
        for place in range(cue.end, mention.start)
        if words[place] in (",", "and", "with", "-", ":", "&")
    ]
    if not joints:
        return False
    rest = words[mention.end : clause_end(sentence, mention.end)]
    is_list = bool({"or", "nor"} & set(words[joints[0] : mention.start] + rest))
    for place in joints:
        if set(words[place + 1 : mention.start]) & VERBS or _starts_statement(words, place, is_list):
            return True
        if words[place] == "," and not is_list and _has_own_cue(sentence, place, mention):
            return True
        hedged = cue.kind != "negation" and not cue.phrase.startswith("differential")
        if (
            words[place] == ","
            and not is_list
            and hedged
            and "and" not in words[place : mention.start] + rest
        ):
            return True
    return False


def _starts_statement(words: list[str], place: int, is_list: bool) -> bool:
    following = words[place + 1] if place + 1 < len(words) else ""
    if words[place] == "-":
        return following in ASSERTIVE and words[place - 1] not in ("non", "extra", "intra", "gray")
    return following in ASSERTIVE and (
        not is_list or following in ("the", "there", "this", "these", "both", "a", "an")
    )


def _has_own_cue(sentence: Sentence, place: int, mention: Mention) -> bool:
    """Whether the part of a sentence behind a comma has a verb of its own, so that it is no item of a list."""
    words = sentence.words
    end = next((at for at in range(mention.end, len(words)) if words[at] == ","), len(words))
    return bool(set(words[place + 1 : end]) & VERBS) and "and" not in words[place + 1 : mention.start]
