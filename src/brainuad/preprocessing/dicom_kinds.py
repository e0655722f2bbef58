"""What the words of a DICOM header say about a series: its kernel, its contrast, its kind of image.

Kernels are named by makers. Those that show bone or lung have high numbers at Siemens (H60, B70, Hr68), FC30 to FC39,
FC50 to FC59 and FC80 upwards at Canon, single letters from D on at Philips, and words elsewhere.
"""

import re
from typing import Literal

Kernel = Literal["soft", "sharp", "unknown"]

SHARP_WORDS = re.compile(r"BONE|EDGE|LUNG|SHARP|ULTRA|DETAIL")
SOFT_WORDS = re.compile(r"STANDARD|STND|STD|SOFT|SMOOTH|BRAIN|HEAD|CEREB")
SIEMENS = re.compile(r"^[A-Z]{1,2}(?P<number>\d\d)[A-Z]?(\b|_|\\|$)")
CANON = re.compile(r"^FC(?P<number>\d\d)")
PHILIPS_SHARP = frozenset({"D", "E", "F", "L", "YC", "YD", "YE"})
PHILIPS_SOFT = frozenset({"A", "B", "C", "EB", "EC", "UA", "UB", "UC", "YA", "YB"})
SIEMENS_SHARP_FROM = 55

BONE_WORDS = re.compile(r"\b(bones?|knochen|osseous|hueso|lung)\b", re.IGNORECASE)
# `no`, `non-`, and `no oral or iv`.
ROUTE = r"(?:(?:i\.?v\.?|intravenous|oral|or)(?:[- ]+|$))*"
NO = rf"\bno(?:n|t)?[- ]*{ROUTE}"
WITHOUT = r"without|\bw[-/ ]?o(?:ut)?\b|\b(?:sans|sin|sem|ohne|senza)(?= contr)"
PLAIN_WORDS = re.compile(
    rf"{WITHOUT}|{NO}(?:contrast|con(?:tr?)?\b|c\b|ce\b|enh|cta\b|angio|perfus)"
    r"|plain|\bpre\b(?![- ]?op)|unenhanced|\bnativ|ncct|necct|\bnc\b",
    re.IGNORECASE,
)
CONTRAST_WORDS = re.compile(
    r"contrast|\bcontr\b|\bpost ?c\b|\bcect\b|\+ ?c\b|\bc\+|\bcta\b|angio|perfus|venog|arterial|venous",
    re.IGNORECASE,
)
NO_AGENT = frozenset(
    {
        *("", "NONE", "NO", "NON", "NIL", "NULL", "N", "N/A", "NA", "0", "-", "FALSE", "NATIV", "NATIVE"),
        *("PLAIN", "UNENHANCED", "NOT USED", "NOT GIVEN", "NOT APPLICABLE"),
    }
)
# `NO IV CONTRAST GIVEN`; but `NON-IONIC` is an agent.
NO_AGENT_WORDS = re.compile(
    rf"(?:(?:{WITHOUT}|nil|none)[- ]*{ROUTE}|{NO})"
    r"(?:contrast[eo]?|agent|dye|media)?(?: ?(?:agent|medium|media|material))?(?: ?(?:given|used|administered))?",
    re.IGNORECASE,
)

LOCALISER_WORDS = frozenset({"LOCALIZER", "LOCALISER", "SCOUT", "TOPOGRAM"})
REFORMAT_WORDS = re.compile(r"MPR|REFORMAT|VOLUME")
PICTURE_WORDS = re.compile(r"M(?:IN|AX)?[ _]?IP|PROJECTION|3D|VRT|RENDER|SCREEN|DOSE|CURVED")
HEAD_WORDS = re.compile(r"HEAD|BRAIN|SKULL|CRANI|CEREB|KOPF|SCH(A|AE|Ä)DEL|TETE|CABEZA")


def kernel_kind(kernel: str) -> Kernel:
    """Whether the name of a convolution kernel (upper case) stands for soft tissue or for bone and lung."""
    if SHARP_WORDS.search(kernel) or kernel in PHILIPS_SHARP:
        return "sharp"
    if match := CANON.match(kernel):
        return "sharp" if match["number"][0] in "358" else "soft"
    if SOFT_WORDS.search(kernel) or kernel in PHILIPS_SOFT:
        return "soft"
    if match := SIEMENS.match(kernel):
        return "sharp" if int(match["number"]) >= SIEMENS_SHARP_FROM else "soft"
    return "unknown"


def names_bone(description: str) -> bool:
    """Whether the description of a series says that it shows bone or lung."""
    return bool(BONE_WORDS.search(_spaced(description)))


def has_contrast(agent: str, description: str) -> bool:
    """Whether a series was taken with a contrast agent, by the agent's name or else by its description."""
    agent, description = _spaced(agent), _spaced(description)
    if agent.upper() not in NO_AGENT and not NO_AGENT_WORDS.fullmatch(agent):
        return True
    return bool(CONTRAST_WORDS.search(description)) and not PLAIN_WORDS.search(description)


def is_localiser(image_type: tuple[str, ...]) -> bool:
    """Whether ImageType marks a localiser."""
    return not LOCALISER_WORDS.isdisjoint(image_type)


def is_reformat(image_type: tuple[str, ...]) -> bool:
    """Whether ImageType marks a mean of other images, mostly in another plane: still Hounsfield units."""
    return any(REFORMAT_WORDS.search(word) for word in image_type[2:])


def is_picture(image_type: tuple[str, ...]) -> bool:
    """Whether ImageType marks what only shows a head: a projection, a rendering, a curved plane, a screen."""
    return any(PICTURE_WORDS.search(word) for word in image_type[2:])


def shows_head(body_part: str) -> bool:
    """Whether BodyPartExamined (upper case) is a word for the head, or missing."""
    return not body_part or bool(HEAD_WORDS.search(body_part))


def _spaced(words: str) -> str:
    """Words with one space between them, where scanners may write `_`."""
    return " ".join(words.replace("_", " ").split())
