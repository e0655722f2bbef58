"""The component that finds structures of the head and words for their states, and what they say together.

A normal state denies what a structure may show ("the cisterns are patent"). One that is not wholly so ("no longer
patent", "poorly preserved") names it instead, so that no word before a state is lost.
"""

from spacy.language import Language
from spacy.tokens import Doc, Span

from brainuad.curation.cue_words import COPULAS, PREPOSITIONS, VERBS
from brainuad.curation.mentions import inside
from brainuad.curation.phrases import longest, phrase_matcher, words_of
from brainuad.curation.sentence_parts import Mention
from brainuad.curation.spelling import expand, word_set
from brainuad.curation.statements import STRUCTURES

BEFORE, BEHIND = 3, 12  # words between a state and the structure right behind it, or before it in the clause
# Words that may stand between a state and the structure behind it ("normal appearances of both lateral ventricles").
LINKS = word_set(
    "of the lateral third fourth both all bilateral cerebral cortical caliber size in appearance "
    "intracranial left right "
    "basal brain ventricular supratentorial configuration major visualized overall"
)
LINKED = LINKS | {",", "and", "&", "or", "/"}
# Words before a normal state by which it is not or not wholly so ("no longer patent", "larger than normal").
NOT = word_set(
    "not isn aren wasn weren don doesn didn cannot never neither nor without longer fail failed failing barely hardly "
    "scarcely poorly ill partially partly partial only just incompletely insufficiently inadequately badly nearly "
    "almost minimally variably less lack lacking absence loss than"
)
NONE = word_set("no not neither nor without")  # right before a structure or a state: "no patent cisterns"
GENERAL = word_set(
    "normal unremarkable appropriate satisfactory wnl expected remarkable commensurate proportionate"
)
QUALIFYING = 4  # words before a state
# What begins states that are only said of a structure before them.
PREDICATES = word_set("not below through inferior")
LED = word_set("the left right both cerebral basal cortical")
ARTICLES = frozenset(("a", "an", "no", "any", "some"))

Place = tuple[int, int, str]


@Language.factory("report_statements")
def make_statements(nlp: Language, name: str) -> "Statements":
    """The component that finds structures and words for their states."""
    return Statements(nlp)


class Statements:
    """Keeps structures and states as `doc.spans["structures"]` and `doc.spans["states"]`."""

    def __init__(self, nlp: Language) -> None:
        self.structures = phrase_matcher(
            nlp, {name: structure.names for name, structure in STRUCTURES.items()}
        )
        states = {
            pattern
            for structure in STRUCTURES.values()
            for _, group in structure.affirming
            for pattern in group
        }
        states |= {
            pattern
            for structure in STRUCTURES.values()
            for _, group in structure.denying
            for pattern in group
        }
        self.states = phrase_matcher(nlp, {"state": tuple(sorted(states))})
        self.meanings = _meanings(nlp)

    def __call__(self, doc: Doc) -> Doc:
        terms = {place for span in doc.spans["terms"] for place in range(span.start, span.end)}
        for key, matcher in (("structures", self.structures), ("states", self.states)):
            found = longest(matcher(doc, as_spans=True))
            doc.spans[key] = [span for span in found if span.start not in terms]
        return doc

    def mentions(self, sentence: Span, terms: list[Mention]) -> list[Mention]:
        """What the states in a sentence say, at the words of the states."""
        structures = inside(sentence, "structures")
        states = inside(sentence, "states") if structures else []
        words = words_of(sentence) if states else []
        plain = (NOT | NONE).isdisjoint(words)
        found = []
        for state in states:
            phrase = " ".join(words[state[0] : state[1]])
            meanings = self.meanings.get(phrase, {})
            start = None if plain else _qualified_from(words, state, structures, states, terms)
            for subject in _subjects(words, state, structures, states, terms):
                for label, denied in meanings.get(subject, ()):
                    if denied and start is not None:
                        # Not normal is no more than a hint at a certain label, not intact is that label.
                        vague = not GENERAL.isdisjoint(words[state[0] : state[1]])
                        name = f"{subject} {' '.join(words[start : state[1]])}"
                        found.append(Mention(label, start, state[1], name, vague=vague))
                    else:
                        found.append(Mention(label, state[0], state[1], f"{subject} {phrase}", denied))
        return sorted(set(found), key=lambda mention: (mention.start, mention.label))


def _meanings(nlp: Language) -> dict[str, dict[str, list[tuple[str, bool]]]]:
    """Of each state by its norms: for each structure the labels that it names (False) or denies (True)."""
    found: dict[str, dict[str, list[tuple[str, bool]]]] = {}
    for name, structure in STRUCTURES.items():
        affirming = [((label,), group, False) for label, group in structure.affirming]
        denying = [(labels, group, True) for labels, group in structure.denying]
        for labels, group, denied in [*affirming, *denying]:
            for phrase in {phrase for pattern in group for phrase in expand(pattern)}:
                key = " ".join(words_of(nlp.make_doc(phrase)))
                found.setdefault(key, {}).setdefault(name, []).extend((label, denied) for label in labels)
    return found


def _qualified_from(
    words: list[str], state: Place, structures: list[Place], states: list[Place], terms: list[Mention]
) -> int | None:
    """Where the words begin by which a normal state is not wholly so; nothing if it is.

    They stand right before the state, or before the structure that it is said of ("neither ventricle is normal").
    """
    start = state[0]
    ends = [each[1] for each in (*structures, *states) if each[1] <= start]
    ends += [term.end for term in terms if term.end <= start]
    ends += [place + 1 for place in range(start) if words[place] in (",", ";", ":", "and", "but")]
    first = max([0, start - QUALIFYING, *ends])
    qualifiers = [place for place in range(first, start) if words[place] in NOT]
    if qualifiers or words[first:start][-1:] == ["no"]:
        return qualifiers[0] if qualifiers else start - 1
    before = next((each[0] for each in reversed(structures) if each[1] == first), 0)
    while before and words[before - 1] in LINKS:
        before -= 1
    return before - 1 if before and words[before - 1] in NONE else None


def _is_predicate(words: list[str], state: Place) -> bool:
    """Whether a state is what a verb says of what stands before it ("differentiation is lost in the left MCA")."""
    return words[state[1] : state[1] + 1] == ["in"] and not COPULAS.isdisjoint(
        words[max(state[0] - 3, 0) : state[0]]
    )


def _subjects(
    words: list[str], state: Place, structures: list[Place], states: list[Place], terms: list[Mention]
) -> list[str]:
    """The structures that a state is said of."""
    start, end, _ = state
    behind = [
        each for each in structures if 0 <= each[0] - end <= BEFORE and set(words[end : each[0]]) <= LINKS
    ]
    if words[start] in PREDICATES:
        return _before(words, state, [each for each in structures if not _is_led(words, each)], states, terms)
    if behind and not (_is_predicate(words, state) and _before(words, state, structures, states, terms)):
        chain, last = [], behind[0][0]
        for each in structures:
            if each[0] >= last and set(words[last : each[0]]) <= LINKED:
                chain.append(each[2])
                last = each[1]
        return chain
    if start and words[start - 1] in ARTICLES:
        return []
    if any(term.start == end for term in terms):
        return []
    return _before(words, state, structures, states, terms)


def _is_led(words: list[str], structure: Place) -> bool:
    """Whether a structure only says where something is ("blood in the sulci is not seen")."""
    start = structure[0]
    while start and words[start - 1] in LED:
        start -= 1
    return start > 0 and words[start - 1] in PREPOSITIONS


def _before(
    words: list[str], state: Place, structures: list[Place], states: list[Place], terms: list[Mention]
) -> list[str]:
    """The structures before a state, in its clause, that it is said of."""
    start = state[0]
    found: list[str] = []
    first = start  # of what the state was found to be said of
    for each in reversed(structures):
        between = words[each[1] : start]
        blocked = any(each[1] <= other[0] < start for other in states) or ";" in between
        blocked = blocked or any(each[1] <= term.start < start for term in terms)
        told = (
            len(between) <= 2
            or set(between) & (VERBS | COPULAS | NOT | {":"})
            or set(words[each[1] : first]) <= LINKED
        )
        if each[1] <= start and len(between) <= BEHIND and not blocked and told:
            found.append(each[2])
            first = each[0]
    return found
