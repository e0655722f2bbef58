"""spaCy's side of the rules: words with their norms, and matchers of phrases.

spaCy keeps the norm of each word in its vocabulary and its matchers compare norms.
"""

import re

import spacy
from spacy.attrs import NORM
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, Span

from brainuad.curation.spelling import expand, norm

# Any mark hides no word that it touches; a per cent sign stays with its number.
PUNCTUATION = r"(?:[^\w\s%]|_)"


def blank_english() -> Language:
    """An English pipeline without components whose tokens are words, numbers and single marks."""
    nlp = spacy.blank("en")
    marks = re.compile(PUNCTUATION)
    nlp.tokenizer = Tokenizer(
        nlp.vocab,
        prefix_search=re.compile(f"^{PUNCTUATION}").search,
        suffix_search=re.compile(f"{PUNCTUATION}$").search,
        infix_finditer=marks.finditer,
    )
    nlp.vocab.lex_attr_getters[NORM] = norm  # type: ignore[attr-defined]
    return nlp


def phrase_matcher(nlp: Language, patterns: dict[str, tuple[str, ...]]) -> PhraseMatcher:
    """A matcher of norms; the name of a match is the key of the patterns that it comes from."""
    matcher = PhraseMatcher(nlp.vocab, attr="NORM")
    for name, group in patterns.items():
        phrases = sorted({phrase for pattern in group for phrase in expand(pattern)})
        matcher.add(name, [nlp.make_doc(phrase) for phrase in phrases])
    return matcher


def longest(spans: list[Span]) -> list[Span]:
    """The spans that lie in no longer one, in the order of the text; several may cover the same words."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.label_)):
        if not kept or span.end > kept[-1].end or (span.start, span.end) == (kept[-1].start, kept[-1].end):
            kept.append(span)
    return kept


def words_of(span: Doc | Span) -> list[str]:
    """The norms of the words of a text."""
    return [token.norm_ for token in span]
