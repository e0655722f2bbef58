"""Findings outside the cranium, which say nothing about the brain: scalp, orbits, face, paranasal sinuses, spine.

A finding is taken for one of these only if its own words place it there: the site stands right before it ("left
frontal scalp hematoma"), behind it with a preposition ("cyst in the maxillary sinus"), or heads the sentence. It
counts all the same if anything near it lies inside the cranium or if it spreads, for an abnormal scan that is taken
for normal costs more than a normal one that is lost.
"""

from dataclasses import dataclass

from brainuad.curation.cue_words import COPULAS, SEEN_WORDS, VERBS
from brainuad.curation.sentence_parts import Mention, Sentence
from brainuad.curation.sites import LOBE_WORDS, SIDE_WORDS, TRIGGERS, Site, sites_of
from brainuad.curation.spelling import word_set

SOFT = "tissue soft orbit sinus antrum face neck"
ANY = "tissue orbit sinus antrum face spine neck"
# By label: last words of terms that may mean something outside, and the kinds of sites where they do.
# All others are of the brain and its coverings: a subdural, a stroke, a meningioma, pneumocephalus.
MAY_LIE: dict[str, tuple[tuple[str, str], ...]] = {
    "hemorrhage": (
        ("hematoma hemorrhage hemorrhagic bleed bleeding blood in within over along layering", SOFT),
        ("contusion contused", "tissue soft"),
    ),
    "swelling": (("swelling swollen", SOFT),),
    "oedema": (("edema edematous", SOFT),),
    "collection": (("collection", SOFT),),
    "abscess": (("abscess", SOFT),),
    "infection": (("infection infective infectious infected", SOFT),),
    "cyst": (("cyst cystic", ANY),),
    "lesion": (("lesion mass nodule", ANY),),
    "tumor": (("tumor neoplasm neoplastic osteoma lipoma malignancy malignant metastasis", ANY),),
    "calcification": (("calcification calcified calcific", "tissue orbit sinus antrum face neck"),),
    "effacement": (("effacement effaced", "sinus neck"),),
    "herniation": (("herniation herniated herniating", "antrum"),),
    "hyperdensity": (
        (
            "dense density attenuation hyperdense hyperdensity hyperattenuating",
            "tissue orbit sinus antrum face",
        ),
    ),
    "hypodensity": (("dense density attenuation hypodense hypodensity hypoattenuating lucency lucent", ANY),),
    "congenital abnormality": (("hypoplasia hypoplastic aplasia agenesis", "sinus antrum"),),
    # A frontal sinus is skull vault, and an operation through the nose reaches the pituitary gland.
    "fracture": (("fracture fractured fx", "antrum face spine"),),
    "evidence of surgery/intervention": (
        ("surgery surgical operation operative implant prosthesis", "orbit antrum spine"),
    ),
}
KINDS = {
    (label, word): word_set(kinds)
    for label, groups in MAY_LIE.items()
    for words, kinds in groups
    for word in words.split()
}
BY_THEMSELVES = frozenset(
    ("sinusitis", "mastoiditis", "otomastoiditis", "inverted papilloma", "inverting papilloma")
)
# What the air cells of the skull hold, or a wound, so that it must be placed inside.
ANYWHERE = frozenset(("blood", "air", "gas"))
# Terms that describe another noun ("infective focus in the mastoid", "fractured nasal bone").
ADJECTIVES = word_set(
    "fractured infected infective infectious swollen calcified calcific edematous cystic hypoplastic hemorrhagic "
    "neoplastic malignant dense hyperdense hypodense density attenuation hyperattenuating hypoattenuating lucent"
)
DESCRIBED = word_set(
    "layering focus process change material fluid disease secretion content lesion mass nodule tissue"
)
# Between a site and the finding it describes ("orbital floor undisplaced fracture").
DESCRIBING = ADJECTIVES | word_set(
    "nodal undisplaced displaced comminuted depressed old healed small large tiny"
)
WITHIN = word_set("in of within at involving into through")
PLACING = WITHIN | word_set("over overlying around about to along on across")
# Between a preposition and the site ("in the floor of the left maxillary sinus").
LEADING = (
    SIDE_WORDS
    | LOBE_WORDS
    | word_set("the a of medial lateral wall floor side aspect part one region visualized imaged - /")
    | word_set("in at into edge margin scan study image body arch fat")
)
AS_SEEN = SEEN_WORDS | COPULAS | word_set("run runs pass passes deformity line")
JOINTS = word_set(", ; ( ) and & with plus")
OVER = word_set("over overlying")
ALSO = frozenset(("and", "&", "plus"))
# Sinuses whose walls are skull.
SKULL_SINUSES = word_set("frontal sphenoid sphenoidal ethmoid ethmoidal mastoid")
# What makes a mass one that goes through bone, wherever it was seen.
AGGRESSIVE = word_set("destructive invasive aggressive infiltrating infiltrative invading erosive permeative")
# What has one part inside ("intracranial component").
PARTS = word_set("component portion element")
SPREADING = word_set(
    "extend extends extending extended extension invade invades invading invaded invasion erode erodes eroding "
    "eroded erosion breach breaches breaching breached destroy destroying destruction destructive dehiscence "
    "dehiscent communicates communicating communication tracking tracks reaches reaching spreads spread spreading "
    "continuous contiguous underlying beneath deep penetrates penetrating intracranially involves involving "
    "involvement another second similar further also"
)
DENYING = word_set("no without not nor")
BEFORE = 4  # words over which a negation denies that something spreads
LAYOUT = word_set(", / & and or - sinus")
NOT_NORMAL = word_set("not no longer but and , ; than partially partly barely poorly nor never")
NORMAL = word_set("normal unremarkable clear intact preserved patent")


@dataclass(frozen=True)
class Clause:
    """The words [start, end) between commas, joints and cues; `cut` if it has nothing of the clause before."""

    start: int
    end: int
    cut: bool

    def holds(self, place: int) -> bool:
        """Whether a word is one of its own."""
        return self.start <= place < self.end


def outside_cranium(sentence: Sentence, mention: Mention) -> str | None:
    """The words that place a mention outside the cranium, or nothing if it may lie inside."""
    own = mention.term in BY_THEMSELVES
    kinds = KINDS.get((mention.label, mention.term.split()[-1]), frozenset())
    bare = mention.term in ANYWHERE
    if mention.denied or not (own or ((kinds or bare) and not TRIGGERS.isdisjoint(sentence.words))):
        return None
    sites, clauses = sites_of(sentence.words), _clauses(sentence)
    if bare and (places := _all_outside(sites)):
        return " ".join(sentence.words[places.start : places.end])
    at = next(place for place, clause in enumerate(clauses) if mention.start < clause.end)
    if own:
        site: Site | None = Site(mention.start, mention.end, "sinus")
    else:
        site = _site(sentence, mention, sites, clauses[at]) or _heading(sentence, sites, clauses[at], kinds)
    if site is None or not (own or site.kind in kinds):
        return None
    near = _near(sentence, clauses, at)
    scalp_over = _over(sentence, mention, site, clauses[at])
    inside = [each for each in sites if each.start not in scalp_over and _is_inside(sentence, mention, each)]
    if any(clause.holds(each.start) for clause in near for each in inside):
        return None
    if any(_is_further(sentence, clauses[at], clause, sites) for clause in near):
        return None
    return (
        None if _spreads(sentence, mention, clauses[at]) else " ".join(sentence.words[site.start : site.end])
    )


def _all_outside(sites: list[Site]) -> Site | None:
    """The first site outside of a sentence that names none inside."""
    outside = [site for site in sites if site.outside]
    return outside[0] if outside and not any(site.kind in ("inside", "lobe") for site in sites) else None


def _is_inside(sentence: Sentence, mention: Mention, site: Site) -> bool:
    """Whether a site lies inside, or is one of the sinuses and what is mentioned a fracture."""
    skull = mention.label == "fracture" and site.kind == "sinus"
    return site.kind in ("inside", "lobe") or (skull and sentence.words[site.start] in SKULL_SINUSES)


def _is_further(sentence: Sentence, clause: Clause, other: Clause, sites: list[Site]) -> bool:
    """Whether another clause adds a region of its own ("in the scalp and left frontal region")."""
    joined = sentence.words[max(clause.start, other.start)] in ALSO
    return (
        joined
        and other != clause
        and any(each.kind == "region" and other.holds(each.start) for each in sites)
    )


def _clauses(sentence: Sentence) -> list[Clause]:
    words = sentence.words
    cuts = {place: word == ";" for place, word in enumerate(words) if word in JOINTS}
    ends = ("stop", "cause", "negation")
    cuts |= {cue.start: True for cue in sentence.cues if cue.kind in ends and cue.direction != "backward"}
    starts = sorted({0: False, **cuts}.items())
    borders = [start for start, _ in starts[1:]] + [len(words)]
    return [Clause(start, end, cut) for (start, cut), end in zip(starts, borders, strict=True)]


def _site(sentence: Sentence, mention: Mention, sites: list[Site], clause: Clause) -> Site | None:
    """The site outside that describes a mention from before, or that a preposition behind it names."""
    words = sentence.words
    before = [site for site in sites if clause.start <= site.start and site.end <= mention.start]
    predicate = COPULAS if words[mention.end - 1] in ADJECTIVES else frozenset()
    if before and before[-1].outside and set(words[before[-1].end : mention.start]) <= DESCRIBING | predicate:
        earlier = any(
            clause.holds(other.start) and other.start < mention.start for other in sentence.mentions
        )
        # "Swelling of the scalp, hematoma" without its comma.
        of_another = earlier and not PLACING.isdisjoint(words[clause.start : before[-1].start])
        return None if of_another else before[-1]
    behind = (site for site in sites if site.outside and mention.end <= site.start < clause.end)
    site = next(behind, None)
    return site if site and _placed(words, mention, site) else None


def _placed(words: list[str], mention: Mention, site: Site) -> bool:
    """Whether a mention is followed by a preposition and the site."""
    end = mention.end - (words[mention.end - 1] in PLACING)
    between = words[end : site.start]
    if words[end - 1] in ADJECTIVES:
        if set(between) <= SIDE_WORDS | {"the"}:
            return True
        between = between[1:] if between[0] in DESCRIBED else between
    while between and between[0] in AS_SEEN:
        between = between[1:]
    # What lies over or along a sinus may be the brain.
    placing = WITHIN if site.kind in ("sinus", "antrum", "spine") else PLACING
    return bool(between) and between[0] in placing and set(between[1:]) <= LEADING


def _heading(sentence: Sentence, sites: list[Site], clause: Clause, kinds: frozenset[str]) -> Site | None:
    """The site outside that heads the sentence ("Scalp: ...", "Orbits and mastoids: ...")."""
    words = sentence.words
    colon = words.index(":") if ":" in words else -1
    heading = [site for site in sites if site.end <= colon]
    named = {place for site in heading if site.outside for place in range(site.start, site.end)}
    others = {word for place, word in enumerate(words[: max(colon, 0)]) if place not in named}
    if clause.end <= colon or clause.start > colon + 1 or not others <= LAYOUT:
        return None
    return next((site for site in heading if site.kind in kinds), None)


def _near(sentence: Sentence, clauses: list[Clause], at: int) -> list[Clause]:
    """The clause of a mention and those beside it that only go on with it ("..., zygoma and temporal bone")."""
    found = [clauses[at]]
    for clause in clauses[at + 1 :]:
        if clause.cut or _stands_alone(sentence, clause):
            break
        found.append(clause)
    for clause, following in zip(clauses[:at][::-1], clauses[1 : at + 1][::-1], strict=True):
        if following.cut or _stands_alone(sentence, clause):
            break
        found.append(clause)
    return found


def _stands_alone(sentence: Sentence, clause: Clause) -> bool:
    words = set(sentence.words[clause.start : clause.end])
    return not words.isdisjoint(VERBS | NORMAL) or any(clause.holds(each.start) for each in sentence.mentions)


def _over(sentence: Sentence, mention: Mention, site: Site, clause: Clause) -> range:
    """The words behind "over" that say where in the scalp a mention lies ("scalp hematoma over the vault")."""
    if site.kind in ("tissue", "soft") and site.end <= mention.start:
        for place in range(mention.end, clause.end):
            if sentence.words[place] in OVER:
                return range(place, clause.end)
    return range(0)


def _spreads(sentence: Sentence, mention: Mention, clause: Clause) -> bool:
    """Whether a mention reaches further than where it lies, here or in what the next sentence says of it."""
    here = sentence.words[mention.start :]
    before = sentence.words[clause.start : mention.start]
    return (
        _affirms(before, AGGRESSIVE)
        or _affirms(sentence.following, AGGRESSIVE)
        or _spreads_in(here, anywhere=True)
        or (not _is_normal(sentence.following) and _spreads_in(sentence.following, anywhere=False))
        or _has_part_inside(sentence.following)
    )


def _is_normal(words: list[str]) -> bool:
    """Whether a sentence says no more than that something is normal ("the underlying calvarium is intact")."""
    return words[-1:] == ["."] and not NORMAL.isdisjoint(words[-2:-1]) and NOT_NORMAL.isdisjoint(words)


def _affirms(words: list[str], wanted: frozenset[str]) -> bool:
    """Whether one of the wanted words stands there, with no negation in the few words before it."""
    return any(
        word in wanted and DENYING.isdisjoint(words[max(place - BEFORE, 0) : place])
        for place, word in enumerate(words)
    )


def _has_part_inside(words: list[str]) -> bool:
    """Whether words name a part of what was mentioned that lies inside ("... has an intracranial component")."""
    at = [place for place, word in enumerate(words) if word in PARTS]
    around = [(words[max(place - BEFORE, 0) : place], words[place:]) for place in at]
    return any(
        DENYING.isdisjoint(before) and not all(site.outside for site in sites_of(before) + sites_of(behind))
        for before, behind in around
    )


def _spreads_in(words: list[str], anywhere: bool) -> bool:
    """Whether something spreads, and not just outside; if not `anywhere`, then into what lies inside."""
    depths = {place for place in range(1, len(words)) if words[place - 1] in ("mm", "cm")}  # "14 mm deep"
    for place in (place for place, word in enumerate(words) if word in SPREADING and place not in depths):
        if DENYING.isdisjoint(words[max(place - BEFORE, 0) : place]):
            kinds = [site.outside for site in sites_of(words[place:]) if site.kind != "region"]
            if not all(kinds) or (anywhere and not kinds):
                return True
    return False
