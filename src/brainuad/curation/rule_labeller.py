"""The rule labeller: sections, sentences, terms and the scope of cues, as one spaCy pipeline that needs no model.

Each term in a finding or conclusion is read as positive, negative or uncertain, with the sentence and the rule.
Where sentences disagree about a label, the impression decides over the findings, and positive over uncertain over
negative. A negation of only one kind ("no acute infarct") never decides over what the findings affirm.
"""

import re
from collections.abc import Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span

import brainuad.curation.sentences  # noqa: F401  (registers its component)
from brainuad.curation.context import Reading, read_sentence
from brainuad.curation.labels import LABELS, Decision
from brainuad.curation.mentions import VAGUE_MARK, Statements, cues_of
from brainuad.curation.scope import Mention, Sentence
from brainuad.curation.sections import BACKGROUND, Sections, is_capitals
from brainuad.curation.sentences import flatten
from brainuad.curation.settings import RuleSettings
from brainuad.curation.spelling import blank_english, words_of

COMPONENTS = (
    "report_headings",
    "report_sentences",
    "report_sections",
    "report_terms",
    "report_statements",
    "report_cues",
)
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
    return nlp


def parse(nlp: Language, text: str) -> Doc:
    """A report with its sentences, terms and cues as groups of spans."""
    flat = flatten(text)
    doc = nlp.make_doc(flat.text)
    doc.user_data["lines"], doc.user_data["paragraphs"] = flat.lines, flat.paragraphs
    doc.user_data["capitals"] = is_capitals(flat.text)
    return nlp(doc)


class RuleLabeller:
    """Reads reports by rules that name themselves."""

    def __init__(self, settings: RuleSettings | None = None) -> None:
        self.settings = settings or RuleSettings()
        self.nlp = build_pipeline(self.settings)
        statements, sections = self.nlp.get_pipe("report_statements"), self.nlp.get_pipe("report_sections")
        assert isinstance(statements, Statements)
        assert isinstance(sections, Sections)
        self.statements, self.sections = statements, sections

    def label(self, text: str) -> list[Decision]:
        """One decision for each label that the report says something about, in the order of the labels."""
        doc = parse(self.nlp, text)
        found: dict[str, list[tuple[bool, Reading, str]]] = {}
        for sentence in doc.spans["sentences"]:
            if sentence.label_ in BACKGROUND:
                continue
            for reading in self._readings(sentence):
                if reading.certainty is not None:
                    entry = (sentence.label_ == "impression", reading, sentence.text)
                    found.setdefault(reading.mention.label, []).append(entry)
        return [decide(label, found[label]) for label in LABELS if label in found]

    def label_all(self, texts: Sequence[str]) -> list[list[Decision]]:
        """The decisions of `label` for many reports."""
        return [self.label(text) for text in texts]

    def _readings(self, sentence: Span) -> list[Reading]:
        """What a sentence says of the labels."""
        mentions = _terms(sentence)
        mentions += self.statements.mentions(sentence, mentions)
        if not mentions:
            return []
        words = words_of(sentence)
        mentions = [
            _small_vessels(mention, words) for mention in sorted(mentions, key=lambda each: each.start)
        ]
        imaging = self.sections.describes_scan(sentence)
        return read_sentence(
            Sentence(words, cues_of(sentence, words), mentions, imaging), self.settings.likely
        )


def decide(label: str, readings: list[tuple[bool, Reading, str]]) -> Decision:
    """The decision between readings of one label, each with whether its sentence is in the impression."""

    def strength(entry: tuple[bool, Reading, str]) -> tuple[int, bool, bool]:
        concluding, reading, _ = entry
        narrow = reading.certainty == "negative" and reading.narrow
        return (ORDER.index(reading.certainty or "negative"), narrow, not concluding)

    concluding = [
        entry for entry in readings if entry[0] and not (entry[1].narrow and entry[1].certainty == "negative")
    ]
    _, reading, sentence = min(concluding or readings, key=strength)
    assert reading.certainty is not None
    return Decision(label, reading.certainty, sentence, reading.rule)


def _terms(sentence: Span) -> list[Mention]:
    found = []
    for span in sentence.doc.spans["terms"]:
        if sentence.start <= span.start < sentence.end:
            vague = span.label_.startswith(VAGUE_MARK)
            start, end = span.start - sentence.start, span.end - sentence.start
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
