"""The rule labeller: sections, sentences, terms and the scope of cues, as one spaCy pipeline that needs no model.

Each term in a finding or conclusion is read as positive, negative or uncertain, with the sentence and the rule.
Where sentences disagree about a label, in findings or impression, positive counts over uncertain over negative: no
conclusion hides what the findings affirm.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest

from spacy.attrs import NORM
from spacy.language import Language
from spacy.tokens import Doc, Span

import brainuad.curation.sentences  # noqa: F401  (registers its component)
from brainuad.curation.context import Reading, read_sentence
from brainuad.curation.labels import LABELS, Decision
from brainuad.curation.mentions import VAGUE_MARK, cues_of
from brainuad.curation.misspelling import Corrector
from brainuad.curation.phrases import blank_english, words_of
from brainuad.curation.sections import BACKGROUND, Sections, is_capitals
from brainuad.curation.sentence_parts import Mention, Sentence
from brainuad.curation.sentences import flatten
from brainuad.curation.settings import RuleSettings
from brainuad.curation.spelling import expand, norm, word_set
from brainuad.curation.states import Statements
from brainuad.curation.terms import SPACES, TERMS
from brainuad.curation.vocabulary import NEW_STRINGS

COMPONENTS = (
    "report_headings",
    "report_sentences",
    "report_terms",
    "report_sections",
    "report_statements",
    "report_cues",
)
STRUCTURE_WORDS = word_set("ventricle ventricular differentiation midline parenchyma")
ORDER = ("positive", "uncertain", "negative")
# Words that make "ischemic change" a matter of small vessels.
SMALL_VESSELS = re.compile(
    r"\b(white matter|periventricular|small vessel|microvascular|microangiopath\w*|centrum semiovale)\b"
)
NOT_SMALL = re.compile(r"\b(infarct\w*|stroke|lacun\w*|territory|cva)\b")


def build_pipeline(settings: RuleSettings) -> Language:
    """The pipeline of a report; it reads what `sentences.flatten` makes of a text."""
    nlp = blank_english()
    for name in COMPONENTS:
        config = {"terms": {key: list(group) for key, group in settings.terms.items()}}
        nlp.add_pipe(name, config=config if name == "report_terms" else {})
    # By now the vocabulary holds the words of all patterns, and none of a report.
    corrector = Corrector(_correctable(settings), (lexeme.norm_ for lexeme in nlp.vocab))
    nlp.vocab.lex_attr_getters[NORM] = corrector.norm  # type: ignore[attr-defined]
    return nlp


def _correctable(settings: RuleSettings) -> set[str]:
    """The norms that a misspelled word may stand for: terms of one word, and structures."""
    groups = (*TERMS.values(), *settings.terms.values())
    phrases = {phrase for group in groups for pattern in group for phrase in expand(pattern)}
    return {norm(phrase) for phrase in phrases | SPACES | STRUCTURE_WORDS}


def parse(nlp: Language, text: str) -> Doc:
    """A report with its sentences, terms and cues as groups of spans."""
    flat = flatten(text)
    doc = nlp.make_doc(flat.text)
    doc.user_data["lines"], doc.user_data["paragraphs"] = flat.lines, flat.paragraphs
    doc.user_data["capitals"] = is_capitals(flat.text)
    return nlp(doc)


# Whether a sentence is in the impression, what it says of a label, and the sentence.
Entry = tuple[bool, Reading, Span]


class RuleLabeller:
    """Reads reports by rules that name themselves."""

    def __init__(self, settings: RuleSettings | None = None) -> None:
        self.settings = settings or RuleSettings()
        self._build()

    def _build(self) -> None:
        """Makes the pipeline, whose vocabulary then holds no word of a report."""
        self.nlp = build_pipeline(self.settings)
        self.most_strings = len(self.nlp.vocab.strings) + NEW_STRINGS
        statements, sections = self.nlp.get_pipe("report_statements"), self.nlp.get_pipe("report_sections")
        assert isinstance(statements, Statements)
        assert isinstance(sections, Sections)
        self.statements, self.sections = statements, sections

    def label(self, text: str) -> list[Decision]:
        """One decision for each label that the report says something about, in the order of the labels."""
        if len(self.nlp.vocab.strings) > self.most_strings:
            self._build()
        doc = parse(self.nlp, text)
        found: dict[str, list[Entry]] = {}
        sentences = list(doc.spans["sentences"])
        for sentence, following in zip_longest(sentences, sentences[1:]):
            if sentence.label_ in BACKGROUND:
                continue
            for reading in self._readings(sentence, following):
                if reading.certainty is not None:
                    entry = (sentence.label_ == "impression", reading, sentence)
                    found.setdefault(reading.mention.label, []).append(entry)
        return [decide(label, found[label]) for label in LABELS if label in found]

    def label_all(self, texts: Sequence[str]) -> list[list[Decision]]:
        """The decisions of `label` for many reports."""
        return [self.label(text) for text in texts]

    def _readings(self, sentence: Span, following: Span | None) -> list[Reading]:
        """What a sentence says of the labels; `following` is the next one."""
        mentions = _terms(sentence)
        mentions += self.statements.mentions(sentence, mentions)
        if not mentions:
            return []
        words = words_of(sentence)
        mentions = [
            _small_vessels(mention, words) for mention in sorted(mentions, key=lambda each: each.start)
        ]
        imaging = self.sections.describes_scan(sentence)
        after = words_of(following) if following is not None else []
        return read_sentence(
            Sentence(words, cues_of(sentence, words), mentions, imaging, after), self.settings.likely
        )


def decide(label: str, readings: list[Entry]) -> Decision:
    """The decision between readings of one label, each with whether its sentence is in the impression.

    The worst counts, wherever it stands; of equals the impression's gives the sentence.
    """

    def strength(entry: Entry) -> tuple[int, bool]:
        concluding, reading, _ = entry
        return (ORDER.index(reading.certainty or "negative"), not concluding)

    _, reading, sentence = min(readings, key=strength)
    assert reading.certainty is not None
    return Decision(label, reading.certainty, sentence.text, reading.rule + _corrections(sentence))


def _corrections(sentence: Span) -> str:
    """The words of a sentence that were read as other ones, as the end of a rule."""
    changed = [f"{token.text} as {token.norm_}" for token in sentence if token.norm_ != norm(token.text)]
    return f"; read {', '.join(changed)}" if changed else ""


def _terms(sentence: Span) -> list[Mention]:
    found = []
    for span in sentence.doc.spans["terms"]:
        if sentence.start <= span.start < sentence.end:
            vague = span.label_.startswith(VAGUE_MARK)
            # A wrapped line may have ended the sentence within the term.
            start, end = span.start - sentence.start, min(span.end, sentence.end) - sentence.start
            term = " ".join(words_of(span))
            found.append(Mention(span.label_.removeprefix(VAGUE_MARK), start, end, term, vague=vague))
    return found


def _small_vessels(mention: Mention, words: list[str]) -> Mention:
    """Ischemic change in white matter or of small vessels, but no infarct, as small vessel disease."""
    if mention.label != "ischemia" or not mention.term.startswith("ischemi"):
        return mention
    near = " ".join(words[max(mention.start - 8, 0) : mention.end + 8])
    if not SMALL_VESSELS.search(near) or NOT_SMALL.search(near):
        return mention
    return Mention("cerebral small vessel disease", mention.start, mention.end, mention.term)
