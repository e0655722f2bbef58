"""nnU-Net as a model of a study: which calls are made, what they get, what is kept, and what is refused.

Programs of nnU-Net's names stand for it (see fake_nnunet.py), except in the last test.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from pydantic import ValidationError

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset
from brainuad.inference.model_file import load_model
from brainuad.methods.base import ImageShape
from brainuad.methods.nnunet import NnUnet, NnunetSegmentation, NnunetSettings
from brainuad.storage import read_json, read_table
from brainuad.study import overlay
from brainuad.training import state as states
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model
from tests.conftest import SIZE
from tests.unit.external.fake_nnunet import FakeNnunet, install

# One fold of the five, of two epochs.
SHORT: dict[str, Any] = {"folds": [0], "epochs": 2, "save_every": 1, "configuration": "2d"}
SHAPE = ImageShape(("t2",), (SIZE, SIZE))
DATASET = "Dataset001_brainuad"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNnunet:
    environment = install(tmp_path / "environment")
    monkeypatch.setenv("PATH", str(environment.folder / "bin"), prepend=os.pathsep)
    return environment


def split_with(cohort: dict[str, Path], folder: Path, training: int) -> Path:
    """A split of the six tumour subjects into so many for training and the rest for validation."""
    split = read_table(cohort["split"])
    subjects = list(split.loc[split["dataset"] == "tumours", "subject"])
    roles = dict(zip(subjects, ["train"] * training + ["validation"] * 6, strict=False))
    split["role"] = split["subject"].map(roles).fillna(split["role"])
    split.to_csv(folder / "split.tsv", sep="\t", index=False)
    return folder / "split.tsv"


def train(cohort: dict[str, Path], folder: Path, training: int = 5, **settings: Any) -> TrainingFiles:
    """Trains with SHORT and these settings, on so many subjects."""
    outputs = [folder / name for name in ("model.ckpt", "log.tsv", "cost.json")]
    split = split_with(cohort, folder, training)
    files = TrainingFiles(split, (cohort["tumours"],), folder / "state", *outputs)
    full = NnunetSettings.model_validate({**SHORT, **settings}).model_dump(mode="json")
    request = ModelRequest("nnunet", full, "non-empty", seed=3)
    train_model(request, files, Machine(device="cpu", threads=1))
    return files


def score(cohort: dict[str, Path], checkpoint: Path, folder: Path) -> ScoringFiles:
    request = ScoringRequest("nnunet-segmentation", {"mirroring": False}, seed=5, dataset="patients")
    files = ScoringFiles(
        cohort["split"], cohort["patients"], checkpoint, folder / "maps", folder / "maps.tsv"
    )
    infer_dataset(request, files, device="cpu")
    return files


def test_maps_are_the_programs_probabilities_voxel_by_voxel(fake, cohort, tmp_path: Path) -> None:
    files = score(cohort, train(cohort, tmp_path).checkpoint, tmp_path)
    store = ArrayStore(cohort["patients"])
    for row in read_table(files.manifest).itertuples():
        found = np.load(files.maps / row.map).astype(np.float32) / 2.0**NnunetSegmentation.scale_exponent
        images = store.volume(row.subject).images[:, 0].transpose(1, 2, 0)
        assert np.array_equal(found, images.astype(np.float16))
        assert row.pseudo_healthy == ""
    calls = fake.calls("predict")
    assert len(calls) == 3
    assert all("--save_probabilities" in call and "--disable_tta" in call for call in calls)
    assert all("-f 0 -device cpu" in " ".join(call) for call in calls)


def test_every_fold_is_trained_for_the_epochs_of_the_study(fake, cohort, tmp_path: Path) -> None:
    files = train(cohort, tmp_path, folds=[0, 1], iterations_per_epoch=40)
    (plan,) = fake.calls("plan")
    assert plan[: plan.index("cases")] == [
        *(["-d", "1", "--clean", "--no_pbar", "-c", "2d", "-np", "1", "-npfp", "1"])
    ]
    assert [call[1:4] for call in fake.calls("train")] == [["1", "2d", "0"], ["1", "2d", "1"]]
    log = read_table(files.log, dtype=None)
    assert log["fold"].tolist() == [0, 0, 1, 1]
    assert log["step"].tolist() == [40, 80, 120, 160]
    assert np.allclose(log["loss"], [-0.1, -0.2, -0.1, -0.2])
    cost = read_json(files.cost)
    assert (cost["parameters"], cost["iterations"], cost["device"]) == (4, 160, "cpu, 1 thread")
    assert cost["peak_memory_mb"] > 0


def test_cross_validation_learns_from_training_subjects_only(fake, cohort, tmp_path: Path) -> None:
    train(cohort, tmp_path)
    (plan,) = fake.calls("plan")
    assert plan[plan.index("cases") + 1 :] == [f"tumours__t{number}" for number in range(5)]


def test_one_network_takes_the_validation_subjects_of_the_study(fake, cohort, tmp_path: Path) -> None:
    fake.fail(fold=0, epoch=0)  # so that the prepared folders are still there
    with pytest.raises(InputError, match="CUDA out of memory"):
        train(cohort, tmp_path, training=4, validation="study")
    (split,) = read_json(tmp_path / f"state/external/preprocessed/{DATASET}/splits_final.json")
    assert split["train"] == [f"tumours__t{number}" for number in range(4)]
    assert split["val"] == ["tumours__t4", "tumours__t5"]


def test_a_training_that_failed_goes_on_where_it_was(fake, cohort, tmp_path: Path) -> None:
    fake.fail(fold=1, epoch=1)
    with pytest.raises(InputError, match="python failed: CUDA out of memory"):
        train(cohort, tmp_path, folds=[0, 1])
    fake.recover()
    files = train(cohort, tmp_path, folds=[0, 1])
    assert len(fake.calls("plan")) == 1
    assert [call[3:4] + call[-1:] for call in fake.calls("train")] == [
        ["0", "cpu"],
        ["1", "cpu"],
        ["1", "--c"],
    ]
    assert read_table(files.log, dtype=None)["step"].tolist() == [250, 500, 750, 1000]


@pytest.mark.parametrize("loss", ["train_losses", "val_losses"])
def test_a_loss_that_is_not_finite_ends_the_training_and_names_fold_epoch_and_checkpoint(
    fake, cohort, tmp_path: Path, loss: str
) -> None:
    fake.diverge(1, 2, loss)
    with pytest.raises(InputError, match=r"fold 1: the loss is not finite in epoch 2") as caught:
        train(cohort, tmp_path, folds=[0, 1], epochs=4)
    fold = tmp_path / f"state/external/results/{DATASET}/nnUNetTrainer__nnUNetPlans__2d/fold_1"
    assert f"Last good checkpoint: {fold / 'checkpoint_latest.pth'} of epoch 1. Start again" in str(
        caught.value
    )
    assert (fold / "checkpoint_latest.pth").read_text().startswith("2 ")
    assert not (fold / "checkpoint_final.pth").exists()
    assert not (tmp_path / "model.ckpt").exists()
    fake.recover()
    losses = read_table(train(cohort, tmp_path, folds=[0, 1], epochs=4).log, dtype=None)["loss"]
    assert np.allclose(losses, [-0.1, -0.2, -0.3, -0.4] * 2)


def test_a_fold_that_ended_with_a_loss_that_is_not_finite_is_refused_later_too(
    fake, cohort, tmp_path: Path
) -> None:
    train(cohort, tmp_path)
    (epochs,) = (tmp_path / "state").rglob("epochs.jsonl")
    epochs.write_text(epochs.read_text().replace("-0.2", "NaN"))
    with pytest.raises(
        InputError, match=r"fold 0: .* epoch 1, .*There is no earlier checkpoint.*Delete the folder"
    ):
        train(cohort, tmp_path)


def test_a_finished_training_is_not_repeated_and_keeps_no_copies_of_the_images(
    fake, cohort, tmp_path: Path
) -> None:
    first = states.load(train(cohort, tmp_path).checkpoint)["weights"]
    again = states.load(train(cohort, tmp_path).checkpoint)["weights"]
    assert len(fake.calls("train")) == 1
    assert not list((tmp_path / "state").rglob("*.nii.gz"))
    for name, content in first["_extra_state"]["files"].items():
        assert torch.equal(content, again["_extra_state"]["files"][name])


def test_other_settings_start_anew(fake, cohort, tmp_path: Path) -> None:
    train(cohort, tmp_path)
    train(cohort, tmp_path, epochs=1)
    assert len(fake.calls("plan")) == 2
    assert not any("--c" in call for call in fake.calls("train"))


def test_first_weights_are_a_function_of_the_seed_and_the_fold(fake, cohort, tmp_path: Path) -> None:
    checkpoint = train(cohort, tmp_path, folds=[2]).checkpoint
    content = states.load(checkpoint)["weights"]["_extra_state"]["files"]["fold_2/checkpoint_final.pth"]
    torch.manual_seed(3 + 2)
    expected = torch.nn.Linear(3, 1).weight[0, 0].item()
    assert float(bytes(content.tolist()).split()[1]) == pytest.approx(expected)


def test_a_model_without_its_files_is_refused(fake, cohort, tmp_path: Path) -> None:
    checkpoint = train(cohort, tmp_path).checkpoint
    content = states.load(checkpoint)
    del content["weights"]["_extra_state"]["files"]["fold_0/checkpoint_final.pth"]
    states.save(content, checkpoint)
    with pytest.raises(InputError, match="do not fit a 'nnunet' model"):
        load_model(checkpoint, SHAPE, "predict_volume")


def test_fewer_training_subjects_than_folds_are_refused(fake, cohort, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"4 training subjects.*five folds.*`validation: study`"):
        train(cohort, tmp_path, training=4)
    assert fake.calls("plan") == []


def test_missing_programs_are_named_before_anything_is_written(cohort, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    with pytest.raises(InputError, match="`make nnunet`"):
        train(cohort, tmp_path)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("validation", "folds"), [("study", [1]), ("cross-validation", [5]), ("study", [0, 0])]
)
def test_folds_that_do_not_exist_are_refused(validation: str, folds: list[int]) -> None:
    with pytest.raises(ValidationError, match="folds must be different numbers"):
        NnunetSettings(validation=validation, folds=folds)


def test_paper_scale_is_nnunets_own_default() -> None:
    settings = NnunetSettings()
    assert (settings.trainer, settings.configuration) == ("nnUNetTrainer", "3d_fullres")
    assert (settings.epochs, settings.iterations_per_epoch, settings.validation_iterations) == (1000, 250, 50)
    assert settings.folds == (0, 1, 2, 3, 4)


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from tests.unit.methods.test_nnunet import train
arrays, split = Path({arrays!r}), Path({split!r})
train({{"split": split, "tumours": arrays}}, Path({folder!r}), **{settings!r})
"""


def test_nnunet_itself_goes_on_after_a_kill(cohort, tmp_path: Path) -> None:
    try:
        NnUnet.check_installed()
    except InputError as error:
        pytest.skip(str(error))
    own = {"training": 4, "epochs": 3, "iterations_per_epoch": 15}
    settings = overlay(overlay(SHORT, NnUnet.quick), own)
    places = {"arrays": str(cohort["tumours"]), "split": str(cohort["split"]), "folder": str(tmp_path)}
    script = SCRIPT.format(repository=str(Path(__file__).parents[3]), settings=settings, **places)
    killed = subprocess.Popen([sys.executable, "-c", script])
    fold = tmp_path / f"state/external/results/{DATASET}/nnUNetTrainer__nnUNetPlans__2d/fold_0"
    while not (fold / "checkpoint_latest.pth").exists():
        assert killed.poll() is None, (tmp_path / "state/external/nnunet.log").read_text()
        time.sleep(0.05)
    family = [psutil.Process(killed.pid), *psutil.Process(killed.pid).children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family)
    killed.wait()
    assert not (tmp_path / "model.ckpt").exists()
    files = train(cohort, tmp_path, **settings)
    assert read_table(files.log, dtype=None)["step"].tolist() == [15, 30, 45]
    assert (fold / "epochs.jsonl").read_text().count('"epoch": 0') == 1
    assert "-device cpu --c\n" in (tmp_path / "state/external/nnunet.log").read_text()
