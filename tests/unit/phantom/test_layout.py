"""The published layouts as data."""

import pytest

from brainuad.phantom.layout import SubjectFacts, find_layout, layout_names, published_files

FACTS = SubjectFacts(subject="IXI002", number=2, site="Guys", scan=828, age=35.8, sex="F")


def test_ixi_files_are_named_as_published():
    assert published_files(find_layout("ixi"), FACTS) == {
        "t1": "IXI002-Guys-0828-T1.nii.gz",
        "t2": "IXI002-Guys-0828-T2.nii.gz",
    }


def test_brats_files_are_named_as_published():
    files = published_files(find_layout("brats21"), FACTS)
    assert files["t1ce"] == "BraTS2021_00002/BraTS2021_00002_t1ce.nii.gz"
    assert files["lesion"] == "BraTS2021_00002/BraTS2021_00002_seg.nii.gz"


def test_mslub_files_are_named_as_published():
    files = published_files(find_layout("mslub"), FACTS)
    assert files["t1ce"] == "patient02/patient02_T1WKS.nii.gz"
    assert files["brain_mask"] == "patient02/patient02_brainmask.nii.gz"
    assert files["lesion"] == "patient02/patient02_consensus_gt.nii.gz"


@pytest.mark.parametrize("dataset", layout_names())
def test_every_scanner_has_a_sequence_for_every_image(dataset):
    layout = find_layout(dataset)
    for scanner in layout.scanners:
        assert set(scanner.sequences) == {image.modality for image in layout.images}
