"""The phantom of fastMRI: published layout, findings inside their boxes, artefacts without boxes."""

import csv
from functools import cache

import h5py
import numpy as np
import pytest
from scipy import fft

from brainuad.datasets.fastmri import Fastmri
from brainuad.phantom.fastmri import subject as simulated_subject
from brainuad.phantom.fastmri.canvas import LARGEST_MARGIN, Canvas
from brainuad.phantom.fastmri.local import LOCAL
from brainuad.phantom.fastmri.slices import MIDDLE, SLICES, SUBSLICES, slice_grid
from brainuad.phantom.fastmri.subject import PIXELS, TURNS, label_of, simulate_slices
from brainuad.phantom.fastmri.whole import WHOLE, disturb, move
from brainuad.phantom.geometry import Pose
from brainuad.phantom.head import make_head, sample_head
from brainuad.phantom.layout import find_layout
from brainuad.phantom.names import phantom_subjects
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.subject import Subject, draw_facts
from brainuad.phantom.warp import draw_warp

from .conftest import ATLAS_FOLDER, COARSE, simulated

COUNT = 4
STRAIGHT = Pose(np.eye(3), np.zeros(3))


@pytest.fixture(scope="module")
def fastmri(tmp_path_factory):
    """Four subjects: healthy, oedema (with files of other sequences), healthy, mass."""
    return simulated("fastmri", COUNT, COARSE, tmp_path_factory.mktemp("fastmri"))


@pytest.fixture(scope="module")
def head_model():
    """The head of the phantom."""
    if not (ATLAS_FOLDER / "sri24").is_dir():
        pytest.skip("resources/sri24 absent: run `make atlas`")
    from brainuad.phantom.anatomy import load_anatomy, prepare_anatomies
    from brainuad.phantom.head import Model
    from brainuad.phantom.warp import make_guide

    anatomy = load_anatomy(prepare_anatomies("sri24", ATLAS_FOLDER)[0])
    return Model(anatomy, make_guide(anatomy))


@pytest.fixture(scope="module")
def scan(head_model):
    """A function from a label to the scan of one and the same subject with it."""

    @cache
    def labelled(label, seed=0):
        layout = find_layout("fastmri")
        facts = draw_facts("fastmri", layout, layout.first_number, seed)
        subject = Subject("fastmri", layout, facts, PhantomSettings(spacing_mm=3.0), seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simulated_subject, "label_of", lambda index: label)
            return simulate_slices(subject, head_model, ("t1",))

    return labelled


def annotations(root):
    with (root / "brain.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def scans(root):
    return sorted(root.rglob("file_brain_AXT1_*.h5"))


def test_files_lie_in_the_published_layout(fastmri):
    assert [path.relative_to(fastmri).as_posix() for path in scans(fastmri)] == [
        *(f"multicoil_train/file_brain_AXT1_202_{number}.h5" for number in (6000264, 6000265, 6000266)),
        "multicoil_val/file_brain_AXT1_202_6000267.h5",
    ]
    with h5py.File(scans(fastmri)[0]) as file:
        assert file["reconstruction_rss"].shape == (16, 320, 320)
        assert file["reconstruction_rss"].dtype == np.float32
        assert file.attrs["acquisition"] == "AXT1"
        assert len(file.attrs["patient_id"]) == 64


def test_files_say_that_they_are_simulated(fastmri):
    for path in fastmri.rglob("*.h5"):
        with h5py.File(path) as file:
            assert file.attrs["simulated"].startswith("brain-uad phantom")


def test_the_adapter_finds_the_subjects_that_the_workflow_expects(fastmri):
    cohort = Fastmri().index(fastmri)
    assert cohort["subject"].tolist() == phantom_subjects("fastmri", COUNT, 0)
    assert cohort["group"].tolist() == ["healthy", "patient", "healthy", "patient"]
    assert cohort["status"].eq("ok").all()


def test_other_sequences_are_published_and_annotated_too(fastmri):
    names = {path.stem for path in fastmri.rglob("*.h5")}
    others = {"file_brain_AXFLAIR_203_6000265", "file_brain_AXT1POST_205_6000265"}
    assert others < names
    assert others < {row["file"] for row in annotations(fastmri)}


def test_a_scan_that_is_not_there_is_annotated(fastmri):
    assert {row["file"] for row in annotations(fastmri)} - {path.stem for path in fastmri.rglob("*.h5")}


def test_stored_rows_run_from_the_back_to_the_front(fastmri, head_model):
    layout = find_layout("fastmri")
    facts = draw_facts("fastmri", layout, layout.first_number, 0)
    upright = simulate_slices(Subject("fastmri", layout, facts, COARSE, 0), head_model, ("t1",)).images["t1"]
    with h5py.File(scans(fastmri)[0]) as file:
        np.testing.assert_array_equal(file["reconstruction_rss"][...], upright[:, ::-1].transpose(2, 1, 0))


def test_the_nose_points_to_the_first_row(head_model):
    layout = find_layout("fastmri")
    facts = draw_facts("fastmri", layout, layout.first_number, 0)
    settings = COARSE.model_copy(update={"rotation_deg": 0.0})
    image = simulate_slices(Subject("fastmri", layout, facts, settings, 0), head_model, ("t1",)).images["t1"]
    lowest = image[..., 0] > 0.3 * np.percentile(image, 99)
    rows = np.flatnonzero(lowest.any(axis=0))
    third = len(rows) // 5
    # Through the orbits the head is narrower at the nose than at the back.
    assert lowest[:, rows[:third]].any(axis=1).sum() < lowest[:, rows[-2 * third : -third]].any(axis=1).sum()


def test_finished_subjects_are_kept_and_others_removed(tmp_path):
    root = simulated("fastmri", 3, COARSE, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in scans(root)}
    (root / "multicoil_val").mkdir(exist_ok=True)
    real = root / "multicoil_val/file_brain_AXT1_202_1.h5"
    with h5py.File(real, "w") as file:
        file["reconstruction_rss"] = np.ones((2, 2, 2))
    scans(root)[1].unlink()
    simulated("fastmri", 2, COARSE, root)
    first, second, *rest = scans(root)
    assert first.stat().st_mtime_ns == times[first]
    assert second.stat().st_mtime_ns != times[second]
    assert rest == [real]


def test_half_of_the_subjects_are_healthy_and_every_label_has_its_turn():
    labels = [label_of(index) for index in range(2 * len(TURNS))]
    assert sum(label.startswith("Normal") for label in labels) == len(TURNS)
    assert set(TURNS) == set(LOCAL) | set(WHOLE)
    assert set(labels[1::2]) == set(TURNS)
    assert "Normal variant" in {label_of(index) for index in range(40)}


@pytest.mark.parametrize("label", sorted(LOCAL))
def test_a_finding_changes_the_picture_inside_its_boxes(scan, label):
    with_finding, without = scan(label), scan("Normal for age")
    change = np.abs(with_finding.images["t1"] - without.images["t1"])
    boxed = np.zeros(change.shape, dtype=bool)
    for box in with_finding.annotations:
        x, y = int(box["x"]), int(box["y"])
        boxed[x : x + int(box["width"]), y : y + int(box["height"]), int(box["slice"])] = True
    assert label in {box["label"] for box in with_finding.annotations}
    head = without.images["t1"] > 0.2 * np.percentile(without.images["t1"], 99)
    assert change[boxed].mean() > 2.5 * change[head & ~boxed].mean()


def test_most_findings_lie_on_the_middle_slice(scan):
    on_middle = [any(box["slice"] == MIDDLE for box in scan(label).annotations) for label in LOCAL]
    assert sum(on_middle) >= 0.7 * len(LOCAL)


@pytest.mark.parametrize("label", sorted(WHOLE))
def test_a_change_of_the_whole_scan_is_visible_and_has_no_box(scan, label):
    changed, normal = scan(label), scan("Normal for age")
    assert changed.annotations == [{"study_level": "Yes", "slice": 0, "label": label}]
    difference = changed.images["t1"] - normal.images["t1"]
    assert np.abs(difference[..., MIDDLE]).mean() > 0.02 * normal.images["t1"][..., MIDDLE].mean()


def test_a_subject_is_a_function_of_the_seed(scan):
    first, other = scan("Mass"), scan("Mass", seed=1)
    scan.cache_clear()
    again = scan("Mass")
    np.testing.assert_array_equal(first.images["t1"], again.images["t1"])
    assert first.annotations == again.annotations
    assert first.annotations != other.annotations


def test_motion_turns_phases_and_leaves_magnitudes():
    rng = np.random.default_rng(0)
    kspace = rng.standard_normal((40, 30, 2)) + 1j * rng.standard_normal((40, 30, 2))
    moved = move(kspace, rng)
    np.testing.assert_allclose(np.abs(moved), np.abs(kspace))
    assert not np.allclose(moved, kspace)


@pytest.mark.parametrize("seed", range(4))
def test_a_disturbance_is_confined_in_space_or_in_frequency(seed):
    rng = np.random.default_rng(seed)
    image = rng.random((40, 30, 2))
    kspace = fft.fftshift(fft.fft2(image, axes=(0, 1)), axes=(0, 1))
    added = disturb(kspace, rng) - kspace
    in_space = fft.ifft2(fft.ifftshift(added, axes=(0, 1)), axes=(0, 1))
    frequencies = (np.abs(added) > 1e-6).sum() / 2
    columns = (np.abs(in_space).max(axis=(1, 2)) > 1e-6).sum()
    assert frequencies <= 2 or columns <= 2


def test_the_middle_slice_shows_the_ventricles_and_slices_are_5_mm_apart():
    centre = np.array([90.0, 120.0, 100.0])
    grid = slice_grid(2.0, STRAIGHT, centre)
    assert grid.shape == (110, 110, SLICES * SUBSLICES)
    middle = [(110 - 1) / 2, (110 - 1) / 2, MIDDLE * SUBSLICES + (SUBSLICES - 1) / 2, 1]
    np.testing.assert_allclose((grid.to_head @ middle)[:3], np.add(centre, (0, -6, 6)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(grid.affine[:3, :3], axis=0), [2, 2, 5 / SUBSLICES])


def test_boxes_fit_what_is_marked(ball):
    rng = np.random.default_rng(0)
    warp = draw_warp(ball.guide, 45.0, 0.0, 0.0, rng)
    grid = slice_grid(2.0, STRAIGHT, ball.guide.centre)
    canvas = Canvas(
        make_head(ball, warp, 45.0, rng), grid, sample_head(make_head(ball, warp, 45.0, rng), grid), rng
    )
    # The middle of the middle slice lies 6 mm in front of the centre; the ball reaches 10 mm to each side of it.
    place = np.add(ball.guide.centre, (0, -6, 6))
    canvas.mark("Mass", np.linalg.norm(canvas.offset(place) * (1, 1, 0), axis=1) < 10)
    boxes = [box for box in canvas.boxes(PIXELS) if box["slice"] == MIDDLE]
    pixel_mm, slack = 220 / PIXELS, LARGEST_MARGIN + 3
    assert len(boxes) == 1
    for first, size in (("x", "width"), ("y", "height")):
        assert abs(int(boxes[0][first]) - (110 - 10) / pixel_mm) < slack
        assert abs(int(boxes[0][size]) - 20 / pixel_mm) < 2 * slack


def test_specks_are_not_boxed(ball):
    rng = np.random.default_rng(0)
    warp = draw_warp(ball.guide, 45.0, 0.0, 0.0, rng)
    grid = slice_grid(2.0, STRAIGHT, ball.guide.centre)
    head = make_head(ball, warp, 45.0, rng)
    canvas = Canvas(head, grid, sample_head(head, grid), rng)
    canvas.mark("Mass", np.arange(len(canvas.slab.index)) == len(canvas.slab.index) // 2)
    assert canvas.boxes(PIXELS) == []


def test_mixed_tissues_still_fill_the_voxel(ball):
    rng = np.random.default_rng(0)
    head = make_head(ball, draw_warp(ball.guide, 45.0, 0.0, 0.0, rng), 45.0, rng)
    grid = slice_grid(4.0, STRAIGHT, ball.guide.centre)
    canvas = Canvas(head, grid, sample_head(head, grid), rng)
    before = sum(canvas.slab.fractions.values())
    inside = canvas.slab.brain > 0.99
    canvas.mix(0.5 * inside.astype(np.float32), csf=0.25, oedema=0.75)
    after = sum(canvas.slab.fractions.values())
    np.testing.assert_allclose(after[inside], 0.5 * before[inside] + 0.5, atol=1e-5)
    np.testing.assert_allclose(after[~inside], before[~inside], atol=1e-6)
