"""The components that find terms and cues in a report."""

from itertools import takewhile

from spacy.language import Language
from spacy.tokens import Doc, Span

from brainuad.curation.cue_words import COPULAS
from brainuad.curation.cues import CUES
from brainuad.curation.phrases import longest, phrase_matcher
from brainuad.curation.sentence_parts import Cue
from brainuad.curation.spelling import word_set
from brainuad.curation.taken_back import EARLIER
from brainuad.curation.terms import IN_A_SPACE, OTHER_MEANINGS, SPACES, TERMS, VAGUE, WINDOWED, WINDOWS

VAGUE_MARK = "vague:"
AFTER = 5  # words behind "subdural" that may name what is there
LABEL = 4  # words in which the next item of a list of labels and answers begins
VIEWED = frozenset(("on", "in", "with", "using", "at", "the", "under"))
# What compares an earlier scan with this one.
NOW = word_set("compared comparison current this today now since")
NO_EARLIER = (["no", "previous"], ["no", "prior"])  # imaging, unless a finding follows
JOINS = frozenset(("and", "&", "/"))


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


def inside(sentence: Span, key: str) -> list[tuple[int, int, str]]:
    """(start, end, label) of the spans that begin in a sentence, counted from its first word; none goes beyond it."""
    return [
        (span.start - sentence.start, min(span.end, sentence.end) - sentence.start, span.label_)
        for span in sentence.doc.spans[key]
        if sentence.start <= span.start < sentence.end
    ]


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
    for start, end, label in inside(sentence, "cues"):
        kind, _, direction = label.rpartition(" ") if " " in label else (label, "", "")
        if (
            words[start] in (":", "-", "=")
            and end < len(words)
            and words[end] not in (".", ",", ";", ")")
            and ":" not in words[end : end + LABEL]  # "Bleed: no Fracture: yes"
        ):
            # "Brain: no hemorrhage" denies what follows.
            start, kind, direction = end - 1, "negation", "forward"
        if words[start:end] in NO_EARLIER and any(term[0] == end for term in inside(sentence, "terms")):
            kind, direction = "negation", "forward"
        if kind == "negation" and direction != "forward" and _of_earlier(words[end : end + 7]):
            kind, direction = "neutral", ""
        relative = kind.endswith(" relative")
        if direction == "either":
            direction = _direction(words, start, end)
        found.append(
            Cue(kind.removesuffix(" relative"), direction, start, end, " ".join(words[start:end]), relative)
        )
    return found


def _of_earlier(words: list[str]) -> bool:
    """Whether what follows "not seen" says that this was on an earlier scan ("... on the previous CT")."""
    words = list(takewhile(lambda word: word not in (",", ".", ";", "but", "and"), words))
    if not words or not NOW.isdisjoint(words) or words[0] not in (*EARLIER, "on", "in", "at", "during", "by"):
        return False
    year = words[-1].isdigit() and len(words[-1]) == 4
    dated = words[0] in ("on", "in") and (year or "/" in words)
    return dated or not EARLIER.isdisjoint(words)


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
