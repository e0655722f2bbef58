"""Where in the head a report places a finding: sites outside the cranium, and words that mean a site inside it.

Patterns are those of `spelling.expand`; a longer phrase hides the shorter ones in it, so that a sagittal sinus is no
sinus of the face and the orbital roof, which is skull base, no orbit.
"""

import re
from dataclasses import dataclass

from brainuad.curation.spelling import expand, norm, word_set

SIDES = "left|right|bilateral|both"
SINUS = "(sinus|air cell|antrum|antra|cell)"
OUTSIDE: dict[str, tuple[str, ...]] = {
    "tissue": (
        "scalp|subgaleal|galea|galeal|subcutaneous|cutaneous|skin|forehead|temple|cheek|eyelid|periorbital",
        "peri-orbital|preseptal|extracranial|temporalis (muscle|)|pinna|ear|lip|chin|parotid (gland|)",
        "sebaceous|pilar|epidermal inclusion|malar (eminence|)|infraorbital|buccal|subperiosteal",
        f"(deep|superficial) lobe of (the|) ({SIDES}|) parotid (gland|)",
    ),
    "soft": ("soft tissue",),
    "neck": (
        "neck|nodal|(lymph|retropharyngeal) node|sternocleidomastoid",
        "level (ii|iii|iv|v) (nodal|)|retropharyngeal|parapharyngeal|oropharynx|oropharyngeal",
        "lung apex|apex of (the|) (left|right|) lung",
    ),
    "orbit": (
        "vitreous|retrobulbar|orbit|orbital|intraorbital|intra-orbital|eye|globe|intraocular|intra-ocular|ocular",
        "lens|cataract|lacrimal gland|intraconal|extraconal",
    ),
    "sinus": (
        f"(paranasal|ethmoid|ethmoidal|frontal|sphenoid|sphenoidal) {SINUS}|mastoid (air cell|process|tip|)",
        "sinonasal|fossa of rosenmuller",
        "nasal cavity|nasopharynx|nasopharyngeal|middle ear|external auditory canal|adenoidal",
        "mucosal|mucous|mucus|retention|mucus retention|mucous retention|tornwaldt",
    ),
    "antrum": (
        f"maxillary {SINUS}|antral|antrum|antra|maxillary sinus wall",
        f"(roof|posterior wall) of (the|) ({SIDES}|) (maxillary|) (antrum|antra)",
        f"(roof|posterior wall) of (the|) ({SIDES}|) maxillary sinus|orbital (fat|content)|inferior rectus",
    ),
    "face": (
        "facial (bone|skeleton|)|nasal (bone|septum|)|nose|zygoma|zygomatic (arch|bone|)|mandible|mandibular",
        "zygomatico-maxillary complex|mandibular condyle|maxilla|maxillary|tooth|dental|periapical|dentigerous",
        f"orbital floor|floor of (the|) ({SIDES}|) orbit|medial (orbital wall|wall of the ({SIDES}|) orbit)",
        "(orbital|) (blow-out|blowout)|lamina papyracea",
    ),
    "spine": (
        "c1|c2|c3|c4|c5|c6|c7|cervical (spine|vertebra|vertebral body|)|spine|vertebra",
        "vertebral body|odontoid (peg|process|)|(c1|c2|c3|c4|c5|c6|c7|) (spinous|transverse) process|atlas",
    ),
}
INSIDE = (
    "brain|parenchyma|parenchymal|intraparenchymal|cerebral|intracerebral|cerebellar|cerebellum|hemisphere|hemispheric",
    "lobe|lobar|gyrus|sulcus|sulcal|cortex|cortical|subcortical|white matter|gray matter|matter|operculum",
    "ventricle|ventricular|intraventricular|periventricular|horn|cistern|cisternal|fissure|foramen|basal ganglia",
    "caudate|putamen|lentiform|capsule|ganglia|thalamus|thalamic|pons|pontine|midbrain|brainstem|brain-stem|medulla",
    "medullary|vermis|tonsil|callosum|insula|insular|hippocampus|hippocampal|uncus|falx|parafalcine|tentorium|tentorial",
    "dura|dural|meninges|meningeal|leptomeningeal|subdural|extradural|epidural|subarachnoid|subdurally|extra-axial",
    "intra-axial|intra|intracranial|intracranially|endocranial|cranial|cranium|cranially|fossa|supratentorial",
    "infratentorial|sella|sellar|suprasellar|parasellar|pituitary|clivus|clival|petrous|cerebellopontine|optic|chiasm",
    "skull|calvarium|calvaria|calvarial|vault|base|table|diploe|diploic|bone|bony|osseous|convexity|parasagittal",
    f"(dural|) venous (sinus|)|(sigmoid|transverse|sagittal|straight|cavernous|dural|lateral) {SINUS}",
    "torcula|roof|cavernous|mca|aca|pca|ica|basilar|artery|sdh|edh|sah|ich|ivh|posterior wall|inner table",
    "outer table|cribriform plate",
    "orbital (roof|apex|rim|gyrus|cortex|surface)|roof of (the|) orbit|internal auditory (canal|meatus)|sphenoid",
    "sphenoid wing|olfactory groove|craniocervical|cervicomedullary",
)
# A lobe that may as well describe a region of the scalp or a sinus.
LOBES = (
    "frontal|parietal|temporal|occipital|bifrontal|biparietal|bitemporal|bioccipital",
    "frontoparietal|temporoparietal|parieto-occipital|fronto-parietal|temporo-parietal|fronto-temporal|frontotemporal",
)
# What says nothing of inside or outside.
REGIONS = (
    "(frontal|parietal|temporal|occipital) (region|area|protuberance)",
    "(fronto-parietal|temporo-parietal|parieto-occipital) (region|area)",
    "(brain|bone|bony|soft tissue|subdural|brain and bone) (window|setting|algorithm|reconstruction)",
)
SIDE_WORDS = word_set("left right l r lt rt bilateral both posterior anterior upper lower superior inferior")


@dataclass(frozen=True)
class Site:
    """A site at words [start, end); its kind is a key of `OUTSIDE`, or "inside", "lobe" or "region"."""

    start: int
    end: int
    kind: str

    @property
    def outside(self) -> bool:
        """Whether it lies outside the cranium."""
        return self.kind in OUTSIDE


def _phrases() -> dict[tuple[str, ...], str]:
    """The kind of each phrase, by the norms of its words."""
    groups = {**OUTSIDE, "inside": INSIDE, "lobe": LOBES, "region": REGIONS}
    return {
        tuple(norm(word) for word in re.findall(r"\w+|-", phrase)): kind
        for kind, patterns in groups.items()
        for pattern in patterns
        for phrase in expand(pattern)
    }


PHRASES = _phrases()
LOBE_WORDS = frozenset(word for phrase, kind in PHRASES.items() if kind == "lobe" for word in phrase)
LONGEST = max(map(len, PHRASES))
FIRST = frozenset(phrase[0] for phrase in PHRASES)
_OUTSIDE_PHRASES = [phrase for phrase, kind in PHRASES.items() if kind in OUTSIDE]
_SINGLE = frozenset(phrase[0] for phrase in _OUTSIDE_PHRASES if len(phrase) == 1)
# One of these stands wherever something outside is named.
TRIGGERS = _SINGLE | {phrase[0] for phrase in _OUTSIDE_PHRASES if _SINGLE.isdisjoint(phrase)}


def sites_of(words: list[str]) -> list[Site]:
    """The sites that words name, in their order; a lobe that describes what is outside is none."""
    found: list[Site] = []
    place = 0
    while place < len(words):
        site = _site_at(words, place) if words[place] in FIRST else None
        if site:
            found.append(site)
        place = site.end if site else place + 1
    return [site for at, site in enumerate(found) if not _describes(words, site, found[at + 1 :])]


def _site_at(words: list[str], start: int) -> Site | None:
    for end in range(min(start + LONGEST, len(words)), start, -1):
        if kind := PHRASES.get(tuple(words[start:end])):
            return Site(start, end, kind)
    return None


def _describes(words: list[str], site: Site, following: list[Site]) -> bool:
    """Whether a lobe only says where a site outside is ("left frontal scalp", "parieto-occipital scalp")."""
    end = site.end
    for other in following:
        if site.kind != "lobe" or not set(words[end : other.start]) <= SIDE_WORDS | {"-", "/"}:
            return False
        if other.kind != "lobe":
            return other.outside
        end = other.end
    return False
