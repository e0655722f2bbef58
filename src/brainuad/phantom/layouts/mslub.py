"""MSLUB: multiple sclerosis, 3 T, co-registered whole heads with a consensus mask (Lesjak 2018)."""

from brainuad.phantom.layout import Ages, Image, Layout, Scanner, Sequence

FOLDER = "patient{number:02d}/patient{number:02d}_"
FIELD_OF_VIEW_MM = (176.0, 228.0, 172.0)

LJUBLJANA = Scanner(
    site="Ljubljana",
    field_tesla=3.0,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=2000, te_ms=12, ti_ms=960),
        "t1ce": Sequence("inversion-recovery", tr_ms=2000, te_ms=12, ti_ms=960, contrast_agent=True),
        "t2": Sequence("spin-echo", tr_ms=6000, te_ms=120),
        "flair": Sequence("inversion-recovery", tr_ms=8000, te_ms=120, ti_ms=2400, fat_suppression=0.8),
    },
    noise=0.04,
    bias=0.12,
)

LAYOUT = Layout(
    subject="patient{number:02d}",
    first_number=1,
    images=tuple(
        Image(modality, FOLDER + f"{name}.nii.gz", field_of_view_mm=FIELD_OF_VIEW_MM)
        for modality, name in (("t1", "T1W"), ("t1ce", "T1WKS"), ("t2", "T2W"), ("flair", "FLAIR"))
    ),
    scanners=(LJUBLJANA,),
    ages=Ages(mean=39, sd=10, youngest=25, oldest=64),
    alignment="shared",
    lesions="plaques",
    lesion_file=FOLDER + "consensus_gt.nii.gz",
    brain_mask_file=FOLDER + "brainmask.nii.gz",
)
