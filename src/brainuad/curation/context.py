"""How a sentence means the terms in it: affirmed, denied, left open, or not about this scan at all."""

import re
from dataclasses import dataclass

from brainuad.curation.cue_words import DIFFERENTIAL, GENERAL, OWN_WORDS, PLACES, VERBS
from brainuad.curation.labels import FINDINGS, Certainty
from brainuad.curation.negated_list import PROPERTIES, backward_continuation, bears_denied, continuation
from brainuad.curation.outside_cranium import outside_cranium
from brainuad.curation.scope import reaches_backward, reaches_forward, stopped
from brainuad.curation.sentence_parts import Cue, Mention, Sentence
from brainuad.curation.taken_back import taken_back

FAR = 8  # words over which "or" and "versus" join two terms
SIDES = frozenset(("left", "right"))
ARTICLES = frozenset(("a", "an"))
CAUSES = frozenset(("cause", "source", "reason"))
YEAR = re.compile("(19|20)[0-9]{2}")
NEAR = 4  # words between "known" or "previous" and what it describes


@dataclass(frozen=True)
class Reading:
    """What a sentence says about a mention, and the rule; no certainty if it says nothing about this scan."""

    mention: Mention
    certainty: Certainty | None
    rule: str


def read_sentence(sentence: Sentence, likely: Certainty = "uncertain") -> list[Reading]:
    """A reading for each mention; `likely` is what "probable" and "suggestive of" are taken for."""
    readings = [_read(sentence, mention, likely) for mention in sentence.mentions]
    joined = _differential(sentence, readings)
    return [
        Reading(each.mention, "uncertain", f"differential: {joined[place]}; term: {each.mention.term}")
        if place in joined
        else each
        for place, each in enumerate(readings)
    ]


def _read(sentence: Sentence, mention: Mention, likely: Certainty) -> Reading:
    if mention.denied:
        there = taken_back(sentence, mention, None)
        return Reading(mention, there or "negative", f"normal statement: {mention.term}")
    if site := outside_cranium(sentence, mention):
        return Reading(mention, None, f"outside the cranium: {site}; term: {mention.term}")
    before = [cue for cue in sentence.cues if reaches_forward(sentence, cue, mention)]
    after = [cue for cue in sentence.cues if reaches_backward(sentence, cue, mention)]
    if cue := _not_a_finding(sentence, mention, before, after):
        return Reading(mention, None, f"{cue.kind}: {cue.phrase}; term: {mention.term}")
    governing = _governing(before, after, sentence.mentions)
    if governing is None:
        certainty: Certainty = "uncertain" if mention.vague else "positive"
        return Reading(mention, certainty, f"{'vague' if mention.vague else 'affirmed'}: {mention.term}")
    rule = f"{governing.kind}: {governing.phrase}; term: {mention.term}"
    if governing.kind == "negation":
        reach = backward_continuation if governing.start >= mention.end else continuation
        if reach(sentence, governing, mention) == "doubtful":
            return Reading(mention, "uncertain", f"doubtful {rule}")
        if again := taken_back(sentence, mention, governing):
            return Reading(mention, again, rule if again == "negative" else f"taken back: {rule}")
        return Reading(mention, "negative", rule)
    return Reading(mention, likely if governing.kind == "likely" else "uncertain", rule)


def _governing(before: list[Cue], after: list[Cue], mentions: list[Mention]) -> Cue | None:
    """The cue that decides: the one behind the mention, else the nearest before it.

    A negation further away decides over a hedge that it denies itself ("no suspicious lesion", "no lesion
    suspicious for metastasis").
    """
    kinds = ("negation", "hedge", "likely")
    if found := [cue for cue in after if cue.kind in kinds]:
        return found[0]
    found = [cue for cue in before if cue.kind in kinds]
    if not found:
        return None
    nearest = found[-1]
    if nearest.kind == "negation":
        return nearest
    for cue in reversed(found):
        between = [each for each in mentions if cue.end <= each.start < nearest.start]
        if cue.kind == "negation" and (nearest.relative or not between):
            return cue
    return nearest


def _not_a_finding(sentence: Sentence, mention: Mention, before: list[Cue], after: list[Cue]) -> Cue | None:
    """The cue that takes a mention away from this scan: a hypothesis, an earlier study, history or family."""
    for cue in sentence.cues:
        if cue.kind == "family" and cue.start < mention.start and _is_of_family(sentence, cue, mention):
            return cue
        if _says_nothing(sentence, cue, mention, after):
            return cue
    for cue in after:
        if cue.kind == "limit of the method" and _is_general(sentence, cue, mention):
            return cue
    for cue in before:
        if cue.kind in ("hypothesis", "earlier study") or _is_background(sentence, cue, mention):
            return cue
        near = mention.start - cue.end <= NEAR and "," not in sentence.words[cue.end : mention.start]
        surgery = cue.kind == "previous" and mention.label == "evidence of surgery/intervention"
        # What something on the scan suggests, or does not, is an impression of it ("suggests previous infarction").
        suggested = any(
            other.kind == "likely" and other.relative and other.end <= cue.start for other in before
        )
        seen = sentence.imaging or suggested or _is_described(sentence, cue, mention)
        if cue.kind in ("known", "previous") and near and not seen and not surgery:
            return cue
    return None


def _says_nothing(sentence: Sentence, cue: Cue, mention: Mention, after: list[Cue]) -> bool:
    """Whether a cue leaves no statement of a mention.

    "The ventricles have not increased in size" leaves open whether they are large, and "without contrast small
    metastases cannot be excluded" is true of every scan.
    """
    if cue.kind == "neutral" and cue.start < mention.start < cue.end:
        words = cue.phrase.split()
        return words[0] in ("no", "not", "without") and CAUSES.isdisjoint(words)
    if cue.kind != "unenhanced" or cue.end > mention.start:
        return False
    in_general = set(sentence.words[cue.end : mention.start]) <= GENERAL
    return in_general and any(other.kind == "hedge" for other in after)


def _is_background(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether a cue before a mention says that it is of the patient or of a former year."""
    between, behind = sentence.words[cue.end : mention.start], sentence.words[mention.end :]
    if cue.kind == "history":
        return not _seen_after(sentence, mention)
    if cue.kind == "patient":
        return PLACES.isdisjoint(between) and not any(word[0].isdigit() for word in between)
    if cue.kind == "background":
        return any(word == "ago" or YEAR.fullmatch(word) for word in behind)
    return False


def _is_described(sentence: Sentence, known: Cue, mention: Mention) -> bool:
    """Whether what is known is on this scan, which denies a property of it ("no enhancement of the known lesion")."""
    for cue in (cue for cue in sentence.cues if cue.end <= known.start):
        if cue.kind == "negation" and bears_denied(sentence, cue.end, mention):
            return True
        if cue.kind == "neutral" and not PROPERTIES.isdisjoint(cue.phrase.split()):
            return known.start - cue.end <= NEAR
    return False


def _is_general(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether a mention is of such findings in general ("small infarcts may be missed by CT"), not of one seen."""
    named = {word for each in sentence.mentions for word in sentence.words[each.start : each.end]}
    before, behind = sentence.words[: mention.start], sentence.words[mention.end : cue.start]
    return set(before) <= GENERAL | ARTICLES | named and (OWN_WORDS | SIDES).isdisjoint(set(behind) - {"the"})


def _is_of_family(sentence: Sentence, cue: Cue, mention: Mention) -> bool:
    """Whether what follows a relative is still about that one, and not what the scan shows."""
    ended = stopped(sentence, ("stop",), cue.end, mention.start)
    return not ended and (cue.end > mention.start or continuation(sentence, cue, mention) != "apart")


def _seen_after(sentence: Sentence, mention: Mention) -> bool:
    """Whether the sentence goes on to say that the mentioned is seen ("... a history of stroke is seen in ...")."""
    words = sentence.words[mention.end : mention.end + NEAR]
    return any(word in ("seen", "noted", "demonstrated", "unchanged", "stable", "again") for word in words)


def _differential(sentence: Sentence, readings: list[Reading]) -> dict[int, str]:
    """The places of affirmed mentions that are alternatives of one another, and the word that says so."""
    found: dict[int, str] = {}
    for at, word in enumerate(sentence.words):
        if word not in DIFFERENTIAL:
            continue
        left = _neighbours(sentence, readings, at, -1)
        right = _neighbours(sentence, readings, at, 1)
        versus = word in ("versus", "vs")
        labels = {readings[place].mention.label for place in left + right}
        if (left and right and (versus or len(labels) > 1)) or (versus and (left or right)):
            found |= {place: word for place in left + right if readings[place].certainty == "positive"}
    return found


def _neighbours(sentence: Sentence, readings: list[Reading], at: int, step: int) -> list[int]:
    """The mention beside an "or" on one side, and before it the others of a list ("A, B or C") of the same kind.

    A verb or the end of a clause in between separates them. What a differential is of ("hyperdense focus, A or B")
    is a finding, and its alternatives are impressions.
    """
    found: list[int] = []
    edge = at
    for place in range(len(readings)) if step > 0 else range(len(readings) - 1, -1, -1):
        mention = readings[place].mention
        start, end = (edge + 1, mention.start) if step > 0 else (mention.end, edge)
        if start > end:
            continue
        between = sentence.words[start:end]
        if len(between) > FAR or set(between) & VERBS or stopped(sentence, ("stop", "cause"), start, end):
            break
        first = readings[found[0]].mention if found else mention
        if found and ((between[-1:] != [","] and between[:1] != [","]) or not _same_kind(first, mention)):
            break
        found.append(place)
        edge = mention.start
        if step > 0 or sentence.words[at] != "or":
            break
    return found


def _same_kind(one: Mention, other: Mention) -> bool:
    return (one.label in FINDINGS) == (other.label in FINDINGS)
