"""The review sheet: what it holds, and that decisions made with the keyboard reach the table."""

import html
import logging
import re
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from brainuad.curation.review import TEMPLATES, names_in_review, review_page, shown_name
from brainuad.curation.selection_settings import ReviewSettings
from brainuad.curation.thumbnails import CARD_GREY, montage, png_uri, read_volume, reason_card
from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_volume import read_dicom
from tests.unit.curation.hospital import Hospital, an_empty_folder_to_review, write_table
from tests.unit.preprocessing.dicom_files import GAPS_MM, table_positions, tilted, write_series
from tests.verbs import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SMALL = ReviewSettings(slices=1, slice_pixels=16, window=(0, 1))
KEYS = """
<script>
const captured = [];
URL.createObjectURL = (blob) => { captured.push(blob); return "blob:none"; };
HTMLAnchorElement.prototype.click = () => {};
const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
for (const key of %s) press(key);
const shown = document.createElement("pre");
shown.id = "result";
document.body.append(shown);
const memory = document.createElement("pre");
memory.id = "memory";
memory.textContent = JSON.stringify(localStorage);
document.body.append(memory);
Promise.all(captured.map((blob) => blob.text())).then((texts) => {
  const open = cards.filter((card) => !card.hidden).length;
  shown.textContent = [document.getElementById("progress").textContent, open, texts.at(-1)].join("\\n");
});
</script>
"""


def selection(*scans: str) -> pd.DataFrame:
    """A selection of scans that wait for a review, each of a patient of its own."""
    rows = [(scan, f"patient{number}", "kept") for number, scan in enumerate(scans)]
    return pd.DataFrame(rows, columns=["scan", "patient", "kept"]).assign(step="training cohort", reason="")


def press(page: str, folder: Path, *keys: str) -> list[str]:
    """The progress, the number of scans shown, and the rows of the saved table after the keys."""
    return shown_after(page, folder, *keys)["result"].splitlines()


def shown_after(page: str, folder: Path, *keys: str) -> dict[str, str]:
    """What a browser shows after the keys (`result`), and what it remembers of the page (`memory`)."""
    path = folder / "review.html"
    path.write_text(page.replace("</body>", f"{KEYS % list(keys)}</body>"), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]
    command += [f"--user-data-dir={folder / 'browser'}", "--dump-dom", path.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = dict(re.findall(r'<pre id="(result|memory)">(.*?)</pre>', dom, re.DOTALL))
    assert set(found) == {"result", "memory"}, dom[-2000:]
    return {name: html.unescape(text) for name, text in found.items()}


browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@browser
def test_accept_and_reject_reach_the_table(tmp_path: Path) -> None:
    saved = press(review_page(selection("s1", "s2", "s3"), None, {}), tmp_path, "a", "r", "s")
    assert saved[0] == "2 of 3 reviewed: 1 accepted, 1 rejected"
    assert saved[2:] == ["scan\tdecision", "s1\taccepted", "s2\trejected"]


@browser
def test_undo_next_previous_and_filter_work_from_the_keyboard(tmp_path: Path) -> None:
    keys = ["a", "a", "u", "ArrowRight", "R", "ArrowLeft", "ArrowLeft", "r", "f", "s"]
    saved = press(review_page(selection("s1", "s2", "s3"), None, {}), tmp_path, *keys)
    assert saved[1] == "1"
    assert saved[2:] == ["scan\tdecision", "s1\trejected", "s3\trejected"]


@browser
def test_decisions_come_back_from_the_memory_of_the_browser(tmp_path: Path) -> None:
    page = review_page(selection("s1", "s2", "s3"), None, {"s3": "accepted"})
    assert press(page, tmp_path, "r", "ArrowRight", "r", "reload", "s")[2:] == [
        "scan\tdecision",
        "s1\trejected",
        "s3\trejected",
    ]


@browser
def test_another_review_to_start_from_begins_afresh(tmp_path: Path) -> None:
    press(review_page(selection("s1", "s2"), None, {}), tmp_path, "r")
    page = review_page(selection("s1", "s2"), None, {"s1": "accepted"})
    assert press(page, tmp_path, "s")[2:] == ["scan\tdecision", "s1\taccepted"]


@browser
def test_the_last_scan_of_a_filter_can_be_decided_and_taken_back(tmp_path: Path) -> None:
    saved = press(review_page(selection("s1"), None, {}), tmp_path, "f", "a", "a", "r", "u", "r", "s")
    assert saved[2:] == ["scan\tdecision", "s1\trejected"]


@browser
def test_a_table_of_the_sheet_is_read_by_the_selection(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.scan("p0-scan", "p0", "r0")
    hospital.report("r0", "p0")
    hospital.label("r0")
    selected = hospital.select().reset_index()
    saved = press(review_page(selected, None, {}), tmp_path, "r", "s")[2:]
    review = write_table(tmp_path / "review.tsv", *saved)
    assert hospital.select(review=review).loc["p0-scan", "reason"] == "rejected"


def test_decisions_of_an_earlier_review_are_in_the_page_and_saved_again() -> None:
    table = selection("s1", "s2")
    table.loc[1, "step"] = "report labels"
    page = review_page(table, None, {"s1": "accepted", "s2": "rejected"})
    assert '"decisions": {"s1": "accepted"}' in page
    assert '"others": {"s2": "rejected"}' in page


def test_only_scans_that_reached_the_review_are_shown() -> None:
    table = selection("s1", "s2", "s3")
    table["step"] = ["follow-up filter", "manual review", "training cohort"]
    assert '"scans": ["s2", "s3"]' in review_page(table, None, {})


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = review_page(selection("s1"), lambda _: np.zeros((4, 4)), {})
    assert "default-src 'none'" in page
    assert re.findall(r"(?:https?:)?//[a-z]", page.replace("// ", "")) == []
    assert re.findall(r'src="(?!data:)', page) == []


def test_no_patient_and_no_report_is_in_the_page() -> None:
    table = selection("s1", "patient1-CT").assign(report="r7731")
    page = review_page(table, None, {})
    assert "patient" not in page.replace("patient's", "")
    assert "r7731" not in page


def test_a_scan_named_after_its_patient_has_a_code_that_a_review_may_use() -> None:
    code = shown_name("P7-CT", "p7")
    assert "7-CT" not in code
    names = names_in_review(["s1", "P7-CT"])
    assert {name: names[name] for name in ("s1", "P7-CT", code)} == {
        "s1": "s1",
        "P7-CT": "P7-CT",
        code: "P7-CT",
    }


def test_a_scan_whose_picture_fails_is_a_number() -> None:
    def thumbnail(scan: str) -> np.ndarray:
        if scan == "s2":
            raise ScanError("broken")
        return np.full((2, 2), 0.5)

    page = review_page(selection("s1", "s2"), thumbnail, {})
    assert page.count("data:image/png;base64,") == 1
    assert '<div class="placeholder">2</div>' in page


def test_a_card_names_the_first_one_of_the_same_image(caplog: pytest.LogCaptureFixture) -> None:
    images = {"s1": 1, "s2": 2, "s3": 1, "s4": 1}

    def thumbnail(scan: str) -> np.ndarray:
        return montage(np.random.default_rng(images[scan]).random((8, 8, 8)), SMALL)

    page = review_page(selection(*images), thumbnail, {})
    labels = [" ".join(label.split()) for label in re.findall(r'class="label">([^<]*)<', page)]
    assert labels == ["1", "2", "3 = 1", "4 = 1"]
    assert "2 of 4 scans look exactly like another" in caplog.text


def test_cards_that_show_no_image_are_no_copies(caplog: pytest.LogCaptureFixture) -> None:
    cards = [reason_card("the image cannot be read.", ReviewSettings()), np.zeros((8, 8), np.uint8)]
    for card in cards:
        page = review_page(selection("s1", "s2"), lambda _, card=card: card, {})
        assert "2 = 1" not in page
    assert "look exactly" not in caplog.text


def test_markup_in_a_scan_name_stays_text() -> None:
    page = review_page(selection("</script><b>x"), None, {})
    assert "</script><b>" not in page


def test_slices_have_the_front_on_top_and_the_right_on_the_left() -> None:
    volume = np.full((16, 16, 4), 0.2)
    volume[12:, 12:, :] = 1  # the patient's right and front
    picture = montage(volume, SMALL)
    assert picture[:4, :4].mean() > 200
    assert picture[-4:, -4:].mean() < 100


def test_slices_are_spread_over_the_head_from_bottom_to_top() -> None:
    volume = np.zeros((8, 8, 20))
    volume[:, :, 4:16] = np.linspace(0.1, 1, 12)
    picture = montage(volume, SMALL.model_copy(update={"slices": 3}))
    levels = [int(tile.mean()) for tile in np.split(picture, 3, axis=1)]
    assert picture.shape == (16, 48)
    assert levels == sorted(levels)
    assert levels[0] > 25


def test_pixels_that_are_not_square_keep_their_shape() -> None:
    picture = montage(np.ones((8, 8, 2)), SMALL, pixel_mm=(1.0, 2.0))
    assert (picture > 0).any(axis=0).sum() == 8
    assert (picture > 0).any(axis=1).sum() == 16


def test_a_window_may_come_from_the_scan() -> None:
    volume = np.random.default_rng(0).normal(1000, 50, (8, 8, 8))
    picture = montage(volume, ReviewSettings(slices=2, slice_pixels=16, window=None))
    assert 100 < picture.mean() < 155


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4, 2), (0, 4, 4)])
def test_an_array_that_is_no_volume_has_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ScanError):
        montage(np.zeros(shape), SMALL)


def test_volumes_are_read_from_nifti_in_any_orientation_and_from_numpy(tmp_path: Path) -> None:
    volume = np.arange(720, dtype=np.float32).reshape(8, 9, 10)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([2.0, 3.0, 4.0, 1])), tmp_path / "ras.nii.gz")
    nibabel.save(nibabel.Nifti1Image(volume[::-1], np.diag([-2.0, 3.0, 4.0, 1])), tmp_path / "las.nii.gz")
    np.save(tmp_path / "array.npy", volume)
    for name, pixel_mm in (("ras.nii.gz", (2, 3)), ("las.nii.gz", (2, 3)), ("array.npy", (1, 1))):
        found, size = read_volume(tmp_path, name)
        np.testing.assert_array_equal(found, volume)
        assert size == pytest.approx(pixel_mm)


def test_a_card_shows_what_preprocessing_reads_and_no_more(tmp_path: Path) -> None:
    """ITK refuses directions that are rounded in the header, and shows a scan with holes."""
    volume = np.random.default_rng(0).random((8, 9, 10), np.float32)
    rounded = nibabel.Nifti1Image(volume, None)
    rounded.set_sform(np.diag([2.0, 2.0, 3.0, 1]) + 0.008 * np.eye(4, k=1) * [1, 1, 1, 0], code=1)
    nibabel.save(rounded, tmp_path / "rounded.nii.gz")
    with pytest.raises(RuntimeError, match="orthonormal"):
        sitk.ReadImage(str(tmp_path / "rounded.nii.gz"))
    np.testing.assert_array_equal(read_volume(tmp_path, "rounded.nii.gz")[0], volume)
    volume[0, 0, :3] = np.nan
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "holes.nii.gz")
    with pytest.raises(ScanError, match=r"^CT: 3 voxels are not finite$"):
        read_volume(tmp_path, "holes.nii.gz")


def test_nothing_of_the_sheet_lies_on_a_picture() -> None:
    """A number in the corner would cover the first words of a card's reason."""
    assert "absolute" not in (TEMPLATES / "review.css").read_text()


@pytest.mark.parametrize("path", ["", "../outside.npy", "absent.nii.gz", "broken.npy", "empty"])
def test_what_cannot_be_read_is_a_scan_error_without_its_path(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "empty").mkdir(parents=True)
    (root / "broken.npy").write_text("no array")
    np.save(tmp_path / "outside.npy", np.zeros((2, 2, 2)))
    with pytest.raises(ScanError) as error:
        read_volume(root, path)
    assert "root" not in str(error.value).replace("the root of", "")


def test_the_verb_writes_a_page_with_pictures_for_its_owner_alone(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.normal(0, path="a.npy")
    np.save(tmp_path / "a.npy", np.ones((8, 8, 8)))
    hospital.select()
    output = tmp_path / "review.html"
    files = ["--scans", tmp_path / "scans.csv", "--selection", tmp_path / "selection.tsv", "--output", output]
    run("review-sheet", "--settings", '{"review": {"slices": 2}}', *files)
    assert output.read_text().count("data:image/png;base64,") == 1
    assert output.stat().st_mode & 0o777 == 0o600


def test_the_verb_reads_a_scan_that_has_not_changed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital = Hospital(tmp_path)
    hospital.normal(0, path="a.npy")
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((8, 8, 8)) * 80)
    hospital.select()
    output, state = tmp_path / "review.html", tmp_path / "state"
    files = ["--scans", tmp_path / "scans.csv", "--selection", tmp_path / "selection.tsv", "--output", output]
    run("review-sheet", "--settings", "{}", *files, "--state", state)
    first = output.read_text()
    monkeypatch.setattr("brainuad.curation.cards.read_volume", None)
    run("review-sheet", "--settings", "{}", *files, "--state", state)
    assert output.read_text() == first
    assert len(list(state.iterdir())) == 1


def write_two_series(folder: Path) -> Path:
    """A soft-tissue series in one subfolder, and a thin one of bone with more files in another."""
    write_series(folder / "soft", orientation=tilted(18.5), positions=table_positions(GAPS_MM, tilted(18.5)))
    bone = {"SeriesInstanceUID": "1.2.3.5", "SeriesNumber": 3, "ConvolutionKernel": "H70h"}
    write_series(folder / "bone", table_positions((4.0,) * 26), **bone)
    return folder


@pytest.mark.parametrize(("series", "size"), [("", 14), ("3", 27), ("1.2.3.5", 27)])
def test_a_dicom_folder_is_shown_as_preprocessing_reads_it(tmp_path: Path, series: str, size: int) -> None:
    folder = write_two_series(tmp_path / "s1")
    volume, pixel_mm = read_volume(tmp_path, "s1", series)
    image = sitk.DICOMOrient(read_dicom(folder, "CT", series).image, "RAS")
    np.testing.assert_array_equal(volume, sitk.GetArrayFromImage(image).transpose(2, 1, 0))
    assert pixel_mm == pytest.approx(image.GetSpacing()[:2])
    assert volume.shape[2] == size


def test_a_card_without_picture_is_as_large_as_others_and_says_why() -> None:
    settings = ReviewSettings()
    card = reason_card("CT: no usable series; series 3 (27 images): kernel for bone or lung (H70h)", settings)
    assert card.shape == montage(np.ones((8, 8, 8)), settings).shape
    assert card[0, 0] == CARD_GREY
    assert (card > 200).any()
    assert not np.array_equal(card, reason_card("the image cannot be read.", settings))


def test_the_verb_shows_why_a_scan_has_no_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files, output = an_empty_folder_to_review(tmp_path)
    with caplog.at_level(logging.WARNING):
        run("review-sheet", "--settings", "{}", *files)
    reason = "CT: no DICOM image in the folder (0 other files)"
    assert png_uri(reason_card(reason, ReviewSettings())) in html.unescape(output.read_text())
    assert "1 of 1 scans have no picture; their cards say why." in caplog.text
    assert "p0" not in caplog.text
