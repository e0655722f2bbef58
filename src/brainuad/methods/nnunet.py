"""nnU-Net, trained on annotated lesions by its own programs: the supervised reference of Kascenas 2023 on CT.

Isensee et al. 2021, nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation,
Nature Methods 18; nnunetv2 2.8.1. Kascenas et al. 2023, The role of noise in denoising models for anomaly
detection in medical images, Medical Image Analysis 90, table 4. nnU-Net chooses network, patches, augmentation,
loss and schedule by itself; the programs nnUNetv2_plan_and_preprocess, nnUNetv2_train and
nnUNetv2_predict_from_modelfolder do the work. A training draws its batches from unseeded processes: two of one
seed differ.
"""

import json
import math
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from brainuad.errors import InputError
from brainuad.external.model import ExternalModel, ExternalTraining, TrainingRecord
from brainuad.external.nnunet_folders import (
    DATASET_ID,
    NnunetFolders,
    case_name,
    common_spacing,
    read_probability,
    write_dataset,
    write_images,
)
from brainuad.external.nnunet_trainer import EPOCHS_FILE, write_training_script
from brainuad.external.programs import Environment, locked, run_program
from brainuad.methods.base import ImageShape, Scan, Scored, ScoringRule
from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.storage import write_json, write_text

NNUNET = Environment(".venv-nnunet", target="nnunet")
PREPARE, TRAIN, PREDICT = (
    "nnUNetv2_plan_and_preprocess",
    "nnUNetv2_train",
    "nnUNetv2_predict_from_modelfolder",
)


class NnunetSettings(Settings):
    """nnU-Net's own defaults, which Kascenas 2023 names for CT."""

    # 3d_fullres: whole volumes in the recipe's voxels. 2d: slices. nnU-Net proposes 3d_fullres for these images.
    configuration: Literal["2d", "3d_fullres"] = "3d_fullres"
    # cross-validation: nnU-Net's five folds of the training subjects; the networks of `folds` vote together.
    # study: one network, with the study's validation subjects as nnU-Net's.
    validation: Literal["cross-validation", "study"] = "cross-validation"
    folds: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1)
    # The class in nnunetv2 that is trained, here for as long as the next settings say.
    trainer: str = "nnUNetTrainer"
    epochs: int = Field(1000, gt=0)
    iterations_per_epoch: int = Field(250, gt=0)
    validation_iterations: int = Field(50, gt=0)
    # Epochs between two states to go on from.
    save_every: int = Field(10, gt=0)

    @model_validator(mode="after")
    def _folds_exist(self) -> Self:
        allowed = range(5 if self.validation == "cross-validation" else 1)
        if not set(self.folds) <= set(allowed) or len(set(self.folds)) < len(self.folds):
            raise ValueError(
                f"folds must be different numbers of {list(allowed)} with validation: {self.validation}"
            )
        return self


class NnUnet(ExternalModel):
    """The trained networks of nnU-Net, kept as its own files."""

    kind = "nnunet"
    settings_class = NnunetSettings
    learns_from_lesions = True
    quick: ClassVar = {
        "configuration": "2d",
        "validation": "study",
        "folds": [0],
        "epochs": 2,
        "iterations_per_epoch": 60,
        "validation_iterations": 2,
        "save_every": 1,
    }

    def __init__(self, settings: NnunetSettings, shape: ImageShape) -> None:
        super().__init__(settings, shape)
        self.spacing_mm = [1.0, 1.0, 1.0]
        self.files: dict[str, Tensor] = {}
        self._unpacked: TemporaryDirectory | None = None

    def get_extra_state(self) -> dict[str, Any]:
        """nnU-Net's files as bytes, and the voxel size that they were trained with."""
        return {"spacing_mm": self.spacing_mm, "files": self.files}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Takes over the files of a checkpoint."""
        self.spacing_mm, self.files = list(state["spacing_mm"]), dict(state["files"])
        if missing := set(self._file_names()) - self.files.keys():
            raise ValueError(f"nnU-Net's file {min(missing)} is missing")

    def _file_names(self) -> list[str]:
        checkpoints = (f"fold_{fold}/checkpoint_final.pth" for fold in self.settings.folds)
        return ["plans.json", "dataset.json", *checkpoints]

    # Training.

    @classmethod
    def check_installed(cls) -> None:
        """An `InputError` where nnU-Net's programs are missing."""
        for program in (PREPARE, TRAIN, PREDICT):
            NNUNET.find(program)

    def train_external(self, task: ExternalTraining) -> TrainingRecord:
        """Plans, preprocesses and trains every fold that is not yet trained, and takes over their files."""
        folders = NnunetFolders(task.folder)
        trained = folders.model(self.settings.trainer, self.settings.configuration)
        volumes = task.training + (task.validation if self.settings.validation == "study" else ())
        self._check_folds(task)
        self.spacing_mm = list(common_spacing(volumes))
        with locked(task.folder) as lock:
            if not all((trained / name).is_file() for name in self._file_names()):
                self._prepare(task, folders, lock)
                for fold in self.settings.folds:
                    self._train_fold(fold, task, folders, lock)
                # Larger than all else, and of no further use.
                for folder in (folders.raw, folders.preprocessed):
                    shutil.rmtree(folder, ignore_errors=True)
            self.files = {name: _read_bytes(trained / name) for name in self._file_names()}
            return self._record(trained)

    def _check_folds(self, task: ExternalTraining) -> None:
        count = len(task.training)
        if self.settings.validation == "cross-validation" and count < 5:
            raise InputError(
                f"nnunet: {count} training subjects cannot be divided into five folds. Give the study more of them, "
                "or set `validation: study` and `folds: [0]`."
            )

    def _prepare(self, task: ExternalTraining, folders: NnunetFolders, lock: int) -> None:
        """Data set, plans and preprocessed cases, unless a killed run has finished them."""
        command = [NNUNET.find(PREPARE), "-d", DATASET_ID, "--clean", "--no_pbar"]
        command += ["-c", self.settings.configuration]
        command += ["-np", str(task.threads), "-npfp", str(task.threads)]
        own = ("trainer", "epochs", "iterations_per_epoch", "validation_iterations", "save_every")
        settings = self.settings.model_dump(include=set(own))
        write_training_script(folders.script, {**settings, "seed": task.seed, "threads": task.threads})
        finished = folders.preprocessed / "prepared"
        if finished.exists():
            return
        for folder in (folders.raw, folders.preprocessed):
            shutil.rmtree(folder, ignore_errors=True)
        study = self.settings.validation == "study"
        write_dataset(folders.raw, task.training + (task.validation if study else ()), self.spacing_mm)
        folders.preprocessed.mkdir(parents=True)
        run_program(command, folders.variables(task.threads), folders.log, lock)
        if study:
            split = {"train": [*map(case_name, task.training)], "val": [*map(case_name, task.validation)]}
            write_json([split], folders.preprocessed / "splits_final.json")
        write_text("", finished)

    def _train_fold(self, fold: int, task: ExternalTraining, folders: NnunetFolders, lock: int) -> None:
        configuration = self.settings.configuration
        folder = folders.model(self.settings.trainer, configuration) / f"fold_{fold}"
        if (folder / "checkpoint_final.pth").is_file():
            return
        command = [NNUNET.find_python(TRAIN), str(folders.script), DATASET_ID, configuration, str(fold)]
        command += ["-tr", self.settings.trainer, "-device", task.device]
        if task.devices > 1:
            command += ["-num_gpus", str(task.devices)]
        if (folder / "checkpoint_latest.pth").is_file():
            command.append("--c")
        before = len(_epochs(folder))
        try:
            run_program(command, folders.variables(task.threads), folders.log, lock)
        except InputError:
            self._require_finite(fold, folder, _epochs(folder)[before:])
            raise
        self._require_finite(fold, folder, _epochs(folder)[before:])

    def _require_finite(self, fold: int, folder: Path, epochs: list[dict[str, Any]]) -> None:
        """An `InputError` where the last of these epochs of a fold has a loss that is not finite."""
        if not epochs or (math.isfinite(epochs[-1]["loss"]) and math.isfinite(epochs[-1]["validation"])):
            return
        row, again = epochs[-1], f"Delete the folder {folder} to train the fold anew"
        kept = "There is no earlier checkpoint"
        if (folder / "checkpoint_latest.pth").is_file():
            saved = row["epoch"] // self.settings.save_every * self.settings.save_every - 1
            kept = f"Last good checkpoint: {folder / 'checkpoint_latest.pth'} of epoch {saved}"
            again = f"Start again to go on from there with other batches. {again}"
        raise InputError(
            f"nnunet: fold {fold}: the loss is not finite in epoch {row['epoch']}, counted from 0 (training "
            f"{row['loss']}, validation {row['validation']}). {kept}. {again}. nnU-Net draws its batches from unseeded "
            "processes, so their subjects are not known: look at the arrays of all training subjects."
        )

    def _record(self, trained: Path) -> TrainingRecord:
        """The losses of all folds, one after the other, and the cost of all epochs."""
        length = self.settings.iterations_per_epoch
        record, seconds, memory, parameters = TrainingRecord(), 0.0, 0.0, 0
        for position, fold in enumerate(self.settings.folds):
            # An epoch that was repeated after a kill counts once in the log and twice in the cost.
            folder = trained / f"fold_{fold}"
            epochs = _epochs(folder)
            if not epochs:
                raise InputError(
                    f"{folder / EPOCHS_FILE}: no epoch is noted though the fold is trained. Delete its folder to "
                    "train it anew."
                )
            self._require_finite(fold, folder, epochs)
            seconds += sum(row["seconds"] for row in epochs)
            for row in {row["epoch"]: row for row in epochs}.values():
                step = (position * self.settings.epochs + row["epoch"] + 1) * length
                losses = {"loss": row["loss"], "validation": row["validation"]}
                record.rows.append({"step": float(step), "fold": float(fold), **losses})
                memory, parameters = max(memory, row["peak_memory_mb"]), row["parameters"]
        iterations = len(self.settings.folds) * self.settings.epochs * length
        record.cost = {"parameters": parameters, "iterations": iterations}
        record.cost |= {"training_hours": seconds / 3600, "peak_memory_mb": memory}
        return record

    # Scoring.

    def predict_volume(self, scan: Scan, mirroring: bool, step_size: float) -> Tensor:
        """The mean softmax of the lesion over the folds, (slice, x, y), by one call of nnU-Net's program."""
        with TemporaryDirectory(prefix="nnunet-") as name:
            folder = Path(name)
            write_images(folder / "in", "scan", scan.images.cpu().numpy(), self.spacing_mm)
            command = [NNUNET.find(PREDICT), "-m", str(self._unpack())]
            command += ["-i", str(folder / "in"), "-o", str(folder / "out"), "--save_probabilities"]
            command += ["-f", *map(str, self.settings.folds), "-device", scan.images.device.type]
            command += ["-step_size", str(step_size), "-npp", "1", "-nps", "1", "--disable_progress_bar"]
            command += [] if mirroring else ["--disable_tta"]
            folders = NnunetFolders(folder)
            run_program(command, folders.variables(torch.get_num_threads()), folders.log)
            return torch.from_numpy(read_probability(folder / "out" / "scan.npz"))

    def _unpack(self) -> Path:
        """The folder of nnU-Net's files, written before the first scan and kept as long as the model."""
        if self._unpacked is None:
            self._unpacked = TemporaryDirectory(prefix="nnunet-model-")
        root = Path(self._unpacked.name)
        if not (root / "model").exists():
            for name in self._file_names():
                path = root / "model" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.files[name].numpy().tobytes())
        return root / "model"


def _epochs(folder: Path) -> list[dict[str, Any]]:
    """What the training script has noted of each epoch of a fold, in the order of time.

    A line that was cut off, as by a full disk, is of an epoch that the next start repeats.
    """
    path = folder / EPOCHS_FILE
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def _read_bytes(path: Path) -> Tensor:
    return torch.from_numpy(np.fromfile(path, dtype=np.uint8))


class NnunetPredictionSettings(Settings):
    """How nnU-Net's program predicts; the defaults are its own."""

    mirroring: bool = True
    step_size: float = Field(0.5, gt=0, le=1)


class NnunetSegmentation(ScoringRule):
    """The softmax of the lesion is the anomaly score; there is no reconstruction."""

    kind = "nnunet-segmentation"
    settings_class = NnunetPredictionSettings
    needs = "predict_volume"
    quick: ClassVar = {"mirroring": False}
    # Probabilities reach 1, so that the largest stored value is 2^15.
    scale_exponent = 15

    def score(self, scan: Scan, draws: Draws) -> Scored:
        """The probability map of one volume."""
        probability = self.model.predict_volume(scan, self.settings.mirroring, self.settings.step_size)
        return Scored(probability.to(scan.images.device))
