"""One spelling for the words of a report, and the patterns that rules are written in.

British, American, plural and Latin forms of a word share one norm, so that a rule needs only one of them.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
APOSTROPHES = "\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u02bc\u00b4`"
QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"
# Those of Word's fonts Symbol and Wingdings lie in a private range.
DOTS = (
    "\u2022\u00b7\u2023\u2043\u2219\u25a0\u25a1\u25aa\u25ab\u25b6\u25ba\u25cb\u25cf\u25e6\u27a2"
    "\uf0a7\uf0b7\uf0d8\uf0fc"
)
# Marks of word processors as those of a typewriter, and a backslash as the slash that it stands for; each becomes one,
# so that places in the text stay.
PLAIN = str.maketrans(
    f"\u00a0\t\\{HYPHENS}{APOSTROPHES}{QUOTES}{DOTS}",
    "  /" + "-" * len(HYPHENS) + "'" * len(APOSTROPHES) + '"' * len(QUOTES) + "*" * len(DOTS),
)
SPELLING = (
    (re.compile("[æä]"), "ae"),
    (re.compile("[œö]"), "oe"),
    (re.compile("aemi"), "emi"),
    (re.compile("haem"), "hem"),
    (re.compile("chaem"), "chem"),
    (re.compile("oedem"), "edem"),
    (re.compile("oelia"), "elia"),
    (re.compile("tumour"), "tumor"),
    (re.compile("grey"), "gray"),
    (re.compile("centr(e|ed)$"), "center"),
    (re.compile("calibre"), "caliber"),
    (re.compile("aneurism"), "aneurysm"),
    (re.compile("artefact"), "artifact"),
    (re.compile("dilatation"), "dilation"),
    (re.compile("leuco"), "leuko"),
    (re.compile("hydroceph(alic|aly)$"), "hydrocephalus"),
    (re.compile("(?<=[a-z]{4})is(e|ed|ing|ation)$"), r"iz\1"),
)
# Words that the rule for a final s would change, and plurals that it does not know.
NORMS = {
    "metastases": "metastasis",
    "prostheses": "prosthesis",
    "stenoses": "stenosis",
    "thromboses": "thrombosis",
    "abscesses": "abscess",
    "masses": "mass",
    "sinuses": "sinus",
    "viruses": "virus",
    "thrombi": "thrombus",
    "emboli": "embolus",
    "sulci": "sulcus",
    "gyri": "gyrus",
    "foci": "focus",
    "haematomata": "hematoma",
    "hematomata": "hematoma",
    "hygromata": "hygroma",
    "lacunae": "lacune",
    "arteries": "artery",
    "cavities": "cavity",
    "bodies": "body",
    "grayscale": "grayscale",
}
FINAL_S = re.compile(r"(?<![suie0-9])s$")


@lru_cache(maxsize=200_000)
def norm(word: str) -> str:
    """The one spelling of a word: small letters, American, singular (`Haemorrhages` is `hemorrhage`)."""
    word = word.lower()
    if word in NORMS:
        return NORMS[word]
    if len(word) < 3 or not word[0].isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = f"{word[:-3]}y"
    elif len(word) > 3 or word in ("mri", "cts"):
        word = FINAL_S.sub("", word) if not word.endswith("es") else _without_es(word)
    for pattern, replacement in SPELLING:
        word = pattern.sub(replacement, word)
    return word


def _without_es(word: str) -> str:
    """A word in -es as a singular: `edges` is `edge`, `biopsies` came before, `boxes` is `box`."""
    return word[:-2] if word.endswith(("xes", "shes", "ches", "sses")) else word[:-1]


def expand(pattern: str) -> list[str]:
    """All phrases of a pattern: `(sub|extra)dural bleed|clot` is three, a hyphen in a word may be missing."""
    alternatives = re.split(r"\|(?![^(]*\))", pattern)  # at bars outside parentheses
    phrases = {phrase for part in alternatives for phrase in _choices(re.split(r"[()]", part))}
    pieces = (re.sub(r"(?<=\w)-", "\n-| |\n", phrase).split("\n") for phrase in phrases)
    return sorted({" ".join(phrase.split()) for piece in pieces for phrase in _choices(piece)} - {""})


def _choices(pieces: list[str]) -> Iterator[str]:
    """The texts that take one of the alternatives of each piece."""
    return map("".join, product(*(piece.split("|") for piece in pieces)))


def word_set(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())
