"""ATLAS v2.0: chronic strokes from many sites, defaced T1w in MNI space (Liew 2022, 10.1038/s41597-022-01401-7)."""

from brainuad.phantom.layout import Ages, Image, Layout, Scanner, Sequence

FOLDER = "ATLAS_2/Training/R{part}/sub-r{part}s{number:03d}/ses-1/anat/"
STEM = FOLDER + "sub-r{part}s{number:03d}_ses-1_space-MNI152NLin2009aSym"

# Three of the 33 sites. All published scans are defaced, some by more than others; here one site is not.
AT_1_5T = Scanner(
    site="001",
    field_tesla=1.5,
    sequences={"t1": Sequence("gradient-echo", tr_ms=15, te_ms=4.9, flip_deg=25)},
    noise=0.045,
    bias=0.08,
    defaced=True,
)
AT_3T = Scanner(
    site="009",
    field_tesla=3.0,
    sequences={"t1": Sequence("inversion-recovery", tr_ms=2300, te_ms=3, ti_ms=1060)},
    noise=0.035,
    bias=0.14,
    defaced=True,
)
AT_3T_WITH_FACE = Scanner(
    site="027",
    field_tesla=3.0,
    sequences={"t1": Sequence("inversion-recovery", tr_ms=1900, te_ms=2.3, ti_ms=900)},
    noise=0.04,
    bias=0.11,
)
SCANNERS = (AT_1_5T, AT_3T, AT_3T_WITH_FACE)

LAYOUT = Layout(
    subject="r{part}s{number:03d}ses1",
    first_number=1,
    largest_gap=2,
    images=(Image("t1", STEM + "_T1w.nii.gz", orientation="RAS"),),
    scanners=SCANNERS,
    ages=Ages(mean=61, sd=12, youngest=25, oldest=88),
    alignment="mni",
    lesions="stroke",
    lesion_file=STEM + "_label-L_desc-T1lesion_mask.nii.gz",
    parts=tuple(scanner.site for scanner in SCANNERS),
)
