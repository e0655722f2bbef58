r"""Line breaks and tabs that an export of reports writes as `\n`, `\r\n`, `\r`, `\t`, `<br>`, `<p>` or `<li>`.

A backslash may also stand for a slash, as in `lesion\tumour`. What follows it is then a word with its first letter, and
no finding may be lost by that.
"""

import re

from brainuad.curation.spelling import word_set

# A real break behind a written one is the same break.
REAL = r"[ \t]*(?:\r\n|[\r\n])"
# Also the tags of what stands on lines of its own; `<5 mm` is none.
HTML_BREAK = re.compile(
    rf"<(?:br|/?(?:p|div|li|ul|ol|tr|table|h[1-6]))(?:\s[^<>]*=[^<>]*)?\s*/?>(?:{REAL})?", re.IGNORECASE
)
# As dumps of databases (`mysql -B`) write them, and what stands where a line that is too long goes on.
ESCAPE = re.compile(rf"(?:\\+r\\+n|\\+(?=(?P<word>[nrt][a-z]*))[nrt])(?P<real>{REAL})?|\\+(?=[\r\n])")
# How words of head CT begin that may stand behind a slash. No English word begins with the rest of one, so that
# `\tumour` is no tab.
BEGINNINGS = tuple(
    word_set(
        "narrow nasal nasop necro negativ neopl neuro new nidus nodul nonac noncom nonhaem nonhem nonop nonsp "
        "normal nph radiat radiol raised rathke rebleed recent recurr reduc resect reserv resid resol restrict "
        "retain revers ribbon right ring rotat rounded ruptur tapering tela temporal temporo tensi tentor territor "
        "thalam thick thinn third thromb tight tiny tissue titan tonsil toxic toxop trans traum trifurc trivent "
        "tsah tuber tumefac tumo"
    )
)


def with_line_breaks(text: str) -> str:
    """A text in which escaped and marked-up line breaks are real ones, and escaped tabs blanks."""
    if "\\" in text:
        text = ESCAPE.sub(_break_or_slash, text)
    return HTML_BREAK.sub("\n", text)


def _break_or_slash(escape: re.Match[str]) -> str:
    """What an escape stands for; a backslash that stands for a slash stays."""
    word = escape["word"] or ""
    if word.startswith(BEGINNINGS):
        return escape[0]
    if word.startswith("t"):
        return f" {escape['real'] or ''}"
    # What is nothing but backslashes stands before a break that is real.
    return " " if escape[0].endswith("\\") else "\n"
