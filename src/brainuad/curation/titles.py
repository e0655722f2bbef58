"""Titles of head CTs that say how or when the scan was made: `CT brain plain:`, `CT head (unenhanced) 12/03/2014:`."""

import re

from spacy.tokens import Span

from brainuad.curation.dates import DATE_IN_TEXT
from brainuad.curation.spelling import word_set, words_of

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


def with_manner(title: Span) -> Span:
    """A title of a head CT with what follows it up to its colon; any other heading as it is."""
    doc = title.doc
    if title.label_ != "findings" or SCANS.isdisjoint(words_of(title)):
        return title
    rest = REST.match(doc.text, title.end_char)
    if rest is None:
        return title
    whole = doc.char_span(title.start_char, rest.end(), label=title.label, span_id=EXTENDED)
    return title if whole is None else whole
