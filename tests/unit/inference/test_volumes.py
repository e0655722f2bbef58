"""Scoring with models of whole volumes: what they see, what comes back, what is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.inference.calibrate import CalibrationFiles, calibrate_method
from brainuad.inference.embed import EmbedFiles, EmbedRequest, embed_slices
from brainuad.inference.infer import ScoringFiles, ScoringRequest, build_rule, infer_dataset
from brainuad.inference.samples import depth_fault, in_slices, to_samples
from brainuad.methods.base import ImageShape, Scored
from brainuad.methods.dae import Dae
from brainuad.methods.vae_restoration import VaeRestoration
from brainuad.storage import read_table, write_table
from tests.conftest import DEEP
from tests.contract.training import train

SLICES, X, Y = DEEP
OF_VOLUMES = ImageShape(("t2",), (X, Y, SLICES))
OF_SLICES = ImageShape(("t2",), (X, Y))


@pytest.fixture(scope="module")
def checkpoint(
    deep_cohort: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A function that gives a hardly trained model of volumes, made once per kind."""
    done: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            done[name] = train(name, folder, deep_cohort, iterations=2, validate_every=2).checkpoint
        return done[name]

    return get


def infer(cohort: dict[str, Path], checkpoint: Path, folder: Path, arrays: Path | None = None) -> Any:
    request = ScoringRequest("reconstruction", {}, seed=0, dataset="patients")
    places = (cohort["split"], arrays or cohort["patients"], checkpoint)
    infer_dataset(request, ScoringFiles(*places, folder / "maps", folder / "maps.tsv"), "cpu")
    return read_table(folder / "maps.tsv").set_index("subject")


def test_samples_of_a_model_of_slices_are_the_slices() -> None:
    slices = torch.rand(3, 2, 4, 5)
    scored = Scored(torch.rand(3, 4, 5), slices)
    assert to_samples(slices, ImageShape(("a", "b"), (4, 5))) is slices
    assert in_slices(scored, ImageShape(("a", "b"), (4, 5))) is scored


def test_slices_become_one_volume_and_come_back() -> None:
    shape = ImageShape(("a", "b"), (4, 5, 3))
    slices = torch.rand(3, 2, 4, 5)
    volume = to_samples(slices, shape)
    assert volume.shape == (1, 2, 4, 5, 3)
    assert torch.equal(volume[0, 1, 2, 3], slices[:, 1, 2, 3])
    back = in_slices(Scored(volume[:, 0], volume, 0.5), shape)
    assert torch.equal(back.anomaly_map, slices[:, 0])
    assert torch.equal(back.pseudo_healthy, slices)
    assert back.image_score == 0.5


def test_the_depth_must_be_the_models() -> None:
    assert depth_fault(SLICES, OF_VOLUMES) == depth_fault(99, OF_SLICES) == ""
    assert depth_fault(99, OF_VOLUMES) == "it has 99 slices, but the model looks at volumes of 8"


def test_the_network_sees_the_volume_and_its_output_is_stored(
    deep_cohort: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Any
) -> None:
    monkeypatch.setattr(Dae, "reconstruct", lambda model, x: 0.5 * x.flip(-1))
    row = infer(deep_cohort, checkpoint("dae-3d"), tmp_path).loc["p1"]
    images = ArrayStore(deep_cohort["patients"]).volume("p1").images
    upside_down = 0.5 * images[::-1]
    stored = np.load(tmp_path / "maps" / row["pseudo_healthy"])
    np.testing.assert_allclose(stored, np.moveaxis(upside_down, 0, -1), atol=1e-3)
    expected = np.abs(images - upside_down)[:, 0] * (images[:, 0] > 0.01)
    found = np.load(tmp_path / "maps" / row["map"]).astype(float) / 2.0 ** int(row["scale_exponent"])
    np.testing.assert_allclose(found, np.moveaxis(expected, 0, -1), atol=1e-3)
    assert float(row["l1"]) == pytest.approx(np.abs(images - upside_down).mean(), rel=1e-4)


def test_a_scan_of_another_depth_is_a_row_with_its_reason(
    deep_cohort: dict[str, Path], tmp_path: Path, checkpoint: Any
) -> None:
    arrays = Path(shutil.copytree(deep_cohort["patients"], tmp_path / "patients" / "small"))
    table = read_table(arrays / "index.tsv")
    table.loc[table["subject"] == "p1", "slices"] = "7"
    write_table(table, arrays / "index.tsv")
    manifest = infer(deep_cohort, checkpoint("dae-3d"), tmp_path, arrays)
    assert manifest["status"].to_dict() == {"p0": "ok", "p1": "excluded", "p2": "ok"}
    assert manifest.at["p1", "reason"] == "it has 7 slices, but the model looks at volumes of 8"


def test_a_rule_for_slices_refuses_a_model_of_volumes(checkpoint: Any) -> None:
    with pytest.raises(InputError, match="dimension 3, but scoring rule 'andi' takes models of dimension 2"):
        build_rule(ScoringRequest("andi", {}, 0, "patients"), checkpoint("ddpm-3d"), OF_SLICES, "cpu")


def test_a_model_of_volumes_refuses_slices_of_another_size(checkpoint: Any) -> None:
    shape = ImageShape(("t2",), (32, 32))
    with pytest.raises(
        InputError, match=r"of size \(24, 20\), but the images have channels t2 of size \(32, 32\)"
    ):
        build_rule(ScoringRequest("reconstruction", {}, 0, "patients"), checkpoint("dae-3d"), shape, "cpu")


def test_one_field_for_many_slices_is_refused_for_volumes(checkpoint: Any) -> None:
    request = ScoringRequest("diffusion-reconstruction", {"reuse_noise": True}, 0, "patients")
    with pytest.raises(InputError, match="reuse_noise"):
        build_rule(request, checkpoint("ddpm-3d"), OF_SLICES, "cpu")


def test_calibration_sees_whole_validation_volumes(
    deep_cohort: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Any
) -> None:
    seen = []
    monkeypatch.setattr(VaeRestoration, "calibrate", lambda rule, scans, draws: seen.extend(scans) or {})
    places = (
        deep_cohort["split"],
        (deep_cohort["healthy"],),
        checkpoint("vae-3d"),
        tmp_path,
        tmp_path / "c.json",
    )
    request = ScoringRequest("vae-restoration", {}, 0, dataset="")
    calibrate_method(request, "non-empty", CalibrationFiles(*places), "cpu")
    assert [scan.subject for scan in seen] == ["h6", "h7"]
    assert {scan.images.shape for scan in seen} == {(1, 1, X, Y, SLICES)}


def test_latent_vectors_of_slices_are_refused_for_a_model_of_volumes(
    deep_cohort: dict[str, Path], tmp_path: Path, checkpoint: Any
) -> None:
    files = EmbedFiles(
        deep_cohort["split"], (deep_cohort["patients"],), checkpoint("vae-3d"), (), tmp_path / "z.tsv"
    )
    with pytest.raises(InputError, match="dimension 3 has one latent vector per volume"):
        embed_slices(EmbedRequest(("patients",)), files)
