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
DATE = re.compile(DATE_IN_TEXT, re.IGNORECASE)
# Before the title of another scan.
OTHER = word_set(
    "previous prior earlier last recent initial compared comparison with to from of since and on the"
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
    if rest is None:
        return title
    before = title.start - 1
    while before >= 0 and doc[before].text in (":", "-", "("):
        before -= 1
    others = OTHER_DATED if DATE.search(rest[0]) else OTHER
    if before >= 0 and doc[before].norm_ in others:
        return title
    whole = doc.char_span(title.start_char, rest.end(), label=title.label)
    return title if whole is None else whole
