"""The rule labeller reads what sentences mean, and says by which rule."""

import pytest

from brainuad.curation.labels import LABELS
from brainuad.curation.rule_labeller import RuleLabeller
from brainuad.curation.settings import RuleSettings

LABELLER = RuleLabeller(RuleSettings())
POSITIVE, NEGATIVE, UNCERTAIN, NOTHING = "positive", "negative", "uncertain", "not mentioned"
# A sentence that names each label, in other forms than that of the label.
NAMES = {
    "artefact": ("The images are degraded by patient movement.", "Beam-hardening artifacts."),
    "collection": ("Bilateral subdural hygromas.", "A small extra-axial fluid collection."),
    "compression": ("The fourth ventricle is compressed.", "Compression of the brainstem."),
    "dilation": (
        "Ventriculomegaly.",
        "The lateral ventricles are mildly enlarged.",
        "Dilatation of the ventricles.",
    ),
    "effacement": ("The left sulci are effaced.", "Obliteration of the basal cisterns."),
    "herniation": ("Uncal herniation.", "The brain is coning."),
    "hyperdensity": ("A hyperattenuating focus.", "High density along the falx.", "Hyper-dense rim."),
    "hypodensity": ("An area of low attenuation.", "Hypodensities in both lobes."),
    "loss of differentiation": (
        "Loss of grey-white matter differentiation.",
        "Gray/white differentiation is reduced.",
    ),
    "malacic changes": ("Encephalomalacic change.", "Left encephalo-malacia."),
    "mass effect": ("There is local mass-effect.",),
    "midline shift": (
        "5 mm MLS.",
        "Shift of the midline to the left.",
        "Midline structures are displaced to the right.",
    ),
    "oedema": ("Vasogenic edema.", "Oedematous white matter."),
    "swelling": ("The hemisphere is swollen.",),
    "abscess": ("Two abscesses.",),
    "atrophy": ("Involutional changes.", "Generalised volume loss.", "The sulci are widened."),
    "aneurysm": ("Aneurysms of both MCAs.",),
    "calcification": ("The falx is calcified.",),
    "cavernoma": ("A cavernous malformation.",),
    "cerebral small vessel disease": (
        "CSVD.",
        "Leukoaraiosis.",
        "Chronic ischaemic change in the white matter.",
    ),
    "congenital abnormality": ("Agenesis of the corpus callosum.", "Chiari I."),
    "cyst": ("A cystic structure.",),
    "evidence of surgery/intervention": (
        "VP shunt in situ.",
        "Previous craniotomy.",
        "Post-operative appearances.",
    ),
    "fracture": ("Skull #.", "Fractured skull vault."),
    "gliosis": ("Gliotic change.",),
    "hemorrhage": (
        "Acute SDH.",
        "Haemorrhagic contusions.",
        "Bilateral subdurals.",
        "Intracerebral hematomata.",
    ),
    "hydrocephalus": ("Hydrocephalic ventricles.",),
    "ischemia": ("Established infarction.", "Ischaemic stroke.", "Lacunar infarcts."),
    "infection": ("Subdural empyema.", "Appearances of meningitis."),
    "tumor": ("Several metastases.", "A tumour.", "Meningioma."),
    "vessel occlusion": ("Dense MCA sign.", "Venous sinus thrombosis.", "M1 occlusion."),
    "lesion": ("A space occupying lesion.", "SOL in the left lobe."),
    "pneumocephalus": ("Locules of intracranial gas.", "Pneumocephaly."),
}


def classes(text: str, labeller: RuleLabeller = LABELLER) -> dict[str, str]:
    return {decision.label: decision.certainty for decision in labeller.label(text)}


def says(text: str, label: str) -> str:
    return classes(text).get(label, NOTHING)


def test_every_label_has_names_here() -> None:
    assert tuple(NAMES) == LABELS


@pytest.mark.parametrize(
    ("label", "text"), [(label, text) for label, texts in NAMES.items() for text in texts]
)
def test_labels_are_known_by_synonyms_abbreviations_spellings_and_forms(label: str, text: str) -> None:
    assert says(text, label) == POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "No fracture.",
        "No acute haemorrhage, infarct or fracture is seen.",
        "There is no evidence of haemorrhage, shift, or fracture.",
        "Without fracture.",
        "Neither haemorrhage nor fracture.",
        "Negative for fracture.",
        "A fracture is not seen.",
        "Fracture: none.",
        "Skull fracture - no.",
        "Fracture has been excluded.",
        "Haemorrhage, infarct and fracture are not identified.",
        "SDH but no mass effect or fracture.",
        "No feature suspicious for fracture.",
        "The skull vault is intact.",
        "The scan is negative for fracture.",
        "I can't see a fracture.",
        "no no fracture",
        "There is no no evidence of a fracture.",
        "NO HAEMORRHAGE\nNO FRACTURE",
        "no haemorrhage no fracture no infarct",
        "- no haemorrhage\n- no fracture",
        "No evidence of the previously described fracture.",
    ],
)
def test_a_denied_finding_is_negative(text: str) -> None:
    assert says(text, "fracture") == NEGATIVE


@pytest.mark.parametrize(
    "text",
    [
        "No haemorrhage but there is atrophy.",
        "No abnormality apart from atrophy.",
        "No haemorrhage, mild atrophy.",
        "No haemorrhage and mild atrophy.",
        "No haemorrhage; atrophy.",
        "No mass effect. Atrophy.",
        "No change in the atrophy.",
        "No significant interval change in atrophy.",
        "No mass effect due to atrophy.",
        "No widening of the atrophy.",
        "Atrophy without haemorrhage.",
        "SDH (no midline shift), atrophy.",
        "No haemorrhage, the brain shows atrophy.",
    ],
)
def test_a_negation_ends_with_its_statement(text: str) -> None:
    assert says(text, "atrophy") == POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "Possible infarct.",
        "Infarct cannot be excluded.",
        "We cannot exclude an early infarct.",
        "Appearances may represent an infarct.",
        "Suspicious for infarct.",
        "Low density, ?infarct.",
        "Low density ? infarct.",
        "Infarct is possible.",
        "An infarct is not excluded.",
        "CT does not exclude an infarct.",
        "Infarct versus tumour.",
        "Infarct or abscess.",
        "The differential includes tumour, abscess and infarct.",
        "This could be tumour, infarct or abscess.",
        "Probable infarct.",
        "Likely an old infarct.",
        "Features suggestive of infarct.",
        "An infarct is unlikely.",
        "An infarct is less likely.",
        "There is possible infarct in the left lobe.",
        "Cannot say there is no infarct.",
        "It is not true that there is no infarct.",
    ],
)
def test_a_hedged_finding_is_uncertain(text: str) -> None:
    assert says(text, "ischemia") == UNCERTAIN


@pytest.mark.parametrize(
    "text",
    [
        "In keeping with an infarct.",
        "Appearances consistent with infarct.",
        "Infarct, with possible haemorrhage.",
        "Infarct/gliosis.",
        "Haemorrhage into the infarct cannot be excluded.",
        "Infarct, likely chronic.",
        "Infarct with no haemorrhage or tumour.",
        "No doubt an infarct.",
        "Not without an infarct.",
        "No absence of infarct.",
        "The scan is not negative for infarct.",
    ],
)
def test_what_is_said_plainly_is_positive_beside_a_hedge(text: str) -> None:
    assert says(text, "ischemia") == POSITIVE


def test_the_user_decides_what_probable_means() -> None:
    labeller = RuleLabeller(RuleSettings(likely="positive"))
    assert classes("Probable infarct. Possible tumour.", labeller) == {
        "ischemia": POSITIVE,
        "tumor": UNCERTAIN,
    }


@pytest.mark.parametrize(
    "text",
    [
        "Clinical history: previous SDH, ?SAH.\nFindings: Normal.",
        "Indication: ?haemorrhage\n\nNormal study.",
        "78 year old with a fall. ?SDH. Normal scan.",
        "Patient with known SDH. Normal study.",
        "History of haemorrhage.",
        "Family history of subarachnoid haemorrhage.",
        "Clinical details: Known SDH.",
        "Comparison: CT showing SDH.\nFindings: Normal.",
        "MRI is advised to exclude haemorrhage.",
        "If there is concern for haemorrhage, please repeat.",
        "The previous CT showed a haematoma.",
        "Clinically suspected haemorrhage.",
        "The stroke protocol was used; blood vessels are normal.",
    ],
)
def test_what_is_not_about_this_scan_is_not_mentioned(text: str) -> None:
    assert says(text, "hemorrhage") == NOTHING


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Known meningioma measuring 2 cm.", "tumor"),
        ("Findings: Previous infarct in the left lobe.", "ischemia"),
        ("On a background of small vessel disease there is no bleed.", "cerebral small vessel disease"),
        ("Previous craniotomy.", "evidence of surgery/intervention"),
    ],
)
def test_what_is_known_and_seen_is_positive(text: str, label: str) -> None:
    assert says(text, label) == POSITIVE


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The ventricles are normal in size.", "dilation"),
        ("The ventricles are not enlarged.", "dilation"),
        ("The ventricular system isn't dilated.", "dilation"),
        ("Normal ventricles and sulci.", "dilation"),
        ("Ventricles, sulci and basal cisterns are within normal limits.", "effacement"),
        ("The basal cisterns are patent.", "effacement"),
        ("Grey-white matter differentiation is preserved.", "loss of differentiation"),
        ("Midline structures are central.", "midline shift"),
        ("Brain volume is normal for age.", "atrophy"),
        ("Normal attenuation of the brain parenchyma.", "hypodensity"),
    ],
)
def test_a_normal_structure_denies_its_finding(text: str, label: str) -> None:
    assert says(text, label) == NEGATIVE


@pytest.mark.parametrize(
    "text", ["", "Normal study.", "No acute intracranial abnormality.", "Unremarkable CT head."]
)
def test_a_normal_study_mentions_nothing(text: str) -> None:
    assert classes(text) == {}


def test_positive_wins_over_uncertain_over_negative_among_findings() -> None:
    assert says("No tumour. Possible tumour.", "tumor") == UNCERTAIN
    assert says("Possible tumour. There is a tumour. No tumour.", "tumor") == POSITIVE


@pytest.mark.parametrize(
    ("findings", "impression", "expected"),
    [
        ("Infarct.", "No infarct.", POSITIVE),
        ("Infarct.", "Possible infarct.", POSITIVE),
        ("Possible infarct.", "Infarct.", POSITIVE),
        ("No infarct.", "Infarct.", POSITIVE),
        ("Possible infarct.", "No infarct.", UNCERTAIN),
        ("No infarct.", "Possible infarct.", UNCERTAIN),
        ("No infarct.", "No acute abnormality.", NEGATIVE),
        ("Normal brain.", "No acute infarct.", NEGATIVE),
    ],
)
def test_the_worst_of_findings_and_impression_counts(findings: str, impression: str, expected: str) -> None:
    assert says(f"Findings: {findings}\nImpression: {impression}", "ischemia") == expected


def test_of_equal_statements_the_impression_is_the_evidence() -> None:
    (decision,) = LABELLER.label("Findings: Old infarct.\nImpression: Established infarct.")
    assert decision.sentence == "Established infarct."


def test_longer_terms_hide_shorter_ones() -> None:
    assert classes("Chronic small vessel ischaemia.") == {"cerebral small vessel disease": POSITIVE}
    assert classes("Left subdural collection.") == {"collection": POSITIVE}
    assert classes("Mass effect.") == {"mass effect": POSITIVE}


def test_every_decision_keeps_its_sentence_and_the_name_of_its_rule() -> None:
    decisions = LABELLER.label("Findings: Normal brain. No acute  haemorrhage; mild\natrophy.")
    assert [(each.label, each.sentence, each.rule) for each in decisions] == [
        ("atrophy", "No acute haemorrhage; mild atrophy.", "affirmed: atrophy"),
        ("hemorrhage", "No acute haemorrhage; mild atrophy.", "negation: no; term: hemorrhage"),
    ]


def test_decisions_come_in_the_order_of_the_labels() -> None:
    found = [
        each.label for each in LABELLER.label("Lesion, infarct, oedema, fracture, atrophy, mass effect.")
    ]
    assert found == sorted(found, key=LABELS.index)


def test_a_hospitals_own_words_are_terms_too() -> None:
    labeller = RuleLabeller(RuleSettings(terms={"hemorrhage": ("HPC",)}))
    assert classes("No HPC.", labeller) == {"hemorrhage": NEGATIVE}


def test_words_for_a_label_that_does_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="haemorrhage: no such label"):
        RuleSettings(terms={"haemorrhage": ("HPC",)})
