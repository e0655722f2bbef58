"""The sections of a report: which of its words are findings, which its conclusion, and which are neither.

What stands under a clinical history, a technique or a comparison says nothing about this scan. Headings may be in any
case, with or without a colon; a text without headings is read as findings after what its first sentences say about
the patient.
"""

from typing import Literal, get_args

from spacy.language import Language
from spacy.tokens import Doc, Span

from brainuad.curation.cue_words import PLACES
from brainuad.curation.phrases import longest, phrase_matcher, words_of
from brainuad.curation.spelling import word_set
from brainuad.curation.titles import EXTENDED, with_manner

Section = Literal["history", "technique", "comparison", "findings", "impression"]
SECTIONS: tuple[Section, ...] = get_args(Section)
BACKGROUND = ("history", "technique", "comparison")

HEADINGS: dict[str, tuple[str, ...]] = {
    "history": (
        "(clinical|patient|medical|brief|relevant|past medical|) history",
        "(clinical|) indication",
        "clinical (detail|information|info|data|question|background|summary|context|presentation|problem|note)",
        "clinical|hx|pmh|(presenting|chief) complaint|presentation|referral|background",
        "(clinical|) (detail|information) (from|on|of) (request|referral|the request)",
        "(reason|request|indication) (for|of) (the|) (exam|examination|study|scan|request|referral|imaging|test|ct)",
        "history (and|/|&) (indication|physical)|indication (and|/) history|request|question",
        "diagnosis on request",
    ),
    "technique": (
        "(technique|protocol|procedure|examination|exam|study|method|modality|contrast|dose|radiation dose)",
        "(scan|imaging|ct|examination) (technique|protocol|parameter)",
        "technical (detail|factor|information)",
        "(type of|) (examination|exam|study) (type|performed|description|name)",
        "type of (examination|exam|study)",
    ),
    "comparison": (
        "comparison (study|scan|exam|examination|imaging|)|comparison made with|compared (with|to)",
        "(previous|prior) (imaging|study|scan|examination|exam|report|ct|comparison|radiology)|prior",
        "relevant priors",
    ),
    "findings": (
        "finding|(ct|imaging|radiological|) (finding|report|result)|result|observation|description",
        "interpretation",
        "(non-contrast|non-enhanced|unenhanced|plain|) (ct|ct scan) (of|) (the|) (head|brain|cranium) "
        "(report|finding|)|(ncct|necct|nect) (of|) (the|) (head|brain) (report|finding|)",
        "(head|brain|cranial) ct (report|finding|)|body of report|finding and interpretation",
    ),
    "impression": (
        "(impression|conclusion|opinion|comment|summary|assessment|imp|radiological diagnosis|diagnosis|bottom line)",
        "(radiological|overall|final|imaging|) (impression|conclusion|opinion|diagnosis|assessment)",
        "(impression|opinion|conclusion|summary) (and|/|&) (recommendation|plan|advice|comment|conclusion)",
        "summary of finding|key finding|concluding remark",
    ),
}
CONCLUDING = ("in (summary|conclusion|short)|to (summarize|conclude)|overall impression",)
# Words after which a name of a section is part of a sentence.
CONTINUING = word_set("of is was are were from for with to and on in has have that suggest include")
# How sentences about the patient give themselves away, and sentences about the scan.
CLINICAL = (
    "(year|yr|day|week|month) old|y / o|yo|gcs|headache|fall|fell|fallen|trauma|head injury|assault|rta",
    "rtc|mva",
    "confused|confusion|drowsy|collapse|collapsed|seizure|fit|vomiting|nausea|dizzy|dizziness|weakness",
    "hemiparesis",
    "presented|presenting|present with|presents with|admitted|admission|complain of|complaining of|symptom",
    "warfarin|anticoagulated|anticoagulant|anticoagulation|doac|apixaban|rivaroxaban|aspirin",
    "loss of consciousness",
    "dysphasia|aphasia|slurred speech|facial droop|loc|amnesia|syncope|numbness|fever|pyrexia|hypertension",
    "diabetes",
    "history of|h / o|hx|pmh|known case|clinical|clinically|patient with|gentleman|lady|male|female",
    "intoxicated",
    "unwell|deteriorating|deterioration|nihss|onset|visual disturbance|ataxia|unsteady|unsteadiness|memory",
    "dementia",
)
IMAGING = (
    "seen|noted|demonstrated|identified|evident|visualized|shown|shows|show|demonstrates|visible",
    "appearance|appear",
    "appears|unchanged|stable|measure|measures|measuring|mm|cm|consistent with|keeping with|there is",
    "there are|lobe",
    "territory|persists|persist|remain|remains|again|density|attenuation|ventricle|sulcus|cistern",
    "unremarkable|normal",
    "intracranial abnormality|evidence of|change|changed|size|compared|progression|increased in size",
    "decreased in size|adjacent|surrounding",
)
OPENING = (
    "there is|there are|there has|normal|unremarkable|no evidence|no acute|no intracranial|no midline",
    "no extra-axial",
    "no mass|no focal|no hemorrhage|no bleed|no hydrocephalus|no definite|the ventricle|the brain",
    "ventricle|evidence of",
    "no (subdural|extradural|subarachnoid|skull|infarct|large|significant|space-occupying|abnormality|established)",
    "(non-contrast|unenhanced|plain|axial) ct|the (gray|sulcus|basal|scan|study|examination|appearance)",
    "gray-white",
)
ASKING = word_set("? query queried")
# Words by which a sentence about the patient tells what was before, or asks what the scan is to show.
REQUESTING = ASKING | word_set("exclude rule suspected suspicion concern r")
BEFORE_IT = word_set("cause why whether if risk for")  # in the same part of a sentence
PAST = word_set("known previous previously prior past history hx pmh diagnosed")
# What patients are sent with, so that it counts as seen only if it has a place.
COMPLAINTS = word_set(
    "stroke cva infection infective septic malignancy malignant metastatic surgery surgical operation swelling "
    "shunt aneurysm sinusitis meningitis encephalitis"
)
PLACED = 4  # words before a complaint that may place it
BULLETS = ("-", "*", ">", "+", "_", ")")
CAPITALS = 0.9  # share of large letters from which on a text is taken to be all in capitals


@Language.factory("report_headings")
def make_headings(nlp: Language, name: str) -> "Headings":
    """The component that finds the headings of a report."""
    return Headings(nlp)


class Headings:
    """Keeps headings as `doc.spans["headings"]`; the label of each is its section."""

    def __init__(self, nlp: Language) -> None:
        self.matcher = phrase_matcher(nlp, HEADINGS)
        self.concluding = phrase_matcher(nlp, {"impression": CONCLUDING})

    def __call__(self, doc: Doc) -> Doc:
        capitals = doc.user_data["capitals"]
        found = [
            span
            for span in map(with_manner, longest(self.matcher(doc, as_spans=True)))
            if _is_heading(doc, span, capitals)
        ]
        found += [span for span in self.concluding(doc, as_spans=True) if _after_a_sentence(doc, span.start)]
        doc.spans["headings"] = longest(found)
        return doc


def is_capitals(text: str) -> bool:
    """Whether a text is written in capitals."""
    capitals, small = sum(map(str.isupper, text)), sum(map(str.islower, text))
    return capitals > CAPITALS * (capitals + small)


def _is_heading(doc: Doc, span: Span, capitals: bool) -> bool:
    lines = doc.user_data["lines"]
    at_line = span.start == 0 or doc[_before_marks(doc, span.start)].idx in lines
    following = doc[span.end].text if span.end < len(doc) else ""
    if following in (":", "-") and not (following == "-" and not doc[span.end - 1].whitespace_):
        return at_line or _after_a_sentence(doc, span.start) or (span.text[0].isupper() and following == ":")
    if not at_line:
        return False
    if span.end == len(doc) or doc[span.end].idx in lines:
        return span.text[0].isupper() or len(span) > 1
    if (
        doc[span.end].norm_ in CONTINUING
        or not following[0].isupper()
        or span.label_ in ("technique", "comparison")
    ):
        return False
    return (span.text.isupper() and not capitals) or span[0].norm_ in (
        "finding",
        "impression",
        "conclusion",
        "opinion",
    )


def _before_marks(doc: Doc, start: int) -> int:
    """Where a heading begins if the marks of a list or of Markdown in front of it are its own."""
    while start > 0 and doc[start].idx not in doc.user_data["lines"] and not doc[start - 1].is_alpha:
        start -= 1
    return start


def _after_a_sentence(doc: Doc, start: int) -> bool:
    return (
        start == 0
        or doc[start].idx in doc.user_data["lines"]
        or doc[start - 1].text in (".", ":", ";", "?", "!")
    )


@Language.factory("report_sections")
def make_sections(nlp: Language, name: str) -> "Sections":
    """The component that gives each sentence its section."""
    return Sections(nlp)


class Sections:
    """Keeps sentences without their headings as `doc.spans["sentences"]`; the label of each is its section."""

    def __init__(self, nlp: Language) -> None:
        self.words = phrase_matcher(nlp, {"clinical": CLINICAL, "imaging": IMAGING})
        self.opening = phrase_matcher(nlp, {"opening": OPENING})

    def __call__(self, doc: Doc) -> Doc:
        headings = {span.start: span for span in doc.spans["headings"]}
        section, own_line, filled, found = "", False, False, []
        doc.user_data["doubtful"] = set()
        for sentence in doc.sents:
            heading = headings.get(_first_word(sentence, headings))
            if heading is not None:
                section, filled = heading.label_, False
                start = _after_heading(doc, heading)
                # The section is known to begin on its heading's line, so that it may end with that line.
                own_line = start < sentence.end and doc[start].idx not in doc.user_data["lines"]
                sentence = doc[start : sentence.end]
            elif (section in BACKGROUND and filled and self._ends(doc, sentence, own_line)) or (
                section == "" and (not self._is_clinical(sentence) or _names_finding(doc, sentence))
            ):
                section = "findings"
            while len(sentence) and sentence[0].text in BULLETS:
                sentence = sentence[1:]
            if len(sentence):
                filled = True
                doubtful = heading is None and section in BACKGROUND and self._in_doubt(doc, sentence)
                if doubtful:
                    doc.user_data["doubtful"].add(sentence.start)
                label = "findings" if doubtful else section or "history"
                found.append(Span(doc, sentence.start, sentence.end, label=label))
        doc.spans["sentences"] = found
        return doc

    def _is_clinical(self, sentence: Span) -> bool:
        """Whether a sentence before any heading or finding is about the patient, or asks what to look for."""
        names = {span.label_ for span in self.words(sentence, as_spans=True)}
        if names or sentence[0].text == "?":
            return "imaging" not in names
        words = words_of(sentence)
        return not (ASKING.isdisjoint(words) or PAST.isdisjoint(words))

    def describes_scan(self, sentence: Span) -> bool:
        """Whether what is "known" or "previous" in a sentence can be seen: by where it stands or by its words."""
        if sentence.start not in sentence.doc.user_data["doubtful"]:
            return True
        return any(span.label_ == "imaging" for span in self.words(sentence, as_spans=True))

    def _in_doubt(self, doc: Doc, sentence: Span) -> bool:
        """Whether a further sentence of a background section may be a finding: it asks nothing, none are headed."""
        names = {span.label_ for span in self.words(sentence, as_spans=True)}
        words = {token.norm_ for token in sentence}
        opens = sentence[0].norm_ in ASKING
        asks = "imaging" not in names and (opens or ("clinical" in names and not words.isdisjoint(ASKING)))
        return not asks and not _follows(doc, sentence, ("findings", "impression"))

    def _ends(self, doc: Doc, sentence: Span, own_line: bool) -> bool:
        """Whether findings begin with a sentence under a background heading: by layout, or by how it begins."""
        if _follows(doc, sentence, ("findings",)):
            return False
        start = sentence[0]
        if start.idx in doc.user_data["paragraphs"]:
            return True
        if start.idx in doc.user_data["lines"] and own_line and not self._is_clinical(sentence):
            return True
        names = {span.label_ for span in self.words(sentence, as_spans=True)}
        opens = any(span.start == start.i for span in self.opening(sentence, as_spans=True))
        return opens and "clinical" not in names


def _follows(doc: Doc, sentence: Span, kinds: tuple[str, ...]) -> bool:
    """Whether a heading of one of these kinds comes after a sentence.

    A title with its manner or date does not count: it may be that of an addendum, or of a signature.
    """
    return any(
        span.label_ in kinds and span.start >= sentence.end and span.id_ != EXTENDED
        for span in doc.spans["headings"]
    )


def _names_finding(doc: Doc, sentence: Span) -> bool:
    """Whether a sentence about the patient says what the scan shows ("head injury with right frontal contusion")."""
    if _follows(doc, sentence, ("findings",)):
        return False
    terms = [span for span in doc.spans["terms"] if sentence.start <= span.start < sentence.end]
    return any(_is_seen(words_of(doc[sentence.start : span.start]), span) for span in terms)


def _is_seen(before: list[str], term: Span) -> bool:
    """Whether a term in a sentence about the patient, behind the words `before`, is told as seen on the scan."""
    part = before[len(before) - before[::-1].index(",") :] if "," in before else before
    following = term.doc[term.end].norm_ if term.end < len(term.doc) else ""
    if following in ASKING or not (REQUESTING.isdisjoint(before) and (BEFORE_IT | PAST).isdisjoint(part)):
        return False
    return term[-1].norm_ not in COMPLAINTS or not PLACES.isdisjoint(part[-PLACED:])


def _first_word(sentence: Span, headings: dict[int, Span]) -> int:
    """Where a heading stands in a sentence that begins with one, list marks in front of it aside."""
    for token in sentence:
        if token.i in headings or token.is_alpha:
            return token.i
    return sentence.start


def _after_heading(doc: Doc, heading: Span) -> int:
    end = heading.end
    while end < len(doc) and doc[end].text in (":", "-", "*", "#", ",", "_"):
        end += 1
    return end
