"""Statements about a structure: "the ventricles are enlarged" is a dilation, "the ventricles are normal" says none.

Each structure has states that name a label and states that deny it. A state belongs to the structure right behind it
("normal ventricles and sulci") or else to those before it in the clause ("the ventricles, though small, are normal").
"""

from dataclasses import dataclass

NORMAL = (
    "normal|unremarkable|within normal limit|age appropriate|appropriate|preserved|maintained|intact",
    "satisfactory|wnl",
    "no abnormality|not remarkable|well preserved|as expected|commensurate|proportionate",
)
OPEN = ("patent|clear|open|visible|visualized|outlined|demarcated|opacify|flow void",)
WIDE = (
    "enlarged|enlargement|prominent|prominence|widened|widening|wide|distended|distension|big|large|bulky",
    "increased in size|(larger|bigger|wider|greater|more prominent) than (normal|expected|usual|average|appropriate)",
)
GROWN = (
    "bigger|larger|ballooned|ballooning|generous|enlarging|enlarge|expanded|increased|increase|increasing|capacious",
    "trapped|entrapped|plump|wider|more prominent|has grown|have grown",
)
TIGHT = (
    "narrowed|narrowing|crowded|crowding|loss|lost|reduced|(smaller|tighter|narrower) than (normal|expected|usual)"
    "|tight|tightened|slit-like"
)
UNSEEN = "not (seen|identified|identifiable|discernible)|poorly (seen|visualized|defined)|hard to see|absent"


@dataclass(frozen=True)
class Structure:
    """What a structure is called, and the labels that its states name (`affirming`) or deny (`denying`)."""

    names: tuple[str, ...]
    affirming: tuple[tuple[str, tuple[str, ...]], ...]
    denying: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


STRUCTURES: dict[str, Structure] = {
    "ventricles": Structure(
        (
            "ventricle|ventricular (system|size|caliber|configuration)|temporal horn|frontal horn",
            "occipital horn",
        ),
        (("dilation", (*WIDE, *GROWN)), ("effacement", ("slit-like|slit|collapsed|squashed|squeezed",))),
        ((("dilation",), (*NORMAL, "undilated|non-dilated")),),
    ),
    "sulci": Structure(
        (
            "sulcus|gyrus|sulcal (pattern|space)|sylvian fissure|fissure|csf space",
            "cerebro-spinal fluid space|sulcation",
        ),
        (
            ("atrophy", (*WIDE, "deep|deepened")),
            (
                "effacement",
                (
                    TIGHT,
                    UNSEEN,
                    "squashed",
                ),
            ),
        ),
        ((("effacement",), (*NORMAL, *OPEN)),),
    ),
    "cisterns": Structure(
        ("(basal|basilar|ambient|suprasellar|quadrigeminal|perimesencephalic|) cistern|foramen magnum",),
        (
            (
                "effacement",
                (
                    TIGHT,
                    UNSEEN,
                    "full|squashed",
                ),
            ),
        ),
        ((("effacement",), (*NORMAL, *OPEN)),),
    ),
    "gray-white differentiation": Structure(
        (
            "(gray-white|gray / white) (matter|) (differentiation|interface)",
            "(gray and white|cortico-medullary|gray to white) (matter|) (differentiation|interface)",
            "(gray-white|gray / white) (matter|) (distinction|demarcation|junction)|differentiation",
            "insular ribbon",
        ),
        (
            (
                "loss of differentiation",
                (
                    "lack|absence|lost|loss|reduced|reduction|blurred|blurring|poor|impaired|indistinct|obscured",
                    "obscuration|effaced|diminished",
                    "decreased|subtle loss|ill defined|not preserved|absent|altered",
                ),
            ),
        ),
        ((("loss of differentiation",), (*NORMAL, "good|retained|clear|visible|well demarcated|sharp")),),
    ),
    "midline": Structure(
        ("midline (structure|falx)|midline|septum pellucidum|falx",),
        (("midline shift", ("displaced|deviated|deviation|displacement|pushed|bowed",)),),
        (
            (
                ("midline shift",),
                (
                    *NORMAL,
                    "central|undisplaced|non-displaced|centered|in position|in place|undeviated|straight",
                    "in the midline",
                ),
            ),
        ),
    ),
    "skull": Structure(
        (
            "skull (vault|base|bone|)|vault|calvarium|calvaria|bone|bony (structure|skeleton|)",
            "osseous (structure|)|cranium",
            "base of skull|skull base|facial skeleton",
        ),
        (("fracture", ("broken|breach|breached|discontinuity",)),),
        ((("fracture",), NORMAL),),
    ),
    "volume": Structure(
        ("(brain|cerebral|parenchymal|cerebellar|hippocampal|cortical) volume",),
        (("atrophy", ("reduced|reduction|loss|lost|decreased|diminished|low",)),),
        ((("atrophy",), (*NORMAL, "good|within normal")),),
    ),
    "attenuation": Structure(
        (
            "(brain|parenchymal|parenchyma|) (attenuation|density)",
            "(attenuation|density) of the (brain|parenchyma)",
        ),
        (),
        ((("hypodensity", "hyperdensity"), NORMAL),),
    ),
    "vessels": Structure(
        (
            "(intracranial|) (vessel|artery)|circle of willis|mca|basilar|ica|(dural|) venous sinus",
            "dural sinus|sagittal sinus",
            "vasculature|transverse sinus|sigmoid sinus",
        ),
        (
            ("hyperdensity", ("dense",)),
            ("vessel occlusion", ("dense|hyper-dense|cut off|non-opacified|not opacified",)),
        ),
        ((("vessel occlusion",), (*NORMAL, "patent|opacify normally|opacified")),),
    ),
    "tonsils": Structure(
        ("(cerebellar|) tonsil",),
        (("herniation", ("descended|descend|descent|below|displaced|low|through|inferior to",)),),
        ((("herniation",), (*NORMAL, "above|normally positioned|normal position")),),
    ),
    "uncus": Structure(
        ("uncus|uncal",),
        (("herniation", ("displaced|displacement|medialized|medialization|bowed|pushed",)),),
        ((("herniation",), NORMAL),),
    ),
}
