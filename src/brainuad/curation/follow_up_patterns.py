"""The wording by which a report refers to earlier imaging, and the wording that only looks like it.

Token patterns of spaCy's Matcher over lower-case text, in which a date is the word `xdate` and every spelling of
follow-up is `followup` (see follow_up.py). Kascenas 2023, section 4.2.2, names the filter and prints no list.
"""

from dataclasses import dataclass
from typing import Any

from brainuad.curation.selection_settings import FollowUpPattern

Token = dict[str, Any]
Pattern = list[Token]


@dataclass(frozen=True)
class Wording:
    """What one pattern fires on, and within what it does not.

    `hint` is a regular expression; a sentence that does not contain it cannot match, which saves the time to try.
    """

    hint: str
    fires: list[Pattern]
    unless: list[Pattern]


def one(words: str, op: str = "{1}") -> Token:
    """A token that is one of `words` (separated by spaces); `op` as in spaCy: `?`, `+`, `{,3}`."""
    return {"LOWER": {"IN": words.split()}, "OP": op}


def stem(expression: str, op: str = "{1}") -> Token:
    """A token that begins as the regular expression says."""
    return {"LOWER": {"REGEX": f"^(?:{expression})"}, "OP": op}


def gap(most: int, without: str = "") -> Token:
    """Up to `most` tokens of any kind within the sentence, but none of the words `without`."""
    return {"LOWER": {"NOT_IN": [".", ";", *without.split()]}, "OP": f"{{,{most}}}"}


EARLIER = "previous prior earlier preceding last recent initial baseline old older"
SCAN = (
    "scan scans ct cts mri mris mr mra cta imaging neuroimaging image images study studies exam exams "
    "examination examinations film films tomography investigation investigations"
)
EARLIER_SCAN = rf"\b(?:{'|'.join(EARLIER.split())})\b.*\b(?:{'|'.join(SCAN.split())})\b"
BETWEEN = (
    "available relevant cross - sectional head brain cranial cerebral neuro outside external unenhanced plain "
    "contrast enhanced non radiological imaging ct mri mr recent ' s 's ’s"
)
ABSENT = "no nil without"
QUALITY = (
    "direct relevant available other suitable such known recent recorded old older any the cross - sectional"
)
BEING = "is are was were has have been be remain remains remained appear appears"
AVAILABLE = (
    "is are was were currently yet on pacs system held found here to hand for the a purposes of direct "
    "comparison compare with against available of head brain"
)
CLINICAL = (
    "patient patients he she gcs condition observations obs vitals neurology symptoms symptom clinical "
    "clinically haemodynamically hemodynamically neurologically medically otherwise pressure bp mood gait"
)
POSSESSIVE = "' ’ 's ’s"
CLINICAL_OR_MIND = f"{CLINICAL} conscious consciousness mental mentation sensorium sensation"
# What is seen on a scan, so that `unchanged` says nothing of how the patient is.
ON_SCAN = (
    f"{SCAN} appearance appearances finding findings change changes lesion lesions ventricle ventricles ventricular "
    "intracranial intracerebral extracranial brain cerebral cerebellar cranial parenchyma parenchymal sulci cisterns "
    "haemorrhage hemorrhage bleed haematoma hematoma haematomas collection collections infarct infarcts infarction "
    "contusion contusions sdh sah aneurysm mass effect tumour tumor oedema edema atrophy midline shift "
    "hydrocephalus calcification disease"
)
# How the patient is, not what is theirs on a scan: `the patient's condition`, but not `the patient's haematoma`.
STATE_OF_PATIENT = [
    one("the his her", "?"),
    one("patient patients", "?"),
    one(POSSESSIVE, "?"),
    one(CLINICAL_OR_MIND),
    {"LOWER": {"NOT_IN": POSSESSIVE.split()}},
]
MUCH = "significantly appreciably materially substantially really otherwise greatly much further"
SYMPTOM = stem(
    r"headache|migraine|weak|seizure|fit|symptom|confus|vomit|nause|dizz|vertigo|fall|fell|drows|pain|unwell|vision|"
    r"visual|diplopia|numb|speech|dysphasi|aphasi|ataxi|facial|droop|collaps|letharg|memory|cognit|gait|deficit"
)
CHANGE = stem(
    r"chang|unchang|new$|progress|increas|decreas|improv|resol|develop|enlarg|evol|larger$|smaller$|reduc|"
    r"regress|worsen|stable$|appeared$|grown$|alter"
)
INTERVAL_CHANGE = stem(
    r"chang|increas|decreas|develop|resol|improv|progress|growth|appear|evol|reduc|worsen|enlarg|regress"
)
ADVICE = stem(
    r"recommend|advis|advice|suggest|consider|arrang|requir|need|necessar|indicat|warrant|plan|request"
)
CARE = "clinical clinic outpatient gp medical neurosurgical surgical neurological appointment no lost"
OTHER_SIDE = (
    "left right contralateral opposite other normal adjacent surrounding expected age patient grey gray white "
    "rest remainder side"
)
DETAIL = (
    "of from dated on performed done taken obtained acquired was were head brain scan the about around some "
    "approximately roughly over"
)
AMOUNT = stem(
    r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|few|several|couple|of|some)$", "{1,3}"
)
PERIOD = stem(r"(?:hour|day|week|month|year)s?$")
YEAR = stem(r"(?:19[5-9]\d|20[0-4]\d)$")
SEEN = stem(r"seen|not(?:ed|iced)|descri|demonstrat|report|show|identif|document|visual|imaged")
# Words that say when a scan was, without a number: `last week`, `this morning`, `earlier today`.
WORDS_OF_TIME = (
    "night|morning|afternoon|evening|week|weekend|month|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)
NAMED_DAY = one("yesterday today")
LAST = [one("last this"), stem(rf"(?:{WORDS_OF_TIME})$")]
# `lucid interval`, `slice interval`, `an interval of 24 hours`: no time between two scans.
OTHER_INTERVALS = "lucid qt qtc pr rr time slice section reconstruction spacing dosing treatment regular"
NOT_OF_INTERVAL = (
    "followup of between from to for at in on by with without until then and or which that is are was were "
    "has had"
)
AGAIN = "repeat repeated surveillance"
PLANNED = f"{BETWEEN} {AGAIN}"
REPEAT = [one("repeat repeated"), one(BETWEEN, "{,4}"), one(SCAN)]
COMPARE = stem(r"compar(?:e|es|ed|ing|ison|isons|able|ative)$|cf$")
# Absent earlier imaging: `no previous CT of the head is available for comparison`.
NONE_EARLIER: list[Pattern] = [
    [
        one(ABSENT),
        one(QUALITY, "{,3}"),
        one(EARLIER),
        one(BETWEEN, "{,4}"),
        one(SCAN),
        one(AVAILABLE, "{,8}"),
    ],
    [one(ABSENT), one(QUALITY, "{,3}"), one(BETWEEN, "{,3}"), one(SCAN), one(AVAILABLE, "+")],
    [one(EARLIER), one(BETWEEN, "{,4}"), one(SCAN), one(AVAILABLE, "{,3}"), one("not"), one(AVAILABLE, "+")],
    [one(EARLIER), one(BETWEEN, "{,4}"), one(SCAN), one(AVAILABLE, "{,3}"), one("unavailable")],
    [
        one(EARLIER),
        one(BETWEEN, "{,4}"),
        one(SCAN),
        one(": -"),
        one("none"),
    ],
    # `Previous CT: nil acute` has been seen.
    [
        one(EARLIER),
        one(BETWEEN, "{,4}"),
        one(SCAN),
        one(": -"),
        one("nil"),
        one(f"{AVAILABLE} system . ; ,"),
    ],
]

FOLLOW_UP: dict[FollowUpPattern, Wording] = {
    "comparison": Wording(
        r"compar|\bcf\b",
        [[COMPARE]],
        [
            *NONE_EARLIER,
            [one(ABSENT), one(QUALITY + " " + EARLIER, "{,3}"), COMPARE],
            [COMPARE, one(": -", "?"), one("none nil n/a unavailable not")],
            [COMPARE, gap(4), one(ABSENT), one(QUALITY, "{,3}"), one(f"{EARLIER} {SCAN}")],
            [COMPARE, one("with to for against"), one("the that its his her", "?"), one(OTHER_SIDE)],
        ],
    ),
    "earlier imaging": Wording(
        rf"previously|{EARLIER_SCAN}",
        [
            [one(EARLIER), one(BETWEEN, "{,4}"), one(SCAN)],
            [one("previously"), SEEN],
        ],
        [*NONE_EARLIER, [one("not never"), one("been", "?"), one("previously"), {"IS_ALPHA": True}]],
    ),
    "since": Wording(
        "since",
        [
            [
                one("since"),
                one("the his her that", "?"),
                one(EARLIER + " admission", "{,2}"),
                one(BETWEEN, "{,4}"),
                one(SCAN),
            ],
            [one("since"), one("the on", "?"), one("xdate")],
            [one("since"), one("then previously before")],
            [CHANGE, gap(4), one("since")],
        ],
        [[SYMPTOM, gap(3), one("since"), one("the on then", "?"), one("xdate", "?")]],
    ),
    "interval change": Wording(
        "interval",
        [
            [one("interval"), gap(2), INTERVAL_CHANGE],
            [one("in"), one("the"), one("interval")],
            # Whatever has come or gone: `no interval haemorrhage`, `interval craniotomy`.
            [one("interval"), {"IS_ALPHA": True, "LOWER": {"NOT_IN": f"{NOT_OF_INTERVAL} {SCAN}".split()}}],
        ],
        [
            [one(OTHER_INTERVALS), one("interval"), gap(3)],
            [ADVICE, gap(4), one("interval"), one(PLANNED, "{,4}"), one(f"{SCAN} followup {AGAIN}"), gap(2)],
        ],
    ),
    "unchanged": Wording(
        "chang|alter|similar",
        [
            [one("unchanged unaltered")],
            [
                one("no without"),
                one(
                    "significant appreciable definite obvious further overall material major substantial "
                    "relevant",
                    "?",
                ),
                one("change alteration"),
            ],
            [
                one("similar"),
                one("appearance appearances", "?"),
                one("to"),
                one("the that those seen in on of from", "{,4}"),
                stem(rf"(?:(?:19|20)\d\d|xdate|before|previously|{EARLIER.replace(' ', '|')})$"),
            ],
            [one("not"), one(MUCH, "?"), one("changed altered")],
        ],
        [
            [one(CLINICAL_OR_MIND), gap(3, f", {ON_SCAN}"), one("unchanged changed unaltered altered")],
            [one("unchanged unaltered"), one("in", "?"), *STATE_OF_PATIENT],
            [one("not"), one(MUCH, "?"), one("changed altered"), one("in", "?"), *STATE_OF_PATIENT],
            [one("no without"), gap(1), one("change alteration"), one("in of"), *STATE_OF_PATIENT],
        ],
    ),
    "stable": Wording(
        r"stable|\bstatic\b",
        [[one("stable static")]],
        [
            [one(CLINICAL), gap(3, ON_SCAN), one("stable static")],
            [one("stable"), one(CLINICAL + " vital angina copd fracture")],
            [one("static"), one(CLINICAL + " encephalopathy electricity")],
        ],
    ),
    "follow-up": Wording(
        "followup|repeat",
        [[one("followup")], REPEAT],
        [
            [one(CARE), gap(1), one("followup")],
            [ADVICE, gap(4), one("followup")],
            [one("followup"), gap(5), ADVICE],
            [one("followup"), gap(3), one("clinic appointment outpatient may should could would will")],
            [one("followup"), gap(4), one("in after at"), gap(2), stem(r"day|week|month|year|clinic")],
            [ADVICE, gap(4), *REPEAT],
            [*REPEAT, gap(6), ADVICE],
            [*REPEAT, gap(3), one("if may should could would will")],
            [*REPEAT, gap(1), one("in at after within"), gap(2), stem(r"hour|day|week|month|year")],
        ],
    ),
    "no progression": Wording(
        "progress",
        [[one("no not without"), gap(2), stem("progress")]],
        [[one("no not without"), gap(2), stem("progress"), one("of in"), one("the his her", "?"), SYMPTOM]],
    ),
    "as before": Wording("as before|as previously", [[one("as"), one("before previously")]], []),
    "seen again": Wording(
        "again",
        [
            [one("again"), one(BEING, "?"), stem("seen|noted|demonstrat|shown|visuali")],
            [stem("seen|noted|demonstrat|shown|visuali"), one("once", "?"), one("again")],
        ],
        [],
    ),
    "dated imaging": Wording(
        rf"xdate|\bago\b|yesterday|today|\b(?:last|this) (?:{WORDS_OF_TIME})\b|\b(?:19|20)\d\d\b",
        [
            [
                one(SCAN),
                one(BETWEEN, "{,4}"),
                one("of from dated on performed done taken", "+"),
                one("xdate"),
            ],
            [one(SCAN), one(DETAIL, "{,5}"), AMOUNT, PERIOD, one("ago")],
            [one(SCAN), one(DETAIL, "{,5}"), one("earlier", "?"), NAMED_DAY],
            [one(SCAN), one(DETAIL, "{,5}"), one("earlier", "?"), *LAST],
            [NAMED_DAY, one(f"{BETWEEN} first", "{,4}"), one(SCAN)],
            [*LAST, one(f"{BETWEEN} first", "{,4}"), one(SCAN)],
            [one(SCAN), one(DETAIL + " in", "{,5}"), YEAR],
            [one("the that a his her on with to from"), YEAR, one(BETWEEN, "{,4}"), one(SCAN)],
            [SEEN, one("in of on from back", "{1,2}"), YEAR],
            [one("that those"), one("of in from on"), YEAR],
        ],
        # `CT head performed 2015 hrs` is a time of the day.
        [[one(SCAN), one(DETAIL + " in", "{,5}"), YEAR, one("h hr hrs hours")]],
    ),
}
