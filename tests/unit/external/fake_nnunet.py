"""An environment with programs of nnU-Net's names, which read and write its files and need no nnU-Net."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

# Notes its arguments and the cases that it finds.
PREPARE = """#!{python}
import json, os, sys
from pathlib import Path
raw = Path(os.environ["nnUNet_raw"], "Dataset001_brainuad")
cases = sorted(path.name.removesuffix(".nii.gz") for path in (raw / "labelsTr").iterdir())
assert len(cases) == json.loads((raw / "dataset.json").read_text())["numTraining"]
print("prepared", *cases)
open("{calls}", "a").write(" ".join(["plan", *sys.argv[1:], "cases", *cases]) + "\\n")
"""
TRAIN = "#!/bin/sh\nexit 1\n"
PYTHON = """#!/bin/sh
echo "train $@" >> {calls}
PYTHONPATH={site} exec {python} "$@"
"""
# The probability of a lesion is the first channel.
PREDICT = """#!{python}
import sys
import numpy as np
import SimpleITK as sitk
open("{calls}", "a").write(" ".join(["predict", *sys.argv[1:]]) + "\\n")
folder, out, model = (sys.argv[sys.argv.index(key) + 1] for key in ("-i", "-o", "-m"))
for name in ("plans.json", "dataset.json", "fold_0/checkpoint_final.pth"):
    open(f"{{model}}/{{name}}").read()
lesion = sitk.GetArrayFromImage(sitk.ReadImage(f"{{folder}}/scan_0000.nii.gz"))
import os
os.makedirs(out)
np.savez_compressed(f"{{out}}/scan.npz", probabilities=np.stack([1 - lesion, lesion]))
"""


@dataclass(frozen=True)
class FakeNnunet:
    """The environment; its programs are in `folder/bin`."""

    folder: Path

    def calls(self, program: str) -> list[list[str]]:
        """The arguments of each call of `plan`, `train` or `predict`."""
        log = self.folder / "calls"
        words = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [each[1:] for each in words if each[0] == program]

    def fail(self, fold: int, epoch: int) -> None:
        """Lets an epoch of the next training fail."""
        (self.folder / "site" / "fails").write_text(f"{fold} {epoch}")

    def diverge(self, fold: int, epoch: int, loss: str) -> None:
        """Makes a loss of an epoch, `train_losses` or `val_losses`, not a number."""
        (self.folder / "site" / "diverges").write_text(f"{fold} {epoch} {loss}")

    def recover(self) -> None:
        """Lets all epochs succeed."""
        for name in ("fails", "diverges"):
            (self.folder / "site" / name).unlink(missing_ok=True)


def install(folder: Path) -> FakeNnunet:
    """Writes the environment into `folder`."""
    package = folder / "site" / "nnunetv2" / "run"
    package.mkdir(parents=True)
    for place in (package.parent, package):
        (place / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("fake_run_training.py"), package / "run_training.py")
    (folder / "bin").mkdir()
    programs = {"nnUNetv2_plan_and_preprocess": PREPARE, "nnUNetv2_train": TRAIN, "python": PYTHON}
    programs["nnUNetv2_predict_from_modelfolder"] = PREDICT
    for name, text in programs.items():
        path = folder / "bin" / name
        path.write_text(text.format(python=sys.executable, calls=folder / "calls", site=folder / "site"))
        path.chmod(0o755)
    return FakeNnunet(folder)
