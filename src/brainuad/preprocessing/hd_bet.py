"""The official HD-BET program, version 2 (Isensee 2019, arXiv 1901.11341; https://github.com/MIC-DKFZ/HD-BET).

It needs package versions of its own, so it runs as a program from its own environment. It looks for its
weights in `~/hd-bet_params/release_2.0.0` and would download them when they are not there; here they must be
in place before it starts.
"""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import SimpleITK as sitk

from brainuad.errors import InputError
from brainuad.preprocessing.settings import HdBetSettings

WEIGHTS_UNDER_HOME = Path("hd-bet_params", "release_2.0.0")
WEIGHT_FILES = ("fold_all/checkpoint_final.pth", "plans.json", "dataset.json")


def hd_bet_mask(image: sitk.Image, settings: HdBetSettings, threads: int = 1) -> sitk.Image:
    """The brain mask that the program finds in an image, on the image's grid.

    A missing program, missing weights and a run that fails are an `InputError`: the program ends well with any image,
    also with one in which it finds no brain, unless it lacks memory, a GPU or a part of its installation.
    """
    program, weights = find_program(settings), find_weights(settings)
    with TemporaryDirectory(prefix="hd-bet-") as folder:
        home = Path(folder, "home")
        (home / WEIGHTS_UNDER_HOME).parent.mkdir(parents=True)
        (home / WEIGHTS_UNDER_HOME).symlink_to(weights, target_is_directory=True)
        scan, brain = Path(folder, "scan.nii.gz"), Path(folder, "brain.nii.gz")
        sitk.WriteImage(image, str(scan))
        command = [program, "-i", str(scan), "-o", str(brain), "-device", settings.device]
        command += ["--save_bet_mask", "--no_bet_image", *([] if settings.mirroring else ["--disable_tta"])]
        environment = os.environ | {"HOME": str(home), "OMP_NUM_THREADS": str(threads)}
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        mask = Path(folder, "brain_bet.nii.gz")
        if finished.returncode or not mask.is_file():
            raise InputError(_failure(finished, folder))
        return sitk.ReadImage(str(mask), sitk.sitkUInt8)


def _failure(finished: subprocess.CompletedProcess[str], folder: str) -> str:
    """What became of a run, with the program's last words."""
    status, last_words = finished.returncode, (finished.stderr.strip().splitlines() or ["no message"])[-1]
    ended = f"was killed by signal {-status} (too little memory?)" if status < 0 else f"failed ({status})"
    return (
        f"skull_strip = 'hd-bet': the program {ended}: {last_words.replace(folder, '')}. The scan is not excluded for "
        "that: give the job more memory (mem_mb), set hd_bet.device to what the machine has, or run `make hd-bet` "
        "again. A scan on which it always fails must leave the data set."
    )


def find_program(settings: HdBetSettings) -> str:
    """The absolute path of the program; an `InputError` where it is missing."""
    found = shutil.which(Path(settings.program).expanduser())
    if found is None:
        raise InputError(
            f"skull_strip = 'hd-bet': no program '{settings.program}'. Run `make hd-bet`, or set hd_bet.program to "
            "where it is installed."
        )
    return str(Path(found).absolute())


def find_weights(settings: HdBetSettings) -> Path:
    """The folder with the weights; an `InputError` that says what belongs there where they are missing."""
    folder = Path(settings.weights).expanduser() if settings.weights else Path.home() / WEIGHTS_UNDER_HOME
    missing = [name for name in WEIGHT_FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"skull_strip = 'hd-bet': the weights are not in {folder} ({missing[0]} is missing). Run the program "
            "once on a machine with a network, or unpack release_v1.5.0.zip of "
            "https://zenodo.org/records/14445620 and set hd_bet.weights to that folder."
        )
    return folder.absolute()
