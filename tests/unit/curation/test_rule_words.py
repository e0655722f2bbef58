"""Words and states by which reports name a label without its usual term."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def says(text: str, label: str) -> str:
    found = {decision.label: decision.certainty for decision in LABELLER.label(text)}
    return found.get(label, "not mentioned")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("hemorrhage", "Fresh blood fills the fourth ventricle."),
        ("dilation", "Enlargement of the right lateral ventricle."),
        ("hyperdensity", "Dense left M2."),
        ("hydrocephalus", "Triventricular pattern of dilatation."),
        ("gliosis", "Left hippocampal sclerosis."),
        ("gliosis", "Wallerian degeneration of the pons."),
        ("ischemia", "ASPECTS of 6."),
        ("ischemia", "Old left hemisphere insult."),
        ("congenital abnormality", "Absence of the corpus callosum."),
        ("congenital abnormality", "Premature closure of the coronal suture."),
        ("oedema", "Posterior reversible encephalopathy syndrome."),
        ("vessel occlusion", "Tight stenosis of the left MCA."),
        ("lesion", "Ring enhancement in the right thalamus."),
        ("lesion", "Pachymeningeal thickening."),
        ("lesion", "Retained foreign body in the left temporal lobe."),
        ("lesion", "Bulky pituitary."),
        ("hemorrhage", "Density of blood in the interpeduncular cistern."),
        ("dilation", "Both lateral ventricles look bigger."),
        ("dilation", "The third ventricle is ballooned."),
        ("dilation", "Interval increase in ventricular calibre."),
        ("dilation", "The ventricles have increased in size."),
        ("dilation", "Trapped right occipital horn."),
        ("effacement", "Suprasellar cistern is tight."),
        ("effacement", "The cerebral sulci are not seen."),
        ("effacement", "The ventricles are slit-like."),
        ("fracture", "#L frontal bone."),
        ("fracture", "Several skull #s."),
        ("fracture", "Linear fx of the vault."),
        ("fracture", "Cortical breach of the left parietal bone."),
        ("pneumocephalus", "Gas in the left subdural space."),
        ("pneumocephalus", "A little air overlies the right frontal lobe."),
        ("herniation", "The tonsils lie 12 mm below the foramen magnum."),
        ("herniation", "The right uncus is displaced."),
        ("vessel occlusion", "Cut-off of the right M1."),
        ("vessel occlusion", "There is no flow in the basilar artery."),
        ("vessel occlusion", "Absent flow void in the right ICA."),
        ("vessel occlusion", "The left M2 fails to opacify."),
        ("vessel occlusion", "Sylvian dot sign."),
        ("tumor", "Leptomeningeal deposits."),
        ("tumor", "A lytic deposit in the left parietal bone."),
        ("lesion", "Lytic areas in the vault."),
        ("congenital abnormality", "Dural AVF."),
        ("evidence of surgery/intervention", "Post-op changes in the left parietal lobe."),
    ],
)
def test_a_label_is_known_by_other_words_for_it(label: str, text: str) -> None:
    assert says(text, label) == "positive"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("hemorrhage", "There is no blood."),
        ("pneumocephalus", "No air is seen."),
        ("fracture", "No fx."),
        ("vessel occlusion", "No vessel cut-off."),
        ("vessel occlusion", "There is no dot sign."),
        ("herniation", "The tonsils do not lie below the foramen magnum."),
        ("tumor", "No bony deposits."),
    ],
)
def test_the_other_words_can_be_denied(label: str, text: str) -> None:
    assert says(text, label) == "negative"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("hemorrhage", "Blood pressure 180/90."),
        ("hemorrhage", "Blood in the right maxillary antrum."),
        ("hemorrhage", "Patient on blood thinners."),
        ("pneumocephalus", "The mastoid air cells are opacified."),
        ("pneumocephalus", "Air-fluid level in the left maxillary sinus."),
        ("pneumocephalus", "The scalp contains gas."),
        ("dilation", "No increase in ventricular size."),
        ("dilation", "The ventricles have not increased in size."),
        ("effacement", "Subarachnoid blood is not seen in the sulci."),
        ("vessel occlusion", "No flow limiting stenosis."),
    ],
)
def test_the_other_words_name_nothing_elsewhere(label: str, text: str) -> None:
    assert says(text, label) == "not mentioned"


@pytest.mark.parametrize("text", ["Neg for haemorrhage.", "CT head: neg for acute bleed."])
def test_neg_is_short_for_negative(text: str) -> None:
    assert says(text, "hemorrhage") == "negative"
