"""The components that find terms, statements about structures and cues in a report."""

from spacy.language import Language
from spacy.tokens import Doc, Span

from brainuad.curation.cues import COPULAS, CUES, VERBS
from brainuad.curation.sentence_parts import Cue, Mention
from brainuad.curation.spelling import expand, longest, phrase_matcher, word_set, words_of
from brainuad.curation.statements import STRUCTURES
from brainuad.curation.terms import IN_A_SPACE, OTHER_MEANINGS, SPACES, TERMS, VAGUE, WINDOWED, WINDOWS

VAGUE_MARK = "vague:"
AFTER = 5  # words behind "subdural" that may name what is there
BEFORE, BEHIND = 3, 12  # words between a state and the structure right behind it, or before it in the clause
# Words that may stand between a state and the structure behind it ("normal appearances of both lateral ventricles").
LINKS = word_set(
    "of the lateral third fourth both all bilateral cerebral cortical caliber size in appearance "
    "intracranial left right"
    "basal brain ventricular supratentorial configuration major visualized overall"
)
LINKED = LINKS | {",", "and", "&", "or", "/"}
VIEWED = frozenset(("on", "in", "with", "using", "at", "the", "under"))
JOINS = frozenset(("and", "&", "/"))
NOT = frozenset(("not", "isn", "aren"))
ARTICLES = frozenset(("a", "an", "no", "any", "some"))


@Language.factory("report_terms", default_config={"terms": {}})
def make_terms(nlp: Language, name: str, terms: dict[str, list[str]]) -> "Terms":
    """The component that finds the terms of the labels; `terms` are further ones."""
    return Terms(nlp, terms)


class Terms:
    """Keeps terms as `doc.spans["terms"]`; the label of each is that of the finding, or "vague:" "
    "before it."""

    def __init__(self, nlp: Language, terms: dict[str, list[str]]) -> None:
        patterns = {label: (*phrases, *terms.get(label, ())) for label, phrases in TERMS.items()}
        vague = {VAGUE_MARK + label: phrases for label, phrases in VAGUE.items()}
        self.matcher = phrase_matcher(nlp, {**patterns, **vague, "": OTHER_MEANINGS})

    def __call__(self, doc: Doc) -> Doc:
        found = longest(self.matcher(doc, as_spans=True))
        doc.spans["terms"] = [span for span in found if span.label_ and not _means_other(doc, span)]
        return doc


def _means_other(doc: Doc, span: Span) -> bool:
    return _other_in_space(doc, span) or _is_window(doc, span)


def _is_window(doc: Doc, span: Span) -> bool:
    """Whether "subdural" or "stroke" belongs to a list of windows."""
    if len(span) > 1 or span[0].norm_ not in WINDOWED:
        return False
    # "Left subdural, bone windows normal" and "subdural, bone windows normal" are no such lists.
    if not span[0].is_sent_start and doc[span.start - 1].norm_ not in WINDOWED | VIEWED:
        return False
    between: list[str] = []
    for token in doc[span.end :]:
        if token.is_sent_start or token.norm_ not in WINDOWED:
            joined = not between or not JOINS.isdisjoint(between)
            return joined and token.norm_ in WINDOWS and not token.is_sent_start
        between.append(token.norm_)
    return False


def _other_in_space(doc: Doc, span: Span) -> bool:
    """Whether "subdural" and the like belong to a collection, a space, air or a tumor that follows."""
    if len(span) > 1 or span[0].norm_ not in SPACES:
        return False
    for token in doc[span.end : span.end + AFTER]:
        if token.norm_ in (".", ",", ";", ":") or token.is_sent_start:
            return False
        if token.norm_ in IN_A_SPACE:
            return True
    return False


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
        structures = _inside(sentence, "structures")
        states = _inside(sentence, "states") if structures else []
        words = words_of(sentence)
        found = []
        for state in states:
            phrase = " ".join(words[state[0] : state[1]])
            meanings = self.meanings.get(phrase, {})
            abnormal = not NOT.isdisjoint(words[max(state[0] - 3, 0) : state[0]])
            for subject in _subjects(words, state, structures, states, terms):
                for label, denied in meanings.get(subject, ()):
                    if not (denied and abnormal):
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


def _inside(sentence: Span, key: str) -> list[tuple[int, int, str]]:
    """(start, end, label) of the spans in a sentence, counted from its first word."""
    return [
        (span.start - sentence.start, span.end - sentence.start, span.label_)
        for span in sentence.doc.spans[key]
        if sentence.start <= span.start < sentence.end
    ]


Place = tuple[int, int, str]


def _subjects(
    words: list[str], state: Place, structures: list[Place], states: list[Place], terms: list[Mention]
) -> list[str]:
    """The structures that a state is said of."""
    start, end, _ = state
    behind = [
        each for each in structures if 0 <= each[0] - end <= BEFORE and set(words[end : each[0]]) <= LINKS
    ]
    if behind:
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
    found: list[str] = []
    first = start  # of what the state was found to be said of
    for each in reversed(structures):
        between = words[each[1] : start]
        blocked = any(each[1] <= other[0] < start for other in states) or ";" in between
        blocked = blocked or any(each[1] <= term.start < start for term in terms)
        told = (
            len(between) <= 2
            or set(between) & (VERBS | COPULAS | {":"})
            or set(words[each[1] : first]) <= LINKED
        )
        if each[1] <= start and len(between) <= BEHIND and not blocked and told:
            found.append(each[2])
            first = each[0]
    return found


@Language.factory("report_cues")
def make_cues(nlp: Language, name: str) -> "Cues":
    """The component that finds the cues of negation, hedging and the like."""
    return Cues(nlp)


class Cues:
    """Keeps cues as `doc.spans["cues"]`; the label of each is its key in `cues.CUES`."""

    def __init__(self, nlp: Language) -> None:
        self.matcher = phrase_matcher(nlp, CUES)

    def __call__(self, doc: Doc) -> Doc:
        starts = {sentence.start for sentence in doc.spans["sentences"]}
        found = self.matcher(doc, as_spans=True)
        # The colon of a heading is no part of ": no".
        inside = [span for span in found if starts.isdisjoint(range(span.start + 1, span.end))]
        doc.spans["cues"] = _apart(longest(inside))
        return doc


def _apart(spans: list[Span]) -> list[Span]:
    """The spans without those that begin inside the one before, or cover the same words."""
    kept: list[Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def cues_of(sentence: Span, words: list[str]) -> list[Cue]:
    """The cues of a sentence, each with the one direction that it has there."""
    found = []
    for start, end, label in _inside(sentence, "cues"):
        kind, _, direction = label.rpartition(" ") if " " in label else (label, "", "")
        if words[start] in (":", "-", "=") and end < len(words) and words[end] not in (".", ",", ";", ")"):
            # "Brain: no hemorrhage" denies what follows.
            start, kind, direction = end - 1, "negation", "forward"
        relative = kind.endswith(" relative")
        if direction == "either":
            direction = _direction(words, start, end)
        found.append(
            Cue(kind.removesuffix(" relative"), direction, start, end, " ".join(words[start:end]), relative)
        )
    return found


def _direction(words: list[str], start: int, end: int) -> str:
    """Backward for what ends a statement ("... is likely.", "SDH?"), else forward."""
    following = words[end] if end < len(words) else "."
    if following in (".", ",", ";", ")", "but", "however", "although", "?", "and"):
        return "backward"
    copula = start > 0 and words[start - 1] in COPULAS
    return (
        "backward"
        if copula and following in ("in", "at", "within", "on", "given", "here", "with", "due")
        else "forward"
    )
