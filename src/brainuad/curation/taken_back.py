"""What is there although a sentence denies it: on one side, in part, with an exception, or but for a change.

"The right subdural has resolved, the left one persists", "no hemorrhage except in the left frontal lobe" and "none of
the metastases has enlarged" are all of something that is there.
"""

from brainuad.curation.cue_words import ANATOMY, COPULAS, PLACES, PREPOSITIONS, SEEN_WORDS, VERBS
from brainuad.curation.labels import Certainty
from brainuad.curation.sentence_parts import Cue, Mention, Sentence
from brainuad.curation.sites import sites_of
from brainuad.curation.spelling import word_set

NEAR = 4  # words behind "but" that may take a denial back
# What says that a scan is an earlier one.
EARLIER = word_set(
    "previous previously prior earlier before last preceding initial old baseline yesterday ago"
)
CONTRARY = frozenset(
    ("but", "however", "although", "though", "whereas", "while", "whilst", "except", "other than")
)
EXCEPTING = frozenset(
    (
        "except",
        "except for",
        "apart from",
        "aside from",
        "other than",
        "with the exception of",
        "excepting",
        "save for",
    )
)
PRONOUNS = word_set("it this they clearly definitely also")
PERSISTING = word_set(
    "persist persists persisting persistence remain remains remaining unchanged stable ongoing residual"
)
REMNANTS = word_set("trace rim sliver residual remnant residue residuum remainder speck")
GONE = word_set("resolved cleared disappeared gone resolution")
SIDES = word_set("left right lt rt one other anterior posterior medial lateral component part")
DETERMINING = word_set("the a an very for , and both small tiny minimal")
# What a place named by itself ends before ("... except the left insula, where it is blurred").
ENDS = word_set(". , ; where which )")
# Behind "none of these is" these deny that something is there, and others that it changes.
THERE = SEEN_WORDS | word_set(
    "detected observed suspected apparent appreciated discernible depicted recognized encountered documented "
    "confirmed shown in on there likely remain remains persist persists"
)
ADVERBS = word_set(
    "been significantly clearly definitely definite currently now any appreciably obviously much"
)
CHANGED = word_set(
    "enlarged enlarging grown changed increased increasing progressed expanded larger bigger worsened decreased "
    "reduced evolved ruptured smaller"
)
NONE = ("neither", "none of", "nor")


def taken_back(sentence: Sentence, mention: Mention, cue: Cue | None) -> Certainty | None:
    """How what a sentence denies is there all the same, if it is; `cue` denies it, or a normal state does (none)."""
    if again := _excepted(sentence, mention):
        return again
    if cue is None:
        return None
    if again := _said_again(sentence, mention):
        return again
    if cue.direction == "forward" and (again := _of_a_change(sentence, mention, cue)):
        return again
    gone = not GONE.isdisjoint(cue.phrase.split())
    return "positive" if gone and _partly(sentence, max(cue.end, mention.end)) else None


def clause_end(sentence: Sentence, start: int) -> int:
    """Where the clause of a word ends: at the next cue that begins another."""
    return min(
        (cue.start for cue in sentence.cues if cue.kind == "stop" and cue.start >= start),
        default=len(sentence.words),
    )


def _said_again(sentence: Sentence, mention: Mention) -> Certainty | None:
    """How a sentence goes on with "... but present on the left" or "... but persists there"."""
    for stop in sentence.cues:
        if stop.kind != "stop" or stop.start < mention.end or stop.phrase not in CONTRARY:
            continue
        end = clause_end(sentence, stop.end)
        rest = sentence.words[stop.end : end]
        own = any(stop.end <= other.start < end for other in sentence.mentions)
        opening = [word for word in rest if word not in COPULAS | PRONOUNS][:1]
        again = not SEEN_WORDS.isdisjoint(opening) or "one" in rest[:NEAR] or _persists(rest)
        if again and not own and EARLIER.isdisjoint(rest):
            kinds = [cue.kind for cue in sentence.cues if stop.end <= cue.start < end]
            return "negative" if "negation" in kinds else "uncertain" if kinds else "positive"
    return None


def _persists(words: list[str]) -> bool:
    """Whether words say that something is still there on a side or in a part."""
    return not PERSISTING.isdisjoint(words) and not SIDES.isdisjoint(words)


def _partly(sentence: Sentence, start: int) -> bool:
    """Whether words behind "has resolved" leave a remnant, or go on with another side ("..., the left persists")."""
    rest = sentence.words[start:]
    if not REMNANTS.isdisjoint(rest) and "no" not in rest and "without" not in rest:
        return True
    joined = [place for place, word in enumerate(rest) if word in (",", "and", ";")]
    if not joined or any(other.start >= start + joined[0] for other in sentence.mentions):
        return False
    return _persists(rest[joined[0] :])


def _excepted(sentence: Sentence, mention: Mention) -> Certainty | None:
    """How the place or the remnant behind "except" and the like is said of a mention."""
    for stop in sentence.cues:
        if stop.kind != "stop" or stop.start < mention.end or stop.phrase not in EXCEPTING:
            continue
        rest = sentence.words[stop.end :]
        between = [other for other in sentence.mentions if mention.end <= other.start < stop.start]
        own = any(other.start >= stop.end for other in sentence.mentions)
        if not own and _is_place_or_remnant(rest):
            return "uncertain" if between else "positive"
    return None


def _is_place_or_remnant(words: list[str]) -> bool:
    end = next((place for place, word in enumerate(words) if word in ENDS), len(words))
    named = words[:end]
    if not named or any(site.outside for site in sites_of(named)) or not EARLIER.isdisjoint(named):
        return False
    if not REMNANTS.isdisjoint(named[:NEAR]) or named[0] in PREPOSITIONS - {"to", "of"}:
        return True
    placed = {place for site in sites_of(named) for place in range(site.start, site.end)}
    allowed = PLACES | ANATOMY | DETERMINING | PREPOSITIONS
    return all(word in allowed or place in placed for place, word in enumerate(named))


def _of_a_change(sentence: Sentence, mention: Mention, cue: Cue) -> Certainty | None:
    """How "none of the metastases has enlarged" and "neither infarct is acute" mean what they name: it is there."""
    if any(stop.kind == "stop" and cue.end <= stop.start < mention.start for stop in sentence.cues):
        return None
    words = sentence.words[mention.end : clause_end(sentence, mention.end)]
    verb = next((place for place, word in enumerate(words) if word in VERBS), None)
    if verb is None:
        return None
    said = [word for word in words[verb + 1 :] if word not in ADVERBS][:1]
    opening = cue.phrase if cue.phrase != "nor" or "neither" in sentence.words[: cue.start] else "no"
    if opening in NONE and said and said[0] not in THERE | {"."} and words[verb] not in THERE:
        return "positive"
    return "uncertain" if not CHANGED.isdisjoint(said) else None
