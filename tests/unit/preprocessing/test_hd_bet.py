"""The HD-BET program: how it is called, where its weights are, and what is said when something is missing."""

import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.hd_bet import WEIGHT_FILES, find_weights, hd_bet_mask
from brainuad.preprocessing.settings import HdBetSettings

# Stands for the program: finds the weights where it would, and returns the voxels above 0.5.
PROGRAM = """#!{python}
import os, sys
import SimpleITK as sitk
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
weights = os.path.expanduser("~/hd-bet_params/release_2.0.0/fold_all/checkpoint_final.pth")
assert os.path.isfile(weights) and "--disable_tta" in sys.argv and "--save_bet_mask" in sys.argv
assert arguments["-device"] == "cpu"
image = sitk.ReadImage(arguments["-i"])
sitk.WriteImage(sitk.Cast(image > 0.5, sitk.sitkUInt8), arguments["-o"].replace(".nii.gz", "_bet.nii.gz"))
"""
FAILING = "#!{python}\nimport sys\nsys.exit('CUDA out of memory')\n"
KILLED = "#!{python}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"


def program(folder: Path, text: str) -> str:
    path = folder / "hd-bet"
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


def weights(folder: Path) -> str:
    for name in WEIGHT_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


def image() -> sitk.Image:
    voxels = np.zeros((9, 10, 11), np.float32)
    voxels[2:6] = 1
    return sitk.GetImageFromArray(voxels)


def test_the_program_gets_the_image_and_finds_the_configured_weights(tmp_path: Path) -> None:
    settings = HdBetSettings(program=program(tmp_path, PROGRAM), weights=weights(tmp_path / "weights"))
    mask = hd_bet_mask(image(), settings)
    assert sitk.GetArrayFromImage(mask).sum() == 4 * 10 * 11


@pytest.mark.parametrize(
    ("text", "words"),
    [(FAILING, r"failed \(1\): CUDA out of memory"), (KILLED, r"killed by signal 9 \(too little memory\?\)")],
    ids=["CUDA", "memory"],
)
def test_a_run_that_fails_is_no_defect_of_the_scan_so_that_it_is_tried_again(
    tmp_path: Path, text: str, words: str
) -> None:
    settings = HdBetSettings(program=program(tmp_path, text), weights=weights(tmp_path / "weights"))
    with pytest.raises(InputError, match=words) as caught:
        hd_bet_mask(image(), settings)
    assert not isinstance(caught.value, ScanError)


def test_a_missing_program_names_the_make_target(tmp_path: Path) -> None:
    settings = HdBetSettings(program=str(tmp_path / "none"), weights=weights(tmp_path / "weights"))
    with pytest.raises(InputError, match="make hd-bet"):
        hd_bet_mask(image(), settings)


def test_missing_weights_stop_before_the_program_could_download_them(tmp_path: Path) -> None:
    settings = HdBetSettings(program=program(tmp_path, PROGRAM), weights=str(tmp_path))
    with pytest.raises(InputError, match=r"checkpoint_final\.pth is missing"):
        hd_bet_mask(image(), settings)


def test_weights_are_looked_for_at_home_unless_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = weights(tmp_path / "hd-bet_params" / "release_2.0.0")
    assert find_weights(HdBetSettings()) == Path(folder)
