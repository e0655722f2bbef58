"""The phantoms of the head CT data sets: written as published, read by their adapters and by preprocessing."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from brainuad.datasets.registry import find_dataset
from brainuad.errors import ScanError
from brainuad.phantom.ct.exports import Identity, all_series, write_dicom, write_nifti
from brainuad.phantom.ct.findings import Person
from brainuad.phantom.ct.people import ACUTE, OUTLINED, condition_of, outlined
from brainuad.phantom.ct.protocol import MAKERS, Export, Protocol, draw_protocol
from brainuad.phantom.ct.readers import COLUMNS, cq500_scans, readings, true_reading
from brainuad.phantom.ct.scan import CtScan, simulate_ct
from brainuad.phantom.head import Model
from brainuad.phantom.hospital import CONVERTED, hospital_scans
from brainuad.phantom.layout import find_layout, published_files
from brainuad.phantom.names import phantom_subjects
from brainuad.phantom.reports.facts import Finding
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.warp import make_guide
from brainuad.preprocessing.dicom_volume import DicomScan, read_dicom
from brainuad.randomness import numpy_generator

from .conftest import ATLAS_FOLDER, simulated

VERY_COARSE = PhantomSettings(spacing_mm=5.0)
PATIENTS, SCANS = 3, 3
BLEED = Finding("intracerebral", "right", "basal ganglia", 40)
IDENTITY = Identity("HCT1V1S1", "HCT1", "F", "072Y", "20160312", "brain-uad phantom test")
PLAIN = draw_protocol(Export(0, 0, 0, 0, 0, 0, 0, 0), numpy_generator(0, "protocol"))


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated("hospital_ct", PATIENTS, VERY_COARSE, tmp_path_factory.mktemp("hospital"))


@pytest.fixture(scope="module")
def cq500(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated("cq500", SCANS, VERY_COARSE, tmp_path_factory.mktemp("cq500"))


@pytest.fixture(scope="module")
def model() -> Model:
    if not (ATLAS_FOLDER / "sri24").is_dir():
        pytest.skip("resources/sri24 absent: run `make atlas`")
    from brainuad.phantom.anatomy import load_anatomy, prepare_anatomies

    anatomy = load_anatomy(prepare_anatomies("sri24", ATLAS_FOLDER)[0])
    return Model(anatomy, make_guide(anatomy))


def scanned(model: Model, protocol: Protocol, findings: Sequence[Finding] = ()) -> CtScan:
    person = Person(model, 60, 1.0, lambda *purpose: numpy_generator(0, *purpose))
    return simulate_ct(person, findings, protocol, VERY_COARSE, numpy_generator(1, "scan"))


def exported(model: Model, folder: Path, **changes: object) -> tuple[CtScan, DicomScan]:
    """A scan and what the reader makes of its folder of DICOM files."""
    protocol = replace(PLAIN, **changes)
    scan = scanned(model, protocol, [BLEED])
    write_dicom(folder, all_series(scan, protocol, {}, numpy_generator(1, "export")), protocol, IDENTITY)
    return scan, read_dicom(folder, "ct")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_scan_of_the_tables_is_there_and_no_other(hospital):
    rows = table(hospital / "scans.csv")
    images = {row["path"] for row in rows}
    found = {path.relative_to(hospital).as_posix() for path in hospital.glob("dicom/*")}
    found |= {path.relative_to(hospital).as_posix() for path in hospital.glob("nifti/*")}
    assert images == found
    masks = {row["mask"] for row in rows} - {""}
    assert masks == {path.relative_to(hospital).as_posix() for path in hospital.glob("masks/*")}
    assert sorted({row["scan"] for row in rows}) == phantom_subjects("hospital_ct", PATIENTS, 0)


def test_the_adapter_of_the_hospital_finds_nothing_to_complain_about(hospital):
    cohort = find_dataset("hospital_ct").index(hospital)
    assert cohort["subject"].tolist() == phantom_subjects("hospital_ct", PATIENTS, 0)
    assert set(cohort["status"]) == {"ok"}


def test_the_values_of_a_mask_are_the_conditions_of_its_scan(hospital):
    cohort = find_dataset("hospital_ct").index(hospital)
    masked = cohort[cohort["mask"] != ""]
    assert len(masked)
    for row in masked.to_dict("records"):
        values = set(np.unique(np.asarray(nib.load(hospital / row["mask"]).dataobj))) - {0}
        assert values == {OUTLINED.index(name) + 1 for name in row["condition"].split(";")}


def test_every_acute_finding_that_has_a_mask_has_a_condition():
    assert {condition_of([Finding(kind)]) for kind in ACUTE} == set(OUTLINED)
    assert condition_of([Finding("early_infarct"), Finding("subdural")]) == "hemorrhage;ischemia"
    assert condition_of([Finding("atrophy"), Finding("calcification"), Finding("fracture")]) == ""


def test_the_conditions_of_the_tables_are_those_of_the_truth(hospital):
    present = {
        (row["scan"], row["label"]) for row in table(hospital / "truth.csv") if row["in_image"] == "positive"
    }
    for row in table(hospital / "scans.csv"):
        expected = [label for label in OUTLINED if (row["scan"], label) in present]
        assert row["condition"] == ";".join(expected)


def test_finished_scans_are_kept_and_those_of_fewer_patients_remain(hospital):
    times = {path: path.stat().st_mtime_ns for path in hospital.rglob("*.dcm")}
    simulated("hospital_ct", PATIENTS - 1, VERY_COARSE, hospital)
    left = {path: path.stat().st_mtime_ns for path in hospital.rglob("*.dcm")}
    assert left.items() < times.items()
    rows = table(hospital / "scans.csv")
    assert {path.name for path in hospital.glob("dicom/*")} == {
        Path(row["path"]).name for row in rows if row["path"].startswith("dicom")
    }
    simulated("hospital_ct", PATIENTS, VERY_COARSE, hospital)
    assert {path for path in hospital.rglob("*.dcm")} == set(times)


def test_no_file_of_the_hospital_names_a_person(hospital):
    header = pydicom.dcmread(next(hospital.rglob("*.dcm")), stop_before_pixels=True)
    assert not str(header.PatientName)
    assert header.PatientID.startswith("HCT")
    assert header.ImageComments.startswith("brain-uad phantom")


def test_scans_of_one_patient_share_a_head_and_a_share_is_converted():
    scans = hospital_scans(200, 0)
    assert {scan.person for scan in scans} == {scan.subject.partition("V")[0] for scan in scans}
    converted = np.mean([scan.files["ct"].startswith("nifti") for scan in scans])
    assert converted == pytest.approx(CONVERTED, abs=0.05)
    assert all(("mask" in scan.files) == outlined(scan.findings) for scan in scans)


def test_a_larger_hospital_only_appends_scans():
    few, many = hospital_scans(5, 1), hospital_scans(9, 1)
    assert many[: len(few)] == few


def test_cq500_lies_in_the_published_folders(cq500):
    names = phantom_subjects("cq500", SCANS, 0)
    assert names[0] == "CQ500CT0"
    assert find_dataset("cq500").subjects(cq500) == names
    folders = {path.relative_to(cq500).parts[:2] for path in cq500.rglob("*.dcm")}
    assert folders == {(f"{name} {name}", "Unknown Study") for name in names}
    assert list(table(cq500 / "reads.csv")[0]) == [
        *("name", "Category"),
        *(f"R{reader}:{column}" for reader in (1, 2, 3) for column in COLUMNS),
    ]


def test_the_adapter_of_cq500_takes_the_groups_from_the_readers(cq500):
    cohort = find_dataset("cq500").index(cq500).set_index("subject")
    for scan in cq500_scans(SCANS, 0):
        votes = readings(scan, 0)
        if not any(votes.values()):
            assert cohort.loc[scan.subject, "group"] == "healthy"
        assert published_files(find_layout("cq500"), scan)["ct"] == cohort.loc[scan.subject, "ct"]


def test_cq500_has_healthy_scans_and_patients():
    votes = [readings(scan, 0) for scan in cq500_scans(40, 0)]
    healthy = sum(not any(each.values()) for each in votes)
    bleeding = sum(all(each[f"R{reader}:ICH"] for reader in (1, 2, 3)) for each in votes)
    assert healthy > 8
    assert bleeding > 5


def test_a_reader_reports_bleeds_by_kind_and_side():
    said = true_reading(
        [Finding("subdural", "left", effects=("midline shift",)), Finding("fracture", site="orbital roof")]
    )
    yes = {name for name, vote in said.items() if vote}
    assert yes == {
        "ICH",
        "SDH",
        "BleedLocation-Left",
        "MassEffect",
        "MidlineShift",
        "Fracture",
        "OtherFracture",
    }


def test_a_head_without_such_findings_is_read_as_clear():
    assert not any(true_reading([Finding("old_infarct"), Finding("atrophy")]).values())


def test_the_reader_gets_the_hounsfield_units_and_places_of_the_slices(model, tmp_path):
    scan, read = exported(model, tmp_path / "plain", maker=MAKERS[1])
    values = sitk.GetArrayFromImage(read.image)  # (slice, down, across)
    np.testing.assert_allclose(values.transpose(2, 1, 0), np.clip(scan.slices.values, -1024, 3071), atol=0.51)
    np.testing.assert_allclose(read.image.GetOrigin(), scan.slices.positions[0], atol=1e-4)


def test_the_tilt_of_the_gantry_is_seen_with_and_without_its_tag(model, tmp_path):
    _, read = exported(model, tmp_path / "tagged", tilt_deg=16.0)
    assert "gantry tilt of 16.0 degrees undone" in " ".join(read.notes)
    _, lost = exported(model, tmp_path / "lost", tilt_deg=16.0, tag_lost=True)
    assert "the header names a tilt of 0 degrees" in " ".join(lost.notes)


def test_the_mask_of_a_tilted_scan_lies_on_the_bleed_that_the_reader_sees(model, tmp_path):
    scan, read = exported(model, tmp_path / "tilted", tilt_deg=18.0)
    write_nifti(scan.mask, scan.mask_affine, tmp_path / "mask.nii.gz", "test")
    mask = sitk.Resample(
        sitk.ReadImage(str(tmp_path / "mask.nii.gz")), read.image, sitk.Transform(), sitk.sitkNearestNeighbor
    )
    values = sitk.GetArrayFromImage(read.image)
    outlined_voxels = sitk.GetArrayFromImage(mask) > 0
    assert outlined_voxels.sum() > 50
    assert np.median(values[outlined_voxels]) > 50


def test_uneven_slices_are_made_even(model, tmp_path):
    _, read = exported(model, tmp_path / "uneven", uneven=True)
    assert "slice gaps" in " ".join(read.notes)


def test_bone_series_and_localiser_are_left_out(model, tmp_path):
    _, read = exported(model, tmp_path / "more", bone_series=True, localiser=True)
    notes = " ".join(read.notes)
    assert "kernel for bone" in notes
    assert "localiser" in notes


def test_monochrome1_is_noted(model, tmp_path):
    _, read = exported(model, tmp_path / "mono", monochrome1=True)
    assert "MONOCHROME1" in " ".join(read.notes)


def test_missing_slices_exclude_the_scan(model, tmp_path):
    with pytest.raises(ScanError, match="slices are missing"):
        exported(model, tmp_path / "missing", missing_slices=True)


def test_a_converted_scan_is_what_the_slices_are(hospital, tmp_path):
    converted = [scan for scan in hospital_scans(60, 0) if scan.files["ct"].endswith(".nii.gz")]
    assert converted
    paths = list(hospital.glob("nifti/*.nii.gz"))
    for path in paths:
        image = nib.load(path)
        assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
        assert np.asarray(image.dataobj).min() >= -1024


def test_peculiarities_of_exports_have_their_shares():
    export = Export()
    drawn = [draw_protocol(export, numpy_generator(0, "protocol", number)) for number in range(800)]
    assert np.mean([each.tilt_deg > 0 for each in drawn]) == pytest.approx(export.tilt, abs=0.06)
    for name in ("uneven", "bone_series", "localiser", "monochrome1", "missing_slices"):
        assert np.mean([getattr(each, name) for each in drawn]) == pytest.approx(
            getattr(export, name), abs=0.06
        )
