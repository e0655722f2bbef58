"""Whether a report is written in English: labels and patterns of this package read nothing else.

By function words, from spaCy's lists, and some words that stand in nearly every English report of a head CT.
"""

import re
from functools import lru_cache
from importlib import import_module

WORD = re.compile(r"[^\W\d_]+")
OTHER_LANGUAGES = ("de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da")
REPORT_WORDS = (
    "acute age appearances appearance atrophy bleed bleeding bone brain changes clear collection collections "
    "density enlarged evidence extra findings fluid fracture fractures grey gray haemorrhage head hemorrhage history "
    "impression infarct intact intracranial involutional ischaemia ischaemic ischemia ischemic left lesion mass "
    "matter midline mild normal old right scan seen shift significant sinuses skull soft space stroke subdural "
    "sulci unremarkable ventricles ventricular vessel white within"
)


def is_english(text: str) -> bool:
    """True if over 30 % of the words are English, or some are and no other language explains more of them."""
    words = [word.lower() for word in WORD.findall(text)]
    if not words:
        return False
    english, others = _vocabularies()
    known = sum(word in english for word in words)
    # Half the words of running text are function words; so many English ones settle it.
    if known > 0.3 * len(words):
        return True
    return known > 0 and all(known >= sum(word in other for word in words) for other in others)


@lru_cache(maxsize=1)
def _vocabularies() -> tuple[frozenset[str], list[frozenset[str]]]:
    """English words, and for each other language its function words that English does not have."""
    english = function_words("en") | frozenset(REPORT_WORDS.split())
    return english, [function_words(code) - english for code in OTHER_LANGUAGES]


def function_words(code: str) -> frozenset[str]:
    """Words that stand in any text of a language (`en`, `de`); the first call loads spaCy, which has them."""
    module = import_module(f"spacy.lang.{code}.stop_words")
    return frozenset(word for word in module.STOP_WORDS if word.isalpha())
