"""Titles of head CTs that say how or when the scan was made: `CT brain plain:`, `CT head (unenhanced) 12/03/2014:`."""

import re

from spacy.tokens import Span

from brainuad.curation.dates import DATE_IN_TEXT
from brainuad.curation.phrases import words_of
from brainuad.curation.spelling import word_set

SCANS = word_set("ct ncct necct nect")
_CONTRAST = r"(?:(?:iv|intravenous|oral) )?contrast(?: medium| agent| enhancement)?"
_MANNER = (
    rf"plain|unenhanced|non[ -]?(?:contrast|enhanced)|with(?:out)?(?: (?:and|or|&) with(?:out)?)? {_CONTRAST}"
    rf"|no {_CONTRAST}|(?:pre|post)(?: ?(?:and|&|/) ?post)?[ -]?contrast|report|study|scan|dated|performed|on"
)
_TIME = r"(?:,? (?:at )?\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?: ?(?:am|pm|h|hrs))?)?"
# The rest of a title up to its colon; that of a time of day is none.
REST = re.compile(
    rf"(?:[ ,(\[-]*(?:(?:{_MANNER})\b|{DATE_IN_TEXT}{_TIME})[)\]]*)+(?= ?:(?!\d))", re.IGNORECASE
)
EXTENDED = "with manner or date"  # the id of such a title
DATE = re.compile(DATE_IN_TEXT, re.IGNORECASE)
# Before the title of another scan: wherever the line breaks, on the same line, and there before a title with a date.
LEADING = word_set("with to from of since on in at by than versus vs and the a an this that")
OTHER = LEADING | word_set(
    "previous previously prior earlier last recent initial first original preceding old older outside external "
    "baseline index compared comparison unlike against before after follow-up"
)
OTHER_DATED = OTHER | word_set("imaging scan radiology")


def with_manner(title: Span) -> Span:
    """A title of a head CT with what follows it up to its colon; any other heading as it is.

    So is the title of a scan that this one is compared with.
    """
    doc = title.doc
    if title.label_ != "findings" or SCANS.isdisjoint(words_of(title)):
        return title
    rest = REST.match(doc.text, title.end_char)
    if rest is None or _is_of_another(title, dated=DATE.search(rest[0]) is not None):
        return title
    whole = doc.char_span(title.start_char, rest.end(), label=title.label, span_id=EXTENDED)
    return title if whole is None else whole


def _is_of_another(title: Span, dated: bool) -> bool:
    """Whether the word before a title makes it that of another scan."""
    doc, lines = title.doc, title.doc.user_data["lines"]
    place = title.start
    while place and doc[place].idx not in lines and doc[place - 1].text in (":", "-", "("):
        place -= 1
    if place == 0:
        return False
    wrapped = doc[place].idx in lines
    others = LEADING if wrapped else OTHER_DATED if dated else OTHER
    return doc[place - 1].norm_ in others
