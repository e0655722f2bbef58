"""Whether a term further on in a sentence still belongs to what a negation before it denies.

A negation denies a list of bare nouns ("no A, B or C"). What has an article, a place, a size or an age of its own is a
new statement, with a comma before it or without one ("no A, left B", "no A left B"). Where neither is plain the term
counts as doubtful, for an abnormal scan that is taken for normal costs more than a normal one that is lost.
"""

from typing import Literal

from brainuad.curation.cue_words import (
    ADJECTIVE,
    AGES,
    ANATOMY,
    NOUN_LIKE,
    OWN_WORDS,
    PLACES,
    PREPOSITIONS,
    QUALITIES,
    SEEN_WORDS,
    SUBJECTS,
    UNSPECIFIC,
    VERBS,
)
from brainuad.curation.outside_cranium import BY_THEMSELVES
from brainuad.curation.sentence_parts import Cue, Mention, Sentence
from brainuad.curation.spelling import word_set

Continuation = Literal["listed", "doubtful", "apart"]
ALTERNATIVES = frozenset(("or", "nor"))
JOINTS = ALTERNATIVES | {",", "/", "&", "and", "with", "plus"}
# What something that is there does not do, has not or is not, when it is denied ("no extension of the hematoma").
PROPERTIES = word_set(
    "displacement extension enlargement expansion growth progression regression resolution transformation conversion "
    "enhancement rupture migration malfunction malposition disconnection diastasis depression comminution angulation "
    "deterioration worsening reduction decrease increase improvement evolution maturation change alteration spread"
)
# Behind these a denied property is not that of what follows ("no progression to hydrocephalus").
TOWARDS = frozenset(("to", "into"))
BESIDE = frozenset(("adjacent", "next", "close", "deep"))
LIKE = frozenset(("keeping", "line", "accordance"))  # with
# What is said of a finding, and bears no other one.
BORNE = frozenset(("mass effect", "midline shift", "effacement", "compression", "swelling", "dilation"))
DENSITIES = frozenset(("hyperdensity", "hypodensity", "loss of differentiation"))
FEW = 4  # words between a preposition and what it leads to
MANY = 3  # items from which on a list without "or" is plainly a list


def continuation(sentence: Sentence, cue: Cue, mention: Mention) -> Continuation:
    """How a mention behind a negation belongs to it: listed among what it denies, apart from it, or doubtful."""
    words = sentence.words
    if bears_denied(sentence, cue.end, mention):
        return "apart"
    joints = [place for place in range(cue.end, mention.start) if _is_joint(sentence, place)]
    start = joints[-1] + 1 if joints else cue.end
    joint = words[start - 1] if joints else ""
    noun = _noun_before(sentence, start, mention)
    if noun is None and (joint in ("", *ALTERNATIVES) or _only_describes(words[cue.end : start])):
        return "listed"
    own = words[noun or start : mention.start]
    after = _behind(sentence, mention)
    definite = is_own(own) or is_own(after) or (noun is not None and not SEEN_WORDS.isdisjoint(own))
    definite = definite or (not SUBJECTS.isdisjoint(own[-1:]) and not _is_noun(mention))
    if not ALTERNATIVES.isdisjoint(words[mention.end : _clause_end(sentence, mention.end)]):
        own = [word for word in own if word not in AGES]
        return "doubtful" if is_own(own) or is_own(after) else "listed"
    if definite:
        return "apart"
    closed = joint != "and" and any(words[place] in ALTERNATIVES for place in joints)
    if (noun is not None and "(" not in own) or closed:
        return "doubtful"
    many = len(joints) + 1 >= MANY or words[mention.end : mention.end + 1] == [","]
    weak = not QUALITIES.isdisjoint(own) or not SEEN_WORDS.isdisjoint(after)
    return "doubtful" if weak and not many else "listed"


def backward_continuation(sentence: Sentence, cue: Cue, mention: Mention) -> Continuation:
    """The same for a mention before a negation that ends its clause ("A and B are not seen")."""
    words = sentence.words
    if bears_denied(sentence, 0, mention):
        return "apart"
    between = [other for other in sentence.mentions if mention.end <= other.start and other.end <= cue.start]
    if not between:
        return "listed"
    first = min(other.start for other in between)
    joined = any(_is_joint(sentence, place) for place in range(mention.end, first))
    joined = joined or not PREPOSITIONS.isdisjoint(words[mention.end : first])
    if not joined and _is_noun(mention):
        return "apart"
    start = max((place + 1 for place in range(mention.start) if _is_joint(sentence, place)), default=0)
    return "doubtful" if is_own(words[start : mention.start]) else "listed"


def bears_denied(sentence: Sentence, first: int, mention: Mention) -> bool:
    """Whether what is denied from a word on is only a property of a mention, or something in it, from it or around it.

    "No extension of the hematoma", "no hemorrhage within the metastasis" and "no fracture displacement" are of a
    hematoma, a metastasis and a fracture that are there.
    """
    words = sentence.words
    if (mention.label in BORNE and _is_noun(mention)) or mention.term in BY_THEMSELVES:
        return False
    # "No intracranial spread of infection" denies the infection.
    borne = PROPERTIES if mention.label != "infection" else frozenset()
    following = words[mention.end : mention.end + 1]
    if following != ["change"] and not borne.isdisjoint(following) and _is_noun(mention):
        return True
    if PREPOSITIONS.isdisjoint(words[max(mention.start - FEW - 1, first) : mention.start]):
        return False
    joints = [place + 1 for place in range(first, mention.start) if _is_joint(sentence, place)]
    first = max([first, *joints])
    leading = [place for place in range(first, mention.start) if words[place] in PREPOSITIONS]
    if not leading or _is_interrupted(sentence, first, mention.start):
        return False
    if words[leading[-1]] == "to" and words[leading[-1] - 1] not in BESIDE:
        return False
    properties = [place for place in range(first, leading[0]) if words[place] in borne]
    if properties and words[leading[0]] not in TOWARDS:
        return True
    found = [other for other in sentence.mentions if first <= other.start and other.end <= leading[-1]]
    return any(not (other.label in DENSITIES and words[other.end] == "of") for other in found)


def _is_interrupted(sentence: Sentence, start: int, end: int) -> bool:
    """Whether a verb, a cue or a comparison stands between two words."""
    between = sentence.words[start:end]
    if not (VERBS | LIKE | {",", ":", ";"}).isdisjoint(between):
        return True
    kinds = ("negation", "hedge", "likely", "hypothesis", "stop", "cause", "history", "family")
    return any(cue.kind in kinds and start <= cue.start < end for cue in sentence.cues)


def _is_joint(sentence: Sentence, place: int) -> bool:
    """Whether a word joins two items; a dash does behind a term."""
    word = sentence.words[place]
    return word in JOINTS or (word == "-" and any(other.end == place for other in sentence.mentions))


def _noun_before(sentence: Sentence, start: int, mention: Mention) -> int | None:
    """Where the words of a mention begin if another noun stands before it in the same item without a preposition."""
    words = sentence.words
    ends = [
        other.end
        for other in sentence.mentions
        if start <= other.start and other.end <= mention.start and _is_noun(other)
    ]
    for place in range(start, mention.start):
        in_phrase = words[place] in ANATOMY and not PREPOSITIONS.isdisjoint(words[start:place])
        if words[place] in UNSPECIFIC or (in_phrase and is_own(words[place + 1 : mention.start])):
            ends.append(place + 1)
    return max((end for end in ends if PREPOSITIONS.isdisjoint(words[end : mention.start])), default=None)


def _is_noun(mention: Mention) -> bool:
    """Whether a term can stand alone, as "calcified" before "lesion" cannot."""
    last = mention.term.split()[-1]
    return last in NOUN_LIKE or not last.endswith(ADJECTIVE)


def is_own(words: list[str]) -> bool:
    """Whether words that describe a finding are such as only a finding that is there has."""
    return any(word in OWN_WORDS or word in PLACES or word in VERBS or word[0].isdigit() for word in words)


def _only_describes(words: list[str]) -> bool:
    """Whether words before a comma describe what follows it ("no left frontal, parietal or temporal mass")."""
    return all(word in OWN_WORDS or word in PLACES or word in QUALITIES or word in JOINTS for word in words)


def _behind(sentence: Sentence, mention: Mention) -> list[str]:
    """The words behind a mention up to the next item, term or clause."""
    end = _clause_end(sentence, mention.end)
    starts = [other.start for other in sentence.mentions if other.start >= mention.end]
    joints = [place for place in range(mention.end, end) if _is_joint(sentence, place)]
    return sentence.words[mention.end : min([end, *starts, *joints])]


def _clause_end(sentence: Sentence, start: int) -> int:
    """Where the clause of a word ends: at the next cue that begins another."""
    return min(
        (cue.start for cue in sentence.cues if cue.kind in ("stop", "negation") and cue.start >= start),
        default=len(sentence.words),
    )
