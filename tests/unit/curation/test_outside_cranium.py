"""Findings outside the cranium say nothing about the brain, and whatever may lie inside still counts."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller
from brainuad.curation.sites import sites_of

LABELLER = RuleLabeller()


def classes(text: str) -> dict[str, str]:
    return {decision.label: decision.certainty for decision in LABELLER.label(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Swelling over the left parieto-occipital scalp.",
        "Large subgaleal haematoma overlying the right parietal bone.",
        "Scalp swelling in the left parietal region.",
        "There is a haematoma in the right parietal scalp.",
        "Soft-tissue swelling of the left forehead.",
        "Small mucous retention cysts in both sphenoid sinuses.",
        "Infected frontal sinus.",
        "Sinusitis.",
        "Infective process in the right middle ear.",
        "Fracture of the left zygomatic arch.",
        "An undisplaced fracture is seen in the right mandibular condyle.",
        "Old nasal bone fracture.",
        "Odontoid peg fracture.",
        "Right intraocular lens implant.",
        "Oedematous left eyelid.",
        "Osteoma in the left ethmoid sinus.",
        "Hyperdense material in the left maxillary sinus.",
        "Calcified scalp nodule.",
        "Scalp: haematoma over the vertex.",
        "Sinuses and mastoids: small cyst.",
        "Left scalp haematoma without intracranial extension.",
        "Scalp haematoma extending over the right ear.",
        "Scalp swelling, the brain is normal.",
        "Scalp haematoma. There is no extension through the skull.",
        "Surgical emphysema in the soft tissues.",
        "Blow-out fracture of the left orbital floor with herniation of fat into the antrum.",
        "Right orbital cellulitis with subperiosteal abscess.",
        "Facial and cervical fractures.",
        "Subcutaneous lipoma over the right frontal bone, 18 mm.",
        "Midline occipital scalp haematoma, 14 mm deep.",
        "Right periorbital and malar haematoma.",
        "Left vitreous haemorrhage, with high density layering in the globe.",
        "Chronic fracture deformity of the left lamina papyracea.",
        "A further fracture runs through the right orbital floor.",
        "Fracture of the posterior wall of the maxillary antrum.",
        "17 mm lobulated nodule in the deep lobe of the left parotid.",
        "Left sinonasal mass, inverted papilloma.",
        "Left posterior neck mass at the edge of the study, deep to the sternocleidomastoid.",
        "Bulky left level II nodal mass partly seen.",
        "Nodule at the right lung apex on the scout.",
        "The frontal sinuses are hypoplastic.",
        "Fracture of the anterior arch of C1 at the edge of the field.",
        "Healed mandibular condyle fracture and mucosal disease in both antra.",
        "Scalp haematoma. No intracranial component.",
    ],
)
def test_a_finding_outside_the_cranium_mentions_nothing(text: str) -> None:
    assert classes(text) == {}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Scalp haematoma with underlying subdural.", "hemorrhage"),
        ("Subdural and scalp haematoma.", "hemorrhage"),
        ("Temporal and scalp haematomas.", "hemorrhage"),
        ("Scalp haematoma over a depressed skull fracture.", "fracture"),
        ("Left parietal scalp swelling and contusion.", "hemorrhage"),
        ("Frontal sinus fracture extending to the inner table.", "fracture"),
        ("Fracture through the mastoid air cells.", "fracture"),
        ("Left orbital roof fracture.", "fracture"),
        ("Fractures of the zygoma, maxilla and temporal bone.", "fracture"),
        ("Nasal bone fracture, which also involves the frontal bone.", "fracture"),
        ("Orbital mass extending into the middle cranial fossa.", "lesion"),
        ("Orbital mass. It extends into the middle cranial fossa.", "lesion"),
        ("Orbital mass with intracranial extension.", "lesion"),
        ("Scalp mass; a second one in the left frontal lobe.", "lesion"),
        ("Mass in the scalp eroding the calvarium.", "lesion"),
        ("Lesion in the sphenoid sinus, clivus and sella.", "lesion"),
        ("Lesion in the orbital gyrus.", "lesion"),
        ("Soft tissue mass in the pineal region.", "lesion"),
        ("Abscess adjacent to the frontal sinus.", "abscess"),
        ("Abscess over the left frontal sinus.", "abscess"),
        ("Scalp haematoma. There is another in the left frontal lobe.", "hemorrhage"),
        ("Sinusitis with subdural empyema.", "infection"),
        ("Mastoiditis with sigmoid sinus thrombosis.", "vessel occlusion"),
        ("Hyperdense transverse sinus.", "hyperdensity"),
        ("Filling defect in the straight sinus, mastoids clear.", "vessel occlusion"),
        ("Tumour in the left cavernous sinus.", "tumor"),
        ("Locules of gas in the scalp.", "pneumocephalus"),
        ("Meningioma in the orbit.", "tumor"),
        ("Post-operative changes in the sphenoid sinus.", "evidence of surgery/intervention"),
        ("Haematoma deep to the scalp laceration.", "hemorrhage"),
        ("Intra- and extracranial haematoma.", "hemorrhage"),
        ("Scalp and calvarium: calcified lesion.", "lesion"),
        ("Nasal bone, frontal sinus and maxillary fractures.", "fracture"),
        ("Fracture of the maxilla and frontal sinus.", "fracture"),
        ("Frontal sinus and nasal bone fractures.", "fracture"),
        ("Fractures of the orbital floor, roof and medial wall.", "fracture"),
        ("Facial and skull fractures.", "fracture"),
        ("Fracture of the clivus and C1.", "fracture"),
        ("Destructive mass in the sphenoid sinus.", "lesion"),
        ("Invasive mass in the sphenoid sinus.", "lesion"),
        ("Aggressive mass in the orbit.", "lesion"),
        ("Sinonasal mass with intracranial extension.", "lesion"),
        ("Neck mass. It extends through the skull base.", "lesion"),
        ("Herniation of brain into the orbit.", "herniation"),
        ("Left scalp haematoma. Intracranial component measures 8 mm.", "hemorrhage"),
        ("Scalp haematoma. It has an intracranial component.", "hemorrhage"),
        ("Haematoma in left frontal scalp and left frontal region.", "hemorrhage"),
        ("Left frontal region and scalp haematoma.", "hemorrhage"),
    ],
)
def test_what_may_lie_inside_the_cranium_counts(text: str, label: str) -> None:
    assert classes(text)[label] == "positive"


def test_a_next_sentence_that_is_normal_or_denies_does_not_bring_a_finding_inside() -> None:
    text = "Subcutaneous lipoma over the right frontal bone. The underlying calvarium is intact."
    assert classes(text) == {"fracture": "negative"}
    assert "hemorrhage" not in classes("Scalp haematoma. No aggressive bone lesion.")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("mastoids clear left frontal haematoma", "hemorrhage"),
        ("scalp laceration haematoma left frontal", "hemorrhage"),
        ("swelling of the scalp haematoma left lobe", "hemorrhage"),
        ("orbits normal lesion in the pons", "lesion"),
    ],
)
def test_without_its_comma_a_site_is_not_that_of_the_next_finding(text: str, label: str) -> None:
    assert classes(text)[label] == "positive"


def test_the_other_findings_of_a_sentence_are_read() -> None:
    assert classes("No skull fracture, although there is a fracture of the C2 spinous process.") == {
        "fracture": "negative"
    }
    assert classes("Scalp haematoma, atrophy and no infarct.") == {
        "atrophy": "positive",
        "ischemia": "negative",
    }


def test_a_denied_finding_outside_the_cranium_mentions_nothing() -> None:
    assert classes("No scalp haematoma.") == {}
    assert classes("No intracranial or scalp haematoma.") == {"hemorrhage": "negative"}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("left frontal scalp", ["tissue"]),
        ("left frontal lobe and scalp", ["lobe", "inside", "tissue"]),
        ("sagittal sinus", ["inside"]),
        ("frontal sinus", ["sinus"]),
        ("orbital roof and orbital floor", ["inside", "face"]),
        ("left parietal region", ["region"]),
    ],
)
def test_a_longer_site_hides_shorter_ones(text: str, kinds: list[str]) -> None:
    assert [site.kind for site in sites_of(text.split())] == kinds


@pytest.mark.parametrize(
    "text",
    [
        "Reviewed on brain, subdural and bone windows.",
        "Stroke and subdural settings were used.",
        "Discussed with the stroke consultant at 10:15.",
        "Small lesions may be missed by CT.",
        "Tiny infarcts or lesions in the brainstem are below the resolution of CT.",
    ],
)
def test_how_the_scan_was_read_mentions_nothing(text: str) -> None:
    assert classes(text) == {}


@pytest.mark.parametrize(
    ("text", "label", "certainty"),
    [
        ("Left subdural seen on brain windows.", "hemorrhage", "positive"),
        ("Left subdural, bone windows normal.", "hemorrhage", "positive"),
        ("Acute subdural and bone windows normal.", "hemorrhage", "positive"),
        ("Subdural, bone windows normal.", "hemorrhage", "positive"),
        ("Stroke, discussed with the registrar.", "ischemia", "positive"),
        ("A small subdural cannot be excluded on CT.", "hemorrhage", "uncertain"),
        ("There is a lesion in the pons that may be missed on CT.", "lesion", "positive"),
        ("Small left subdural may be missed on CT.", "hemorrhage", "positive"),
    ],
)
def test_a_finding_beside_how_the_scan_was_read_counts(text: str, label: str, certainty: str) -> None:
    assert classes(text)[label] == certainty


def test_a_mass_is_a_lesion_and_no_tumour_until_it_is_called_one() -> None:
    assert classes("Mass in the left frontal lobe.") == {"lesion": "positive"}
    assert classes("No mass.") == {"lesion": "negative"}
    assert classes("Mass, possibly a metastasis.") == {"lesion": "positive", "tumor": "uncertain"}
