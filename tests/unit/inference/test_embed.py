"""Latent vectors: which slices, of what, and of which model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.inference.embed import EmbedFiles, EmbedRequest, embed_slices
from brainuad.methods.base import ImageShape
from brainuad.methods.dae import Dae, DaeSettings
from brainuad.methods.si_vae import SiVae, SiVaeSettings
from brainuad.networks.settings import ResidualCoderSettings
from brainuad.storage import read_table, write_table
from brainuad.training import state as states
from tests.conftest import SIZE, SLICES, write_arrays
from tests.verbs import error_of, run

SHAPE = ImageShape(("t2",), (SIZE, SIZE))
SETTINGS = SiVaeSettings(network=ResidualCoderSettings(widths=(3, 4), latent=5))
REQUEST = EmbedRequest(("healthy", "patients"))


def si_vae() -> SiVae:
    torch.manual_seed(0)
    return SiVae(SETTINGS, SHAPE).eval()


def save_model(model: torch.nn.Module, kind: str, path: Path) -> None:
    content = {"kind": kind, "settings": model.settings.model_dump_json(), "weights": model.state_dict()}
    content |= {"format": states.FORMAT, "channels": ["t2"], "size": [SIZE, SIZE], "step": 1}
    states.save(content, path)


@pytest.fixture
def files(tmp_path: Path) -> EmbedFiles:
    """A healthy subject, and two patients of whom the first has a pseudo-healthy image of 0.5."""
    healthy = write_arrays(tmp_path / "healthy" / "small", ["h0", "h1"], lesions=False)
    patients = write_arrays(tmp_path / "patients" / "small", ["p0", "p1"], lesions=True)
    roles = [("healthy", "h0", "test"), ("healthy", "h1", "train"), ("patients", "p0", "test")]
    roles += [("patients", "p1", "test")]
    rows = [(dataset, subject, subject, role) for dataset, subject, role in roles]
    split = pd.DataFrame(rows, columns=["dataset", "subject", "participant", "role"])
    write_table(split, tmp_path / "split.tsv")
    folder = tmp_path / "maps" / "patients"
    folder.mkdir(parents=True)
    np.save(folder / "p0.npy", np.full((1, SIZE, SIZE, SLICES), 0.5, dtype=np.float16))
    manifest = [
        {"subject": "p0", "status": "ok", "pseudo_healthy": "p0.npy"},
        {"subject": "p1", "status": "ok", "pseudo_healthy": ""},
    ]
    write_table(pd.DataFrame(manifest), tmp_path / "maps" / "patients.tsv")
    save_model(si_vae(), "si-vae", tmp_path / "model.ckpt")
    return EmbedFiles(
        tmp_path / "split.tsv",
        (healthy, patients),
        tmp_path / "model.ckpt",
        (tmp_path / "maps" / "patients.tsv",),
        tmp_path / "embeddings.tsv",
    )


def test_there_is_a_row_per_slice_of_every_test_subject(files: EmbedFiles) -> None:
    table = embed_slices(REQUEST, files)
    assert table.columns.tolist() == [
        *("dataset", "subject", "slice", "group", "kind"),
        *(f"z{i}" for i in range(5)),
    ]
    counts = table.groupby(["dataset", "subject", "group", "kind"]).size().to_dict()
    assert counts == {
        ("healthy", "h0", "healthy", "input"): SLICES,
        ("patients", "p0", "patient", "input"): SLICES,
        ("patients", "p0", "patient", "pseudo-healthy"): SLICES,
        ("patients", "p1", "patient", "input"): SLICES,
    }
    assert read_table(files.output).shape == table.shape


def test_z_is_the_mean_of_the_embedding_of_the_slice(files: EmbedFiles) -> None:
    table = embed_slices(REQUEST, files)
    columns = [f"z{i}" for i in range(5)]
    x = torch.from_numpy(ArrayStore(files.arrays[1]).volume("p1").images)
    found = table[table["subject"] == "p1"].sort_values("slice")[columns].to_numpy()
    with torch.no_grad():
        np.testing.assert_allclose(found, si_vae().latent(x).numpy(), atol=1e-5)
        grey = si_vae().latent(torch.full((1, 1, SIZE, SIZE), 0.5)).numpy()
    painted = table[table["kind"] == "pseudo-healthy"][columns].to_numpy()
    np.testing.assert_allclose(painted, np.repeat(grey, SLICES, axis=0), atol=1e-5)


def test_few_slices_are_taken_at_even_steps_and_none_without_brain(files: EmbedFiles) -> None:
    brain = np.load(files.arrays[0] / "brain.npy")
    brain[[0, SLICES - 1]] = False
    np.save(files.arrays[0] / "brain.npy", brain)
    inputs = embed_slices(REQUEST, files).query("subject == 'h0'")
    assert inputs["slice"].tolist() == list(range(1, SLICES - 1))
    two = embed_slices(replace(REQUEST, slices=2), files).query("subject == 'h0'")
    assert two["slice"].tolist() == [2, 4]


def test_the_same_model_gives_the_same_file(files: EmbedFiles) -> None:
    embed_slices(REQUEST, files)
    first = files.output.read_bytes()
    embed_slices(REQUEST, files)
    assert files.output.read_bytes() == first


def test_a_model_without_latent_vectors_is_refused(files: EmbedFiles, tmp_path: Path) -> None:
    settings = DaeSettings.model_validate({"network": {"widths": [4, 8]}})
    save_model(Dae(settings, SHAPE), "dae", tmp_path / "dae.ckpt")
    with pytest.raises(
        InputError, match=r"'dae' has no latent vectors to embed; those of kind ra, si-vae, vae do"
    ):
        embed_slices(REQUEST, replace(files, checkpoint=tmp_path / "dae.ckpt"))


def test_a_role_that_nobody_has_is_refused(files: EmbedFiles) -> None:
    with pytest.raises(InputError, match="no validation subject of healthy, patients has arrays"):
        embed_slices(replace(REQUEST, role="validation"), files)


def test_a_pseudo_healthy_image_of_another_shape_is_refused(files: EmbedFiles) -> None:
    folder = files.maps[0].with_suffix("")
    np.save(folder / "p0.npy", np.zeros((1, SIZE, SIZE, SLICES + 1), dtype=np.float16))
    with pytest.raises(InputError, match=r"patients\.tsv.*Run the inference again"):
        embed_slices(REQUEST, files)


def test_the_verb_takes_manifests_as_one_text(files: EmbedFiles) -> None:
    options = ["--split", files.split, "--checkpoint", files.checkpoint, "--output", files.output]
    arrays = [folder / "index.tsv" for folder in files.arrays]
    job = '{"version": 1, "datasets": ["healthy", "patients"]}'
    run("embed", "--settings", job, *options, "--maps", files.maps[0], "--device", "cpu", *arrays)
    assert len(read_table(files.output)) == 4 * SLICES
    files.checkpoint.write_bytes(b"no model")
    assert "model.ckpt" in error_of("embed", "--settings", job, *options, *arrays)
