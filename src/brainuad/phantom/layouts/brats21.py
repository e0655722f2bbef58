"""BraTS 2021: gliomas, four modalities, skull-stripped, in SRI24 space (https://doi.org/10.7937/jc8x-9874)."""

from brainuad.phantom.layout import Ages, Image, Layout, Scanner, Sequence

FOLDER = "BraTS2021_{number:05d}/BraTS2021_{number:05d}_"

# Hospitals with different equipment; the published data do not say which.
AT_3T = Scanner(
    site="A",
    field_tesla=3.0,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=2200, te_ms=4, ti_ms=1020),
        "t1ce": Sequence("inversion-recovery", tr_ms=2200, te_ms=4, ti_ms=1020, contrast_agent=True),
        "t2": Sequence("spin-echo", tr_ms=6000, te_ms=98),
        "flair": Sequence("inversion-recovery", tr_ms=9000, te_ms=110, ti_ms=2480, fat_suppression=0.7),
    },
    noise=0.033,
    bias=0.09,
)
AT_1_5T = Scanner(
    site="B",
    field_tesla=1.5,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=1950, te_ms=4.4, ti_ms=860),
        "t1ce": Sequence("inversion-recovery", tr_ms=1950, te_ms=4.4, ti_ms=860, contrast_agent=True),
        "t2": Sequence("spin-echo", tr_ms=7000, te_ms=94),
        "flair": Sequence("inversion-recovery", tr_ms=8800, te_ms=120, ti_ms=2450, fat_suppression=0.7),
    },
    noise=0.042,
    bias=0.07,
)

LAYOUT = Layout(
    subject="BraTS2021{number:05d}",
    first_number=0,
    largest_gap=3,
    images=tuple(Image(m, FOLDER + f"{m}.nii.gz") for m in ("t1", "t1ce", "t2", "flair")),
    scanners=(AT_3T, AT_1_5T),
    ages=Ages(mean=56, sd=13, youngest=22, oldest=86),
    alignment="atlas",
    lesions="tumour",
    brain_only=True,
    lesion_file=FOLDER + "seg.nii.gz",
)
