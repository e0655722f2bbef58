"""Folders of real data sets by their file names alone: what a plan looks at, without an image."""

import re
from pathlib import Path

MODALITIES = ("flair", "t1", "t1ce", "t2")
ATLAS2 = "Training/R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-MNI152NLin2009aSym"
FASTMRI = "file_brain_AXT1_202_6000312"
# The files of each layout, and the text of those that are tables.
FILES: dict[str, dict[str, str]] = {
    "ixi": {f"IXI002-Guys-0828-{name}.nii.gz": "" for name in ("T1", "T2")},
    "brats21": {f"BraTS2021_00000/BraTS2021_00000_{name}.nii.gz": "" for name in (*MODALITIES, "seg")},
    "mslub": {f"patient01/patient01_{name}.nii.gz": "" for name in ("T1W", "T2W", "FLAIR", "consensus_gt")},
    "msseg": {f"msseg/train/{name}/1_{name.upper()}_isovox.nii.gz": "" for name in MODALITIES},
    "ljubljana": {f"ljubljana/dev_out/{name}/1_{name.upper()}_isovox.nii.gz": "" for name in MODALITIES},
    "atlas2": {f"{ATLAS2}_{name}.nii.gz": "" for name in ("T1w", "label-L_desc-T1lesion_mask")},
    "fastmri": {
        f"{FASTMRI}.h5": "",
        "brain.csv": f"file,slice,study_level,x,y,width,height,label\n{FASTMRI},,Yes,,,,,Normal for age\n",
    },
    "hospital_ct": {
        "scans.csv": "scan,patient,report,path\ns1,p1,r1,a.nii.gz\n",
        "reports.csv": "report,patient,date,text\nr1,p1,,Normal.\n",
        "a.nii.gz": "",
    },
    "cq500": {
        "CQ500CT0 CQ500CT0/Unknown Study/CT Plain/CT000000.dcm": "",
        "reads.csv": "name,R1:ICH,R2:ICH,R3:ICH\nCQ500-CT-0,0,0,0\n",
    },
    "bids": {
        "sub-01/anat/sub-01_T1w.nii.gz": "",
        "sub-01/anat/sub-01_T2w.nii.gz": "",
        "participants.tsv": "participant_id\tgroup\nsub-01\tcontrol\n",
    },
}


def write_folder(root: Path, layout: str) -> str:
    """The path of a folder in a layout, after writing it."""
    for name, text in FILES[layout].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def yaml_blocks(page: str) -> list[tuple[int, str]]:
    """The YAML examples of a page, each with its place."""
    found = re.finditer(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [(block.start(), block[1]) for block in found]
