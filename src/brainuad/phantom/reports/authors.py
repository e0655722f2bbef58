"""The radiologists of the fictional hospital: headings, spelling, abbreviations, and what they leave out."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

AMERICAN = {
    "haem": "hem",
    "Haem": "Hem",
    "ischaem": "ischem",
    "Ischaem": "Ischem",
    "oedema": "edema",
    "Oedema": "Edema",
    "tumour": "tumor",
    "Tumour": "Tumor",
    "artefact": "artifact",
    "Artefact": "Artifact",
    "grey": "gray",
    "Grey": "Gray",
    "centred": "centered",
    "ageing": "aging",
}
SHORT = {
    "subdural haematoma": "SDH",
    "extradural haematoma": "EDH",
    "subarachnoid haemorrhage": "SAH",
    "middle cerebral artery territory": "MCA territory",
    "middle cerebral artery": "MCA",
    "posterior cerebral artery": "PCA",
    "internal carotid artery": "ICA",
    "small vessel disease": "SVD",
    "space occupying lesion": "SOL",
    "ventriculoperitoneal shunt": "VP shunt",
    "No evidence of": "Nil",
    "There is an ": "",
    "There is a ": "",
    "There is ": "",
}


@dataclass(frozen=True)
class Author:
    """How one radiologist reports; `headings` are those of request, technique, findings and impression."""

    headings: tuple[str, str, str, str]
    american: bool = False
    short: bool = False
    technique: bool = True
    impression: bool = True
    denials: tuple[int, int] = (2, 5)
    denies_first: bool = False
    line_by_line: bool = False


AUTHORS = (
    Author(("Clinical details:", "Technique:", "Findings:", "Conclusion:")),
    Author(("CLINICAL INFORMATION", "TECHNIQUE", "REPORT", "OPINION"), line_by_line=True, denies_first=True),
    Author(("", "", "", ""), short=True, technique=False, impression=False, denials=(1, 4)),
    Author(
        ("INDICATION:", "TECHNIQUE:", "FINDINGS:", "IMPRESSION:"),
        american=True,
        denials=(3, 7),
        line_by_line=True,
    ),
    Author(("History:", "", "Findings:", "Impression:"), american=True, technique=False),
    Author(("Hx:", "", "CT Head:", "Imp:"), short=True, technique=False, denials=(2, 4), denies_first=True),
    Author(("Clinical history:", "Protocol:", "Report:", ""), impression=False, denials=(3, 6)),
)


@cache
def _finder(american: bool) -> re.Pattern[str]:
    words = AMERICAN if american else SHORT
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))


@lru_cache(maxsize=8192)
def voiced(text: str, author: int) -> str:
    """A sentence as this author writes it; it begins with a capital."""
    who = AUTHORS[author]
    if who.short:
        text = _finder(False).sub(lambda match: SHORT[match.group()], text)
    if who.american:
        text = _finder(True).sub(lambda match: AMERICAN[match.group()], text)
    return text[:1].upper() + text[1:]
