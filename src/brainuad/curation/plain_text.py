"""The text of a report as a person sees it, without what word processors, web pages and databases leave in an export.

Invisible characters and character references would hide the words that they stand in or beside, as in
`haem&shy;orrhage`, and an abnormal report would be read as normal.
"""

import html
import re
import unicodedata
from html.entities import html5

from brainuad.curation.broken_words import with_spaced_terms, without_hyphenation, without_zero_width
from brainuad.curation.line_breaks import with_line_breaks
from brainuad.curation.spelling import PLAIN

# With a semicolon, for `frontal&parietal` is no `&para;`; no word begins with nbsp.
REFERENCE = re.compile(r"&(?i:nbsp);?|&(#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});")
TIMES_ENCODED = 3  # `&amp;nbsp;` was encoded twice
# How databases and programs write characters beyond ASCII; no half of a pair of surrogates is one.
ESCAPED_BYTES = re.compile(r"(?:\\+x[89a-fA-F][\da-fA-F])+")
ESCAPED_LETTER = re.compile(r"\\+u(?![dD][89a-fA-F])([\da-fA-F]{4})")
# Word and extracted PDFs keep breaks, hyphens and optional hyphens as controls; a page says where a word may break.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|<wbr\s*/?>", re.IGNORECASE)
CONTROLS = {"\x0b": "\n", "\x0c": "\n", "\x1e": "-"}
# Behind a soft hyphen at its end a line goes on with the rest of the word.
SOFT_HYPHEN = "\u00ad"
SOFT_BREAK = re.compile(rf"{SOFT_HYPHEN}[ \t]*(?:\r\n|[\r\n])[ \t]*(?=[^\W\d_])")
# But for characters of no width, which may stand between two words.
INVISIBLE = f"{SOFT_HYPHEN}\u034f\u061c\u180e\u2061\u2062\u2063\u2064\ufe0e\ufe0f" + "".join(
    map(chr, (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x2070)))
)
SPACES = "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
LIGATURES = ("ff", "fi", "fl", "ffi", "ffl", "st", "st")
# Controls of Windows that were read as Unicode, letters of full width, and all marks of word processors.
MARKS = {
    **{code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)},
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **{code: chr(mark) for code, mark in PLAIN.items() if code > 0x7F},
    **dict.fromkeys(map(ord, INVISIBLE), ""),
    **dict.fromkeys(map(ord, SPACES), " "),
    **dict(enumerate(LIGATURES, 0xFB00)),
    **dict.fromkeys((0x85, 0x2028, 0x2029), "\n"),
    0x2026: "... ",
}
MARKS |= {code: MARKS.get(ord(mark), mark) for code, mark in MARKS.items() if code < 0xA0 and len(mark) == 1}


def plain_text(text: str) -> str:
    """A report with line breaks for those that are escaped or marked up, and plain letters and marks.

    Character references are decoded, characters that cannot be seen are left out, spaces and hyphens of any kind are
    plain, and words that a line's end cuts are whole. What else is marked up stays as it is written.
    """
    text = with_line_breaks(CONTROL.sub(lambda found: CONTROLS.get(found[0], ""), _decoded(text)))
    if not text.isascii():
        text = unicodedata.normalize("NFC", SOFT_BREAK.sub("", text))
        text = without_zero_width(text).translate(MARKS)
    return with_spaced_terms(without_hyphenation(text)).strip()


def _decoded(text: str) -> str:
    """A text with characters for their escapes and references."""
    if "\\" in text:
        text = ESCAPED_LETTER.sub(lambda found: chr(int(found[1], 16)), ESCAPED_BYTES.sub(_bytes, text))
    for _ in range(TIMES_ENCODED):
        if "&" not in text:
            break
        text = REFERENCE.sub(_character, text)
    return text


def _bytes(escaped: re.Match[str]) -> str:
    """What bytes in hexadecimal notation stand for, in UTF-8 or else Windows Latin-1."""
    content = bytes.fromhex(re.sub(r"\\+x", "", escaped[0]))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "ignore")


def _character(reference: re.Match[str]) -> str:
    """What a reference stands for, also in a text in capitals (`&NBSP;`); one that does not exist stays."""
    name = reference[1] or "nbsp"
    if name.startswith("#"):
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return chr(code) if 0 < code < ord(" ") else html.unescape(f"&{name};")
    return html5.get(f"{name};") or html5.get(f"{name.lower()};") or reference[0]
