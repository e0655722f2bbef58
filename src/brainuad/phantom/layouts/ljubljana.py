"""Ljubljana in the Shifts challenge: multiple sclerosis, brain-only, 1 mm; patients of MSLUB (Malinin 2022)."""

from dataclasses import replace

from brainuad.phantom.layout import Ages, Image, Layout
from brainuad.phantom.layouts.mslub import FIELD_OF_VIEW_MM, LJUBLJANA

FOLDER = "ljubljana/{part}/"

# The bias field is corrected before publication.
SCANNER = replace(LJUBLJANA, bias=0.05)

LAYOUT = Layout(
    subject="{part}{number:02d}",
    first_number=1,
    parts=("dev_out",),
    images=tuple(
        Image(
            modality,
            FOLDER + f"{modality}/{{number}}_{modality.upper()}_isovox.nii.gz",
            field_of_view_mm=FIELD_OF_VIEW_MM,
        )
        for modality in ("flair", "t1", "t1ce", "t2")
    ),
    scanners=(SCANNER,),
    ages=Ages(mean=39, sd=10, youngest=25, oldest=64),
    alignment="shared",
    lesions="plaques",
    brain_only=True,
    lesion_file=FOLDER + "gt/{number}_gt_isovox.nii.gz",
    brain_mask_file=FOLDER + "fg_mask/{number}_isovox_fg_mask.nii.gz",
)
