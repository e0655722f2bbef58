"""MSSEG in the Shifts challenge: multiple sclerosis, brain-only, 1 mm, three scanners (Commowick 2018)."""

from brainuad.phantom.layout import Ages, Image, Layout, Scanner, Sequence

FOLDER = "msseg/{part}/"
FIELD_OF_VIEW_MM = (176.0, 228.0, 172.0)

# Long echo trains: the echo times are those of a conventional sequence of the same contrast.
PHILIPS_3T = Scanner(
    site="A",
    field_tesla=3.0,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=2000, te_ms=4.3, ti_ms=980),
        "t1ce": Sequence("inversion-recovery", tr_ms=2000, te_ms=4.3, ti_ms=980, contrast_agent=True),
        "t2": Sequence("spin-echo", tr_ms=4000, te_ms=103),
        "pd": Sequence("spin-echo", tr_ms=4000, te_ms=18),
        "flair": Sequence("inversion-recovery", tr_ms=5400, te_ms=140, ti_ms=1850, fat_suppression=0.8),
    },
    noise=0.035,
    bias=0.05,
)
SIEMENS_1_5T = Scanner(
    site="B",
    field_tesla=1.5,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=1860, te_ms=3.4, ti_ms=830),
        "t1ce": Sequence("inversion-recovery", tr_ms=1860, te_ms=3.4, ti_ms=830, contrast_agent=True),
        "t2": Sequence("spin-echo", tr_ms=3200, te_ms=86),
        "pd": Sequence("spin-echo", tr_ms=3200, te_ms=11),
        "flair": Sequence("inversion-recovery", tr_ms=5000, te_ms=130, ti_ms=1790, fat_suppression=0.7),
    },
    noise=0.05,
    bias=0.04,
)
SIEMENS_3T = Scanner(
    site="C",
    field_tesla=3.0,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=1900, te_ms=2.3, ti_ms=900),
        "t1ce": Sequence("inversion-recovery", tr_ms=1900, te_ms=2.3, ti_ms=900, contrast_agent=True),
        "t2": Sequence("spin-echo", tr_ms=6500, te_ms=84),
        "pd": Sequence("spin-echo", tr_ms=6500, te_ms=9.4),
        "flair": Sequence("inversion-recovery", tr_ms=5000, te_ms=145, ti_ms=1790, fat_suppression=0.8),
    },
    noise=0.035,
    bias=0.06,
)

LAYOUT = Layout(
    subject="{part}{number:02d}",
    first_number=1,
    largest_gap=2,
    parts=("train", "dev_in", "eval_in"),
    images=tuple(
        Image(
            modality,
            FOLDER + f"{modality}/{{number}}_{modality.upper()}_isovox.nii.gz",
            orientation="LAS",
            field_of_view_mm=FIELD_OF_VIEW_MM,
        )
        for modality in ("flair", "t1", "t1ce", "t2", "pd")
    ),
    scanners=(PHILIPS_3T, SIEMENS_1_5T, SIEMENS_3T),
    ages=Ages(mean=45, sd=10, youngest=24, oldest=61),
    alignment="shared",
    lesions="plaques",
    brain_only=True,
    lesion_file=FOLDER + "gt/{number}_gt_isovox.nii.gz",
    brain_mask_file=FOLDER + "fg_mask/{number}_isovox_fg_mask.nii.gz",
)
